/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An explanation as JSON: the accounts, each with its verdict and its facts, then the people with
 * state, next step and commands.
 */
#include "cli/people/explain.h"

#include "cli/common/json.h"
#include "cli/common/labels.h"

static json_t *verdict_json(
	enum verdict_kind kind, const char *address, const char *rule, const char *sentence)
{
	return json_pack("{s:s, s:o, s:o, s:o}", "verdict", verdict_word(kind), "address",
		json_text(address), "rule", json_text(rule), "explanation", json_text(sentence));
}

static json_t *account_json(const struct explanation *x, const struct candidate *candidate)
{
	const struct ledger_sighting *found = &candidate->found;
	const struct sighting *facts = &found->seen;
	json_t *recorded = x->no_sighting ? json_null()
					  : verdict_json(found->verdict, found->address,
						    found->rule, found->sentence);

	return json_pack(
		"{s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:{s:b, s:o, s:o, s:o, s:o}, s:o, s:o}",
		"host", json_text(facts->host), "user", json_text(facts->user), "uid",
		json_count(facts->uid), "seen", !x->no_sighting, "gone", found->gone, "trigger",
		x->no_sighting ? json_null() : json_string(trigger_word(facts->trigger)),
		"first_seen", json_time(facts->first_seen), "facts", "local", facts->local, "shell",
		json_text(facts->shell), "groups", json_text(facts->groups), "first_name",
		json_text(facts->first), "last_name", json_text(facts->last), "recorded", recorded,
		"current",
		verdict_json(candidate->verdict.kind, candidate->verdict.address,
			candidate->verdict.rule, candidate->verdict.sentence));
}

static void add_command(const char *command, const char *summary, void *ctx)
{
	json_array_append_new(ctx,
		json_pack("{s:o, s:s}", "command", json_text(command), "description", summary));
}

static json_t *person_json(const struct explanation *x, const char *address, struct fault *fault)
{
	char next[320], why[320];
	json_t *json, *commands = json_array();
	struct person p;
	int found = ledger_person(x->store.ledger, address, &p, fault);
	bool blocked = ledger_blocked(x->store.ledger, address, why, sizeof(why), NULL) == 1;

	if (found > 0) {
		json = json_person(&p);
		json_object_del(json, "sightings");
		label_commands(&p, &x->service, add_command, commands);
		label_next_step(next, sizeof(next), &p, &x->service);
	} else {
		json = json_pack("{s:o, s:n}", "address", json_text(address), "state");
		next[0] = '\0';
	}
	json_object_set_new(json, "blocked", blocked ? json_text(why) : json_null());
	json_object_set_new(json, "next_step", json_text(next));
	json_object_set_new(json, "commands", commands);
	return json;
}

int explain_show_json(const struct explanation *x)
{
	struct fault fault = {.kind = FAULT_NONE};
	json_t *accounts = json_array(), *people = json_array();

	for (size_t i = 0; i < x->candidate_count; i++)
		json_array_append_new(accounts, account_json(x, &x->candidates[i]));
	for (size_t i = 0; i < x->address_count; i++)
		json_array_append_new(people, person_json(x, x->addresses[i], &fault));
	if (fault.kind == FAULT_NONE)
		return json_answer(json_pack("{s:i, s:o, s:o}", "schema", JSON_SCHEMA, "accounts",
			accounts, "people", people));
	json_decref(accounts);
	json_decref(people);
	return cli_fail(&fault);
}
