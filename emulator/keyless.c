/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which principal may sign as which service account, and the defaults for a rehearsal.
 */
#include "keyless.h"

#include <stdlib.h>
#include <string.h>

#include "xmalloc.h"

static void creators_defaults(struct keyless *k)
{
	k->n_creators = 2;
	k->creators = xcalloc(2 * sizeof k->creators[0]);
	k->creators[0] = (struct token_creator){xstrdup(INSTANCE_ACCOUNT), xstrdup(OWN_EMAIL)};
	k->creators[1] = (struct token_creator){
		keyless_principal(&k->providers[0], "rehearsal"), xstrdup(OWN_EMAIL)};
}

static void providers_defaults(struct keyless *k, const struct keyring *own)
{
	struct identity_provider *p = xcalloc(sizeof *p);

	p->audience = xstrdup(OWN_PROVIDER);
	p->issuer = xstrdup(OWN_ISSUER);
	p->n_keys = 1;
	p->keys = xcalloc(sizeof p->keys[0]);
	p->keys[0] = signing_key_share(&own->issuer_key);
	k->providers = p;
	k->n_providers = 1;
}

void keyless_defaults(struct keyless *k, const struct keyring *own)
{
	k->instance.service_account = xstrdup(INSTANCE_ACCOUNT);
	k->instance.scopes = xstrdup(SCOPE_CLOUD);
	k->instance.universe = xstrdup("googleapis.com");
	providers_defaults(k, own);
	creators_defaults(k);
}

void keyless_clear_creators(struct keyless *k)
{
	for (size_t i = 0; i < k->n_creators; i++) {
		free(k->creators[i].principal);
		free(k->creators[i].account);
	}
	free(k->creators);
	k->creators = NULL;
	k->n_creators = 0;
}

static void provider_free(struct identity_provider *p)
{
	for (size_t i = 0; i < p->n_keys; i++)
		signing_key_free(&p->keys[i]);
	for (size_t i = 0; i < p->n_allowed_audiences; i++)
		free(p->allowed_audiences[i]);
	free(p->keys);
	free(p->allowed_audiences);
	free(p->audience);
	free(p->issuer);
}

void keyless_clear_providers(struct keyless *k)
{
	for (size_t i = 0; i < k->n_providers; i++)
		provider_free(&k->providers[i]);
	free(k->providers);
	k->providers = NULL;
	k->n_providers = 0;
}

void keyless_free(struct keyless *k)
{
	keyless_clear_creators(k);
	keyless_clear_providers(k);
	table_free(&k->instance.tokens, NULL);
	free(k->instance.service_account);
	free(k->instance.scopes);
	free(k->instance.universe);
	*k = (struct keyless){0};
}

/* principalSet://iam.googleapis.com/…/POOL/ and a star: every subject of the pool. */
static bool principal_covers(const char *granted, const char *principal)
{
	static const char set[] = "principalSet:", one[] = "principal:";
	size_t n = strlen(granted);

	if (strcmp(granted, principal) == 0)
		return true;
	if (strncmp(granted, set, sizeof set - 1) != 0 || granted[n - 1] != '*' ||
		strncmp(principal, one, sizeof one - 1) != 0)
		return false;
	granted += sizeof set - 1;
	return strncmp(granted, principal + sizeof one - 1, n - sizeof set) == 0;
}

bool keyless_may_act(const struct keyless *k, const char *principal, const char *account)
{
	for (size_t i = 0; i < k->n_creators; i++) {
		if (strcmp(k->creators[i].account, account) == 0 &&
			principal_covers(k->creators[i].principal, principal))
			return true;
	}
	return false;
}

const struct identity_provider *keyless_provider(const struct keyless *k, const char *audience)
{
	for (size_t i = 0; i < k->n_providers; i++) {
		if (strcmp(k->providers[i].audience, audience) == 0)
			return &k->providers[i];
	}
	return NULL;
}

/* The provider's name without its last two segments is the pool's name. */
char *keyless_principal(const struct identity_provider *p, const char *subject)
{
	const char *end = strstr(p->audience, "/providers/");
	size_t n = end ? (size_t)(end - p->audience) : strlen(p->audience);

	return xasprintf("principal:%.*s/subject/%s", (int)n, p->audience, subject);
}
