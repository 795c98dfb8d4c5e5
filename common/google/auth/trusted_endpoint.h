/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pinning: a credential's file comes from elsewhere, so what it says about hosts decides nothing.
 * Every request goes where the settings say; what a file names must be Google's own address, to the
 * letter, or the one that the settings name too. Otherwise the file was made for something else,
 * perhaps for somebody else, and is refused.
 *
 * To the letter: no user before the host, no other port, case, trailing dot or escape is ever
 * needed in an address that Google hands out, so nothing has to be parsed in order to compare it.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_TRUSTED_ENDPOINT_H
#define CLOUDINVITE_GOOGLE_AUTH_TRUSTED_ENDPOINT_H

#include <stdbool.h>

#include "settings/settings.h"

#define TRUSTED_IAM "https://iamcredentials.googleapis.com"

/* token_uri, where assertions and refresh tokens go. */
bool trusted_token_uri(const char *uri, const struct settings *settings);
/* token_url, where the tokens of a workload go. */
bool trusted_sts_url(const char *url, const struct settings *settings);
/* service_account_impersonation_url: its path ("/v1/…"), or NULL if the host is not IAM's. */
const char *trusted_iam_path(const char *url, const struct settings *settings);

#endif
