/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's events. Where the rules refuse one, the step says why, and nothing is stored.
 */
#include "person/step_internal.h"

static void refuse(struct person_step *step, enum person_refusal refusal)
{
	step->refusal = refusal;
}

void on_approved(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	struct person *p = &step->next;

	(void)policy;
	if (p->state != PERSON_HELD) {
		refuse(step, REFUSAL_NOT_HELD);
		return;
	}
	if (p->reason == REASON_MAX_MAILS) {
		refuse(step, REFUSAL_MAX_MAILS);
		return;
	}
	/* Never confirmed: the whole way again, with another look at Google. */
	if (p->intent_at != 0) {
		step_clear_intent(p);
		p->checked = 0;
	}
	p->approved = true;
	p->priority = PRIO_NEW;
	p->attempts = 0;
	step_move(step, PERSON_QUEUED, REASON_APPROVED, e->now);
	step_cause(step, e->text ? e->text : "approved", NULL);
}

void on_retried(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	struct person *p = &step->next;

	(void)policy;
	if (p->state != PERSON_FAILED && p->state != PERSON_NOT_INVITABLE &&
		p->state != PERSON_QUEUED) {
		refuse(step, REFUSAL_NOT_FAILED);
		return;
	}
	step_clear_fault(p);
	p->checked = 0;
	p->priority = PRIO_RETRY;
	step_move(step, PERSON_QUEUED, REASON_RETRIED, e->now);
	step_cause(step, "queued again", NULL);
}

static enum person_refusal send_refusal(
	const struct person *p, const struct send_policy *policy, bool resend)
{
	if (policy->reconciling && !resend)
		return REFUSAL_RECONCILE;
	if (policy->blocked && !resend)
		return REFUSAL_BLOCKED;
	if (p->state == PERSON_SENDING)
		return REFUSAL_BUSY;
	if (resend)
		return REFUSAL_NONE;
	switch (p->state) {
	case PERSON_INVITED:
		return REFUSAL_INVITED;
	case PERSON_ACCEPTED:
		return REFUSAL_ACCEPTED;
	case PERSON_DECLINED:
		return REFUSAL_DECLINED;
	case PERSON_CANCELLED:
		return REFUSAL_CANCELLED;
	case PERSON_UNCONFIRMED:
		return REFUSAL_UNCONFIRMED;
	case PERSON_HELD:
		return p->intent_at != 0 ? REFUSAL_NEVER_CONFIRMED : REFUSAL_NONE;
	case PERSON_SENDING:
	case PERSON_QUEUED:
	case PERSON_NOT_INVITABLE:
	case PERSON_FAILED:
	case PERSON_GONE:
		break;
	}
	return REFUSAL_NONE;
}

/* A person who is not in the ledger is held, with nothing due, while the send is under way:
 * whatever happens now, the dispatcher does not send for that reason. */
void on_send_requested(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	enum person_refusal refusal = send_refusal(&step->next, policy, e->resend);

	if (refusal != REFUSAL_NONE) {
		refuse(step, refusal);
		return;
	}
	if (step->next.state != PERSON_UNKNOWN)
		return;
	step->next.discovered = true;
	step_move(step, PERSON_HELD, REASON_MANUAL, 0);
	step_cause(step, "send: requested by an administrator", NULL);
}

void on_cancelled_by_admin(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	(void)policy;
	if (step->next.state == PERSON_UNKNOWN)
		return;
	if (step->next.state == PERSON_SENDING) {
		refuse(step, REFUSAL_BUSY);
		return;
	}
	step_clear_intent(&step->next);
	step_move(step, PERSON_CANCELLED, REASON_BY_ADMIN, 0);
	step->event = AUDIT_CANCELLED;
	step_cause(step, "cancel", e->text);
}
