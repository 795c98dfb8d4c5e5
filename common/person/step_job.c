/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events of a job that gets its answers: claimed, check, get, permit, send.
 *
 *	queued ── check ── no ──────────────────────────► not_invitable
 *	            │ yes
 *	           get ── INVITED, ACCEPTED, DECLINED ──► invited, accepted, declined
 *	            │ not shown, NOT_YET_SENT
 *	         policy ── hold ────────────────────────► held
 *	            │ └─── defer ───────────────────────► queued
 *	         permit: the intent is committed ───────► sending
 *	            │
 *	          send ── done ─────────────────────────► invited
 *	              └── not known ────────────────────► unconfirmed
 */
#include "base/minmax.h"
#include "base/str.h"
#include "person/step_internal.h"

#define CHECKED_FRESH_S (24 * INT64_C(3600)) /* how long check and get clear the way for a send */

/* ---- claimed ---- */

static bool checked_lately(const struct person *p, int64_t now)
{
	int64_t age = now - p->checked;

	return p->checked != 0 && age >= 0 && age < CHECKED_FRESH_S;
}

/* The last account was removed: the invitation is cancelled if the settings say so, it is ours, and
 * no account has come since. */
static void claimed_invited(struct person_step *step, const struct send_policy *policy)
{
	struct person *p = &step->next;

	if (p->reason != REASON_ACCOUNT_REMOVED) {
		step->action = ACTION_GET;
	} else if (policy->cancel_on_delete && p->our_mails > 0 &&
		   p->orphan_reason != REASON_NONE) {
		step->action = ACTION_CANCEL;
	} else {
		p->next_attempt = 0;
		step->store = true;
	}
}

static void end_orphaned(struct person_step *step)
{
	step_move(step, PERSON_GONE, step->next.orphan_reason, 0);
	step->event = AUDIT_DECISION;
	step_cause(step, "the last account is gone", NULL);
}

void on_claimed(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	if (e->manual) {
		step->next.resend = e->resend;
		step->action = ACTION_CHECK;
		return;
	}
	switch (step->next.state) {
	case PERSON_SENDING:
		step_unconfirmed(
			step, e, REASON_INTERRUPTED, NULL, "the program ended during the send");
		break;
	case PERSON_UNCONFIRMED:
		step->action = ACTION_GET;
		break;
	case PERSON_INVITED:
		claimed_invited(step, policy);
		break;
	case PERSON_QUEUED:
		/* The last account went while another job had the person. */
		if (step->next.orphan_reason != REASON_NONE)
			end_orphaned(step);
		else
			step->action =
				checked_lately(&step->next, e->now) ? ACTION_SEND : ACTION_CHECK;
		break;
	case PERSON_NOT_INVITABLE:
	case PERSON_ACCEPTED:
	case PERSON_DECLINED:
	case PERSON_CANCELLED:
	case PERSON_HELD:
	case PERSON_FAILED:
	case PERSON_GONE:
		break;
	}
}

/* ---- check ---- */

void on_checked(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	struct person *p = &step->next;

	(void)policy;
	if (e->invitable) {
		step->action = ACTION_GET;
		return;
	}
	/* A resend targets a person who was invited before. That there is nothing to invite now
	 * leaves what is recorded as it is. */
	if (p->resend && e->manual) {
		step_back(step, e);
		step->refusal = REFUSAL_NOT_INVITABLE;
		return;
	}
	step_clear_fault(p);
	p->mails = p->mails > 0 ? p->mails : -1;
	step_move(step, PERSON_NOT_INVITABLE, REASON_NOT_INVITABLE, 0);
	step->event = AUDIT_DECISION;
	step_cause(step, "check: not invitable", NULL);
}

/* ---- get ---- */

static void cause_of_get(struct person_step *step)
{
	char seen[sizeof(step->cause)];

	str_copy(seen, sizeof(seen), step->cause);
	step_cause(step, "get", seen);
}

static bool state_is_known(const struct evidence *seen)
{
	return !seen->shown ||
	       (seen->state != INVITATION_OTHER && seen->state != INVITATION_UNSPECIFIED);
}

static bool is_managed(const struct evidence *seen)
{
	return seen->shown && seen->state == INVITATION_ACCEPTED;
}

/* At a resend it is known that there is an invitation: only the count is news, unless the account
 * is managed by now. If an earlier resend was never confirmed, the state does not prove its mail.
 */
static void apply_first_get(
	struct person_step *step, const struct person *claimed, const struct evidence *seen)
{
	struct person *p = &step->next;

	if (p->resend && !is_managed(seen)) {
		(void)evidence_count(p, seen);
		return;
	}
	if (claimed->resend && (p->intent_mails < 0 || seen->mails <= p->intent_mails))
		step_clear_intent(p);
	p->resend = false;
	(void)evidence_apply(step, seen);
}

