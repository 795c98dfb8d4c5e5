/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The events of a job that fails. A failure is one of four things: it may pass (try again later),
 * its effect is unknown (unconfirmed), the whole setup is refused (the person is charged nothing),
 * or Google rejects something, and the control call tells whether that is the person.
 */
#include <string.h>

#include "base/backoff.h"
#include "base/minmax.h"
#include "person/step_internal.h"

#define RETRY_FIRST_S	30
#define RETRY_LAST_S	3600
#define RETRY_AFTER_MAX 86400 /* no Retry-After is obeyed for longer */

static const char *call_word(const struct person_event *e)
{
	return person_action_word(e->call);
}

/* ---- without an effect ---- */

void step_back(struct person_step *step, const struct person_event *e)
{
	struct person now = step->next;

	step->next = *e->claimed;
	step->next.mails = now.mails;
	step->next.checked = now.checked;
	step->next.approved = now.approved;
	step->next.first_day = now.first_day;
	step->next.orphaned_since = now.orphaned_since;
	step->next.orphan_reason = now.orphan_reason;
	if (now.state == PERSON_SENDING) {
		step->outcome = SEND_REFUSED;
		step->store = true;
		step_cause(step, "send: certainly without effect", NULL);
		return;
	}
	/* Storing that check and get are answered spares two calls. */
	step->store = now.checked != e->claimed->checked && !e->manual;
}

void on_released(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	(void)policy;
	step_back(step, e);
}

/* ---- later ---- */

static int64_t retry_delay(int attempts, int64_t retry_after, uint32_t random)
{
	int64_t wait = backoff(RETRY_FIRST_S, RETRY_LAST_S, attempts - 1);

	/* Plus or minus a fifth, so that people who failed together do not come back together. */
	wait = wait - wait / 5 + (int64_t)(random % (uint32_t)(2 * wait / 5 + 1));
	return max_i64(wait, min_i64(retry_after, RETRY_AFTER_MAX));
}

static void retry_later(struct person_step *step, const struct person_event *e,
	const struct fault *why, int64_t retry_after)
{
	bool sending = step->next.state == PERSON_SENDING;
	struct person *p = &step->next;

	if (e->manual) {
		step_back(step, e);
		return;
	}
	if (sending)
		step_back(step, e);
	p->attempts++;
	p->priority = PRIO_RETRY;
	p->next_attempt = e->now + retry_delay(p->attempts, retry_after, e->random);
	step_set_fault(p, why->code, why->what);
	if (p->state == PERSON_QUEUED)
		p->reason = REASON_RETRY;
	step->store = true;
	step->event = AUDIT_RETRY;
	step_cause(step, call_word(e), why->what);
}

/* ---- of unknown effect ---- */

void step_unconfirmed(struct person_step *step, const struct person_event *e,
	enum person_reason reason, const char *code, const char *text)
{
	struct person *p = &step->next;

	step_move(step, PERSON_UNCONFIRMED, reason, evidence_next_check(p, e->now));
	p->priority = PRIO_RETRY;
	if (code) {
		p->attempts = 0;
		step_set_fault(p, code, text);
	}
	step->outcome = SEND_UNCONFIRMED;
	step->event = AUDIT_UNCONFIRMED;
	step_cause(step, code ? "send" : text, code ? text : NULL);
}

/* ---- rejected ---- */

static void rejected_before_mail(struct person_step *step, const struct person_event *e)
{
	bool sending = step->next.state == PERSON_SENDING;
	const struct fault *why = e->control.fault;
	struct person *p = &step->next;

	if (e->control.breaker || (p->resend && e->manual)) {
		step_back(step, e);
		return;
	}
	step_clear_intent(p);
	step_set_fault(p, why->code[0] != '\0' ? why->code : "rejected", why->what);
	step_move(step, PERSON_FAILED, REASON_FAULT, 0);
	step->outcome = sending ? SEND_REFUSED : SEND_NONE;
	step->event = AUDIT_FAILED;
	step_cause(step, call_word(e), why->what);
}

/* A question about a person who may have been mailed: the person stays as recorded. */
static void rejected_after_mail(struct person_step *step, const struct person_event *e)
{
	const struct evidence nothing = {.date = e->control.date, .now = e->now};
	const struct fault *why = e->control.fault;

	step_set_fault(&step->next, why->code, why->what);
	step->next.next_attempt = 0;
	(void)evidence_apply(step, &nothing);
	step->store = true;
	step_cause(step, call_word(e), why->what);
}

void on_control(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	enum person_state state = step->next.state;

	(void)policy;
	if (e->control.scope == SCOPE_TRANSIENT)
		retry_later(step, e, e->control.fault, e->control.retry_after);
	else if (e->control.scope == SCOPE_SETUP)
		step_back(step, e);
	else if (!e->manual && (state == PERSON_UNCONFIRMED || state == PERSON_INVITED))
		rejected_after_mail(step, e);
	else
		rejected_before_mail(step, e);
}

void on_failed(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	const struct fault *why = e->failed.fault;

	(void)policy;
	switch (why->kind) {
	case FAULT_AMBIGUOUS:
		if (step->next.state == PERSON_SENDING)
			step_unconfirmed(step, e, REASON_UNCONFIRMED, why->code, why->what);
		else
			retry_later(step, e, why, e->failed.retry_after);
		break;
	case FAULT_TRANSIENT:
		if (e->failed.quota)
			step_back(step, e);
		else
			retry_later(step, e, why, e->failed.retry_after);
		break;
	case FAULT_REJECTED:
	case FAULT_USAGE:
		step->action = ACTION_AWAIT_CONTROL;
		break;
	case FAULT_NONE:
	case FAULT_STOPPED:
	case FAULT_SETUP:
	case FAULT_CREDENTIALS:
	case FAULT_SETTINGS:
	case FAULT_STORAGE:
	case FAULT_POLICY:
		step_back(step, e);
		break;
	}
}

/* ---- the breaker ---- */

void on_breaker(
	struct person_step *step, const struct person_event *e, const struct send_policy *policy)
{
	struct person *p = &step->next;

	(void)policy;
	if (p->state != PERSON_FAILED || strcmp(p->fault_code, e->code) != 0)
		return;
	step_clear_fault(p);
	p->priority = PRIO_RETRY;
	step_move(step, PERSON_QUEUED, REASON_BREAKER, e->now);
	step_cause(step, "breaker: the same rejection for five people", NULL);
}
