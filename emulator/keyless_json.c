/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys, and the members instance, token_creators and identity_providers of the tenant's document.
 */
#include <stdlib.h>
#include <string.h>

#include "keyless.h"
#include "xmalloc.h"

bool signing_key_read(
	struct signing_key *key, json_t *object, const char *where, struct doc_error *c)
{
	static const char *const names[] = {"kid", "public_key", NULL};
	const char *kid, *pem;

	if (!members_known(object, names, where, c) ||
		!member_needed(object, "kid", &kid, where, c) ||
		!member_needed(object, "public_key", &pem, where, c))
		return false;
	key->key = keyring_read_public(pem);
	if (!key->key)
		return doc_error_set(
			c, "%s: public_key is not PEM (-----BEGIN PUBLIC KEY-----)", where);
	key->kid = xstrdup(kid);
	return true;
}

json_t *signing_key_write(const struct signing_key *key)
{
	char *pem = keyring_public_pem(key->key);
	json_t *out = json_pack("{s:s, s:s}", "kid", key->kid, "public_key", pem);

	free(pem);
	return out;
}

/* A member that replaces a string; null removes it. */
static bool text_or_null_read(
	json_t *object, const char *name, char **text, const char *where, struct doc_error *c)
{
	json_t *value = json_object_get(object, name);

	if (!value)
		return true;
	if (!json_is_string(value) && !json_is_null(value))
		return doc_error_set(c, "%s: %s is neither a string nor null", where, name);
	free(*text);
	*text = xstrdup(json_string_value(value));
	return true;
}

/* An array of strings; absent is empty. The caller frees each, also after an error. */
static bool strings_read(json_t *array, char ***out, size_t *n, const char *name, const char *where,
	struct doc_error *c)
{
	json_t *value;
	size_t i;

	if (array && !json_is_array(array))
		return doc_error_set(c, "%s: %s is not a JSON array", where, name);
	*out = xcalloc((json_array_size(array) + 1) * sizeof **out);
	json_array_foreach(array, i, value)
	{
		if (!json_is_string(value))
			return doc_error_set(c, "%s: %s[%zu] is not a string", where, name, i);
		(*out)[(*n)++] = xstrdup(json_string_value(value));
	}
	return true;
}

static json_t *strings_write(char *const *strings, size_t n)
{
	json_t *out = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(out, json_string(strings[i]));
	return out;
}

static bool instance_scopes_read(struct instance *instance, json_t *object, struct doc_error *c)
{
	char **scopes = NULL, *joined = xstrdup("");
	size_t n = 0;
	bool ok = strings_read(
		json_object_get(object, "scopes"), &scopes, &n, "scopes", "instance", c);

	for (size_t i = 0; i < n; i++) {
		char *longer = xasprintf("%s%s%s", joined, i > 0 ? " " : "", scopes[i]);

		free(joined);
		joined = longer;
		free(scopes[i]);
	}
	free(scopes);
	if (ok && json_object_get(object, "scopes")) {
		free(instance->scopes);
		instance->scopes = joined;
		return true;
	}
	free(joined);
	return ok;
}

/* After a change of account or scopes, earlier tokens are not given out again. */
static bool instance_read(struct instance *instance, json_t *object, struct doc_error *c)
{
	static const char *const names[] = {"service_account", "scopes", "universe", NULL};

	table_free(&instance->tokens, NULL);
	return members_known(object, names, "instance", c) &&
	       text_or_null_read(
		       object, "service_account", &instance->service_account, "instance", c) &&
	       text_or_null_read(object, "universe", &instance->universe, "instance", c) &&
	       instance_scopes_read(instance, object, c);
}

static bool creator_read(struct keyless *k, json_t *object, const char *where, struct doc_error *c)
{
	static const char *const names[] = {"principal", "account", NULL};
	const char *principal, *account;

	if (!members_known(object, names, where, c) ||
		!member_needed(object, "principal", &principal, where, c) ||
		!member_needed(object, "account", &account, where, c))
		return false;
	k->creators = xnonnull(reallocarray(k->creators, k->n_creators + 1, sizeof k->creators[0]));
	k->creators[k->n_creators++] = (struct token_creator){xstrdup(principal), xstrdup(account)};
	return true;
}

