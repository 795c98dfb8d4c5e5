/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: new keys, and key files that contain them.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_GOOGLE_KEY_H
#define CLOUDINVITE_TESTS_UNIT_GOOGLE_KEY_H

#include <jansson.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

EVP_PKEY *key_rsa(unsigned bits);

/* PKCS#8; the caller frees it. */
char *key_pem(EVP_PKEY *key);

/* A service account's key file in Google's form; `pem` may be NULL. */
json_t *key_file(const char *pem);

#endif
