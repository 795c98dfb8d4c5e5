/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a credential: find its file, choose the type, let the type read it, and hash everything
 * that decides what its tokens may do. No network is used.
 */
#include "google/auth/credential.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/deceptive.h"
#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/hsm/hsm_uri.h"
#include "google/auth/secret_json.h"
#include "google/auth/token.h"
#include "google/types.h"
#include "settings/systemd.h"

#define FILE_MAX 65536

static const struct credential_type *const types[] = {&credential_service_account,
	&credential_authorized_user, &credential_impersonated, &credential_external_account, NULL};

/* Types that Google knows but that cannot be used here. */
static const struct {
	const char *name, *why;
} unfit_types[] = {
	{"external_account_authorized_user",
		"the login of a workforce pool user, who cannot be an administrator"},
	{"gdch_service_account",
		"an account of Google Distributed Cloud, which has no user invitations"},
};

#define OTHER_TYPES                                                             \
	"Use a login made with `cloudinvite login`, or a service account with " \
	"domain-wide delegation: see cloudinvite.conf(5)."

/* ---- reading the file ---- */

static bool read_file(const struct credential *c, struct strbuf *out, struct fault *f)
{
	const struct file_rules rules = {.max_size = FILE_MAX,
		.secret = true,
		.group_ok = getegid(),
		.trusted = true,
		.follow = true};

	if (!*c->path) {
		fault_set(f, FAULT_CREDENTIALS, "credentials_missing", "no credential is set");
		return fault_remedy(f,
			"Set [google] credentials to the key file of a service account with "
			"domain-wide delegation and subject to an administrator, or set "
			"credentials to the file that `cloudinvite login` writes.");
	}
	if (file_read(c->path, &rules, out, FAULT_CREDENTIALS, f))
		return true;
	if (f && !f->remedy[0])
		fault_remedy(f, "Store the credential at the path in [google] credentials, or "
				"correct that path. `cloudinvite setup` guides you through it.");
	return false;
}

static bool explain_no_json(
	const char *path, const struct strbuf *text, const json_error_t *error, struct fault *f)
{
	const char *start = text->data ? text->data : "";
	size_t n = strlen(error->text);

	if (str_starts(start, BYTE_ORDER_MARK)) {
		fault_set(f, FAULT_CREDENTIALS, "credentials_no_json",
			"%s:1: begins with a byte order mark, which an editor has added", path);
		return fault_remedy(f,
			"Use the unchanged JSON key file from Google, or save it as UTF-8 "
			"without a byte order mark (BOM).");
	}
	if (str_starts(start + strspn(start, " \t\r\n"), "-----BEGIN")) {
		fault_set(f, FAULT_CREDENTIALS, "credentials_no_json",
			"%s: contains only a private key, not the JSON key file", path);
	} else {
		/* What follows may be a part of the key. */
		if (strstr(start, "-----BEGIN") && strstr(error->text, " near "))
			n = (size_t)(strstr(error->text, " near ") - error->text);
		fault_set(f, FAULT_CREDENTIALS, "credentials_no_json", "%s:%d: not JSON: %.*s",
			path, error->line, (int)n, error->text);
	}
	return fault_remedy(f, "Use the unchanged JSON key file from Google.");
}

static json_t *parse_file(const char *path, const struct strbuf *text, struct fault *f)
{
	json_error_t error;
	json_t *json = secret_json(text->data ? text->data : "", text->len, &error);

	if (json_is_object(json))
		return json;
	if (json)
		str_copy(error.text, sizeof(error.text), "not an object");
	explain_no_json(path, text, &error, f);
	secret_json_free(json);
	return NULL;
}

/* ---- the type ---- */

static bool refuse_type(const char *path, const json_t *file, const char *name, struct fault *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(unfit_types); i++) {
		if (strcmp(name, unfit_types[i].name) != 0)
			continue;
		fault_set(f, FAULT_CREDENTIALS, "type_unfit", "%s: type '%s' is %s", path, name,
			unfit_types[i].why);
		return fault_remedy(f, OTHER_TYPES);
	}
	if (json_object_get(file, "installed") || json_object_get(file, "web")) {
		fault_set(f, FAULT_CREDENTIALS, "type_client",
			"%s: is the file of an OAuth client, which is not a credential", path);
		return fault_remedy(f,
			"Log in with it as an administrator: cloudinvite login --client %s", path);
	}
	fault_set(f, FAULT_CREDENTIALS, "type_unknown", "%s: type '%s' is unknown", path, name);
	return fault_remedy(f, OTHER_TYPES);
}

static bool find_type(struct credential *c, const json_t *file, struct fault *f)
{
	const char *name = json_string_value(json_object_get(file, "type"));

	for (size_t i = 0; name && types[i]; i++) {
		if (strcmp(name, types[i]->name) == 0)
			c->type = types[i];
	}
	return c->type || refuse_type(c->path, file, name ? name : "", f);
}

