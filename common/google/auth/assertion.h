/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The assertion: the signed statement that a service account exchanges for a token (RFC 7523).
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_ASSERTION_H
#define CLOUDINVITE_GOOGLE_AUTH_ASSERTION_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

/* Google's real address, even if another endpoint is used: Google's own libraries write this
 * one. */
#define ASSERTION_AUDIENCE "https://oauth2.googleapis.com/token"
/* Google refuses an `iat` in the future and an `exp` more than an hour ahead, both by its own
 * clock. Our clock may be off by so many seconds in either direction. */
#define ASSERTION_BACKDATE 30
#define ASSERTION_LIFETIME 3300

struct assertion {
	const char *issuer;  /* the service account */
	const char *subject; /* the administrator; "": the service account acts as itself */
	const char *scope;
	const char *key_id;
	int64_t now; /* by Google's clock, if it is known */
	/* If the key is not OpenSSL's own: its library context, and the properties that find the
	 * key's implementation. Otherwise NULL. */
	OSSL_LIB_CTX *context;
	const char *properties;
};

/* Appends the claims as JSON, for a signer elsewhere. */
bool assertion_claims(const struct assertion *a, struct strbuf *out);
/* Appends the JWT (RS256). False if OpenSSL cannot sign. */
bool assertion_sign(const struct assertion *a, EVP_PKEY *key, struct strbuf *out);

#endif
