/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credential type: checks of the settings, one signature, and the faults for everything that
 * can go wrong with a token. Before the PIN is used, the token is asked how many tries are left,
 * and the record of refused PINs is checked.
 */
#include "google/auth/hsm/hsm_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/hsm/hsm_uri.h"
#include "google/auth/jwt_bearer.h"

#define KEY_BITS_MIN 2048

/* ---- the settings ---- */

/* The key is not opened here: it is not needed while a cached token is valid. */
static bool hsm_load(struct credential *c, const json_t *file, struct fault *f)
{
	const struct settings *s = c->settings;

	(void)file;
	if (!*s->service_account || !*s->key_id) {
		fault_set(f, FAULT_CREDENTIALS, "held_key_incomplete",
			"%s: the key does not name its service account, and `%s` is not set",
			c->path, *s->service_account ? "key_id" : "service_account");
		return fault_remedy(f,
			"Set [google] service_account to the account that the key was uploaded to, "
			"and key_id to the ID shown by `gcloud iam service-accounts keys list`.");
	}
	if (!str_copy(c->issuer, sizeof(c->issuer), s->service_account) ||
		!str_copy(c->key_id, sizeof(c->key_id), s->key_id))
		return fault_set(f, FAULT_CREDENTIALS, "held_key_incomplete",
			"service_account or key_id is too long");
	str_format(c->identity, sizeof(c->identity), "%s as %s", c->issuer, c->subject);
	/* The TPM's library prints its errors; our own sentences already have them. */
	if (!hsm_uri_is_pkcs11(s->key))
		setenv("TSS2_LOG", "all+none", 0);
	return jwt_bearer_subject(c, f);
}

static void hsm_free(void *data)
{
	(void)data;
}

/* ---- before the PIN is used ---- */

static bool no_token_fault(const struct credential *c, const struct hsm_token *t, struct fault *f)
{
	fault_set(f, FAULT_CREDENTIALS, "token_absent", "%s: PKCS#11 token not found%s%s%s",
		c->path, *t->others ? "; tokens found: " : "; no other token was found either",
		t->others, "");
	return fault_remedy(f, "Plug it in, or correct token= in [google] key. No restart is "
			       "needed. `p11-kit list-modules`, run as the dispatcher's account, "
			       "lists the modules that p11-kit knows and their tokens.");
}

static bool check_token(
	const struct credential *c, const struct hsm_token *t, bool has_pin, struct fault *f)
{
	if (t->state == HSM_TOKEN_ABSENT)
		return no_token_fault(c, t, f);
	if (t->state == HSM_TOKEN_AMBIGUOUS) {
		fault_set(f, FAULT_CREDENTIALS, "tokens_many", "%s: several tokens match: %s",
			c->path, t->others);
		return fault_remedy(
			f, "Add serial= to [google] key: the PIN belongs to one of them.");
	}
	if (t->pin_locked || (t->pin_last_try && has_pin)) {
		fault_set(f, FAULT_CREDENTIALS, t->pin_locked ? "pin_locked" : "pin_last_try",
			"%s: the token %s", c->path,
			t->pin_locked ? "is locked after too many wrong PINs"
				      : "will be locked by the next wrong PIN, so no PIN is tried");
		return fault_remedy(f,
			"%s by hand with the token's own tools (pkcs11-tool --login --test), then "
			"correct the PIN here.",
			t->pin_locked ? "Unlock it with the security officer's PIN (--init-pin),"
				      : "Log in once with the right PIN,");
	}
	if (t->wants_pin && !has_pin) {
		fault_set(f, FAULT_CREDENTIALS, "pin_missing",
			"%s: the token requires a PIN, and none is set", c->path);
		return fault_remedy(f,
			"Add ?pin-source=file:/etc/cloudinvite/pin to [google] key. The file "
			"must be owned by root, with the service's group and mode 0640.");
	}
	return true;
}

/* ---- the key ---- */

