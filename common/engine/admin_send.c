/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's send: a loop of its own around person_step(), without batch and job, one call
 * after the other. It commits its intent as the dispatcher does.
 */
#include "engine/admin_internal.h"

#include <string.h>

#include "base/clock.h"

#define LEDGER_TRIES   5 /* to store what a call has done */
#define LEDGER_WAIT_MS 1000

/* ---- send: may it be? ---- */

/* A setup pause does not hold back an administrator who is about to correct the setup. */
static bool pause_allows(struct engine *e, struct fault *fault)
{
	int paused = ledger_paused(e->ledger, &e->pause, fault);

	if (paused <= 0 || strcmp(e->pause.kind, "setup") == 0)
		return paused >= 0;
	fault_set(fault, FAULT_POLICY, "paused", "sending is paused (%s): %.200s", e->pause.kind,
		e->pause.text);
	return fault_remedy(fault, "To end the pause: cloudinvite resume.");
}

/* ---- send ---- */

/* One send under way. */
struct sending {
	struct engine *engine;
	const struct waiting *waiting;
	const char *reason;
	struct person claimed;
	struct person_step step;
	int64_t permit; /* of the send */
	struct engine_result *out;
};

static struct person_event event_of(const struct sending *s, enum person_event_kind kind)
{
	struct person_event event = engine_event(s->engine, kind);

	event.manual = true;
	event.claimed = &s->claimed;
	event.text = s->reason;
	return event;
}

/* Asks the rules, for a person who is not leased yet. */
static bool request(struct sending *s, const char *address, bool resend, struct fault *fault)
{
	struct engine *e = s->engine;
	struct person_event event = event_of(s, EVENT_SEND_REQUESTED);
	struct send_policy policy = {.reconciling = e->reconciling};
	int result;

	event.resend = resend;
	result =
		ledger_person_apply(e->ledger, address, &event, &policy, e->actor, &s->step, fault);
	if (s->step.refusal != REFUSAL_NONE && result >= 0)
		admin_set_refusal(e, s->step.refusal, address, fault);
	return result >= 0 && s->step.refusal == REFUSAL_NONE;
}

static bool lease(struct sending *s, const char *address, bool resend, struct fault *fault)
{
	struct engine *e = s->engine;
	struct person_event event;
	int found;

	if (!request(s, address, resend, fault))
		return false;
	found = ledger_lease(
		e->ledger, address, e->owner, e->now, e->now + LEASE_S, &s->claimed, fault);
	if (found == 0)
		admin_set_refusal(e, REFUSAL_BUSY, address, fault);
	/* Between the question and the lease another program may have changed the person. */
	if (found <= 0 || !request(s, address, resend, fault))
		return false;
	event = event_of(s, EVENT_CLAIMED);
	event.resend = resend;
	return engine_step(e, &s->claimed, &event, &s->step, fault);
}

static bool step(struct sending *s, struct person_event *event, struct fault *fault)
{
	const struct person p = s->step.next;

	if (!engine_step(s->engine, &p, event, &s->step, fault))
		return false;
	if (s->step.refusal != REFUSAL_NONE)
		admin_set_refusal(s->engine, s->step.refusal, p.address, &s->out->fault);
	return true;
}

/* The intent, in one commit with its place in the journal of sends. */
static bool commit_intent(struct sending *s, struct fault *fault)
{
	struct engine *e = s->engine;
	struct person_event event = event_of(s, EVENT_PERMIT);

	event.granted = true;
	e->sends_today = -1;
	e->intents = 0;
	if (!ledger_begin(e->ledger, fault))
		return false;
	if (!ledger_end(
		    e->ledger, step(s, &event, fault) && reconcile_count_intents(e, fault), fault))
		return false;
	reconcile_write_journal(e);
	return true;
}

static bool get_permit(struct sending *s, struct fault *fault)
{
	struct engine *e = s->engine;

	if (!admin_wait_for_permit(e, s->waiting, &s->permit, fault))
		return false;
	e->now = clock_wall();
	if (commit_intent(s, fault) && s->step.action == ACTION_SEND)
		return true;
	(void)rate_limit_release(e->ledger, s->permit, true, NULL);
	return fault->kind == FAULT_NONE;
}

