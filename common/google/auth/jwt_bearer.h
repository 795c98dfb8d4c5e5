/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grant of RFC 7523: a signed assertion for a token that acts as the administrator. The
 * request, and what happens when the clock is wrong, are the same for every signer.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_JWT_BEARER_H
#define CLOUDINVITE_GOOGLE_AUTH_JWT_BEARER_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "google/auth/assertion.h"
#include "google/auth/credential.h"

/* Appends the signed JWT; false with the fault. */
typedef bool jwt_bearer_sign(struct credential *c, struct http *http, const struct assertion *what,
	struct strbuf *out, struct fault *fault);

/* Signs and exchanges, and does both once more with a corrected clock if Google refuses the time.
 * Does what a credential_type's `mint` promises. */
bool jwt_bearer_mint(struct credential *c, struct http *http, jwt_bearer_sign *sign,
	struct credential_minted *out, struct fault *fault);

/* Whether c->issuer can act as c->subject; for a credential_type's `load`. */
bool jwt_bearer_subject(const struct credential *c, struct fault *fault);

#endif
