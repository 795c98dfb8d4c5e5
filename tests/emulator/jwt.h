/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Assertions: the parts of a signed JWT, and whether a key made its signature.
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
/* RSASSA-PKCS1-v1_5 with SHA-256. */
bool jwt_verify(const struct jwt *j, EVP_PKEY *key);
void jwt_free(struct jwt *j);

#endif
