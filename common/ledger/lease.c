/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases: a person is worked on by one program at a time. And the schedule: when the next attempts
 * are due, and how it is corrected after a jump of the clock.
 */
#include "ledger/person.h"

#define LEASE_LONGEST_S 86400

/* A lease that ends more than a day ahead was written under a clock that has been set back
 * since. It would block the person for as long as the clock was wrong. */
static bool drop_invalid_leases(struct ledger *l, int64_t now, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET lease_owner = '', lease_until = 0,"
		" runnable_at = CASE WHEN state IN " PERSON_CLAIMABLE
		" THEN next_attempt ELSE 0 END"
		" WHERE lease_until > ? AND lease_until > 0",
		fault);
	query_number(&q, now + LEASE_LONGEST_S);
	return query_run(&q);
}

static int select_due(struct ledger *l, enum priority priority, int64_t now, struct person *out,
	int max, struct fault *fault)
{
	struct query q;
	int n = 0;
	bool good = true;

	query_start(&q, l,
		"SELECT " PERSON_COLUMNS
		" FROM person WHERE priority = ? AND runnable_at > 0 AND runnable_at <= ?"
		" ORDER BY runnable_at LIMIT ?",
		fault);
	query_text(&q, priority_word(priority));
	query_number(&q, now);
	query_number(&q, max);
	while (good && n < max && query_row(&q) > 0) {
		good = person_row(&q, &out[n]);
		n += good;
	}
	return query_end(&q) && good ? n : -1;
}

static bool lease_person(struct ledger *l, const char *address, const char *owner, int64_t until,
	struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET lease_owner = ?1, lease_until = ?2,"
		" runnable_at = CASE WHEN runnable_at = 0 THEN 0 ELSE max(next_attempt, ?2) END"
		" WHERE address = ?3",
		fault);
	query_text(&q, owner);
	query_number(&q, until);
	query_text(&q, address);
	return query_run(&q);
}

static int claim(struct ledger *l, int64_t now, enum priority last, const char *owner,
	int64_t lease_until, struct person *out, int max, struct fault *fault)
{
	int n = 0;

	if (!drop_invalid_leases(l, now, fault))
		return -1;
	for (int priority = PRIO_NEW; priority <= (int)last && n < max; priority++) {
		int picked = select_due(l, (enum priority)priority, now, out + n, max - n, fault);

		if (picked < 0)
			return -1;
		for (int end = n + picked; n < end; n++)
			if (!lease_person(l, out[n].address, owner, lease_until, fault))
				return -1;
	}
	return n;
}

int ledger_claim(struct ledger *l, int64_t now, enum priority last, const char *owner,
	int64_t lease_until, struct person *out, int max, struct fault *fault)
{
	int n;

	if (!txn_begin(l, fault))
		return -1;
	n = claim(l, now, last, owner, lease_until, out, max, fault);
	return txn_end(l, n >= 0, fault) ? n : -1;
}

int ledger_may_lease(struct ledger *l, const char *address, const char *owner, int64_t now,
	struct person *out, struct fault *fault)
{
	struct query q;
	int found;

	query_start(&q, l,
		"SELECT " PERSON_COLUMNS " FROM person WHERE address = ? AND"
		" (lease_owner = ? OR lease_until <= ? OR lease_until > ?)",
		fault);
	query_text(&q, address);
	query_text(&q, owner);
	query_number(&q, now);
	query_number(&q, now + LEASE_LONGEST_S);
	found = query_row(&q);
	if (found > 0 && !person_row(&q, out))
		found = -1;
	query_end(&q);
	return found;
}

int ledger_lease(struct ledger *l, const char *address, const char *owner, int64_t now,
	int64_t lease_until, struct person *out, struct fault *fault)
{
	int result;

	if (!txn_begin(l, fault))
		return -1;
	result = ledger_may_lease(l, address, owner, now, out, fault);
	if (result > 0 && !lease_person(l, address, owner, lease_until, fault))
		result = -1;
	return txn_end(l, result >= 0, fault) ? result : -1;
}

bool ledger_release(struct ledger *l, const char *owner, const char *address, struct fault *fault)
{
	struct query q;

	if (!txn_begin(l, fault))
		return false;
	query_start(&q, l,
		"UPDATE person SET lease_owner = '', lease_until = 0,"
		" runnable_at = CASE WHEN state IN " PERSON_CLAIMABLE
		" THEN next_attempt ELSE 0 END"
		" WHERE lease_until > 0 AND lease_owner = ?1 AND (?2 IS NULL OR address = ?2)",
		fault);
	query_text(&q, owner);
	query_text(&q, address);
	return txn_end(l, query_run(&q), fault);
}

/* It is not known which attempts were planned by the clock that was ahead. The others are made
 * once too early. */
static bool shift_schedule(struct ledger *l, int64_t now, int64_t back, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET next_attempt = max(?1, next_attempt - ?2),"
		" runnable_at = max(?1, next_attempt - ?2, lease_until)"
		" WHERE priority IN ('new', 'retry', 'background') AND runnable_at > ?1",
		fault);
	query_number(&q, now);
	query_number(&q, back);
	return query_run(&q);
}

/* The longest waits: a send window may open in a week. The daily limit and Google's Retry-After
 * last a day, and an unconfirmed send is checked once a day. Everything else is tried again
 * within the hour. */
static bool reschedule(struct ledger *l, int64_t now, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET next_attempt = ?1, runnable_at = max(?1, lease_until)"
		" WHERE priority IN ('new', 'retry', 'background') AND runnable_at > 0"
		" AND runnable_at > ?1 + 7200 AND next_attempt > ?1 + CASE"
		" WHEN reason IN ('send_window', 'reconcile') THEN 8 * 86400"
		" WHEN reason IN ('daily_limit', 'retry') OR state = 'unconfirmed' THEN 26 * 3600"
		" ELSE 7200 END",
		fault);
	query_number(&q, now);
	return query_run(&q);
}

/* The same for attempts that no kind of wait explains: one look into the index, for every batch. Of
 * two lower bounds SQLite searches the index by the one that comes first; by 0 it would read
 * everybody. */
static bool clamp_schedule(struct ledger *l, int64_t now, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET next_attempt = ?1, runnable_at = max(?1, lease_until)"
		" WHERE priority IN ('new', 'retry', 'background')"
		" AND runnable_at > ?1 + 8 * 86400 AND runnable_at > 0",
		fault);
	query_number(&q, now);
	return query_run(&q);
}

bool ledger_clamp_schedule(struct ledger *l, int64_t now, struct fault *fault)
{
	return txn_begin(l, fault) && txn_end(l, clamp_schedule(l, now, fault), fault);
}

bool ledger_reschedule(struct ledger *l, int64_t now, int64_t back, struct fault *fault)
{
	return txn_begin(l, fault) && txn_end(l,
					      (back == 0 || shift_schedule(l, now, back, fault)) &&
						      reschedule(l, now, fault),
					      fault);
}

/* One look into the index for each priority, however many people there are. */
bool ledger_next_due(struct ledger *l, int64_t *due, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"SELECT min(runnable_at) FROM ("
		"SELECT min(runnable_at) AS runnable_at FROM person"
		" WHERE priority = 'new' AND runnable_at > 0"
		" UNION ALL SELECT min(runnable_at) FROM person"
		" WHERE priority = 'retry' AND runnable_at > 0"
		" UNION ALL SELECT min(runnable_at) FROM person"
		" WHERE priority = 'background' AND runnable_at > 0)",
		fault);
	return query_one(&q, due) >= 0;
}
