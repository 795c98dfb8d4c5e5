/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the list, or get, shows of one person. Nothing of a row that matches nobody known is kept.
 */
#include "engine/engine_internal.h"

#include "base/clock.h"

static bool note_mapped(const struct ledger_sighting *s, void *ctx)
{
	bool *mapped = ctx;

	*mapped = !s->gone && s->verdict == VERDICT_MAPPED;
	return !*mapped;
}

/* A person whose sighting was none of the triggers, so that the ledger does not have one yet. */
static bool is_sighted(struct engine *e, const char *address, bool *mapped, struct fault *fault)
{
	*mapped = false;
	return ledger_each_sighting(e->ledger, NULL, NULL, address, note_mapped, mapped, fault);
}

static bool apply(struct engine *e, const struct person *known, const struct evidence *seen,
	struct fault *fault)
{
	struct person_event event = engine_event(e, EVENT_OBSERVED);
	struct send_policy policy;
	struct person_step step;
	struct person now;
	int found = 1;

	event.evidence = *seen;
	event.evidence.latest = event.google_now;
	if (!engine_policy(e, false, &policy, fault))
		return false;
	if (!person_step(known, &event, &policy).store)
		return true;
	/* Not leased for so short a time: it is one transaction. */
	if (known->state != PERSON_UNKNOWN) {
		found = ledger_may_lease(e->ledger, known->address, e->owner, e->now, &now, fault);
		if (found <= 0)
			return found == 0;
		if (!reconcile_observed(e, known, seen, fault))
			return false;
	}
	found = ledger_person_apply(
		e->ledger, known->address, &event, &policy, e->actor, &step, fault);
	if (found > 0) {
		e->changed = true;
		engine_log_step(e, &step);
	}
	return found >= 0;
}

bool observe_invitation(struct engine *e, const char *address, const struct evidence *seen,
	bool unknown_too, struct fault *fault)
{
	struct person p = person_new(address, clock_day_start(e->now));
	int found = ledger_person(e->ledger, address, &p, fault);
	bool mapped = true;

	if (found < 0)
		return false;
	if (found == 0 && (!unknown_too || !is_sighted(e, address, &mapped, fault)))
		return !unknown_too;
	/* A job looks for itself. */
	return !mapped || job_exists(e, address) || apply(e, &p, seen, fault);
}
