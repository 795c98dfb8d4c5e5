/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The metadata server: the neighbour that tells a machine or pod of Google Cloud which service
 * account it is, and gives it that account's tokens. Both sides say Metadata-Flavor: Google;
 * nothing goes through a proxy; a server that is busy for a moment is asked a few times.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_METADATA_H
#define CLOUDINVITE_GOOGLE_AUTH_METADATA_H

#include <stdbool.h>
#include <stddef.h>

#include "google/auth/credential.h"

/* Asks whose token it is (a mail address, or a pool's name on GKE) and for the token itself, which
 * the caller of this function owns. Refuses another universe. */
bool metadata_token(const struct settings *settings, struct http *http, char *account, size_t size,
	struct credential_minted *out, struct fault *fault);

#endif
