/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `credentials = metadata:`: on a machine or pod of Google Cloud, its own service account is the
 * source, and [google] service_account is the account that acts as the administrator. They may be
 * the same; that account is then its own token creator.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "google/auth/keyless.h"
#include "google/auth/metadata.h"
#include "google/auth/metadata_exposure.h"

/* A pod whose Kubernetes account has no service account is known by its pool's name. */
static void name_member(struct keyless *k)
{
	if (strchr(k->source_name, '@'))
		str_format(k->member, sizeof(k->member), "serviceAccount:%s", k->source_name);
	else
		str_format(k->member, sizeof(k->member),
			"principal://iam.googleapis.com/projects/NUMBER/locations/global/"
			"workloadIdentityPools/%s/subject/ns/NAMESPACE/sa/ACCOUNT",
			k->source_name);
}

static bool fetch(struct credential *c, struct http *http, struct keyless *k, struct fault *f)
{
	struct credential_minted minted = {0};

	if (!metadata_token(c->settings, http, k->source_name, sizeof(k->source_name), &minted, f))
		return false;
	k->token = minted.access_token;
	name_member(k);
	return true;
}

static bool load(struct credential *c, const json_t *file, struct fault *f)
{
	struct keyless *k = calloc(1, sizeof(*k));

	(void)file;
	c->data = k;
	if (!k)
		return fault_no_memory(f, FAULT_CREDENTIALS);
	k->fetch = fetch;
	k->quota_project = "";
	free(c->path);
	c->path = strdup("the metadata server"); /* its name in sentences */
	if (!c->path)
		return fault_no_memory(f, FAULT_CREDENTIALS);
	return keyless_account(c, NULL, f) && metadata_exposure_allows(c->settings, f);
}

const struct credential_type credential_metadata = {.name = "metadata:",
	.load = load,
	.mint = keyless_mint,
	.free = keyless_free,
	.requests = KEYLESS_REQUESTS};
