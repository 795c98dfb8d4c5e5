/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A grant: the exchange of something that we have for an access token at the token endpoint.
 */
#ifndef CLOUDINVITE_GOOGLE_GRANT_H
#define CLOUDINVITE_GOOGLE_GRANT_H

#include <stdbool.h>
#include <stddef.h>

#include "google/credential.h"

/* An access token goes into a header line: printable ASCII without blanks, of a length that Google
 * documents (12 KiB) and a little more. */
#define GRANT_TOKEN_MAX 16384
bool grant_token_valid(const char *token);

/* Posts the form (already encoded) and reads the token. The fault is of google/failure.h. */
bool grant_exchange(const struct credential *c, struct http *http, const char *form, size_t len,
	struct credential_minted *out, struct fault *fault);

/* A successful reply's body. False: not what RFC 6749 promises. */
bool grant_parse(const char *body, size_t len, struct credential_minted *out);

#endif
