/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include <stdlib.h>

#include "must.h"

static json_t *customer_write(const struct world *w)
{
	json_t *domains = json_array(), *admins = json_array();
	char verified[MOMENT_TEXT_SIZE];

	for (size_t i = 0; i < w->n_domains; i++)
		json_array_append_new(
			domains, json_pack("{s:s, s:s, s:s}", "name", w->domains[i].name, "kind",
					 domain_kind_words[w->domains[i].kind], "verified",
					 moment_rfc3339(w->domains[i].verified, verified)));
	for (size_t i = 0; i < w->n_admins; i++)
		json_array_append_new(
			admins, json_pack("{s:s, s:b, s:s}", "address", w->admins[i].address,
					"super", w->admins[i].super, "status",
					user_status_words[w->admins[i].status]));
	return json_pack(
		"{s:s, s:o, s:o}", "id", w->customer, "domains", domains, "admins", admins);
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

json_t *clock_write(const struct world *w)
{
	char now[MOMENT_TEXT_SIZE];

	if (w->clock_offset == 0)
		return json_pack("{s:s, s:b}", "now", moment_rfc3339(world_now(w), now), "real", 1);
	return json_pack("{s:s}", "now", moment_rfc3339(world_now(w), now));
}

json_t *latency_write(const struct world *w)
{
	json_t *out = json_array();

	for (int i = 0; i < ROUTE_CONTROL; i++) {
		if (w->latency_ms[i] != 0)
			json_array_append_new(out, json_pack("{s:s, s:i}", "route", route_words[i],
							   "ms", w->latency_ms[i]));
	}
	return out;
}

json_t *state_write(const struct world *w)
{
	json_t *service_accounts = json_array(), *grants = json_array(), *accounts = json_array();
	json_t *out;

	for (size_t i = 0; i < w->n_service_accounts; i++)
		json_array_append_new(
			service_accounts, service_account_write(&w->service_accounts[i]));
	for (size_t i = 0; i < w->n_grants; i++)
		json_array_append_new(grants, grant_write(&w->grants[i]));
	for (size_t i = 0; i < w->accounts.by_address.count; i++)
		json_array_append_new(
			accounts, account_write(w->accounts.order[ACCOUNTS_BY_ADDRESS][i]));
	out = json_pack("{s:o, s:o, s:{s:s, s:s}, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "clock",
		clock_write(w), "customer", customer_write(w), "project", "id", w->project,
		"number", w->project_number, "service_accounts", service_accounts, "grants", grants,
		"oauth_clients", oauth_clients_write(&w->logins), "accounts", accounts, "switches",
		switches_write(&w->switches), "quota", quota_write(&w->quota), "latency",
		latency_write(w), "faults", faults_write(&w->faults));
	keyless_write(&w->keyless, out);
	return out;
}
