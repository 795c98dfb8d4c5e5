/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the list, or get, shows of one person. A row that matches no known person is
 * not kept.
 */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/clock.h"

/* The job looks for itself. */
static bool has_job(const struct engine *e, const char *address)
{
	for (int n = 0; n < e->used; n++)
		if (e->jobs[n].phase != JOB_FREE && strcmp(e->jobs[n].person.address, address) == 0)
			return true;
	return false;
}

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

static bool apply(
	struct engine *e, const struct person *p, const struct evidence *seen, struct fault *fault)
{
	struct person_event event = engine_event(e, EVENT_OBSERVED);
	struct person_step step;

	event.evidence = *seen;
	if (!engine_step_free(e, p, &event, &step, fault))
		return false;
	if (!step.store)
		return true;
	engine_log_step(e, &step);
	return p->state == PERSON_UNKNOWN || reconcile_observed(e, p, seen, fault);
}

/* The ledger does not know the person, or another program has a lease. */
static bool apply_unknown(
	struct engine *e, const char *address, const struct evidence *seen, struct fault *fault)
{
	struct person p = person_new(address, clock_day_start(e->now));
	bool mapped;
	int found;

	if (!is_sighted(e, address, &mapped, fault))
		return false;
	if (!mapped)
		return true;
	found = ledger_person(e->ledger, address, &p, fault);
	return found == 0 ? apply(e, &p, seen, fault) : found > 0;
}

bool observe_invitation(struct engine *e, const char *address, const struct evidence *seen,
	bool unknown_too, struct fault *fault)
{
	struct person p;
	/* Not leased for so short a time: it is one transaction. */
	int found = ledger_may_lease(e->ledger, address, e->owner, e->now, &p, fault);

	if (found < 0)
		return false;
	if (found == 0)
		return !unknown_too || apply_unknown(e, address, seen, fault);
	return has_job(e, address) || apply(e, &p, seen, fault);
}