/* Without "keys", the emulator's own provider keeps its key. */
static bool provider_keys_read(struct identity_provider *p, const struct keyring *own, json_t *keys,
	const char *where, struct doc_error *c)
{
	json_t *object;
	size_t i;

	p->keys = xcalloc((json_array_size(keys) + 1) * sizeof p->keys[0]);
	if (!keys && strcmp(p->audience, OWN_PROVIDER) == 0)
		p->keys[p->n_keys++] = signing_key_share(&own->issuer_key);
	json_array_foreach(keys, i, object)
	{
		if (!signing_key_read(&p->keys[i], object, where, c))
			return false;
		p->n_keys++;
	}
	return true;
}

static bool provider_read(struct keyless *k, const struct keyring *own, json_t *object,
	const char *where, struct doc_error *c)
{
	static const char *const names[] = {
		"audience", "issuer", "allowed_audiences", "disabled", "keys", NULL};
	const char *audience, *issuer;
	struct identity_provider *p;
	bool disabled = false;

	if (!members_known(object, names, where, c) ||
		!member_needed(object, "audience", &audience, where, c) ||
		!member_needed(object, "issuer", &issuer, where, c) ||
		!member_bool(object, "disabled", &disabled, where, c))
		return false;
	k->providers = xnonnull(reallocarray(k->providers, k->n_providers + 1, sizeof *p));
	p = &k->providers[k->n_providers++];
	*p = (struct identity_provider){
		.audience = xstrdup(audience), .issuer = xstrdup(issuer), .disabled = disabled};
	return strings_read(json_object_get(object, "allowed_audiences"), &p->allowed_audiences,
		       &p->n_allowed_audiences, "allowed_audiences", where, c) &&
	       provider_keys_read(p, own, json_object_get(object, "keys"), where, c);
}

static bool creators_read(struct keyless *k, json_t *array, struct doc_error *c)
{
	char where[60];
	json_t *object;
	size_t i;

	if (array && !json_is_array(array))
		return doc_error_set(c, "token_creators is not a JSON array");
	if (array)
		keyless_clear_creators(k);
	json_array_foreach(array, i, object)
	{
		snprintf(where, sizeof where, "token_creators[%zu]", i);
		if (!creator_read(k, object, where, c))
			return false;
	}
	return true;
}

static bool providers_read(
	struct keyless *k, const struct keyring *own, json_t *array, struct doc_error *c)
{
	char where[60];
	json_t *object;
	size_t i;

	if (array && !json_is_array(array))
		return doc_error_set(c, "identity_providers is not a JSON array");
	if (array)
		keyless_clear_providers(k);
	json_array_foreach(array, i, object)
	{
		snprintf(where, sizeof where, "identity_providers[%zu]", i);
		if (!provider_read(k, own, object, where, c))
			return false;
	}
	return true;
}

bool keyless_read(
	struct keyless *k, const struct keyring *own, json_t *document, struct doc_error *c)
{
	json_t *instance = json_object_get(document, "instance");

	return (!instance || instance_read(&k->instance, instance, c)) &&
	       creators_read(k, json_object_get(document, "token_creators"), c) &&
	       providers_read(k, own, json_object_get(document, "identity_providers"), c);
}

static json_t *instance_write(const struct instance *instance)
{
	json_t *scopes = json_array();

	for (const char *s = instance->scopes; *s != '\0';) {
		size_t n = strcspn(s, " ");

		json_array_append_new(scopes, json_stringn(s, n));
		s += n + (s[n] == ' ');
	}
	return json_pack("{s:s?, s:o, s:s?}", "service_account", instance->service_account,
		"scopes", scopes, "universe", instance->universe);
}

static json_t *provider_write(const struct identity_provider *p)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < p->n_keys; i++)
		json_array_append_new(keys, signing_key_write(&p->keys[i]));
	return json_pack("{s:s, s:s, s:o, s:b, s:o}", "audience", p->audience, "issuer", p->issuer,
		"allowed_audiences", strings_write(p->allowed_audiences, p->n_allowed_audiences),
		"disabled", p->disabled, "keys", keys);
}

void keyless_write(const struct keyless *k, json_t *document)
{
	json_t *creators = json_array(), *providers = json_array();

	for (size_t i = 0; i < k->n_creators; i++)
		json_array_append_new(
			creators, json_pack("{s:s, s:s}", "principal", k->creators[i].principal,
					  "account", k->creators[i].account));
	for (size_t i = 0; i < k->n_providers; i++)
		json_array_append_new(providers, provider_write(&k->providers[i]));
	json_object_set_new(document, "instance", instance_write(&k->instance));
	json_object_set_new(document, "token_creators", creators);
	json_object_set_new(document, "identity_providers", providers);
}
