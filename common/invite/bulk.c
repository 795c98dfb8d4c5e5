/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bulk start. When hundreds of people come at once, as when a fleet is set up, the list is read
 * first: 200 people a call, and those whom it shows are invited at once (or found to have been
 * invited before), instead of at their turn among thousands of whom Google knows nothing. All who
 * wait are put behind everybody else until the list has shown them. That they are not on it proves
 * nothing (accounts of the last 48 h are hidden): they are checked one by one, at low priority.
 *
 * It costs the pages of one sweep, and the next sweep comes a whole period later. When there are
 * more pages than people who wait, nobody waits for it any longer.
 */
#include "invite/inside.h"

#include "base/log.h"

#define BULK_PEOPLE 200 /* as many as one page shows */

bool bulk_reads_first(const struct invite *i)
{
	const struct sweep *s = &i->sweep;

	return s->bulk > 0 && s->under_way && s->pages < s->bulk && i->now >= s->next_at &&
	       (s->step == SWEEP_STAY || s->step == SWEEP_ON);
}

bool bulk_is_coming(const struct invite *i)
{
	return i->judging && i->settings->resync_interval != 0;
}

bool bulk_over(struct invite *i, struct fault *fault)
{
	return sweep_write_number(i, "backlog_at", i->now, fault);
}

/* At most one in a period of the sweeps. */
static bool may_read(struct invite *i, bool *may, struct fault *fault)
{
	int64_t last;

	if (!sweep_read_number(i, "backlog_at", 0, &last, fault))
		return false;
	*may = last == 0 || last > i->now || i->now - last >= i->settings->resync_interval;
	return true;
}

bool bulk_look(struct invite *i, struct fault *fault)
{
	int64_t pages, people;
	bool may;

	if (!i->arrivals || i->judging || i->settings->resync_interval == 0 || i->paused ||
		i->draining || i->solo || i->sweep.under_way || i->sweep.call.phase != ERRAND_IDLE)
		return true;
	i->arrivals = false;
	if (!may_read(i, &may, fault) || !sweep_read_number(i, "resync_pages", 1, &pages, fault))
		return false;
	if (!may)
		return true;
	people = ledger_demote_backlog(
		i->ledger, i->now, pages > BULK_PEOPLE ? pages : BULK_PEOPLE, fault);
	if (people > 0)
		sweep_for_bulk(i, people);
	return people >= 0;
}
