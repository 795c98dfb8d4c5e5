/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backlog: so many people who have never been checked that Google's list is read before single
 * people are checked.
 */
#include "ledger/person.h"

#define NEVER_CHECKED                                                                            \
	" runnable_at > 0 AND runnable_at <= ?1 AND state = 'queued' AND reason = 'first_check'" \
	" AND checked = 0 AND mails < 0 AND NOT discovered AND NOT approved"

/* People of an earlier backlog that was interrupted are counted, too. */
static bool count(
	struct ledger *l, int64_t now, int64_t limit, int64_t *people, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"SELECT (SELECT count(*) FROM (SELECT 1 FROM person WHERE priority = 'new'"
		" AND" NEVER_CHECKED " LIMIT ?2)) +"
		" (SELECT count(*) FROM (SELECT 1 FROM person WHERE priority = 'background'"
		" AND" NEVER_CHECKED " LIMIT ?2))",
		fault);
	query_number(&q, now);
	query_number(&q, limit);
	return query_one(&q, people) >= 0;
}

static bool put_back(struct ledger *l, int64_t now, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET priority = 'background' WHERE priority = 'new'"
		" AND" NEVER_CHECKED,
		fault);
	query_number(&q, now);
	return query_run(&q);
}

int64_t ledger_demote_backlog(struct ledger *l, int64_t now, int64_t more_than, struct fault *fault)
{
	int64_t people = 0;
	bool good;

	if (!txn_begin(l, fault))
		return -1;
	good = count(l, now, more_than + 1, &people, fault);
	if (good && people <= more_than)
		people = 0;
	else if (good)
		good = put_back(l, now, fault);
	return txn_end(l, good, fault) ? people : -1;
}
