/* SPDX-License-Identifier: Apache-2.0 */
/*
 * person_step(): finds the function of the event, and then applies what holds for every step. The
 * functions stand in step_host.c, step_job.c, step_failure.c and step_admin.c.
 */
#include <string.h>

#include "person/step_internal.h"

static person_on_event *const on_event[PERSON_EVENTS] = {
	[EVENT_SIGHTED] = on_sighted,
	[EVENT_LINKED] = on_linked,
	[EVENT_UNLINKED] = on_unlinked,
	[EVENT_COLLISION] = on_collision,
	[EVENT_BLOCKED] = on_blocked,
	[EVENT_UNBLOCKED] = on_unblocked,
	[EVENT_OBSERVED] = on_observed,
	[EVENT_CLAIMED] = on_claimed,
	[EVENT_CHECKED] = on_checked,
	[EVENT_GOT] = on_got,
	[EVENT_PERMIT] = on_permit,
	[EVENT_SENT] = on_sent,
	[EVENT_CANCELLED] = on_cancelled,
	[EVENT_FAILED] = on_failed,
	[EVENT_CONTROL] = on_control,
	[EVENT_RELEASED] = on_released,
	[EVENT_BREAKER] = on_breaker,
	[EVENT_APPROVED] = on_approved,
	[EVENT_RETRIED] = on_retried,
	[EVENT_SEND_REQUESTED] = on_send_requested,
	[EVENT_CANCELLED_BY_ADMIN] = on_cancelled_by_admin,
};

/* What block list and accounts say now is stronger than what the event has made of the person: a
 * job may have begun before the last account went. */
static void apply_guards(struct person_step *step, const struct send_policy *policy)
{
	struct person *p = &step->next;
	bool waits = p->state == PERSON_QUEUED || (p->state == PERSON_HELD && p->intent_at == 0);

	if (waits && p->orphan_reason != REASON_NONE)
		step_move(step, PERSON_GONE, p->orphan_reason, 0);
	else if (p->state == PERSON_QUEUED && policy->blocked && !p->resend)
		step_move(step, PERSON_HELD, REASON_BLOCKED, 0);
}

/* A resend is one mail beyond max_mails. Its permission does not outlive it: a person who is queued
 * again later is an ordinary one. */
static void end_resend(struct person *p)
{
	if (p->intent_at == 0 && p->state != PERSON_QUEUED)
		p->resend = false;
}

/* An approval is about the account that led here. One who is queued keeps it for the reason's sake,
 * until the job that has the person ends. */
static void end_approval(struct person *p)
{
	if (p->orphan_reason != REASON_NONE && p->state != PERSON_QUEUED)
		p->approved = false;
}

struct person_step person_step(
	const struct person *p, const struct person_event *e, const struct send_policy *policy)
{
	struct person_step step = {.next = *p};

	on_event[e->kind](&step, e, policy);
	if (!step.store)
		return step;
	/* These two only mark a person who has a job: the guards would end its claim. */
	if (e->kind != EVENT_LINKED && e->kind != EVENT_UNLINKED)
		apply_guards(&step, policy);
	end_resend(&step.next);
	end_approval(&step.next);
	/* The words, because failed people have the code of the fault. */
	if (step.next.state != p->state ||
		strcmp(person_reason_word(&step.next), person_reason_word(p)) != 0)
		step.next.changed = e->now;
	return step;
}
