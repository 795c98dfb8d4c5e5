/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the tenant's document: one reader for each member, in a table.
 */
#include "tenant_json.h"

#include <stdlib.h>
#include <string.h>

#include "xmalloc.h"

/* An array that replaces the old values: `clear`, then `read_one` for each element. */
typedef bool read_one(struct tenant *tenant, const struct keyring *own, json_t *object,
	const char *where, struct doc_error *c);

static bool array_read(struct tenant *tenant, const struct keyring *own, json_t *document,
	const char *name, void (*clear)(struct tenant *tenant), read_one *read, struct doc_error *c)
{
	json_t *array = json_object_get(document, name), *object;
	char where[60];
	size_t i;

	if (!array)
		return true;
	if (!json_is_array(array))
		return doc_error_set(c, "%s is not a JSON array", name);
	clear(tenant);
	json_array_foreach(array, i, object)
	{
		snprintf(where, sizeof where, "%s[%zu]", name, i);
		if (!read(tenant, own, object, where, c))
			return false;
	}
	return true;
}

static bool domain_read(struct tenant *tenant, const struct keyring *own, json_t *object,
	const char *where, struct doc_error *c)
{
	static const char *const names[] = {"name", "kind", "verified", NULL};
	struct domain domain = {.verified = tenant_now(tenant) - USEC_PER_SEC * 30 * 86400};
	const char *name;
	int kind = DOMAIN_VERIFIED;

	(void)own;
	if (!members_known(object, names, where, c) ||
		!member_needed(object, "name", &name, where, c) ||
		!member_word(object, "kind", domain_kind_words, &kind, where, c) ||
		!member_timestamp(
			object, "verified", tenant_now(tenant), &domain.verified, where, c))
		return false;
	domain.name = xstrdup(name);
	domain.kind = (enum domain_kind)kind;
	tenant->domains =
		xnonnull(reallocarray(tenant->domains, tenant->n_domains + 1, sizeof domain));
	tenant->domains[tenant->n_domains++] = domain;
	return true;
}

static bool admin_read(struct tenant *tenant, const struct keyring *own, json_t *object,
	const char *where, struct doc_error *c)
{
	static const char *const names[] = {"address", "super", "status", NULL};
	struct admin admin = {.super = true};
	const char *address;
	int status = USER_ACTIVE;

	(void)own;
	if (!members_known(object, names, where, c) ||
		!member_needed(object, "address", &address, where, c) ||
		!member_bool(object, "super", &admin.super, where, c) ||
		!member_word(object, "status", user_status_words, &status, where, c))
		return false;
	admin.address = xstrdup(address);
	admin.status = (enum user_status)status;
	tenant->admins = xnonnull(reallocarray(tenant->admins, tenant->n_admins + 1, sizeof admin));
	tenant->admins[tenant->n_admins++] = admin;
	return true;
}

/* Without "keys", the emulator's own account keeps the key of credentials.json. */
static bool signing_keys_read(struct service_account *account, const struct keyring *own,
	json_t *keys, const char *where, struct doc_error *c)
{
	json_t *object;
	size_t i;

	if (!keys && strcmp(account->email, OWN_EMAIL) == 0) {
		account->keys = xcalloc(sizeof account->keys[0]);
		account->keys[0].kid = xstrdup(own->service_kid);
		account->keys[0].key = own->service_key;
		EVP_PKEY_up_ref(own->service_key);
		account->n_keys = 1;
		return true;
	}
	account->keys = xcalloc(json_array_size(keys) * sizeof account->keys[0]);
	json_array_foreach(keys, i, object)
	{
		if (!signing_key_read(&account->keys[i], object, where, c))
			return false;
		account->n_keys++;
	}
	return true;
}

static bool service_account_read(struct tenant *tenant, const struct keyring *own, json_t *object,
	const char *where, struct doc_error *c)
{
	static const char *const names[] = {"email", "client_id", "deleted", "keys", NULL};
	struct service_account *account;
	const char *email, *client_id;
	bool deleted = false;

	if (!members_known(object, names, where, c) ||
		!member_needed(object, "email", &email, where, c) ||
		!member_needed(object, "client_id", &client_id, where, c) ||
		!member_bool(object, "deleted", &deleted, where, c))
		return false;
	tenant->service_accounts = xnonnull(reallocarray(tenant->service_accounts,
		tenant->n_service_accounts + 1, sizeof tenant->service_accounts[0]));
	account = &tenant->service_accounts[tenant->n_service_accounts++];
	*account = (struct service_account){xstrdup(email), xstrdup(client_id), deleted, NULL, 0};
	return signing_keys_read(account, own, json_object_get(object, "keys"), where, c);
}

static bool grant_read(struct tenant *tenant, const struct keyring *own, json_t *object,
	const char *where, struct doc_error *c)
{
	static const char *const names[] = {"client_id", "scopes", NULL};
	json_t *scopes = json_object_get(object, "scopes"), *scope;
	const char *client_id;
	struct grant *grant;
	size_t i;

	(void)own;
	if (!members_known(object, names, where, c) ||
		!member_needed(object, "client_id", &client_id, where, c))
		return false;
	tenant->grants = xnonnull(
		reallocarray(tenant->grants, tenant->n_grants + 1, sizeof tenant->grants[0]));
	grant = &tenant->grants[tenant->n_grants++];
	*grant = (struct grant){
		xstrdup(client_id), xcalloc(json_array_size(scopes) * sizeof grant->scopes[0]), 0};
	json_array_foreach(scopes, i, scope)
	{
		if (!json_is_string(scope))
			return doc_error_set(c, "%s: scopes[%zu] is not a string", where, i);
		grant->scopes[grant->n_scopes++] = xstrdup(json_string_value(scope));
	}
	return true;
}

