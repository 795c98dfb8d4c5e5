/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyring: everything that is made anew at each start: a certificate authority, the server's
 * certificate, and the service account's key.
 */
#ifndef CLOUDINVITE_EMULATOR_KEYRING_H
#define CLOUDINVITE_EMULATOR_KEYRING_H

#include <openssl/evp.h>
#include <stdbool.h>

#define OWN_EMAIL	   "inviter@cloudinvite-emulated.iam.gserviceaccount.com"
#define OWN_CLIENT_ID	   "104857600000000000042"
#define OWN_PROJECT	   "cloudinvite-emulated"
#define OWN_PROJECT_NUMBER "123456789012"

struct keyring {
	char *ca_pem;	  /* what clients trust */
	char *server_pem; /* its certificate */
	char *server_key_pem;
	EVP_PKEY *service_key; /* RSA 2048 */
	char *service_kid;
};

/* False with a line on standard error. */
bool keyring_make(struct keyring *k, const char *listen_host);
void keyring_free(struct keyring *k);

/* The private key as PKCS#8 PEM; the public half as SubjectPublicKeyInfo PEM; the caller frees. */
char *keyring_private_pem(EVP_PKEY *key);
char *keyring_public_pem(EVP_PKEY *key);
/* NULL if it is none. */
EVP_PKEY *keyring_read_public(const char *pem);

#endif