static bool read_members(struct credential *c, const json_t *file, struct fault *f)
{
	return credential_read_common(c, file, f) && find_type(c, file, f);
}

/* ---- everything ---- */

/* Each part ends with a NUL, so that two different sets of parts never give the same bytes. */
static bool hash_parts(struct credential *c, const char *content, size_t len, struct fault *f)
{
	const struct settings *s = c->settings;
	const char *const parts[] = {c->type->name, c->subject, c->scope, c->token_endpoint,
		s->service_account, s->key_id};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, content, len) == 1 && EVP_DigestUpdate(ctx, "", 1) == 1;

	for (size_t i = 0; ok && i < ARRAY_SIZE(parts); i++)
		ok = EVP_DigestUpdate(ctx, parts[i], strlen(parts[i]) + 1) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (ok)
		hex_encode(c->hash, digest, sizeof(c->hash) / 2);
	return ok ||
	       fault_set(f, FAULT_CREDENTIALS, "no_digest", "OpenSSL does not provide SHA-256");
}

/* Types that are named by the settings and have no file. */
static const struct credential_type *type_without_file(const struct settings *s)
{
	if (*s->key)
		return &credential_hsm;
	return strcmp(s->credentials, credential_metadata.name) == 0 ? &credential_metadata : NULL;
}

static bool fill(struct credential *c, struct fault *f)
{
	struct strbuf text = {.max = FILE_MAX + 1};
	json_t *json = NULL;
	bool ok = false;

	c->type = type_without_file(c->settings);
	if (c->type)
		return hash_parts(c, c->path, strlen(c->path), f) && c->type->load(c, NULL, f);
	/* stat comes before the reading: a file that is replaced in between is then read again. */
	(void)stat(c->path, &c->stamp);
	if (!read_file(c, &text, f))
		goto out;
	json = parse_file(c->path, &text, f);
	ok = json && read_members(c, json, f) && hash_parts(c, text.data, text.len, f) &&
	     c->type->load(c, json, f);
out:
	secret_json_free(json);
	strbuf_wipe(&text);
	strbuf_free(&text);
	return ok;
}

static bool find_handed_over(const struct settings *s, struct strbuf *path, struct fault *f)
{
	const char *name = s->credentials + strlen(SYSTEMD_PREFIX);
	char file[512];

	if (systemd_credential(name, file, sizeof(file)))
		return strbuf_add(path, file);
	fault_set(f, FAULT_CREDENTIALS, "credentials_not_handed_over",
		"credentials = systemd:%s, but systemd did not pass any credential to this program "
		"($CREDENTIALS_DIRECTORY is not set)",
		name);
	return fault_remedy(f,
		"As root, run: systemd-run --quiet --wait --pipe -p User=%s -p "
		"LoadCredential=%s:FILE cloudinvite VERB (FILE as in the dispatcher's unit, or use "
		"its LoadCredentialEncrypted=)",
		s->dispatcher_user, name);
}

/* The path in the settings; for a key, its URI without the PIN. */
static bool find_path(const struct settings *s, struct strbuf *path, struct fault *f)
{
	if (*s->key)
		return hsm_uri_bare(s->key, path) || fault_set(f, FAULT_SETTINGS, "settings_key",
							     "[google] key is not a key URI");
	if (str_starts(s->credentials, SYSTEMD_PREFIX))
		return find_handed_over(s, path, f);
	return strbuf_add(path, s->credentials);
}

struct credential *credential_load(const struct settings *settings, struct fault *fault)
{
	struct strbuf path = {0};
	struct credential *c = NULL;

	fault_set(fault, FAULT_CREDENTIALS, "no_memory", "the credential is too long");
	if (find_path(settings, &path, fault) && path.data)
		c = credential_new(settings, path.data, false);
	strbuf_free(&path);
	if (c) {
		fault_clear(fault);
		if (fill(c, fault))
			return c;
	}
	credential_free(c);
	return NULL;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool credential_refresh(struct credential **c)
{
	struct credential *fresh;
	struct fault fault = {0};
	struct stat now;

	/* Some tools remove a file for a moment when they replace it. */
	if (*(*c)->path != '/' || stat((*c)->path, &now) || same_file(&now, &(*c)->stamp))
		return false;
	fresh = credential_load((*c)->settings, &fault);
	if (!fresh) {
		(*c)->stamp = now;
		log_fault(LOG_LEVEL_WARN, "credential_kept", &fault);
		return false;
	}
	credential_free(*c);
	*c = fresh;
	log_event(LOG_LEVEL_NOTE, "credential_read", "%s was replaced: now %s", fresh->path,
		fresh->identity);
	return true;
}