/* What a call has done is stored even if the ledger fails for a moment. If it fails for longer, the
 * person stays in `sending`, and the dispatcher resolves that. */
static bool step_after_call(struct sending *s, struct person_event *event, struct fault *fault)
{
	const struct person_step before = s->step;

	for (int tries = 0; tries < LEDGER_TRIES; tries++) {
		if (tries > 0)
			google_poll(s->engine->google, NULL, 0, LEDGER_WAIT_MS);
		s->step = before;
		fault_clear(fault);
		if (step(s, event, fault))
			return true;
	}
	return false;
}

static bool ask_google(struct sending *s, struct fault *fault)
{
	static const enum google_method methods[] = {[ACTION_CHECK] = GOOGLE_CHECK,
		[ACTION_GET] = GOOGLE_GET,
		[ACTION_SEND] = GOOGLE_SEND};
	struct engine *e = s->engine;
	enum person_action action = s->step.action;
	const struct google_call call = {
		.method = methods[action], .address = s->step.next.address};
	struct person_event event = event_of(s, EVENT_FAILED);
	struct google_reply reply;
	enum error_scope scope;
	bool setup;

	if (action != ACTION_SEND && !admin_wait_for_permit(e, s->waiting, &s->permit, fault))
		return false;
	admin_call(e, &call, &reply);
	event.now = e->now;
	event.google_now = engine_google_now(e);
	engine_event_of_reply(&event, action, &reply, &setup);
	if (reply.fault.kind == FAULT_NONE)
		admin_apply_reply(&reply, call.method, s->out);
	else
		s->out->fault = reply.fault;
	if (event.kind == EVENT_GOT &&
		!reconcile_observed(e, &s->step.next, &event.evidence, fault))
		return false;
	if (!step_after_call(s, &event, fault) || !admin_return_permit(e, s->permit, &reply, fault))
		return false;
	if (s->step.action != ACTION_AWAIT_CONTROL)
		return true;
	if (!admin_control(e, s->waiting, &s->out->fault, &scope, fault))
		return false;
	event = event_of(s, EVENT_CONTROL);
	event.call = action;
	event.control.scope = scope;
	event.control.fault = &reply.fault;
	event.control.retry_after = reply.retry_after;
	event.control.date = reply.date;
	return step_after_call(s, &event, fault);
}

/* Until the rules ask for nothing any more. */
static bool follow(struct sending *s, struct fault *fault)
{
	while (s->step.action != ACTION_NONE) {
		bool wants_permit =
			s->step.action == ACTION_SEND && s->step.next.state != PERSON_SENDING;

		if (!(wants_permit ? get_permit(s, fault) : ask_google(s, fault)))
			return false;
		engine_log_step(s->engine, &s->step);
	}
	return true;
}

void engine_send(struct engine *e, const char *address, bool resend, const char *reason,
	engine_progress *progress, void *ctx, struct engine_result *out)
{
	const struct waiting w = {progress, ctx};
	struct sending s = {.engine = e, .waiting = &w, .reason = reason, .out = out};
	struct fault fault = {.kind = FAULT_NONE};
	char plain[ADDRESS_MAX + 1];

	*out = (struct engine_result){.invitable = false};
	e->now = clock_wall();
	if (!admin_plain_address(address, plain, &out->fault))
		return;
	if (pause_allows(e, &fault) && reconcile_refresh(e, &fault) &&
		lease(&s, plain, resend, &fault))
		(void)follow(&s, &fault);
	if (fault.kind != FAULT_NONE)
		out->fault = fault;
	else if (s.step.outcome == SEND_UNCONFIRMED && out->fault.kind == FAULT_NONE)
		fault_set(&out->fault, FAULT_AMBIGUOUS, s.step.next.fault_code, "%s",
			s.step.next.fault_text);
	if (s.step.next.state != PERSON_SENDING)
		(void)ledger_release(e->ledger, e->owner, plain, NULL);
	admin_load_result(e, plain, out);
}
