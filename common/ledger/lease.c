/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who takes up whom: a person is in the hands of one program at a time.
 */
#include "ledger/person.h"

#define LEASE_LONGEST_S 86400

/* A lease that ends beyond a day was written under a clock that has been set back since: it would
 * keep its person from everybody for as long as the clock was wrong. */
static bool drop_impossible(struct ledger *l, int64_t now, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET lease_owner = '', lease_until = 0,"
		" ready = CASE WHEN state IN " PERSON_CLAIMABLE " THEN due ELSE 0 END"
		" WHERE lease_until > ? AND lease_until > 0",
		fault);
	query_number(&q, now + LEASE_LONGEST_S);
	return query_run(&q);
}

static int pick(struct ledger *l, enum person_class class, int64_t now, struct person *out, int max,
	struct fault *fault)
{
	struct query q;
	int n = 0;
	bool good = true;

	query_start(&q, l,
		"SELECT " PERSON_COLUMNS " FROM person WHERE class = ? AND ready > 0 AND ready <= ?"
		" ORDER BY ready LIMIT ?",
		fault);
	query_text(&q, person_class_word(class));
	query_number(&q, now);
	query_number(&q, max);
	while (good && n < max && query_row(&q) > 0) {
		good = person_row(&q, &out[n]);
		n += good;
	}
	return query_end(&q) && good ? n : -1;
}

static bool take(struct ledger *l, const char *address, const char *owner, int64_t until,
	struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET lease_owner = ?1, lease_until = ?2,"
		" ready = CASE WHEN ready = 0 THEN 0 ELSE max(due, ?2) END WHERE address = ?3",
		fault);
	query_text(&q, owner);
	query_number(&q, until);
	query_text(&q, address);
	return query_run(&q);
}

static int claim(struct ledger *l, int64_t now, enum person_class last_class, const char *owner,
	int64_t lease_until, struct person *out, int max, struct fault *fault)
{
	int n = 0;

	if (!drop_impossible(l, now, fault))
		return -1;
	for (int class = CLASS_NEW; class <= (int)last_class && n < max; class ++) {
		int picked = pick(l, (enum person_class) class, now, out + n, max - n, fault);

		if (picked < 0)
			return -1;
		for (int end = n + picked; n < end; n++)
			if (!take(l, out[n].address, owner, lease_until, fault))
				return -1;
	}
	return n;
}

int ledger_claim(struct ledger *l, int64_t now, enum person_class last_class, const char *owner,
	int64_t lease_until, struct person *out, int max, struct fault *fault)
{
	int n;

	if (!change_begin(l, fault))
		return -1;
	n = claim(l, now, last_class, owner, lease_until, out, max, fault);
	return change_end(l, n >= 0, fault) ? n : -1;
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

	if (!change_begin(l, fault))
		return -1;
	result = ledger_may_lease(l, address, owner, now, out, fault);
	if (result > 0 && !take(l, address, owner, lease_until, fault))
		result = -1;
	return change_end(l, result >= 0, fault) ? result : -1;
}

bool ledger_release(struct ledger *l, const char *owner, const char *address, struct fault *fault)
{
	struct query q;

	if (!change_begin(l, fault))
		return false;
	query_start(&q, l,
		"UPDATE person SET lease_owner = '', lease_until = 0,"
		" ready = CASE WHEN state IN " PERSON_CLAIMABLE " THEN due ELSE 0 END"
		" WHERE lease_until > 0 AND lease_owner = ?1 AND (?2 IS NULL OR address = ?2)",
		fault);
	query_text(&q, owner);
	query_text(&q, address);
	return change_end(l, query_run(&q), fault);
}

/* Which of them were put under the clock that was ahead cannot be told: the others are looked at
 * once too soon. */
static bool plan_sooner(struct ledger *l, int64_t now, int64_t back, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET due = max(?1, due - ?2), ready = max(?1, due - ?2, lease_until)"
		" WHERE class IN ('new', 'retry', 'sweep') AND ready > ?1",
		fault);
	query_number(&q, now);
	query_number(&q, back);
	return query_run(&q);
}

/* The longest waits: a window may open in a week, the cap and what Google asks for (Retry-After)
 * last a day, an unconfirmed send is looked at once a day; all others are tried again within the
 * hour. */
static bool mend_dues(struct ledger *l, int64_t now, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET due = ?1, ready = max(?1, lease_until)"
		" WHERE class IN ('new', 'retry', 'sweep') AND ready > 0 AND ready > ?1 + 7200"
		" AND due > ?1 + CASE WHEN reason IN ('window', 'reconcile') THEN 8 * 86400"
		" WHEN reason IN ('cap', 'retry') OR state = 'unconfirmed' THEN 26 * 3600"
		" ELSE 7200 END",
		fault);
	query_number(&q, now);
	return query_run(&q);
}

/* The same for what no wait of any kind explains: one look into the index, for every round. */
static bool mend_far_dues(struct ledger *l, int64_t now, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET due = ?1, ready = max(?1, lease_until)"
		" WHERE class IN ('new', 'retry', 'sweep') AND ready > 0 AND ready > ?1 + 8 * "
		"86400",
		fault);
	query_number(&q, now);
	return query_run(&q);
}

bool ledger_mend_far_dues(struct ledger *l, int64_t now, struct fault *fault)
{
	return change_begin(l, fault) && change_end(l, mend_far_dues(l, now, fault), fault);
}

bool ledger_mend_dues(struct ledger *l, int64_t now, int64_t back, struct fault *fault)
{
	return change_begin(l, fault) &&
	       change_end(l,
		       (back == 0 || plan_sooner(l, now, back, fault)) && mend_dues(l, now, fault),
		       fault);
}

/* One look into the index for each class, however many people there are. */
bool ledger_next_due(struct ledger *l, int64_t *due, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"SELECT min(ready) FROM ("
		"SELECT min(ready) AS ready FROM person WHERE class = 'new' AND ready > 0"
		" UNION ALL SELECT min(ready) FROM person WHERE class = 'retry' AND ready > 0"
		" UNION ALL SELECT min(ready) FROM person WHERE class = 'sweep' AND ready > 0)",
		fault);
	return query_one(&q, due) >= 0;
}
