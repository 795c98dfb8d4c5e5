/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to a person when an account is mapped to the address, when the last one goes, or
 * when accounts collide.
 */
#include <string.h>

#include "base/clock.h"
#include "ledger/person.h"

bool person_has_account(struct ledger *l, const char *address, int64_t *has, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"SELECT EXISTS (SELECT 1 FROM sighting WHERE address = ? AND address <> ''"
		" AND gone_day IS NULL)",
		fault);
	query_text(&q, address);
	return query_one(&q, has) >= 0;
}

bool person_link(struct ledger *l, const char *address, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET orphaned_since = NULL, orphan_reason = '' WHERE address = ?"
		" AND (orphaned_since IS NOT NULL OR orphan_reason <> '')",
		fault);
	query_text(&q, address);
	return query_run(&q);
}

static bool mark_orphaned(
	struct ledger *l, const char *address, const char *why, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET orphaned_since = coalesce(orphaned_since, ?), orphan_reason = ?"
		" WHERE address = ?",
		fault);
	query_number(&q, clock_day_start(clock_wall()));
	query_text(&q, why);
	query_text(&q, address);
	return query_run(&q);
}

int person_is_leased(struct ledger *l, const char *address, struct fault *fault)
{
	int64_t leased = 0;
	struct query q;

	query_start(&q, l, "SELECT lease_until > ? FROM person WHERE address = ?", fault);
	query_number(&q, clock_wall());
	query_text(&q, address);
	return query_one(&q, &leased) < 0 ? -1 : (int)leased;
}

/* The program that holds the lease finds out when it stores the person (apply_guards). */
bool person_unlink(struct ledger *l, const char *address, const char *why, const char *cause,
	struct fault *fault)
{
	int64_t has = 0;
	struct person p;
	int known, leased;

	if (address[0] == '\0')
		return true;
	if (!person_has_account(l, address, &has, fault))
		return false;
	if (has)
		return true;
	known = ledger_person(l, address, &p, fault);
	if (known <= 0)
		return known == 0;
	leased = person_is_leased(l, address, fault);
	if (leased < 0 || !mark_orphaned(l, address, why, fault))
		return false;
	if (leased > 0 || p.intent_at != 0)
		return true;
	if (p.state == PERSON_QUEUED || p.state == PERSON_HELD)
		return person_transition(l, address, PERSON_GONE, why, 0, cause, "ledger", fault);
	if (p.state == PERSON_INVITED && strcmp(why, "account_removed") == 0)
		return person_transition(
			l, address, PERSON_INVITED, why, clock_wall(), cause, "ledger", fault);
	return true;
}

bool person_collided(struct ledger *l, const char *address, const char *cause, struct fault *fault)
{
	int64_t certain = 0;
	struct person p;
	struct query q;
	int known;

	query_start(&q, l,
		"SELECT EXISTS (SELECT 1 FROM sighting WHERE address = ? AND address <> ''"
		" AND verdict = 'mapped' AND gone_day IS NULL)",
		fault);
	query_text(&q, address);
	if (query_one(&q, &certain) < 0)
		return false;
	known = certain ? 0 : ledger_person(l, address, &p, fault);
	if (known <= 0)
		return known == 0;
	if (p.state != PERSON_QUEUED || p.approved)
		return true;
	return person_transition(l, address, PERSON_HELD, "collision", 0, cause, "ledger", fault);
}
