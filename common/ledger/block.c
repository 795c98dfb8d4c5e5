/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the blocklist, with its effect on sightings and people.
 */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "ledger/history.h"
#include "ledger/person.h"

static bool write_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"INSERT INTO block (address, text, actor, at) VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT (address) DO UPDATE SET text = ?2, actor = ?3, at = ?4",
		fault);
	query_text(&q, address);
	query_text(&q, text ? text : "");
	query_text(&q, actor);
	query_number(&q, clock_wall());
	return query_run(&q);
}

/* The verdicts are right at once, without waiting for the next evaluation. */
static bool show_blocked(
	struct ledger *l, const char *address, const char *text, struct fault *fault)
{
	int64_t revision = next_revision(l, fault);
	char sentence[256];
	struct query q;

	if (revision < 0)
		return false;
	str_format(sentence, sizeof(sentence), "blocked: %.200s", text ? text : "");
	query_start(&q, l,
		"UPDATE sighting SET verdict = 'blocked', rule = 'block', sentence = ?,"
		" revision = ? WHERE address = ? AND address <> '' AND verdict IN"
		" ('mapped', 'collision', 'blocked')",
		fault);
	query_text(&q, sentence);
	query_number(&q, revision);
	query_text(&q, address);
	return query_run(&q);
}

static bool apply(struct ledger *l, enum person_event_kind kind, const char *address,
	const char *text, const char *actor, struct fault *fault)
{
	int64_t now = clock_wall();
	const struct person_event event = {
		.kind = kind, .now = now, .today = clock_day_start(now), .text = text};

	return person_apply(l, address, &event, NULL, actor, NULL, fault) >= 0;
}

bool ledger_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault)
{
	bool good;

	if (!txn_begin(l, fault))
		return false;
	good = write_block(l, address, text, actor, fault) &&
	       history_person(l, clock_wall(), address, "blocked", text, actor, fault) &&
	       show_blocked(l, address, text, fault) &&
	       apply(l, EVENT_BLOCKED, address, text, actor, fault);
	return txn_end(l, good, fault);
}

/* ---- unblocking ---- */

static bool classify_again(struct ledger *l, const char *address, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "UPDATE sighting SET rules = NULL WHERE address = ? AND address <> ''",
		fault);
	query_text(&q, address);
	return query_run(&q);
}

static int unblock(struct ledger *l, const char *address, const char *actor, struct fault *fault)
{
	int was = ledger_blocked(l, address, NULL, 0, fault);
	struct query q;

	if (was <= 0)
		return was;
	query_start(&q, l, "DELETE FROM block WHERE address = ?", fault);
	query_text(&q, address);
	if (!query_run(&q) || !classify_again(l, address, fault) ||
		!history_person(l, clock_wall(), address, "unblocked", "", actor, fault) ||
		!apply(l, EVENT_UNBLOCKED, address, NULL, actor, fault))
		return -1;
	return 1;
}

int ledger_unblock(struct ledger *l, const char *address, const char *actor, struct fault *fault)
{
	int result;

	if (!txn_begin(l, fault))
		return -1;
	result = unblock(l, address, actor, fault);
	return txn_end(l, result >= 0, fault) ? result : -1;
}
