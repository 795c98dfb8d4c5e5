/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a service account that another principal may act as (`gcloud auth application-default
 * login --impersonate-service-account`): the credential inside it is the source.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "google/auth/keyless.h"

static void free_inner(void *source)
{
	credential_free(source);
}

static bool fetch(struct credential *c, struct http *http, struct keyless *k, struct fault *f)
{
	struct credential_minted minted = {0};
	struct credential *inner = k->source;

	(void)c;
	if (!inner->type->mint(inner, http, &minted, f))
		return false;
	k->token = minted.access_token;
	return true;
}

static bool refuse_source(const struct credential *c, const char *type, struct fault *f)
{
	if (strcmp(type, "external_account_authorized_user") == 0)
		fault_set(f, FAULT_CREDENTIALS, "source_type",
			"%s: its source is the login of a workforce pool user, which expires "
			"within hours and cannot be renewed here",
			c->path);
	else
		fault_set(f, FAULT_CREDENTIALS, "source_type",
			"%s: its source_credentials have the type '%.60s' instead of "
			"service_account or authorized_user",
			c->path, type);
	return fault_remedy(f,
		"Generate the file with a service account or a user of the organisation: gcloud "
		"auth application-default login --impersonate-service-account=%s",
		c->issuer);
}

static bool load_source(
	struct credential *c, struct keyless *k, const json_t *source, struct fault *f)
{
	const char *type = json_string_value(json_object_get(source, "type"));
	struct credential *inner;

	if (!type || (strcmp(type, "service_account") != 0 && strcmp(type, "authorized_user") != 0))
		return refuse_source(c, type ? type : "", f);
	inner = credential_load_source(c,
		strcmp(type, "service_account") == 0 ? &credential_service_account
						     : &credential_authorized_user,
		source, f);
	if (!inner)
		return false;
	k->source = inner;
	k->free_source = free_inner;
	k->quota_project = inner->quota_project;
	if (*inner->issuer) {
		str_copy(k->source_name, sizeof(k->source_name), inner->issuer);
		str_format(k->member, sizeof(k->member), "serviceAccount:%s", inner->issuer);
	} else {
		str_copy(k->source_name, sizeof(k->source_name), inner->identity);
		str_copy(k->member, sizeof(k->member), "user:ADDRESS");
	}
	return true;
}

static bool load(struct credential *c, const json_t *file, struct fault *f)
{
	struct keyless *k = calloc(1, sizeof(*k));

	c->data = k;
	if (!k)
		return fault_no_memory(f, FAULT_CREDENTIALS);
	k->fetch = fetch;
	k->quota_project = "";
	return keyless_account(c, file, f) && keyless_delegates(k, c, file, f) &&
	       load_source(c, k, json_object_get(file, "source_credentials"), f);
}

const struct credential_type credential_impersonated = {.name = "impersonated_service_account",
	.load = load,
	.mint = keyless_mint,
	.free = keyless_free,
	.requests = KEYLESS_REQUESTS};
