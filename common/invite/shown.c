/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the list, or get, shows of one person, and what that means for whom the ledger knows.
 * Nothing of a row that matches nobody known is kept.
 */
#include "invite/inside.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

static bool on_its_way(const struct invite *i, const char *address)
{
	for (int n = 0; n < i->used; n++)
		if (i->courses[n].phase != COURSE_FREE &&
			strcmp(i->courses[n].person.address, address) == 0)
			return true;
	return false;
}

static void discover(const struct invite *i, struct person *p)
{
	bool send = i->settings->discovered == DISCOVERED_SEND;

	p->discovered = true;
	p->state = send ? PERSON_QUEUED : PERSON_HELD;
	p->priority = PRIO_BACKGROUND;
	p->next_attempt = send ? i->now : 0;
	str_copy(p->reason, sizeof(p->reason), "discovered");
}

/* NOT_YET_SENT of somebody who had no unmanaged account: one has been opened since. */
static bool turned_up(const struct invite *i, const struct person *p, const struct evidence *e)
{
	return p->state == PERSON_NOT_INVITABLE && e->state == INVITATION_NOT_YET_SENT &&
	       i->settings->discovered != DISCOVERED_IGNORE;
}

/* Whom a bulk start had put back (bulk.c): the list shows that there is somebody to invite. */
static void go_first(const struct invite *i, struct person *p, const struct evidence *e,
	struct evidence_meaning *meaning)
{
	if (p->state != PERSON_QUEUED || p->priority != PRIO_BACKGROUND || p->discovered ||
		strcmp(p->reason, "first_check") != 0 || e->state != INVITATION_NOT_YET_SENT)
		return;
	p->priority = PRIO_NEW;
	p->next_attempt = i->now;
	meaning->changed = true;
}

/* Puts what the evidence makes of the person, if nobody else is at work on it. */
static bool put_evidence(
	struct invite *i, const struct person *known, const struct evidence *e, struct fault *fault)
{
	struct person p = *known, leased;
	struct evidence_meaning meaning = {.event = NULL};
	int found;

	if (turned_up(i, known, e)) {
		discover(i, &p);
		meaning = (struct evidence_meaning){.changed = true, .event = "decision"};
		str_copy(meaning.cause, sizeof(meaning.cause), "an unmanaged account was found");
	} else {
		evidence_apply(&p, e, &meaning);
		go_first(i, &p, e, &meaning);
	}
	if (!meaning.changed)
		return true;
	found = ledger_lease(
		i->ledger, p.address, i->owner, i->now, i->now + LEASE_S, &leased, fault);
	if (found <= 0)
		return found == 0;
	if (leased.state != known->state)
		return ledger_release(i->ledger, i->owner, p.address, fault);
	i->changed = true;
	if (meaning.event)
		log_about(LOG_LEVEL_NOTE, meaning.event,
			&(struct journal_about){.person = log_address(p.address),
				.reason = p.reason,
				.actor = i->actor},
			"%s: %s", log_address(p.address), meaning.cause);
	return reconcile_noted(i, known, e, fault) &&
	       (!meaning.journal ||
		       ledger_send_end(i->ledger, p.address, meaning.journal, fault)) &&
	       ledger_person_put(i->ledger, &p, meaning.cause, i->actor, fault);
}

static bool note_mapped(const struct ledger_sighting *s, void *ctx)
{
	bool *mapped = ctx;

	*mapped = !s->gone && s->verdict == VERDICT_MAPPED;
	return !*mapped;
}

/* Somebody whose sighting was none of the triggers, so that nobody has asked yet. */
static bool see_stranger(
	struct invite *i, const char *address, const struct evidence *e, struct fault *fault)
{
	struct person p = {
		.mails = e->mails, .intent_mails = -1, .first_day = clock_day_start(i->now)};
	bool mapped = false;

	if (e->state != INVITATION_NOT_YET_SENT || i->settings->discovered == DISCOVERED_IGNORE)
		return true;
	if (!ledger_each_sighting(i->ledger, NULL, NULL, address, note_mapped, &mapped, fault))
		return false;
	if (!mapped)
		return true;
	str_copy(p.address, sizeof(p.address), address);
	discover(i, &p);
	i->changed = true;
	return ledger_person_put(
		i->ledger, &p, "resync: an unmanaged account was found", i->actor, fault);
}

bool shown_saw(struct invite *i, const char *address, const struct evidence *e, bool strangers,
	struct fault *fault)
{
	struct person p;
	int found = ledger_person(i->ledger, address, &p, fault);

	if (found < 0)
		return false;
	if (found == 0)
		return !strangers || see_stranger(i, address, e, fault);
	return on_its_way(i, address) || put_evidence(i, &p, e, fault);
}
