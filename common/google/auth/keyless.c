/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The account that signs, the chain of delegates, and the mint: fetch the source's token, let IAM
 * sign, exchange.
 */
#include "google/auth/keyless.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/iam.h"
#include "google/auth/jwt_bearer.h"
#include "google/auth/trusted_endpoint.h"
#include "google/http/secret.h"

#define DELEGATES_MAX 8

/* ---- the account ---- */

static bool refuse_url(const struct credential *c, const char *url, struct fault *f)
{
	fault_set(f, FAULT_CREDENTIALS, "impersonation_url",
		"%s: service_account_impersonation_url '%.140s' is not Google's", c->path, url);
	return fault_remedy(f,
		"It is " TRUSTED_IAM "/v1/" IAM_ACCOUNT
		"ACCOUNT:generateAccessToken. Find out where this file comes from. Another host is "
		"accepted only if it is set in [google] iam_endpoint.");
}

/* https://HOST/v1/projects/-/serviceAccounts/ACCOUNT:generateAccessToken. cloudinvite calls another
 * method of IAM; the tool that wrote the file only knew this one. */
static bool account_of_path(const char *path, char *out, size_t size)
{
	static const char *const methods[] = {":generateAccessToken", ":signJwt"};
	const char *account = path + strlen("/v1/" IAM_ACCOUNT), *colon;

	if (!str_starts(path, "/v1/" IAM_ACCOUNT))
		return false;
	colon = strchr(account, ':');
	for (size_t i = 0; colon && i < ARRAY_SIZE(methods); i++) {
		if (strcmp(colon, methods[i]) == 0)
			return str_format(out, size, "%.*s", (int)(colon - account), account) &&
			       iam_account_valid(out);
	}
	return false;
}

static bool account_of_file(struct credential *c, const json_t *file, struct fault *f)
{
	const json_t *member = json_object_get(file, "service_account_impersonation_url");
	const char *url = json_string_value(member);
	const char *path = url ? trusted_iam_path(url, c->settings) : NULL;

	if (!member || (path && account_of_path(path, c->issuer, sizeof(c->issuer))))
		return true;
	return refuse_url(c, url ? url : "", f);
}

static bool account_of_settings(struct credential *c, struct fault *f)
{
	const char *set = c->settings->service_account;

	if (!*set)
		return true;
	if (*c->issuer && !str_equal_nocase(set, c->issuer)) {
		fault_set(f, FAULT_CREDENTIALS, "service_account_differs",
			"%s names the service account %s, but [google] service_account is %s",
			c->path, c->issuer, set);
		return fault_remedy(f, "Remove one of them, or make them the same.");
	}
	if (!*c->issuer &&
		(!iam_account_valid(set) || !str_copy(c->issuer, sizeof(c->issuer), set)))
		return fault_set(f, FAULT_CREDENTIALS, "service_account",
			"[google] service_account '%.80s' is not a service account", set);
	return true;
}

bool keyless_account(struct credential *c, const json_t *file, struct fault *f)
{
	if (!account_of_file(c, file, f) || !account_of_settings(c, f))
		return false;
	if (!*c->issuer) {
		fault_set(f, FAULT_CREDENTIALS, "service_account_missing",
			"%s: no service account is set that can act as the administrator", c->path);
		return fault_remedy(f,
			"Set [google] service_account to the account with domain-wide delegation, "
			"such as inviter@PROJECT.iam.gserviceaccount.com.");
	}
	str_format(c->identity, sizeof(c->identity), "%s as %s", c->issuer, c->subject);
	return jwt_bearer_subject(c, f);
}

/* ---- the chain ---- */

/* "projects/-/serviceAccounts/ACCOUNT", or only the account. */
static char *delegate(const char *entry)
{
	struct strbuf t = {.max = 512};
	const char *account = entry;

	if (str_starts(entry, IAM_ACCOUNT))
		account += strlen(IAM_ACCOUNT);
	if (!iam_account_valid(account) || !strbuf_addf(&t, IAM_ACCOUNT "%s", account))
		strbuf_free(&t);
	return t.data;
}

bool keyless_delegates(
	struct keyless *k, const struct credential *c, const json_t *file, struct fault *f)
{
	const json_t *list = json_object_get(file, "delegates");
	size_t n = json_array_size(list);
	size_t i = 0;

	if (!list || json_is_null(list))
		return true;
	k->delegates = calloc(DELEGATES_MAX + 1, sizeof(*k->delegates));
	if (!k->delegates)
		return fault_no_memory(f, FAULT_CREDENTIALS);
	for (; i < n && i < DELEGATES_MAX; i++) {
		const char *entry = json_string_value(json_array_get(list, i));

		k->delegates[i] = entry ? delegate(entry) : NULL;
		if (!k->delegates[i])
			break;
	}
	if (json_is_array(list) && i == n)
		return true;
	fault_set(f, FAULT_CREDENTIALS, "delegates",
		"%s: `delegates` is not a list of at most %d service accounts", c->path,
		DELEGATES_MAX);
	return fault_remedy(f, "Write each as " IAM_ACCOUNT "ACCOUNT.");
}

/* ---- the token ---- */

/* Reads the clock only now: fetching may have shown what the right time is. */
static bool sign(struct credential *c, struct http *http, const struct assertion *what,
	struct strbuf *out, struct fault *f)
{
	struct keyless *k = c->data;
	struct assertion now = *what;
	struct iam_signer by = {.name = k->source_name,
		.member = k->member,
		.quota_project = k->quota_project,
		.delegates = k->delegates};

	if (!k->token && !k->fetch(c, http, k, f))
		return false;
	by.token = k->token;
	now.now = clock_wall() - http_clock_skew(http);
	return iam_sign_jwt(c, http, &by, &now, out, f);
}

bool keyless_mint(
	struct credential *c, struct http *http, struct credential_minted *out, struct fault *fault)
{
	struct keyless *k = c->data;
	bool ok = jwt_bearer_mint(c, http, sign, out, fault);

	secret_free(k->token);
	k->token = NULL;
	return ok;
}

void keyless_free(void *data)
{
	struct keyless *k = data;

	if (!k)
		return;
	for (size_t i = 0; k->delegates && k->delegates[i]; i++)
		free(k->delegates[i]);
	free(k->delegates);
	if (k->free_source)
		k->free_source(k->source);
	secret_free(k->token);
	free(k);
}
