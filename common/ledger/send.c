/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends: a row is added in the transaction of the intent, and gets its outcome in that of the
 * result.
 */
#include <string.h>

#include "ledger/stored_counters.h"
#include "ledger/person.h"

int64_t send_begin(
	struct ledger *l, const char *address, int64_t now, const char *actor, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "INSERT INTO send (address, at, actor) VALUES (?, ?, ?)", fault);
	query_text(&q, address);
	query_number(&q, now);
	query_text(&q, actor);
	return query_run(&q) ? sqlite3_last_insert_rowid(l->db) : -1;
}

int64_t ledger_send_begin(
	struct ledger *l, const char *address, int64_t now, const char *actor, struct fault *fault)
{
	int64_t id;

	if (!txn_begin(l, fault))
		return -1;
	id = send_begin(l, address, now, actor, fault);
	return txn_end(l, id >= 0, fault) ? id : -1;
}

bool send_end(struct ledger *l, const char *address, enum send_outcome outcome, struct fault *fault)
{
	bool mailed = outcome == SEND_SENT || outcome == SEND_RESOLVED_SENT;
	struct query q;

	query_start(&q, l,
		"UPDATE send SET outcome = ?1 WHERE id = (SELECT max(id) FROM send"
		" WHERE address = ?2 AND outcome IN ('open', 'unconfirmed'))",
		fault);
	query_text(&q, send_outcome_word(outcome));
	query_text(&q, address);
	return query_run(&q) && (sqlite3_changes(l->db) == 0 || !mailed ||
					stored_counter_add(l, COUNTER_MAILS, 0, 1, fault));
}

bool ledger_send_end(
	struct ledger *l, const char *address, enum send_outcome outcome, struct fault *fault)
{
	return txn_begin(l, fault) && txn_end(l, send_end(l, address, outcome, fault), fault);
}

static int64_t sends_since(struct ledger *l, int64_t since, struct fault *fault)
{
	int64_t count = 0;
	struct query q;

	query_start(&q, l,
		"SELECT (SELECT coalesce(sum(n), 0) FROM count_send"
		" WHERE quarter >= (?1 + 899) / 900) + (SELECT count(*) FROM send"
		" WHERE at >= ?1 AND at < (?1 + 899) / 900 * 900"
		" AND outcome NOT IN ('refused', 'resolved_unsent'))",
		fault);
	query_number(&q, since);
	return query_one(&q, &count) < 0 ? -1 : count;
}

int64_t ledger_sends_between(struct ledger *l, int64_t from, int64_t until, struct fault *fault)
{
	int64_t all = sends_since(l, from, fault),
		later = all < 0 ? -1 : sends_since(l, until, fault);

	return later < 0 ? -1 : all - later;
}

/* ---- mails of the future ---- */

#define TOLERANCE_S 300

struct future_send {
	int64_t id;
	char address[ADDRESS_MAX + 1], outcome[32], actor[64];
};

/* 1, 0, -1. */
static int next_future_send(
	struct ledger *l, int64_t now, struct future_send *out, struct fault *fault)
{
	struct query q;
	int found;

	query_start(
		&q, l, "SELECT id, address, outcome, actor FROM send WHERE at > ? LIMIT 1", fault);
	query_number(&q, now + TOLERANCE_S);
	found = query_row(&q);
	if (found > 0) {
		out->id = row_number(&q);
		row_text(&q, out->address, sizeof(out->address));
		row_text(&q, out->outcome, sizeof(out->outcome));
		row_text(&q, out->actor, sizeof(out->actor));
	}
	return query_end(&q) ? found : -1;
}

/* Deleted and inserted, because the triggers that count sends look at no change of `at`. */
static bool move_send(
	struct ledger *l, int64_t now, const struct future_send *send, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "DELETE FROM send WHERE id = ?", fault);
	query_number(&q, send->id);
	if (!query_run(&q))
		return false;
	query_start(&q, l,
		"INSERT INTO send (id, address, at, outcome, actor) VALUES (?, ?, ?, ?, ?)", fault);
	query_number(&q, send->id);
	query_text(&q, send->address);
	query_number(&q, now);
	query_text(&q, send->outcome);
	query_text(&q, send->actor);
	return query_run(&q);
}

static bool correct(struct ledger *l, int64_t now, struct fault *fault)
{
	struct future_send send;
	int found;

	while ((found = next_future_send(l, now, &send, fault)) > 0)
		if (!move_send(l, now, &send, fault))
			return false;
	return found == 0;
}

bool ledger_sends_correct(struct ledger *l, int64_t now, struct fault *fault)
{
	return txn_begin(l, fault) && txn_end(l, correct(l, now, fault), fault);
}
