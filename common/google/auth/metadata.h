/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata server: it tells a machine or pod of Google Cloud which service account it is, and
 * gives it that account's tokens. Both sides send Metadata-Flavor: Google. No request goes through
 * a proxy, and a server that is busy for a moment is asked several times.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_METADATA_H
#define CLOUDINVITE_GOOGLE_AUTH_METADATA_H

#include <stdbool.h>
#include <stddef.h>

#include "google/auth/credential.h"

/* Asks whose token it is (a mail address, or a pool's name on GKE) and for the token, which the
 * caller owns. Refuses another universe. */
bool metadata_token(const struct settings *settings, struct http *http, char *account, size_t size,
	struct credential_minted *out, struct fault *fault);

#endif
