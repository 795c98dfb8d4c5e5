/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The summary behind `status`, from the counts that triggers keep.
 */
#include "ledger/person.h"

static bool count_people(struct ledger *l, struct ledger_summary *out, struct fault *fault)
{
	enum person_state state;
	struct query q;
	char word[32];

	query_start(&q, l, "SELECT state, sum(n) FROM count_person GROUP BY state", fault);
	while (query_row(&q) > 0) {
		row_text(&q, word, sizeof(word));
		if (person_state_parse(word, &state))
			out->people[state] = row_number(&q);
	}
	return query_end(&q);
}

static bool count_queue(struct ledger *l, struct ledger_summary *out, struct fault *fault)
{
	struct query q;

	for (int priority = PRIO_NEW; priority <= PRIO_BACKGROUND; priority++) {
		query_start(&q, l,
			"SELECT coalesce(sum(n), 0) FROM count_person"
			" WHERE state = 'queued' AND priority = ?",
			fault);
		query_text(&q, priority_word((enum priority)priority));
		if (query_one(&q, &out->queue[priority]) < 0)
			return false;
	}
	return true;
}

static bool count_sightings(struct ledger *l, struct ledger_summary *out, struct fault *fault)
{
	enum verdict_kind kind;
	struct query q;
	char word[32];

	query_start(&q, l, "SELECT verdict, n FROM count_sighting", fault);
	while (query_row(&q) > 0) {
		row_text(&q, word, sizeof(word));
		if (verdict_parse(word, &kind))
			out->sightings[kind] = row_number(&q);
	}
	return query_end(&q);
}

static bool find_oldest(struct ledger *l, struct ledger_summary *out, struct fault *fault)
{
	struct query q;

	if (!ledger_next_due(l, &out->oldest_due, fault))
		return false;
	query_start(&q, l,
		"SELECT min(intent_at) FROM person WHERE state = 'unconfirmed' AND intent_at > 0",
		fault);
	return query_one(&q, &out->oldest_unconfirmed) >= 0;
}

static bool count_rest(
	struct ledger *l, int64_t now, struct ledger_summary *out, struct fault *fault)
{
	struct query q;

	out->mails_today = ledger_sends_between(l, timezone_midnight(l->timezone, now, 0),
		timezone_midnight(l->timezone, now, 1), fault);
	if (out->mails_today < 0)
		return false;
	query_start(&q, l, "SELECT count(*) FROM block", fault);
	return query_one(&q, &out->blocked) >= 0;
}

bool ledger_summarise(
	struct ledger *l, int64_t now, struct ledger_summary *out, struct fault *fault)
{
	bool good;

	*out = (struct ledger_summary){.blocked = 0};
	if (!snapshot_begin(l, fault))
		return false;
	good = count_people(l, out, fault) && count_queue(l, out, fault) &&
	       count_sightings(l, out, fault) && find_oldest(l, out, fault) &&
	       count_rest(l, now, out, fault);
	snapshot_end(l);
	return good;
}

bool ledger_each_reason(struct ledger *l, enum person_state state,
	bool (*each)(const char *reason, int64_t count, void *ctx), void *ctx, struct fault *fault)
{
	char reason[48];
	struct query q;
	bool more = true;

	query_start(&q, l,
		"SELECT reason, sum(n) FROM count_person WHERE state = ?"
		" GROUP BY reason HAVING sum(n) > 0 ORDER BY 2 DESC, 1",
		fault);
	query_text(&q, person_state_word(state));
	while (more && query_row(&q) > 0) {
		row_text(&q, reason, sizeof(reason));
		more = each(reason, row_number(&q), ctx);
	}
	return query_end(&q);
}
