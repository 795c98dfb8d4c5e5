/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backlog. When hundreds of people come at once, as when a fleet is set up, the list is read
 * first: 200 people a call. The people on it are invited at once (or found to have been
 * invited before), instead of at their turn among thousands that Google does not know. All who
 * wait are put behind everybody else until the list has shown them. That they are not on it proves
 * nothing (accounts of the last 48 hours are hidden): they are checked one by one, in the
 * background.
 *
 * It costs the pages of one resync, and the next resync comes a whole interval later. When there
 * are more pages than people who wait, no person waits for it any longer.
 */
#include "engine/engine_internal.h"

#include "base/log.h"
#include "base/minmax.h"

#define BACKLOG_PEOPLE 200 /* as many as one page shows */

bool backlog_scans_first(const struct engine *e)
{
	const struct resync *s = &e->resync;

	return s->backlog > 0 && s->under_way && s->pages < s->backlog && e->now >= s->next_at &&
	       (s->step == RESYNC_STAY || s->step == RESYNC_NEXT);
}

bool backlog_is_coming(const struct engine *e)
{
	return e->classifying && e->settings->resync_interval != 0;
}

/* At most one in an interval of the resyncs. */
static bool may_read(struct engine *e, bool *may, struct fault *fault)
{
	int64_t last;

	if (!resync_read_number(e, "backlog_at", 0, &last, fault))
		return false;
	*may = last == 0 || last > e->now || e->now - last >= e->settings->resync_interval;
	return true;
}

bool backlog_check(struct engine *e, struct fault *fault)
{
	int64_t pages, people;
	bool may;

	if (!e->arrivals || e->classifying || e->settings->resync_interval == 0 || e->paused ||
		e->draining || e->resync.under_way || e->resync.call.phase != CALL_IDLE)
		return true;
	e->arrivals = false;
	if (!may_read(e, &may, fault) || !resync_read_number(e, "resync_pages", 1, &pages, fault))
		return false;
	if (!may)
		return true;
	people = ledger_demote_backlog(e->ledger, e->now, max_i64(pages, BACKLOG_PEOPLE), fault);
	if (people > 0)
		resync_for_backlog(e, people);
	return people >= 0;
}