static bool not_installed_fault(const struct credential *c, bool pkcs11, struct fault *f)
{
	fault_set(f, FAULT_CREDENTIALS, "provider_missing", "%s: OpenSSL on this host has no %s",
		c->path, pkcs11 ? "PKCS#11 provider and no PKCS#11 engine" : "TPM 2.0 provider");
	return fault_remedy(f, "%s",
		pkcs11 ? "Install pkcs11-provider (Debian 13) or libengine-pkcs11-openssl (Debian "
			 "12), p11-kit, and the module of your token."
		       : "Install tpm2-openssl.");
}

static bool no_device_fault(
	const struct credential *c, bool pkcs11, const struct hsm_error *error, struct fault *f)
{
	fault_set(f, FAULT_CREDENTIALS, pkcs11 ? "module_unusable" : "tpm_unreachable",
		"%s: %s: %s", c->path,
		pkcs11 ? "cannot use the PKCS#11 module" : "cannot access the TPM", error->reason);
	return fault_remedy(f, "%s",
		pkcs11 ? "Install p11-kit's proxy module (p11-kit-modules), and register the "
			 "module of your token in /etc/pkcs11/modules."
		       : "The service needs /dev/tpmrm0: see the example drop-in tpm.conf in the "
			 "documentation. No restart is needed.");
}

static bool bad_pin_fault(const struct credential *c, const char *reason, struct fault *f)
{
	char mark[300] = "";

	rejected_pin_path(c->settings, c->settings->key, mark, sizeof(mark));
	fault_set(f, FAULT_CREDENTIALS, "pin_refused",
		"%s: the PIN or password was rejected (%s) and will not be tried again", c->path,
		reason);
	return fault_remedy(f,
		"Correct the PIN in its file or in [google] key. A TPM key must not have a "
		"password. If the PIN was correct after all: rm %s",
		mark);
}

static bool maybe_pin_fault(const struct credential *c, struct fault *f)
{
	char mark[300] = "";

	rejected_pin_path(c->settings, c->settings->key, mark, sizeof(mark));
	fault_set(f, FAULT_CREDENTIALS, "key_or_pin",
		"%s: the token does not return such a private key, and does not report whether the "
		"PIN or the name is wrong; the PIN will not be tried again",
		c->path);
	return fault_remedy(f,
		"`pkcs11-tool --login --list-objects` lists the objects of the token. Correct "
		"object= or id= in [google] key, or the PIN. If only the token was changed: rm %s",
		mark);
}

static bool no_key_fault(const struct credential *c, const struct hsm_error *error, struct fault *f)
{
	fault_set(f, FAULT_CREDENTIALS, "key_absent", "%s: private key not found: %s", c->path,
		error->reason);
	return fault_remedy(f, "%s",
		hsm_uri_is_pkcs11(c->settings->key)
			? "Correct object= or id= in [google] key. `pkcs11-tool --login "
			  "--list-objects` lists the objects of the token."
			: "Correct the handle. `tpm2_getcap handles-persistent` lists the "
			  "persistent handles; tpm2_evictcontrol makes a key persistent.");
}

static bool check_key(const struct credential *c, const EVP_PKEY *key, struct fault *f)
{
	int bits = EVP_PKEY_get_bits(key);

	if (EVP_PKEY_is_a(key, "RSA") && bits >= KEY_BITS_MIN)
		return true;
	fault_set(f, FAULT_CREDENTIALS, "held_key_kind",
		"%s: the key is %s of %d bits; Google requires RSA of %d bits or more", c->path,
		EVP_PKEY_is_a(key, "RSA") ? "RSA" : "not an RSA key, but one", bits, KEY_BITS_MIN);
	return fault_remedy(f, "Create an RSA key of 2048 bits there, and upload its public key to "
			       "the service account.");
}

/* ---- one signature ---- */

struct signing {
	const struct credential *c;
	const struct assertion *what;
	struct strbuf *out;
	char *pin;
	bool pkcs11;
};

/* The PKCS#11 provider gives no reason, but the token has counted a wrong PIN. If the token does
 * not show one either, the PIN is still not tried again. */