/* An intent that was never confirmed (of a person who is resent to) stays open until the new intent
 * replaces it: it is how the job tells that the stored person is still its own. */
static void got_before_send(struct person_step *step, const struct person_event *e)
{
	const struct evidence *seen = &e->evidence;
	struct person *p = &step->next;
	enum person_state before = p->state;

	apply_first_get(step, e->claimed, seen);
	step_clear_fault(p);
	if (is_managed(seen) || p->state != before) {
		step->store = true;
		cause_of_get(step);
		return;
	}
	if (!state_is_known(seen) && !e->manual && !p->approved) {
		step_move(step, PERSON_HELD, REASON_UNKNOWN_STATE, 0);
		step->event = AUDIT_HELD;
		step_cause(step, "get", "a state that this version does not know");
		return;
	}
	p->checked = e->now;
	step->action = ACTION_SEND;
}

/* The person is stored even if nothing has changed, because the attempt was due. */
static void got_afterwards(struct person_step *step, const struct person_event *e)
{
	step->next.next_attempt = 0;
	step_clear_fault(&step->next);
	(void)evidence_apply(step, &e->evidence);
	step->store = true;
	cause_of_get(step);
}

void on_got(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	bool afterwards =
		step->next.state == PERSON_UNCONFIRMED || step->next.state == PERSON_INVITED;

	(void)policy;
	if (afterwards && !e->manual)
		got_afterwards(step, e);
	else
		got_before_send(step, e);
}

/* ---- the permit, and the intent ---- */

static enum person_refusal refusal_of(enum person_reason reason)
{
	if (reason == REASON_DAILY_LIMIT)
		return REFUSAL_DAILY_LIMIT;
	return reason == REASON_RECONCILE ? REFUSAL_RECONCILE : REFUSAL_MAX_MAILS;
}

static void hold_or_defer(
	struct person_step *step, const struct person_event *e, const struct policy_decision *d)
{
	bool hold = d->verdict == POLICY_HOLD;

	if (e->manual) {
		step_back(step, e);
		step->refusal = refusal_of(d->reason);
		return;
	}
	step_move(step, hold ? PERSON_HELD : PERSON_QUEUED, d->reason, d->until);
	step->event = hold ? AUDIT_HELD : AUDIT_DECISION;
	step_cause(step, hold ? "may be invited; held" : "may be invited; waits",
		reason_word(d->reason));
}

static void commit_intent(struct person_step *step, const struct person_event *e)
{
	struct person *p = &step->next;

	step_move(step, PERSON_SENDING, REASON_SENDING, e->now);
	p->intent_at = e->now;
	p->intent_date = e->google_now;
	p->intent_mails = p->mails;
	step->outcome = SEND_BEGUN;
	step->action = ACTION_SEND;
	step_cause(step, "send: begun", e->text);
}

void on_permit(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	struct policy_decision d = policy_decide(&step->next, policy, e->manual);
	struct person *p = &step->next;

	if (d.verdict != POLICY_SEND) {
		hold_or_defer(step, e, &d);
	} else if (!e->granted) {
		step->action = ACTION_SEND;
	} else if (policy->blocked && !p->resend && e->manual) {
		step_back(step, e);
		step->refusal = REFUSAL_BLOCKED;
	} else if (policy->blocked && !p->resend) {
		step_move(step, PERSON_HELD, REASON_BLOCKED, 0);
		step->event = AUDIT_HELD;
		step_cause(step, "blocked before the send", NULL);
	} else if (!e->manual && p->orphan_reason != REASON_NONE) {
		end_orphaned(step);
	} else {
		commit_intent(step, e);
	}
}

/* ---- send, cancel ---- */

void on_sent(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	struct person *p = &step->next;

	(void)policy;
	if (!e->sent.confirmed) {
		step_unconfirmed(step, e, REASON_UNCONFIRMED, "not_done",
			"Google accepted the invitation, but did not confirm that it was sent");
		return;
	}
	step_move(step, PERSON_INVITED, REASON_SENT, 0);
	p->intent_at = 0;
	p->intent_mails = -1;
	if (e->sent.date != 0)
		p->intent_date = e->sent.date;
	step_clear_fault(p);
	p->mails = max_i64(max_i64(p->mails, 0) + 1, e->sent.mails);
	p->our_mails++;
	step->outcome = SEND_SENT;
	step->event = AUDIT_INVITED;
	step_cause(step, "send: done", NULL);
}

void on_cancelled(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	(void)e, (void)policy;
	step_clear_fault(&step->next);
	step_move(step, PERSON_CANCELLED, REASON_DELETED, 0);
	step->event = AUDIT_CANCELLED;
	step_cause(step, "cancel: the account is gone", NULL);
}
