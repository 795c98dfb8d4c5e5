/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocking one person: the block list, the sightings and the person, but not the copy of the list.
 */
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

static bool apply_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault)
{
	int64_t now = clock_wall();
	struct person_event event = {
		.kind = EVENT_BLOCKED, .now = now, .today = clock_day_start(now), .text = text};

	return person_apply(l, address, &event, NULL, actor, NULL, fault) >= 0;
}

bool person_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault)
{
	return write_block(l, address, text, actor, fault) &&
	       history_person(l, clock_wall(), address, "blocked", text, actor, fault) &&
	       show_blocked(l, address, text, fault) && apply_block(l, address, text, actor, fault);
}