static void ask_token_about_pin(const struct signing *s, struct hsm_error *error)
{
	struct hsm_token after;

	hsm_token_info(s->c->settings->key, &after);
	if (after.state == HSM_TOKEN_ABSENT)
		return;
	error->bad_pin = after.pin_wrong;
	error->maybe_pin = !after.pin_wrong;
	if (error->bad_pin)
		str_copy(error->reason, sizeof(error->reason), "PIN incorrect");
}

static bool fault_from_error(const struct signing *s, struct hsm_error *error, struct fault *f)
{
	const struct credential *c = s->c;

	if (error->not_installed)
		return not_installed_fault(c, s->pkcs11, f);
	if (error->no_device)
		return no_device_fault(c, s->pkcs11, error, f);
	if (!error->bad_pin && !error->reports_pin_errors && *s->pin)
		ask_token_about_pin(s, error);
	if (!error->bad_pin && !error->maybe_pin)
		return no_key_fault(c, error, f);
	rejected_pin_add(c->settings, c->settings->key, s->pin);
	return error->bad_pin ? bad_pin_fault(c, error->reason, f) : maybe_pin_fault(c, f);
}

static bool sign_with(const struct signing *s, const struct hsm_key *k, struct fault *f)
{
	struct assertion what = *s->what;
	struct hsm_error error;

	what.context = k->context;
	what.properties = k->properties;
	if (!check_key(s->c, k->key, f))
		return false;
	if (assertion_sign(&what, k->key, s->out))
		return true;
	openssl_drain_errors(&error);
	if (error.bad_pin)
		return fault_from_error(s, &error, f);
	fault_set(f, FAULT_CREDENTIALS, "key_unusable", "%s: cannot sign with the key: %s",
		s->c->path, error.reason);
	return fault_remedy(f, "%s",
		s->pkcs11 ? "The key must allow signing (RSASSA-PKCS1-v1_5). If it does, no action "
			    "is needed: signing resumes when the token works again."
			  : "The key must be an unrestricted signing key (RSASSA). With the "
			    "attribute noda, it is exempt from the TPM's lockout. Signing resumes "
			    "when the TPM allows it.");
}

static bool open_and_sign(const struct signing *s, struct fault *f)
{
	struct strbuf uri = {0};
	struct hsm_error error = {.not_installed = false};
	struct hsm_key k = {.key = NULL};
	bool ok;

	if (!hsm_uri_with_pin(s->c->settings->key, s->pin, &uri))
		ok = fault_set(f, FAULT_CREDENTIALS, "no_memory", "the key's URI is too long");
	else if (hsm_open(&k, uri.data, &error))
		ok = sign_with(s, &k, f);
	else
		ok = fault_from_error(s, &error, f);
	hsm_close(&k);
	strbuf_wipe(&uri);
	strbuf_free(&uri);
	return ok;
}

static bool sign_by_pin(const struct signing *s, struct fault *f)
{
	const struct settings *settings = s->c->settings;
	struct hsm_token token = {.state = HSM_TOKEN_UNKNOWN};

	if (s->pkcs11)
		hsm_token_info(settings->key, &token);
	if (!check_token(s->c, &token, *s->pin != '\0', f) ||
		!rejected_pin_check(settings, settings->key, s->pin, f) || !open_and_sign(s, f))
		return false;
	rejected_pin_clear(settings, settings->key);
	return true;
}

static bool sign(struct credential *c, struct http *http, const struct assertion *what,
	struct strbuf *out, struct fault *f)
{
	struct strbuf pin = {0};
	char none[] = "";
	struct signing s = {
		.c = c, .what = what, .out = out, .pkcs11 = hsm_uri_is_pkcs11(c->settings->key)};
	bool ok = hsm_pin_read(c->settings->key, &pin, f);

	(void)http;
	s.pin = pin.data ? pin.data : none;
	ok = ok && sign_by_pin(&s, f);
	strbuf_wipe(&pin);
	strbuf_free(&pin);
	return ok;
}

static bool hsm_mint(
	struct credential *c, struct http *http, struct credential_minted *out, struct fault *f)
{
	return jwt_bearer_mint(c, http, sign, out, f);
}

const struct credential_type credential_hsm = {
	.name = "key", .load = hsm_load, .mint = hsm_mint, .free = hsm_free};
