/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keyring: what is generated at each start: a certificate authority, the server's certificate,
 * the service account's key, and the keys of the identity provider and of signJwt.
 */
#ifndef CLOUDINVITE_EMULATOR_KEYRING_H
#define CLOUDINVITE_EMULATOR_KEYRING_H

#include <openssl/evp.h>
#include <stdbool.h>

#define OWN_EMAIL	   "inviter@cloudinvite-emulated.iam.gserviceaccount.com"
#define OWN_CLIENT_ID	   "104857600000000000042"
#define OWN_PROJECT	   "cloudinvite-emulated"
#define OWN_PROJECT_NUMBER "123456789012"

struct signing_key {
	char *kid;
	EVP_PKEY *key; /* only the public half is needed, except to sign */
	bool managed;  /* made by Google for signJwt, not by the account's owner */
};

struct keyring {
	char *ca_pem;	  /* what clients trust */
	char *server_pem; /* its certificate */
	char *server_key_pem;
	EVP_PKEY *service_key; /* RSA 2048 */
	char *service_kid;
	struct signing_key issuer_key; /* the emulated identity provider's; P-256 */
	EVP_PKEY *managed_key;	       /* what signJwt signs with; NULL until it does */
};

/* False with a line on standard error. */
bool keyring_make(struct keyring *k, const char *listen_host);
void keyring_free(struct keyring *k);

/* Makes another owner of the same key. */
struct signing_key signing_key_share(const struct signing_key *key);
void signing_key_free(struct signing_key *key);
/* The key of signJwt, with a new key id. */
struct signing_key keyring_managed_key(struct keyring *k);

/* PEM of the private key as PKCS#8, and of the public key as SubjectPublicKeyInfo; the caller
 * frees. */
char *keyring_private_pem(EVP_PKEY *key);
char *keyring_public_pem(EVP_PKEY *key);
/* NULL if it is not valid. */
EVP_PKEY *keyring_read_public(const char *pem);

#endif
