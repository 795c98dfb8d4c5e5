/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key of a service account with domain-wide delegation: it signs an assertion that it acts as
 * the administrator that the settings name as `subject`.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/credential.h"
#include "google/auth/jwt_bearer.h"
#include "google/auth/token.h"
#include "google/auth/trusted_endpoint.h"
#include "google/http/secret.h"

#define KEY_BITS_MIN 2048

/* One of both: the key as text until it is needed, then as OpenSSL has read it. */
struct service_account {
	char *pem;
	EVP_PKEY *key;
};

static void service_account_free(void *data)
{
	struct service_account *sa = data;

	if (sa) {
		secret_free(sa->pem);
		EVP_PKEY_free(sa->key);
	}
	free(sa);
}

/* ---- the file ---- */

static bool refuse(const struct credential *c, struct fault *f, const char *code, const char *what)
{
	return fault_set(f, FAULT_CREDENTIALS, code, "%s: %s", c->path, what);
}

/* Copies a member that must exist, be a string, and fit. */
static bool take(const struct credential *c, const json_t *file, const char *name, char *out,
	size_t size, struct fault *f)
{
	const char *value = json_string_value(json_object_get(file, name));

	if (value && *value && str_copy(out, size, value))
		return true;
	fault_set(f, FAULT_CREDENTIALS, "key_incomplete",
		"%s: '%s' is missing or not a valid string", c->path, name);
	return fault_remedy(f, "Use the unchanged key file from Google (Google Cloud console > IAM "
			       "> Service accounts > Keys > Add key > JSON).");
}

static bool check_token_uri(const struct credential *c, const json_t *file, struct fault *f)
{
	char uri[512];

	if (!take(c, file, "token_uri", uri, sizeof(uri), f))
		return false;
	if (trusted_token_uri(uri, c->settings))
		return true;
	fault_set(f, FAULT_CREDENTIALS, "token_uri_foreign", "%s: token_uri '%s' is not Google's",
		c->path, uri);
	return fault_remedy(f, "Find out where this file comes from. If the address is correct, "
			       "set it in the settings as well: [google] token_endpoint.");
}

/* ---- the key ---- */

/* OpenSSL would otherwise ask for a passphrase on the terminal. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is OpenSSL's */
static int no_passphrase(char *buf, int size, int writing, void *ctx)
{
	(void)buf, (void)size, (void)writing, (void)ctx;
	return -1;
}

static EVP_PKEY *read_pem(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	ERR_clear_error();
	return key;
}

static bool explain_bad_pem(const struct credential *c, const char *pem, struct fault *f)
{
	if (strstr(pem, "\\n")) {
		refuse(c, f, "key_mangled",
			"private_key contains the characters \\n instead of line breaks");
		return fault_remedy(f, "A shell or template escaped the file twice. Copy the "
				       "original key file from Google.");
	}
	if (strstr(pem, "ENCRYPTED")) {
		refuse(c, f, "key_encrypted", "private_key is encrypted with a passphrase");
		return fault_remedy(
			f, "Use the unchanged key file from Google, which has no passphrase.");
	}
	refuse(c, f, "key_unreadable", "private_key is not a PEM private key");
	return fault_remedy(f, "Use the unchanged key file from Google.");
}

static bool check_key(const struct credential *c, const EVP_PKEY *key, struct fault *f)
{
	if (!EVP_PKEY_is_a(key, "RSA")) {
		refuse(c, f, "key_not_rsa", "private_key is not an RSA key, which Google requires");
		return fault_remedy(f, "Create a key of type JSON for the service account.");
	}
	if (EVP_PKEY_get_bits(key) < KEY_BITS_MIN) {
		fault_set(f, FAULT_CREDENTIALS, "key_short",
			"%s: private_key has %d bits; keys of less than %d bits are not safe",
			c->path, EVP_PKEY_get_bits(key), KEY_BITS_MIN);
		return fault_remedy(
			f, "Create a new key for the service account and delete this one.");
	}
	return true;
}

static bool ensure_key(const struct credential *c, struct fault *f)
{
	struct service_account *sa = c->data;
	EVP_PKEY *key;

	if (sa->key)
		return true;
	key = read_pem(sa->pem);
	if (!key)
		return explain_bad_pem(c, sa->pem, f);
	if (!check_key(c, key, f)) {
		EVP_PKEY_free(key);
		return false;
	}
	sa->key = key;
	secret_free(sa->pem);
	sa->pem = NULL;
	return true;
}

/* A token in the cache, stale or not, was minted from a file with this content, so the key is one
 * that can be used. */
static bool has_minted(const struct credential *c)
{
	struct fault ignored = {0};
	struct token token = {0};
	bool found = *c->hash && token_peek(c, c->settings, &token, &ignored);

	token_clear(&token);
	return found;
}

/* OpenSSL takes a millisecond to read a key. A command that finds a token does without. */
static bool load_key(const struct credential *c, const json_t *file, struct fault *f)
{
	const char *pem = json_string_value(json_object_get(file, "private_key"));
	struct service_account *sa = c->data;
	char probe[2];

	if (!pem || !*pem)
		return take(c, file, "private_key", probe, sizeof(probe), f);
	/* gcc -fanalyzer believes that the copy is lost: service_account_free frees it. */
	sa->pem = strdup(pem);
	if (!sa->pem)
		return refuse(c, f, "no_memory", "out of memory");
	return has_minted(c) || ensure_key(c, f);
}

static bool service_account_load(struct credential *c, const json_t *file, struct fault *f)
{
	const char *client_id = json_string_value(json_object_get(file, "client_id"));

	c->data = calloc(1, sizeof(struct service_account));
	if (!c->data)
		return refuse(c, f, "no_memory", "out of memory");
	if (!take(c, file, "client_email", c->issuer, sizeof(c->issuer), f) ||
		!take(c, file, "private_key_id", c->key_id, sizeof(c->key_id), f) ||
		!check_token_uri(c, file, f))
		return false;
	if (client_id)
		str_copy(c->client_id, sizeof(c->client_id), client_id);
	str_format(c->identity, sizeof(c->identity), "%s as %s", c->issuer, c->subject);
	return jwt_bearer_subject(c, f) && load_key(c, file, f);
}

/* ---- the token ---- */

static bool sign(struct credential *c, struct http *http, const struct assertion *what,
	struct strbuf *out, struct fault *f)
{
	const struct service_account *sa = c->data;

	(void)http;
	if (!ensure_key(c, f))
		return false;
	return assertion_sign(what, sa->key, out) ||
	       refuse(c, f, "key_unusable", "OpenSSL cannot sign with private_key");
}

static bool service_account_mint(
	struct credential *c, struct http *http, struct credential_minted *out, struct fault *f)
{
	return jwt_bearer_mint(c, http, sign, out, f);
}

const struct credential_type credential_service_account = {.name = "service_account",
	.load = service_account_load,
	.mint = service_account_mint,
	.free = service_account_free};
