/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key of a service account in a PKCS#11 token or a TPM 2.0, which signs there and cannot be
 * copied. Private to this folder; the credential is credential_hsm.
 *
 * The key is opened for one signature and closed again, about once an hour. So a token may be
 * pulled out and put back without a restart, other programs can use a TPM, and the PIN is in memory
 * no longer than necessary.
 *
 * A token locks itself after a few wrong PINs. So a PIN that it has refused is never tried again by
 * any process: hsm_pin.c records it.
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

/* What OpenSSL's error queue said; the queue is then empty. */
struct hsm_error {
	char reason[200];	 /* for messages; never empty */
	bool not_installed;	 /* the provider or engine is not installed */
	bool no_device;		 /* it is installed, but finds no device */
	bool bad_pin;		 /* the PIN or password was refused: do not repeat it */
	bool reports_pin_errors; /* it would have reported a wrong PIN */
	bool maybe_pin;		 /* unknown whether it was the PIN: it is not tried again */
};

/* Opens the key with an OSSL_STORE in a library context of its own; `uri` holds the PIN. Never asks
 * on a terminal. */
bool hsm_open(struct hsm_key *k, const char *uri, struct hsm_error *error);
void hsm_close(struct hsm_key *k);
void openssl_drain_errors(struct hsm_error *error);

/* For systems without a package of the PKCS#11 provider (Debian 12): its predecessor, an engine. */
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
	bool pin_wrong;	   /* the last PIN that any program gave */
	bool pin_last_try; /* the next wrong PIN locks it */
	bool pin_locked;   /* locked: no PIN is accepted any more */
	char others[160];  /* the labels of all tokens that were found */
};

/* Asks the PKCS#11 modules that p11-kit knows, without a PIN, for the token of the URI. */
void hsm_token_info(const char *uri, struct hsm_token *token);

/* ---- the PIN ---- */

/* Appends the PIN in the URI or in its file; nothing if the URI has none. */
bool hsm_pin_read(const char *uri, struct strbuf *pin, struct fault *fault);
/* Whether this PIN of this key may be tried: it has not been refused before, and a refusal now
 * could be recorded. */
bool rejected_pin_check(
	const struct settings *s, const char *uri, const char *pin, struct fault *fault);
/* Records that the PIN has just been refused. */
void rejected_pin_add(const struct settings *s, const char *uri, const char *pin);
/* The path of the record, for messages. */
bool rejected_pin_path(const struct settings *s, const char *uri, char *out, size_t size);
/* Another PIN was accepted: removes the record. */
void rejected_pin_clear(const struct settings *s, const char *uri);

#endif
