/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to a person when an account is mapped to the address, when the last one goes, or
 * when accounts collide.
 */
#include <string.h>

#include "base/clock.h"
#include "ledger/person.h"

static const char actor[] = "ledger";

static struct person_event event_now(enum person_event_kind kind, const char *text)
{
	int64_t now = clock_wall();

	return (struct person_event){
		.kind = kind, .now = now, .today = clock_day_start(now), .text = text};
}

bool person_link(struct ledger *l, const char *address, struct fault *fault)
{
	const struct person_event event = event_now(EVENT_LINKED, NULL);

	return person_apply(l, address, &event, NULL, actor, NULL, fault) >= 0;
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

bool person_unlink(struct ledger *l, const char *address, enum person_reason why, const char *cause,
	struct fault *fault)
{
	struct person_event event = event_now(EVENT_UNLINKED, cause);
	int64_t has = 0;
	int leased;

	if (address[0] == '\0')
		return true;
	if (!person_has_account(l, address, &has, fault))
		return false;
	if (has)
		return true;
	leased = person_is_leased(l, address, fault);
	if (leased < 0)
		return false;
	event.unlinked.reason = why;
	event.unlinked.leased = leased > 0;
	return person_apply(l, address, &event, NULL, actor, NULL, fault) >= 0;
}

bool person_collided(struct ledger *l, const char *address, const char *cause, struct fault *fault)
{
	const struct person_event event = event_now(EVENT_COLLISION, cause);
	int64_t certain = 0;
	struct query q;

	query_start(&q, l,
		"SELECT EXISTS (SELECT 1 FROM sighting WHERE address = ? AND address <> ''"
		" AND verdict = 'mapped' AND gone_day IS NULL)",
		fault);
	query_text(&q, address);
	if (query_one(&q, &certain) < 0)
		return false;
	return certain || person_apply(l, address, &event, NULL, actor, NULL, fault) >= 0;
}
