/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions: parsing a signed JWT, verifying its signature, and making new ones.
 */
#ifndef CLOUDINVITE_EMULATOR_JWT_H
#define CLOUDINVITE_EMULATOR_JWT_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

struct jwt {
	json_t *header, *claims; /* objects */
	unsigned char *signature;
	size_t signature_size;
	const char *text; /* borrowed: the whole text */
	size_t signed_size;
};

/* Three segments of base64url without padding, the first two JSON objects. */
bool jwt_read(struct jwt *j, const char *text);
/* RS256 or ES256, which must match both the key and the header. */
bool jwt_verify(const struct jwt *j, EVP_PKEY *key);
/* A JWT with these claims, a JSON object that is used unchanged; the caller frees. RS256 or ES256,
 * depending on the key. */
char *jwt_sign(EVP_PKEY *key, const char *kid, const char *claims);
void jwt_free(struct jwt *j);

#endif
