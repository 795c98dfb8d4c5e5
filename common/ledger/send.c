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

int64_t ledger_sends_between(
	struct ledger *l, int64_t from, int64_t until, struct fault *fault)
{
	int64_t all = sends_since(l, from, fault), later = all < 0 ? -1 : sends_since(l, until, fault);

	return later < 0 ? -1 : all - later;
}
