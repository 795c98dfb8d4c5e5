/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a URI to a private key that signs in its device: with an OpenSSL provider, or with the
 * engine if there is none (hsm_engine.c).
 */
#include <openssl/err.h>
#include <openssl/store.h>
#include <openssl/ui.h>

#include "google/auth/hsm/hsm_key.h"
#include "google/auth/hsm/hsm_uri.h"

static void load_key(struct hsm_key *k, OSSL_STORE_CTX *store)
{
	while (!k->key && !OSSL_STORE_eof(store)) {
		OSSL_STORE_INFO *info = OSSL_STORE_load(store);

		if (info && OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
			k->key = OSSL_STORE_INFO_get1_PKEY(info);
		OSSL_STORE_INFO_free(info);
		if (!info && OSSL_STORE_error(store))
			return;
	}
}

static bool load_provider(struct hsm_key *k, const char *name, struct hsm_error *error)
{
	ERR_clear_error();
	k->context = OSSL_LIB_CTX_new();
	if (k->context)
		k->base = OSSL_PROVIDER_load(k->context, "default");
	if (k->base)
		k->provider = OSSL_PROVIDER_load(k->context, name);
	if (k->provider)
		return true;
	openssl_drain_errors(error);
	error->no_device = !error->not_installed;
	return false;
}

bool hsm_open(struct hsm_key *k, const char *uri, struct hsm_error *error)
{
	bool pkcs11 = hsm_uri_is_pkcs11(uri);
	OSSL_STORE_CTX *store;

	/* Code that would ask for a PIN or a password, now or when signing, gets no answer. */
	UI_set_default_method(UI_null());
	*k = (struct hsm_key){.properties = pkcs11 ? "?provider=pkcs11" : "?provider=tpm2"};
	if (!load_provider(k, pkcs11 ? "pkcs11" : "tpm2", error)) {
		hsm_close(k);
		return pkcs11 && error->not_installed && hsm_engine_open(k, uri, error);
	}
	store = OSSL_STORE_open_ex(
		uri, k->context, k->properties, UI_null(), NULL, NULL, NULL, NULL);
	if (store) {
		load_key(k, store);
		OSSL_STORE_close(store);
	}
	openssl_drain_errors(error);
	/* tpm2 always gives a reason; the PKCS#11 provider does not. */
	error->reports_pin_errors = !pkcs11;
	return k->key;
}

void hsm_close(struct hsm_key *k)
{
	EVP_PKEY_free(k->key);
	hsm_engine_close(k);
	if (k->provider)
		OSSL_PROVIDER_unload(k->provider);
	if (k->base)
		OSSL_PROVIDER_unload(k->base);
	OSSL_LIB_CTX_free(k->context);
	*k = (struct hsm_key){.key = NULL};
	ERR_clear_error();
}
