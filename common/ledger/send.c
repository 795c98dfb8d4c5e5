/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends: a row is added in the transaction of the intent, and gets its outcome in that of the
 * result.
 */
#include <string.h>

#include "base/array.h"
#include "ledger/stored_counters.h"
#include "ledger/sqlite.h"

int64_t ledger_send_begin(
	struct ledger *l, const char *address, int64_t now, const char *actor, struct fault *fault)
{
	struct query q;
	int64_t id;
	bool good;

	if (!txn_begin(l, fault))
		return -1;
	query_start(&q, l, "INSERT INTO send (address, at, actor) VALUES (?, ?, ?)", fault);
	query_text(&q, address);
	query_number(&q, now);
	query_text(&q, actor);
	good = query_run(&q);
	id = sqlite3_last_insert_rowid(l->db);
	return txn_end(l, good, fault) ? id : -1;
}

static bool is_outcome(const char *word)
{
	static const char *const outcomes[] = {
		"sent", "refused", "unconfirmed", "resolved_sent", "resolved_unsent"};

	for (size_t i = 0; i < ARRAY_SIZE(outcomes); i++)
		if (strcmp(word, outcomes[i]) == 0)
			return true;
	return false;
}

static bool is_mail(const char *outcome)
{
	return strcmp(outcome, "sent") == 0 || strcmp(outcome, "resolved_sent") == 0;
}

static bool end(struct ledger *l, const char *address, const char *outcome, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE send SET outcome = ?1 WHERE id = (SELECT max(id) FROM send"
		" WHERE address = ?2 AND outcome IN ('open', 'unconfirmed'))",
		fault);
	query_text(&q, outcome);
	query_text(&q, address);
	return query_run(&q) && (sqlite3_changes(l->db) == 0 || !is_mail(outcome) ||
					stored_counter_add(l, COUNTER_MAILS, 0, 1, fault));
}

bool ledger_send_end(
	struct ledger *l, const char *address, const char *outcome, struct fault *fault)
{
	if (!is_outcome(outcome)) {
		fault_set(fault, FAULT_STORAGE, "ledger_outcome", "unknown outcome of a send: %s",
			outcome);
		return fault_remedy(fault, "This is a bug: please report it.");
	}
	return txn_begin(l, fault) && txn_end(l, end(l, address, outcome, fault), fault);
}

int64_t ledger_sends_since(struct ledger *l, int64_t since, struct fault *fault)
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
