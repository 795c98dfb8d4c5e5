/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's send: one person's way through the same rules and the same journal as a job
 * of the dispatcher, but one call after the other, without batches.
 *
 *	claim ──► check ──► get ──► may it be sent? ──► permit ──► intent ──► send
 *
 * Each step is one transaction: the permit that the reply gives back, what Google has shown, and
 * what person_step() makes of it. After a rollback nothing of it has happened, and it is tried
 * again. What was true when the command began (the pause, reconcile, the daily limit, the block
 * list) is looked at again in the transaction of the intent: the command may have waited for its
 * permit for an hour.
 */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"

#define LEDGER_TRIES	     5 /* for one transaction */
#define LEDGER_WAIT_FIRST_MS 1000
#define LEDGER_WAIT_LAST_MS  8000

/* One send under way. */
struct sending {
	struct engine *engine;
	const struct admin_waiting *waiting;
	const char *reason;
	struct person claimed;
	struct person_step step; /* the last one that was committed */
	enum person_action asked;
	struct google_reply reply; /* to what was asked last … */
	int64_t permit;		   /* … with this permit, … */
	bool reply_is_new;	   /* … which is given back in the next transaction */
	struct engine_result *out;
};

static struct person_event event_of(const struct sending *s, enum person_event_kind kind)
{
	struct person_event event = engine_event(s->engine, kind);

	event.manual = true;
	event.claimed = &s->claimed;
	event.call = s->asked;
	event.text = s->reason;
	return event;
}

/* ---- claimed ---- */

static bool refuse(const struct sending *s, enum person_refusal refusal, const char *address,
	struct fault *fault)
{
	admin_refuse(s->engine, refusal, address, fault);
	return false;
}

static bool claim_person(struct sending *s, const char *address, bool resend, struct fault *fault)
{
	struct engine *e = s->engine;
	struct person_event event = event_of(s, EVENT_SEND_REQUESTED);
	struct send_policy policy = {.blocked = false};
	int leased;

	if (!gate_refresh(e, fault) || !reconcile_refresh(e, fault) ||
		!admin_pause_allows(e, fault))
		return false;
	policy.reconciling = e->reconciling;
	event.resend = resend;
	if (ledger_person_apply(e->ledger, address, &event, &policy, e->actor, &s->step, fault) < 0)
		return false;
	if (s->step.refusal != REFUSAL_NONE)
		return refuse(s, s->step.refusal, address, fault);
	leased = ledger_lease(
		e->ledger, address, e->owner, e->now, e->now + LEASE_S, &s->claimed, fault);
	if (leased <= 0)
		return leased == 0 && refuse(s, REFUSAL_BUSY, address, fault);
	event = event_of(s, EVENT_CLAIMED);
	event.resend = resend;
	return engine_step(e, &s->claimed, &event, &s->step, fault);
}

static bool claim(struct sending *s, const char *address, bool resend, struct fault *fault)
{
	struct ledger *ledger = s->engine->ledger;

	return ledger_begin(ledger, fault) &&
	       ledger_end(ledger, claim_person(s, address, resend, fault), fault);
}

/* ---- one transaction ---- */

/* Before the intent: a pause that has begun since ends the send. */
static bool refresh(struct sending *s, struct person_event *event, struct fault *fault)
{
	if (!gate_refresh(s->engine, fault) || !reconcile_refresh(s->engine, fault))
		return false;
	if (!admin_pause_allows(s->engine, &s->out->fault))
		event->kind = EVENT_RELEASED;
	return true;
}

static bool prepare(struct sending *s, struct person_event *event, struct fault *fault)
{
	struct engine *e = s->engine;
	const struct person *p = &s->step.next;

	if (s->reply_is_new && !admin_return_permit(e, s->permit, &s->reply, fault))
		return false;
	if (event->kind == EVENT_PERMIT)
		return refresh(s, event, fault);
	if (event->kind == EVENT_GOT)
		return reconcile_observed(e, p, &event->evidence, fault);
	if (event->kind == EVENT_CONTROL && event->control.scope == SCOPE_PERSON)
		return gate_person_rejected(e, engine_method_of(s->asked), p->address,
			event->control.fault, &event->control.breaker, fault);
	return true;
}

static bool step(struct sending *s, const struct person_event *event, struct fault *fault)
{
	const struct person p = s->step.next;
	struct fault *told = &s->out->fault;

	if (!engine_step(s->engine, &p, event, &s->step, fault))
		return false;
	if (s->step.refusal != REFUSAL_NONE)
		admin_refuse(s->engine, s->step.refusal, p.address, told);
	/* Another program has taken over the person, or `forget` has erased the person. */
	else if (s->step.action == ACTION_NONE && !s->step.store && event->kind != EVENT_SENT &&
		 told->kind == FAULT_NONE)
		admin_refuse(s->engine, REFUSAL_BUSY, p.address, told);
	return true;
}

static void begin(struct engine *e)
{
	e->sends_today = -1;
	e->intents = 0;
	e->realigns = false;
}

static bool commit_once(struct sending *s, struct person_event event, struct fault *fault)
{
	struct engine *e = s->engine;
	const struct person_step step_before = s->step;
	const struct fault told_before = s->out->fault;
	const struct gate gate_before = e->gate;

	begin(e);
	if (!ledger_begin(e->ledger, fault))
		return false;
	if (ledger_end(e->ledger,
		    prepare(s, &event, fault) && step(s, &event, fault) &&
			    reconcile_count_intents(e, fault),
		    fault)) {
		reconcile_write_journal(e);
		engine_log_step(e, &s->step);
		return true;
	}
	s->step = step_before;
	s->out->fault = told_before;
	e->gate = gate_before;
	return false;
}

