/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain USER[@HOST]|ADDRESS: why a person is invited or not, what happens next, and what can be
 * done. The verdict that counts is the dispatcher's, in the ledger. If the present settings would
 * give another one, it is shown too. A user without a sighting is evaluated from this host's passwd
 * file.
 */
#include "cli/people/explain.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "cli/common/selector.h"
#include "cli/common/verb.h"
#include "cli/people/people.h"

/* ---- searching ---- */

static void add_address(struct explanation *x, const char *address)
{
	char(*grown)[ADDRESS_MAX + 1];

	for (size_t i = 0; i < x->address_count; i++)
		if (strcmp(x->addresses[i], address) == 0)
			return;
	grown = array_grow(x->addresses, x->address_count, &x->address_room, sizeof(*grown));
	if (!grown) {
		x->failed = true;
		return;
	}
	x->addresses = grown;
	str_copy(x->addresses[x->address_count++], ADDRESS_MAX + 1, address);
}

static bool has_candidate(const struct explanation *x, int64_t id)
{
	for (size_t i = 0; i < x->candidate_count; i++)
		if (x->candidates[i].found.id == id)
			return true;
	return false;
}

static bool on_sighting(const struct ledger_sighting *found, void *ctx)
{
	struct explanation *x = ctx;
	struct candidate *candidate, *grown;

	if (has_candidate(x, found->id))
		return true;
	grown = array_grow(x->candidates, x->candidate_count, &x->candidate_room, sizeof(*grown));
	x->failed = x->failed || !grown;
	if (!grown)
		return false;
	x->candidates = grown;
	candidate = &x->candidates[x->candidate_count++];
	*candidate = (struct candidate){.found = *found};
	verdict_evaluate(&candidate->found.seen, x->store.settings, x->map, &candidate->verdict);
	if (found->address[0] != '\0')
		add_address(x, found->address);
	return !x->failed;
}

/* The account as it is in this host's passwd file now. */
static bool inspect_account(struct explanation *x, const char *user, struct fault *fault)
{
	const struct settings *settings = x->store.settings;
	struct ledger_sighting made = {.id = -1};
	struct account_table accounts = {.count = 0};
	struct group_table *groups = NULL;
	const struct account *account = NULL;
	char names[2048];
	bool ok = account_read(settings->passwd, &accounts, fault);

	str_format(
		names, sizeof(names), "%s %s", settings->include_groups, settings->exclude_groups);
	if (ok)
		account = account_find(&accounts, user);
	if (account) {
		groups = group_read(settings->group, names, fault);
		ok = groups;
	}
	if (ok && account) {
		local_hostname(made.seen.host, sizeof(made.seen.host));
		str_copy(made.seen.user, sizeof(made.seen.user), account->user);
		sighting_facts(&made.seen, account, groups, settings);
		x->no_sighting = true;
		ok = on_sighting(&made, x);
		if (x->candidates[0].verdict.address[0] != '\0')
			add_address(x, x->candidates[0].verdict.address);
	}
	group_table_free(groups);
	account_table_free(&accounts);
	return ok;
}

/* The name is gone from this host and from the ledger, but an invitation to its address may be
 * open.
 */
static bool find_person_of_name(struct explanation *x, const char *user, struct fault *fault)
{
	struct sighting made = {.uid = x->store.settings->min_uid, .local = true};
	struct verdict verdict;
	struct person p;
	int found;

	local_hostname(made.host, sizeof(made.host));
	str_copy(made.user, sizeof(made.user), user);
	str_copy(made.shell, sizeof(made.shell), "/bin/sh");
	verdict_evaluate(&made, x->store.settings, x->map, &verdict);
	if (verdict.kind != VERDICT_MAPPED)
		return true;
	found = ledger_person(x->store.ledger, verdict.address, &p, fault);
	if (found > 0)
		add_address(x, verdict.address);
	return found >= 0;
}

static bool find_candidates(struct explanation *x, const char *typed, struct fault *fault)
{
	char address[ADDRESS_MAX + 1], user[USER_MAX + 1], host[HOST_MAX + 1], here[HOST_MAX + 1];

	if (!selector_each_sighting(x->store.ledger, typed, on_sighting, x, fault))
		return false;
	if (x->candidate_count == 0) {
		local_hostname(here, sizeof(here));
		if (!selector_split(typed, user, host) || strcmp(host, here) != 0)
			str_copy(user, sizeof(user), typed);
		if (!inspect_account(x, user, fault) ||
			(x->candidate_count == 0 && !find_person_of_name(x, user, fault)))
			return false;
	}
	if (address_plain(typed, address))
		add_address(x, address);
	return true;
}

/* ---- the verb ---- */

static int explain(const struct cli *cli, struct explanation *x, const char *typed, bool json)
{
	struct fault fault = {.kind = FAULT_NONE};

	x->map = map_load(x->store.settings->map, &fault);
	if (!x->map || !service_state_read(&x->store, &x->service, &fault) ||
		!find_candidates(x, typed, &fault))
		return cli_fail(&fault);
	if (x->failed) {
		fault_no_memory(&fault, FAULT_STORAGE);
		return cli_fail(&fault);
	}
	if (x->candidate_count == 0 && x->address_count == 0) {
		fault_set(&fault, FAULT_USAGE, "unknown_target",
			"'%s': this user has not been seen and is not in %s", typed,
			x->store.settings->passwd);
		cli_fail(&fault);
		return EXIT_NEGATIVE;
	}
	if (json)
		return explain_show_json(x);
	return explain_show(x, cli, &fault) ? EXIT_OK : cli_fail(&fault);
}

int verb_explain(const struct cli *cli, int argc, char **argv)
{
	struct explanation x = {.failed = false};
	bool json;
	int exit_code;

	if (!verb_parse_json(argc, argv, &json) || argc - optind != 1)
		return cli_usage(cli);
	if (!cli_open_store(cli, LEDGER_READ, &x.store, &exit_code))
		return exit_code;
	exit_code = explain(cli, &x, argv[optind], json);
	map_free(x.map);
	free(x.candidates);
	free(x.addresses);
	cli_close_store(&x.store);
	return exit_code;
}
