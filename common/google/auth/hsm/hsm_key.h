/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key of a service account that a PKCS#11 token or a TPM 2.0 holds: it signs there, and nobody
 * can copy it. Inside the room; the credential is credential_hsm.
 *
 * The key is opened for one signature and closed again, about once an hour: a token that is pulled
 * out and put back needs no restart, a TPM is left to others, and the PIN is in memory no longer
 * than it takes.
 *
 * A token locks itself after a few wrong PINs. So a PIN that it has refused is never tried again,
 * by any process: held_key_pin.c remembers.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_HSM_HSM_KEY_H
#define CLOUDINVITE_GOOGLE_AUTH_HSM_HSM_KEY_H

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdbool.h>

#include "base/strbuf.h"
#include "google/auth/credential.h"

/* ---- the key ---- */

struct hsm_key {
	EVP_PKEY *key;
	OSSL_LIB_CTX *context; /* NULL: an engine's key, which has none */
	const char *properties;
	OSSL_PROVIDER *base, *provider;
	void *engine;
};

/* What OpenSSL's error queue says, emptied. */
struct hsm_error {
	char reason[200];	 /* for people; never empty */
	bool not_installed;	 /* the provider or engine is not installed */
	bool no_device;		 /* it is, but finds no device to talk to */
	bool bad_pin;		 /* the PIN or password was refused: not to be repeated */
	bool reports_pin_errors; /* had it been the PIN, it would say so */
	bool maybe_pin;		 /* nobody says whether it was: the PIN is spared */
};

/* Opens by an OSSL_STORE in a library context of its own; `uri` holds the PIN. Asks nothing on a
 * terminal. */
bool hsm_open(struct hsm_key *k, const char *uri, struct hsm_error *error);
void hsm_close(struct hsm_key *k);
void openssl_drain_errors(struct hsm_error *error);

/* Where no PKCS#11 provider is packaged (Debian 12), its predecessor may be: an engine. */
bool hsm_engine_open(struct hsm_key *k, const char *uri, struct hsm_error *error);
void hsm_engine_close(struct hsm_key *k);

/* ---- the token ---- */

enum hsm_token_state {
	HSM_TOKEN_UNKNOWN, /* PKCS#11 itself could not be asked */
	HSM_TOKEN_ABSENT,
	HSM_TOKEN_FOUND,
	HSM_TOKEN_AMBIGUOUS /* the URI fits several */
};

struct hsm_token {
	enum hsm_token_state state;
	bool wants_pin;
	bool pin_wrong;	   /* the last one that was given, by whomever */
	bool pin_last_try; /* the next wrong one locks it */
	bool pin_locked;   /* nobody gets in any more */
	char others[160];  /* the labels of all tokens there are */
};

/* Asks the PKCS#11 modules that p11-kit knows, without a PIN, for the token of the URI. */
void hsm_token_info(const char *uri, struct hsm_token *token);

/* ---- the PIN ---- */

/* Appends the PIN that the URI or its file holds; nothing if it names none. */
bool hsm_pin_read(const char *uri, struct strbuf *pin, struct fault *fault);
/* Whether this PIN of this key may be tried: it has not been refused before, and if it is now, that
 * can be remembered. */
bool rejected_pin_check(
	const struct settings *s, const char *uri, const char *pin, struct fault *fault);
/* It has been refused just now. */
void rejected_pin_add(const struct settings *s, const char *uri, const char *pin);
/* The file that remembers it, for people. */
bool rejected_pin_path(const struct settings *s, const char *uri, char *out, size_t size);
/* Another one was taken: what was remembered is forgotten. */
void rejected_pin_clear(const struct settings *s, const char *uri);

#endif