/* If the ledger fails for longer, what a call has done is not stored: a person in `sending` stays
 * so, and the dispatcher resolves that. */
static bool commit(struct sending *s, const struct person_event *event, struct fault *fault)
{
	for (int tries = 0; tries < LEDGER_TRIES; tries++) {
		if (tries > 0)
			google_poll(s->engine->google, NULL, 0,
				(int)backoff(LEDGER_WAIT_FIRST_MS, LEDGER_WAIT_LAST_MS, tries - 1));
		fault_clear(fault);
		if (commit_once(s, *event, fault))
			return true;
	}
	return false;
}

/* ---- the permit, and the intent ---- */

/* Too many sends of this command were ambiguous: the next one goes only if the control call passes.
 * If it does not, this send ends. */
static bool clear_ambiguity(struct sending *s, struct fault *fault)
{
	struct person_event event;
	enum error_scope scope;
	struct fault why;

	if (!gate_holds_sends(s->engine))
		return true;
	if (!admin_control(s->engine, s->waiting, &scope, &why, fault))
		return false;
	if (scope == SCOPE_PERSON)
		return true;
	s->out->fault = why;
	event = event_of(s, EVENT_RELEASED);
	return commit(s, &event, fault);
}

static bool get_permit(struct sending *s, struct fault *fault)
{
	struct engine *e = s->engine;
	struct person_event event = event_of(s, EVENT_PERMIT);
	bool good;

	/* What the rules refuse now is not waited for. */
	if (!commit(s, &event, fault))
		return false;
	if (s->step.action != ACTION_NONE && !clear_ambiguity(s, fault))
		return false;
	if (s->step.action == ACTION_NONE)
		return true;
	if (!admin_wait_for_permit(e, s->waiting, &s->permit, fault))
		return false;
	event = event_of(s, EVENT_PERMIT);
	event.granted = true;
	good = commit(s, &event, fault);
	if (!good || s->step.action != ACTION_SEND)
		(void)rate_limit_release(e->ledger, s->permit, true, NULL);
	return good;
}

/* ---- the call ---- */

static bool ask_google(struct sending *s, struct fault *fault)
{
	struct engine *e = s->engine;
	const struct google_call call = {
		.method = engine_method_of(s->step.action), .address = s->step.next.address};
	struct person_event event;
	bool setup, good;

	if (s->step.action != ACTION_SEND &&
		!admin_wait_for_permit(e, s->waiting, &s->permit, fault))
		return false;
	s->asked = s->step.action;
	admin_call_with_permit(e, &call, &s->reply);
	event = event_of(s, EVENT_GOT);
	engine_event_of_reply(&event, s->asked, &s->reply, &setup);
	if (s->reply.fault.kind == FAULT_NONE)
		admin_apply_reply(&s->reply, call.method, s->out);
	else
		s->out->fault = s->reply.fault;
	s->reply_is_new = true;
	good = commit(s, &event, fault);
	s->reply_is_new = false;
	return good;
}

/* If the ledger fails here, it is not known what the rejection is about: no person is charged. */
static bool resolve_rejection(struct sending *s, struct fault *fault)
{
	struct person_event event;
	enum error_scope scope;

	if (!admin_resolve_rejection(s->engine, s->waiting, &s->out->fault, &scope, fault))
		scope = SCOPE_TRANSIENT;
	event = event_of(s, EVENT_CONTROL);
	event.control.scope = scope;
	event.control.fault = &s->reply.fault;
	event.control.retry_after = s->reply.retry_after;
	event.control.date = s->reply.date;
	return commit(s, &event, fault);
}

static bool go_on(struct sending *s, struct fault *fault)
{
	if (s->step.action == ACTION_AWAIT_CONTROL)
		return resolve_rejection(s, fault);
	if (s->step.action == ACTION_SEND && s->step.next.state != PERSON_SENDING)
		return get_permit(s, fault);
	return ask_google(s, fault);
}

void engine_send(struct engine *e, const char *address, bool resend, const char *reason,
	engine_progress *progress, void *ctx, struct engine_result *out)
{
	const struct admin_waiting w = {progress, ctx};
	struct sending s = {.engine = e, .waiting = &w, .reason = reason, .out = out};
	struct fault fault = {.kind = FAULT_NONE};
	char plain[ADDRESS_MAX + 1];
	bool good;

	*out = (struct engine_result){.invitable = false};
	e->now = clock_wall();
	if (!admin_plain_address(address, plain, &out->fault))
		return;
	good = claim(&s, plain, resend, &fault);
	while (good && s.step.action != ACTION_NONE)
		good = go_on(&s, &fault);
	if (!good)
		out->fault = fault;
	else if (s.step.outcome == SEND_UNCONFIRMED && out->fault.kind == FAULT_NONE)
		fault_set(&out->fault, FAULT_AMBIGUOUS, s.step.next.fault_code, "%s",
			s.step.next.fault_text);
	(void)ledger_release(e->ledger, e->owner, plain, NULL);
	admin_load_result(e, plain, out);
}
