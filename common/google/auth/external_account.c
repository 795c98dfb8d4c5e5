/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workload and workforce identity federation: a token of another issuer is exchanged for one of
 * Google's, which is then the source for IAM.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/keyless.h"
#include "google/auth/metadata_exposure.h"
#include "google/auth/sts.h"
#include "google/auth/subject_token.h"
#include "google/auth/trusted_endpoint.h"
#include "google/http/secret.h"

#define IAM	  "//iam.googleapis.com/"
#define WORKFORCE IAM "locations/global/workforcePools/"
#define WORKLOAD  IAM "projects/"

#define REMEDY "Generate the file again: gcloud iam workload-identity-pools create-cred-config"

struct external {
	struct subject_source subject;
	char audience[512];
	char subject_token_type[128];
	char project[64]; /* workforce_pool_user_project */
	char *client;	  /* "id:secret"; or NULL */
};

static void external_free(void *source)
{
	struct external *e = source;

	subject_source_free(&e->subject);
	secret_free(e->client);
	free(e);
}

/* ---- the file ---- */

static bool refuse(const struct credential *c, struct fault *f, const char *code, const char *what)
{
	fault_set(f, FAULT_CREDENTIALS, code, "%s: %s", c->path, what);
	return fault_remedy(f, REMEDY);
}

static bool printable(const char *s)
{
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~')
			return false;
	}
	return true;
}

static bool take(const struct credential *c, const json_t *file, const char *name, char *out,
	size_t size, struct fault *f)
{
	const char *value = json_string_value(json_object_get(file, name));

	if (value && *value && printable(value) && str_copy(out, size, value))
		return true;
	fault_set(f, FAULT_CREDENTIALS, "file_incomplete",
		"%s: '%s' is missing or not a valid string", c->path, name);
	return fault_remedy(f, REMEDY);
}

/* The subject token must go to Google only, whatever the file says. */
static bool check_token_url(const struct credential *c, const json_t *file, struct fault *f)
{
	char url[512];

	if (!take(c, file, "token_url", url, sizeof(url), f))
		return false;
	if (trusted_sts_url(url, c->settings))
		return true;
	fault_set(f, FAULT_CREDENTIALS, "token_url_foreign",
		"%s: token_url '%.140s' is not Google's", c->path, url);
	return fault_remedy(f, "Find out where this file comes from. If the address is correct, "
			       "set it in the settings as well: [google] sts_endpoint.");
}

static bool take_client(
	struct external *e, const struct credential *c, const json_t *file, struct fault *f)
{
	const char *id = json_string_value(json_object_get(file, "client_id"));
	const char *secret = json_string_value(json_object_get(file, "client_secret"));
	struct strbuf pair = {.max = 2048};

	if (!id && !secret)
		return true;
	if (!id || !secret || !*id || strchr(id, ':') || !printable(id) || !printable(secret))
		return refuse(c, f, "client", "client_id and client_secret must be set together");
	strbuf_addf(&pair, "%s:%s", id, secret);
	e->client = pair.data;
	return !pair.failed || refuse(c, f, "client", "client_id and client_secret are too long");
}

static bool take_project(
	struct external *e, const struct credential *c, const json_t *file, struct fault *f)
{
	if (!json_object_get(file, "workforce_pool_user_project"))
		return true;
	if (!take(c, file, "workforce_pool_user_project", e->project, sizeof(e->project), f))
		return false;
	for (const char *p = e->project; *p; p++) {
		if (!ascii_is_alnum(*p) && !strchr("-.:", *p))
			return refuse(c, f, "workforce_project",
				"workforce_pool_user_project is not a project");
	}
	return str_starts(e->audience, WORKFORCE) ||
	       refuse(c, f, "workforce_project",
		       "workforce_pool_user_project is set, but the audience is not a workforce "
		       "pool");
}

static bool check_audience(const struct credential *c, const char *audience, struct fault *f)
{
	return str_starts(audience, WORKLOAD) || str_starts(audience, WORKFORCE) ||
	       refuse(c, f, "audience", "the audience is not a pool provider at googleapis.com");
}

/* "//iam.googleapis.com/…/POOL/providers/PROVIDER" becomes the form of a member in IAM policies. */
static void name_member(struct keyless *k, const char *audience)
{
	const char *pool = audience + strlen(IAM), *end = strstr(pool, "/providers/");
	int n = end ? (int)(end - pool) : (int)strlen(pool);

	str_format(k->source_name, sizeof(k->source_name), "the subject of %.*s", n, pool);
	str_format(k->member, sizeof(k->member), "principal:" IAM "%.*s/subject/SUBJECT", n, pool);
}

static bool load_exchange(
	struct external *e, const struct credential *c, const json_t *file, struct fault *f)
{
	return take(c, file, "audience", e->audience, sizeof(e->audience), f) &&
	       check_audience(c, e->audience, f) &&
	       take(c, file, "subject_token_type", e->subject_token_type,
		       sizeof(e->subject_token_type), f) &&
	       check_token_url(c, file, f) && take_client(e, c, file, f) &&
	       take_project(e, c, file, f);
}

/* ---- the token ---- */

static bool fetch(struct credential *c, struct http *http, struct keyless *k, struct fault *f)
{
	const struct external *e = k->source;
	struct sts_exchange what = {.audience = e->audience,
		.subject_token_type = e->subject_token_type,
		.client = e->client,
		.project = e->project};
	struct credential_minted minted = {0};
	struct strbuf token = {0};
	bool ok = subject_token(&e->subject, c, http, &token, f);

	if (ok) {
		what.subject_token = token.data;
		ok = sts_exchange(c, http, &what, &minted, f);
	}
	k->token = minted.access_token;
	strbuf_wipe(&token);
	strbuf_free(&token);
	return ok;
}

static bool load(struct credential *c, const json_t *file, struct fault *f)
{
	struct keyless *k = calloc(1, sizeof(*k));
	struct external *e = calloc(1, sizeof(*e));

	c->data = k;
	if (!k || !e) {
		free(e);
		return fault_no_memory(f, FAULT_CREDENTIALS);
	}
	k->fetch = fetch;
	k->source = e;
	k->free_source = external_free;
	k->quota_project = "";
	if (!load_exchange(e, c, file, f) ||
		!subject_source_read(
			&e->subject, c, json_object_get(file, "credential_source"), f) ||
		!keyless_account(c, file, f))
		return false;
	name_member(k, e->audience);
	return !e->subject.local_plaintext || metadata_exposure_allows(c->settings, f);
}

const struct credential_type credential_external_account = {.name = "external_account",
	.load = load,
	.mint = keyless_mint,
	.free = keyless_free,
	.requests = KEYLESS_REQUESTS};
