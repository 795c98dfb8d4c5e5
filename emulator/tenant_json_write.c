/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the tenant's document, in the form in which it can be read back.
 */
#include "tenant_json.h"

#include <stdlib.h>

#include "xmalloc.h"

static json_t *customer_write(const struct tenant *tenant)
{
	json_t *domains = json_array(), *admins = json_array();
	char verified[TIMESTAMP_TEXT_SIZE];

	for (size_t i = 0; i < tenant->n_domains; i++)
		json_array_append_new(domains,
			json_pack("{s:s, s:s, s:s}", "name", tenant->domains[i].name, "kind",
				domain_kind_words[tenant->domains[i].kind], "verified",
				timestamp_rfc3339(tenant->domains[i].verified, verified)));
	for (size_t i = 0; i < tenant->n_admins; i++)
		json_array_append_new(
			admins, json_pack("{s:s, s:b, s:s}", "address", tenant->admins[i].address,
					"super", tenant->admins[i].super, "status",
					user_status_words[tenant->admins[i].status]));
	return json_pack(
		"{s:s, s:o, s:o}", "id", tenant->customer, "domains", domains, "admins", admins);
}

static json_t *service_account_write(const struct service_account *account)
{
	json_t *keys = json_array();

	for (size_t i = 0; i < account->n_keys; i++) {
		if (!account->keys[i].managed)
			json_array_append_new(keys, signing_key_write(&account->keys[i]));
	}
	return json_pack("{s:s, s:s, s:b, s:o}", "email", account->email, "client_id",
		account->client_id, "deleted", account->deleted, "keys", keys);
}

static json_t *grant_write(const struct grant *grant)
{
	json_t *scopes = json_array();

	for (size_t i = 0; i < grant->n_scopes; i++)
		json_array_append_new(scopes, json_string(grant->scopes[i]));
	return json_pack("{s:s, s:o}", "client_id", grant->client_id, "scopes", scopes);
}

json_t *clock_write(const struct tenant *tenant)
{
	char now[TIMESTAMP_TEXT_SIZE];

	if (tenant->clock_offset == 0)
		return json_pack(
			"{s:s, s:b}", "now", timestamp_rfc3339(tenant_now(tenant), now), "real", 1);
	return json_pack("{s:s}", "now", timestamp_rfc3339(tenant_now(tenant), now));
}

json_t *latency_write(const struct tenant *tenant)
{
	json_t *out = json_array();

	for (int i = 0; i < ROUTE_CONTROL; i++) {
		if (tenant->latency_ms[i] != 0)
			json_array_append_new(out, json_pack("{s:s, s:i}", "route", route_words[i],
							   "ms", tenant->latency_ms[i]));
	}
	return out;
}

json_t *tenant_write(const struct tenant *tenant)
{
	json_t *service_accounts = json_array(), *grants = json_array(), *accounts = json_array();
	json_t *out;

	for (size_t i = 0; i < tenant->n_service_accounts; i++)
		json_array_append_new(
			service_accounts, service_account_write(&tenant->service_accounts[i]));
	for (size_t i = 0; i < tenant->n_grants; i++)
		json_array_append_new(grants, grant_write(&tenant->grants[i]));
	for (size_t i = 0; i < tenant->accounts.by_address.count; i++)
		json_array_append_new(
			accounts, account_write(tenant->accounts.order[ACCOUNTS_BY_ADDRESS][i]));
	out = json_pack("{s:o, s:o, s:{s:s, s:s}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "clock",
		clock_write(tenant), "customer", customer_write(tenant), "project", "id",
		tenant->project, "number", tenant->project_number, "service_accounts",
		service_accounts, "grants", grants, "oauth_clients",
		oauth_clients_write(&tenant->logins), "accounts", accounts, "switches",
		switches_write(&tenant->switches), "quota", quota_write(&tenant->quota), "latency",
		latency_write(tenant), "faults", faults_write(&tenant->faults));
	keyless_write(&tenant->keyless, out);
	return out;
}
