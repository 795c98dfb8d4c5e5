/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trusted endpoints. A credential's file comes from elsewhere, so what it says about hosts decides
 * nothing: every request goes where the settings say. An address that a file names must be exactly
 * Google's own or the one in the settings. Otherwise the file was made for another service, and is
 * refused.
 *
 * Exactly: Google never writes an address with a user, another port, upper case, a trailing dot or
 * escapes, so addresses are compared without parsing them.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_TRUSTED_ENDPOINT_H
#define CLOUDINVITE_GOOGLE_AUTH_TRUSTED_ENDPOINT_H

#include <stdbool.h>

#include "settings/settings.h"

#define TRUSTED_IAM "https://iamcredentials.googleapis.com"

/* token_uri, to which assertions and refresh tokens are sent. */
bool trusted_token_uri(const char *uri, const struct settings *settings);
/* token_url, to which a workload's tokens are sent. */
bool trusted_sts_url(const char *url, const struct settings *settings);
/* The path ("/v1/…") of service_account_impersonation_url, or NULL if the host is not IAM's. */
const char *trusted_iam_path(const char *url, const struct settings *settings);

#endif
