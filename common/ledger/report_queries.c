/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries for the report: the status of every account, host by host, and what happened in each
 * week. Rows are read in the order of an index and counted, so that memory does not grow with
 * people.
 */
#include "ledger/sqlite.h"

#define DAY	     INT64_C(86400)
#define FIRST_MONDAY 4 /* days after 1970-01-01, a Thursday */

int64_t ledger_week_start(int64_t wall)
{
	int64_t days = wall / DAY - FIRST_MONDAY;

	return wall < FIRST_MONDAY * DAY ? 0 : (days - days % 7 + FIRST_MONDAY) * DAY;
}

/* ---- hosts ---- */

static bool account_status_row(struct query *q, struct ledger_account_status *out)
{
	char verdict[32], state[32];

	row_text(q, out->host, sizeof(out->host));
	row_text(q, verdict, sizeof(verdict));
	row_text(q, state, sizeof(state));
	row_text(q, out->reason, sizeof(out->reason));
	out->person = state[0] != '\0';
	if (!verdict_parse(verdict, &out->verdict))
		return sql_unexpected(q->ledger, "verdict", verdict, q->fault);
	if (out->person && !person_state_parse(state, &out->state))
		return sql_unexpected(q->ledger, "state", state, q->fault);
	return true;
}

bool ledger_each_account_status(struct ledger *l,
	bool (*each)(const struct ledger_account_status *status, void *ctx), void *ctx,
	struct fault *fault)
{
	struct ledger_account_status status;
	struct query q;
	bool good = true, more = true;

	query_start(&q, l,
		"SELECT s.host, s.verdict, p.state, p.reason"
		" FROM sighting s INDEXED BY sighting_revision"
		" LEFT JOIN person p ON p.address = s.address AND s.verdict = 'mapped'"
		" WHERE s.gone_day IS NULL ORDER BY s.host",
		fault);
	while (good && more && query_row(&q) > 0) {
		good = account_status_row(&q, &status);
		more = good && each(&status, ctx);
	}
	return query_end(&q) && good;
}

/* ---- weeks ---- */

static bool count_seen(struct ledger *l, struct ledger_week *week, struct fault *fault)
{
	struct query q;

	query_start(
		&q, l, "SELECT count(*) FROM person WHERE first_day >= ? AND first_day < ?", fault);
	query_number(&q, week->start);
	query_number(&q, week->start + 7 * DAY);
	return query_one(&q, &week->seen) >= 0;
}

/* A person whose state comes back, or whose reason changes, has the same event in the history
 * again: only the first one counts. */
static bool count_transitions(struct ledger *l, struct ledger_week *week, struct fault *fault)
{
	enum person_state state;
	struct query q;
	char word[32];
	int64_t n;

	query_start(&q, l,
		"SELECT h.event, count(*) FROM history h INDEXED BY history_at"
		" WHERE h.at >= ? AND h.at < ? AND h.address <> '' AND h.subject = ''"
		" AND h.event IN ('invited', 'accepted', 'declined')"
		" AND NOT EXISTS (SELECT 1 FROM history o WHERE o.address = h.address"
		" AND o.address <> '' AND o.event = h.event AND o.id < h.id) GROUP BY h.event",
		fault);
	query_number(&q, week->start);
	query_number(&q, week->start + 7 * DAY);
	while (query_row(&q) > 0) {
		row_text(&q, word, sizeof(word));
		n = row_number(&q);
		if (!person_state_parse(word, &state))
			continue;
		if (state == PERSON_INVITED)
			week->invited = n;
		else if (state == PERSON_ACCEPTED)
			week->accepted = n;
		else if (state == PERSON_DECLINED)
			week->declined = n;
	}
	return query_end(&q);
}

bool ledger_count_week(
	struct ledger *l, int64_t start, struct ledger_week *out, struct fault *fault)
{
	bool good;

	*out = (struct ledger_week){.start = start};
	if (!snapshot_begin(l, fault))
		return false;
	good = count_seen(l, out, fault) && count_transitions(l, out, fault);
	snapshot_end(l);
	return good;
}
