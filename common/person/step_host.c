/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events of the host's side: accounts that come, go and collide, the block list, and what
 * Google's list shows.
 */
#include "base/backoff.h"
#include "person/step_internal.h"

#define HOUR	       INT64_C(3600)
#define DAY	       (24 * HOUR)
#define REJECTED_FIRST (6 * HOUR)
#define REJECTED_LAST  (30 * DAY)

/* ---- accounts ---- */

static void link(struct person *p)
{
	p->orphaned_since = 0;
	p->orphan_reason = REASON_NONE;
}

/* The name of the invited person is in use again: nothing is to be cancelled. */
static void end_removal(struct person *p)
{
	if (p->reason != REASON_ACCOUNT_REMOVED && p->reason != REASON_RENAMED)
		return;
	p->reason = p->our_mails > 0 ? REASON_SENT : REASON_BY_OTHERS;
	p->next_attempt = 0;
}

static void queue(
	struct person_step *step, enum person_reason reason, enum priority priority, int64_t now)
{
	step->next.priority = priority;
	step->next.attempts = 0;
	step_move(step, PERSON_QUEUED, reason, now);
}

/* Until now only Google's list, an administrator or an account of another address led here
 * (evaluating the same account again does not count). */
static bool is_first_sighting(const struct person *p, const struct person_event *e)
{
	return (p->discovered || p->address_changed) && !e->evaluated_before;
}

/* A person who is in the ledger is left alone, with three exceptions: the account came back; the
 * collision is over; it is the first sighting, and what is recorded of the person came of the list,
 * of an administrator's send, or of an account of another address. */
static bool sighting_queues(const struct person *p, const struct person_event *e)
{
	if (p->state == PERSON_UNKNOWN || p->state == PERSON_GONE)
		return true;
	if (p->state == PERSON_QUEUED)
		return false;
	return p->reason == REASON_COLLISION || p->reason == REASON_MANUAL ||
	       (step_awaits_sighting(p) && is_first_sighting(p, e));
}

/* A first sighting of a person who is asked about or sent to counts for what follows. */
static void note_first_sighting(struct person_step *step, const struct person_event *e)
{
	struct person *p = &step->next;

	if (!is_first_sighting(p, e))
		return;
	if (p->state == PERSON_SENDING || p->state == PERSON_UNCONFIRMED) {
		p->discovered = p->address_changed = false;
		step->store = true;
	} else if (p->state == PERSON_QUEUED && p->address_changed) {
		link(p);
		p->address_changed = false;
		step->store = true;
	}
}

/* An account that leads to another address now may have been misled: by a slip in the map or the
 * template, or by its user, who can edit the name. Google is asked, and an administrator decides.
 */
void on_sighted(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	struct person *p = &step->next;

	(void)policy;
	if (!sighting_queues(p, e)) {
		note_first_sighting(step, e);
		return;
	}
	link(p);
	p->discovered = false;
	if (e->address_changed) {
		p->address_changed = true;
		p->approved = false;
	} else if (!e->evaluated_before) {
		p->address_changed = false;
	}
	queue(step, REASON_FIRST_CHECK, p->address_changed ? PRIO_BACKGROUND : PRIO_NEW, e->now);
	step_cause(step, e->text ? e->text : "an account was seen", NULL);
}

void on_linked(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	(void)e, (void)policy;
	if (step->next.orphaned_since == 0)
		return;
	link(&step->next);
	if (step->next.state == PERSON_INVITED)
		end_removal(&step->next);
	step->store = true;
}

void on_unlinked(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	struct person *p = &step->next;

	(void)policy;
	if (p->state == PERSON_UNKNOWN)
		return;
	if (p->orphaned_since == 0)
		p->orphaned_since = e->today;
	p->orphan_reason = e->unlinked.reason;
	step->store = true;
	/* The job hears of it when it stores the person (apply_guards). What may have been mailed
	 * must not be lost over it. */
	if (e->unlinked.leased || p->intent_at != 0)
		return;
	step_cause(step, e->text ? e->text : "no account leads here any more", NULL);
	if (p->state == PERSON_QUEUED || p->state == PERSON_HELD)
		step_move(step, PERSON_GONE, p->orphan_reason, 0);
	else if (p->state == PERSON_INVITED &&
		 (p->orphan_reason == REASON_ACCOUNT_REMOVED || p->orphan_reason == REASON_RENAMED))
		step_move(step, PERSON_INVITED, p->orphan_reason, e->now);
}