/* Replaces a string of the tenant if the object has it. */
static bool text_read(
	json_t *object, const char *name, char **text, const char *where, struct doc_error *c)
{
	const char *new = NULL;

	if (!member_string(object, name, &new, where, c))
		return false;
	if (new) {
		free(*text);
		*text = xstrdup(new);
	}
	return true;
}

static bool customer_read(
	struct tenant *tenant, const struct keyring *own, json_t *object, struct doc_error *c)
{
	static const char *const names[] = {"id", "domains", "admins", NULL};

	return members_known(object, names, "customer", c) &&
	       text_read(object, "id", &tenant->customer, "customer", c) &&
	       array_read(tenant, own, object, "domains", tenant_clear_domains, domain_read, c) &&
	       array_read(tenant, own, object, "admins", tenant_clear_admins, admin_read, c);
}

static bool project_read(struct tenant *tenant, json_t *object, struct doc_error *c)
{
	static const char *const names[] = {"id", "number", NULL};

	return members_known(object, names, "project", c) &&
	       text_read(object, "id", &tenant->project, "project", c) &&
	       text_read(object, "number", &tenant->project_number, "project", c);
}

bool clock_read(struct tenant *tenant, json_t *object, struct doc_error *c)
{
	static const char *const names[] = {"now", "advance", "real", NULL};
	const char *advance = NULL;
	int64_t now = tenant_now(tenant), step = 0;
	bool real = false;

	if (!members_known(object, names, "clock", c) ||
		!member_timestamp(object, "now", now, &now, "clock", c) ||
		!member_string(object, "advance", &advance, "clock", c) ||
		!member_bool(object, "real", &real, "clock", c))
		return false;
	if (advance && !timestamp_parse_age(advance, &step))
		return doc_error_set(
			c, "clock: advance is '%s'; write a duration such as 72h or -5m", advance);
	tenant->clock_offset = real ? 0 : now + step - timestamp_now();
	return true;
}

static bool latency_read_one(struct tenant *tenant, json_t *object, struct doc_error *c)
{
	static const char *const names[] = {"route", "ms", NULL};
	int route;
	int64_t ms = 0;

	if (!members_known(object, names, "latency", c) ||
		!route_read(object, &route, "latency", c) ||
		!member_int(object, "ms", 0, 600000, &ms, "latency", c))
		return false;
	for (int i = 0; i < ROUTE_CONTROL; i++) {
		if (route == ROUTE_ANY || i == route)
			tenant->latency_ms[i] = (int)ms;
	}
	return true;
}

bool latency_read(struct tenant *tenant, json_t *document, struct doc_error *c)
{
	json_t *object;
	size_t i;

	if (!json_is_array(document))
		return latency_read_one(tenant, document, c);
	json_array_foreach(document, i, object)
	{
		if (!latency_read_one(tenant, object, c))
			return false;
	}
	return true;
}

/* The clock comes first, because ages are relative to it. */
bool tenant_read(
	struct tenant *tenant, const struct keyring *own, json_t *document, struct doc_error *c)
{
	static const char *const names[] = {"clock", "customer", "project", "service_accounts",
		"grants", "oauth_clients", "instance", "token_creators", "identity_providers",
		"accounts", "switches", "quota", "latency", "faults", NULL};
	json_t *clock = json_object_get(document, "clock");
	json_t *customer = json_object_get(document, "customer");
	json_t *project = json_object_get(document, "project");
	json_t *accounts = json_object_get(document, "accounts");
	json_t *switches = json_object_get(document, "switches");
	json_t *quota = json_object_get(document, "quota");
	json_t *latency = json_object_get(document, "latency");
	json_t *faults = json_object_get(document, "faults");

	if (!members_known(document, names, "the document", c) ||
		(clock && !clock_read(tenant, clock, c)) ||
		(customer && !customer_read(tenant, own, customer, c)) ||
		(project && !project_read(tenant, project, c)) ||
		!array_read(tenant, own, document, "service_accounts",
			tenant_clear_service_accounts, service_account_read, c) ||
		!array_read(tenant, own, document, "grants", tenant_clear_grants, grant_read, c) ||
		!oauth_clients_read(&tenant->logins, document, c) ||
		!keyless_read(&tenant->keyless, own, document, c))
		return false;
	if (accounts) {
		tenant_clear_accounts(tenant);
		if (!accounts_read(tenant, accounts, c))
			return false;
	}
	return (!switches || switches_read(&tenant->switches, switches, c)) &&
	       (!quota || quota_read(&tenant->quota, quota, c)) &&
	       (!latency || latency_read(tenant, latency, c)) &&
	       (!faults || faults_read(&tenant->faults, faults, c));
}
