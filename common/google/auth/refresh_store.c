/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a refresh token that Google issued in place of another one. A file that is missing or
 * broken is not an error: the token in the credential's file is then used.
 */
#include "google/auth/refresh_store.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/secret_json.h"
#include "google/auth/token_request.h"
#include "google/http/secret.h"

#define FILE_MAX ((size_t)2 * ACCESS_TOKEN_MAX)

bool refresh_store_key(struct refresh_store *r, const char *client_id, const char *refresh_token)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	char hex[65] = "";
	/* With their NULs, so that two different pairs never give the same bytes. */
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, client_id, strlen(client_id) + 1) == 1 &&
		  EVP_DigestUpdate(ctx, refresh_token, strlen(refresh_token) + 1) == 1 &&
		  EVP_DigestFinal_ex(ctx, digest, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	if (ok)
		hex_encode(hex, digest, sizeof(hex) / 2);
	return str_format(r->name, sizeof(r->name), "refresh-%s.json", hex) && ok;
}

static int open_place(const struct settings *settings)
{
	return file_make_dir(settings->state, SETTINGS_PRIVATE);
}

static char *take(const struct strbuf *text)
{
	json_t *json = secret_json(text->data ? text->data : "", text->len, NULL);
	const char *token = json_string_value(json_object_get(json, "refresh_token"));
	char *copy = token && access_token_valid(token) ? strdup(token) : NULL;

	secret_json_free(json);
	return copy;
}

char *refresh_store_read(const struct refresh_store *r, const struct settings *settings)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .secret = true, .trusted = true};
	struct strbuf text = {.max = FILE_MAX + 1};
	struct fault ignored = {0};
	int dir = open_place(settings);
	char *token = NULL;

	if (dir >= 0 && file_read_at(dir, r->name, &rules, &text, FAULT_STORAGE, &ignored))
		token = take(&text);
	strbuf_wipe(&text);
	strbuf_free(&text);
	file_close(&dir);
	return token;
}

bool refresh_store_write(const struct refresh_store *r, const struct settings *settings,
	const char *refresh_token, struct fault *fault)
{
	json_t *json = json_pack("{s:s}", "refresh_token", refresh_token);
	char *text = json ? secret_json_text(json) : NULL;
	int dir = open_place(settings);
	bool ok = dir >= 0 && text && file_replace_at(dir, r->name, text, strlen(text), 0600) == 0;

	if (!ok)
		fault_set(fault, FAULT_STORAGE, "refresh_token_unsaved",
			"Google replaced the refresh token, and the new one cannot be stored in "
			"%s/" SETTINGS_PRIVATE ": %s",
			settings->state, strerror(errno));
	file_close(&dir);
	secret_free(text);
	secret_json_free(json);
	return ok;
}

void refresh_store_remove(const struct refresh_store *r, const struct settings *settings)
{
	int dir = open_place(settings);

	if (dir >= 0)
		unlinkat(dir, r->name, 0);
	file_close(&dir);
}
