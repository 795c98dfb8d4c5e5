/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the blocklist and its copy, with the effect on sightings and people.
 */
#include "base/clock.h"
#include "ledger/history.h"
#include "ledger/person.h"

bool ledger_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault)
{
	return txn_begin(l, fault) &&
	       txn_end(l,
		       person_block(l, address, text, actor, fault) && block_copy_write(l, fault),
		       fault);
}

/* ---- unblocking ---- */

static bool classify_again(struct ledger *l, const char *address, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "UPDATE sighting SET rules = NULL WHERE address = ? AND address <> ''",
		fault);
	query_text(&q, address);
	return query_run(&q);
}

static int read_mailed(struct ledger *l, const char *address, int64_t *mailed, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "SELECT mailed FROM block WHERE address = ?", fault);
	query_text(&q, address);
	return query_one(&q, mailed);
}

static bool err_recent_mail(const char *address, int64_t mailed, struct fault *fault)
{
	char when[CLOCK_TEXT_SIZE];

	fault_set(fault, FAULT_POLICY, "recent_mail",
		"%s: a mail was sent so recently that Google may not show it yet, and the person "
		"was forgotten; another login could send a second one",
		address);
	return fault_remedy(
		fault, "Unblock %s.", clock_relative(mailed + GOOGLE_LAG_S, clock_wall(), when));
}

static bool apply_unblock(struct ledger *l, const char *address, int64_t mailed, const char *actor,
	struct fault *fault)
{
	int64_t now = clock_wall();
	struct person_event event = {.kind = EVENT_UNBLOCKED,
		.now = now,
		.today = clock_day_start(now),
		.mailed = mailed};
	struct person_step step;

	if (person_apply(l, address, &event, NULL, actor, &step, fault) < 0)
		return false;
	return step.refusal == REFUSAL_NONE || err_recent_mail(address, mailed, fault);
}

/* The person hears of it last, with the block list as it is then. A refusal undoes everything. */
static int unblock(struct ledger *l, const char *address, const char *actor, struct fault *fault)
{
	int64_t mailed = 0;
	int was = read_mailed(l, address, &mailed, fault);
	struct query q;

	if (was <= 0)
		return was;
	query_start(&q, l, "DELETE FROM block WHERE address = ?", fault);
	query_text(&q, address);
	if (!query_run(&q) || !classify_again(l, address, fault) ||
		!history_person(l, clock_wall(), address, "unblocked", "", actor, fault) ||
		!apply_unblock(l, address, mailed, actor, fault) || !block_copy_write(l, fault))
		return -1;
	return 1;
}

int ledger_unblock(struct ledger *l, const char *address, const char *actor, struct fault *fault)
{
	int result;

	if (!txn_begin(l, fault))
		return -1;
	result = unblock(l, address, actor, fault);
	return txn_end(l, result >= 0, fault) ? result : -1;
}
