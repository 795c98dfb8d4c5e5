/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions: the parts of a signed JWT, whether a key made its signature, and new ones.
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
	const char *text; /* borrowed: the whole */
	size_t signed_size;
};

/* Three segments of base64url without padding, the first two JSON objects. */
bool jwt_read(struct jwt *j, const char *text);
/* RS256 or ES256, as the key is and the header says. */
bool jwt_verify(const struct jwt *j, EVP_PKEY *key);
/* The whole text of a JWT with these claims, a JSON object as it is to stand there; the caller
 * frees. RS256 or ES256, as the key is. */
char *jwt_sign(EVP_PKEY *key, const char *kid, const char *claims);
void jwt_free(struct jwt *j);

#endif