void on_collision(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	(void)policy;
	if (step->next.state != PERSON_QUEUED || step->next.approved)
		return;
	step_move(step, PERSON_HELD, REASON_COLLISION, 0);
	step_cause(step, e->text ? e->text : "collision", NULL);
}

/* ---- the block list ---- */

void on_blocked(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	(void)policy;
	/* A person who is held keeps the reason: an unconfirmed send must not be forgotten. */
	if (step->next.state != PERSON_QUEUED)
		return;
	step_move(step, PERSON_HELD, REASON_BLOCKED, 0);
	step_cause(step, e->text && e->text[0] != '\0' ? e->text : "blocked", NULL);
}

void on_unblocked(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	(void)policy;
	/* The ledger knows nothing of the mail any more: the next login could send a second one. */
	if (e->now - e->mailed < GOOGLE_LAG_S) {
		step->refusal = REFUSAL_RECENT_MAIL;
		return;
	}
	if (step->next.state != PERSON_HELD || step->next.reason != REASON_BLOCKED)
		return;
	step_move(step, PERSON_QUEUED, REASON_FIRST_CHECK, e->now);
	step_cause(step, "unblocked", NULL);
}

/* ---- what Google's list shows ---- */

static void discover(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	bool send = policy->discovered == DISCOVERY_SEND;

	step->next.discovered = true;
	step->next.priority = PRIO_BACKGROUND;
	step_move(step, send ? PERSON_QUEUED : PERSON_HELD, REASON_DISCOVERED, send ? e->now : 0);
}

/* The list shows that a person of a backlog, who was put behind all others (PRIO_BACKGROUND), can
 * be invited: to the front. */
static bool promote(struct person *p, int64_t now)
{
	if (p->reason != REASON_FIRST_CHECK || p->priority != PRIO_BACKGROUND || p->discovered)
		return false;
	p->priority = PRIO_NEW;
	p->next_attempt = now;
	return true;
}

/* Google rejected the person, and its list contradicts: there is an unmanaged account. Each further
 * rejection doubles the wait. A host clock that was ahead then does not prolong it. */
static void try_rejected_again(struct person_step *step, const struct person_event *e)
{
	struct person *p = &step->next;
	int64_t age = e->now - p->changed;

	if (p->state != PERSON_FAILED || p->orphan_reason != REASON_NONE)
		return;
	if (age >= 0 && age < backoff(REJECTED_FIRST, REJECTED_LAST, p->attempts - 1))
		return;
	p->checked = 0;
	p->priority = PRIO_RETRY;
	step_move(step, PERSON_QUEUED, REASON_RETRY, e->now);
	step_cause(step, "rejected before, but the list shows an unmanaged account", NULL);
}

void on_observed(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	const struct evidence *seen = &e->evidence;
	struct person *p = &step->next;
	bool unmanaged = seen->shown && seen->state == INVITATION_NOT_YET_SENT;
	bool discovered = unmanaged && policy->discovered != DISCOVERY_IGNORE;

	if (p->state == PERSON_UNKNOWN && discovered) {
		p->mails = seen->mails;
		discover(step, e, policy);
		step_cause(step, "resync: an unmanaged account was found", NULL);
	} else if (p->state == PERSON_NOT_INVITABLE && discovered) {
		discover(step, e, policy);
		step->event = AUDIT_DECISION;
		step_cause(step, "an unmanaged account was found", NULL);
	} else if (p->state == PERSON_GONE) { /* only a sighting brings a person back */
		step->store = evidence_count(p, seen);
	} else if (p->state != PERSON_UNKNOWN) {
		step->store = evidence_apply(step, seen);
		if (unmanaged && promote(p, seen->now))
			step->store = true;
		if (unmanaged)
			try_rejected_again(step, e);
	}
}
