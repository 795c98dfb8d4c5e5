/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's commands: one address at a time, waited for, within the same budget and by
 * the same rules and journal as the dispatcher's. The send is a loop of its own around
 * person_step(): no batch, no job, one call after the other.
 */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define POLL_MS	       250 /* how often `progress` is called while a command waits */
#define LEDGER_TRIES   5   /* to store what a call has done */
#define LEDGER_WAIT_MS 1000

struct waiting {
	engine_progress *progress;
	void *ctx;
};

/* ---- one call, waited for ---- */

static bool wait_for_permit(
	struct engine *e, const struct waiting *w, int64_t *permit, struct fault *fault)
{
	int64_t wait_ms = 0;
	int got;

	while ((got = rate_limit_acquire(
			e->ledger, e->settings, e->admin, 1, permit, &wait_ms, fault)) == 0) {
		if (w->progress && wait_ms > 0)
			w->progress(wait_ms, w->ctx);
		google_poll(e->google, NULL, 0,
			wait_ms > 0 && wait_ms < POLL_MS ? (int)wait_ms : POLL_MS);
	}
	return got > 0;
}

static bool return_permit(
	struct engine *e, int64_t permit, const struct google_reply *reply, struct fault *fault)
{
	if (!rate_limit_release(e->ledger, permit, false, fault))
		return false;
	if (reply->quota)
		return rate_limit_on_throttle(e->ledger, e->settings, reply->retry_after, fault);
	return reply->fault.kind != FAULT_NONE || e->settings->requests_per_minute == 0 ||
	       rate_limit_on_success(e->ledger, e->settings, fault);
}

static void call_with_permit(
	struct engine *e, const struct google_call *call, struct google_reply *reply)
{
	struct google_reply kept;

	e->in_flight++;
	google_call_sync(e->google, call, reply);
	engine_replied(e, call->method, reply, &kept);
	e->replies--;
	e->now = clock_wall();
}

/* `reply` with its page is valid until the next call. False: only the ledger has failed. */
static bool call_now(struct engine *e, const struct google_call *call, const struct waiting *w,
	struct google_reply *reply, struct fault *fault)
{
	int64_t permit;

	if (!wait_for_permit(e, w, &permit, fault))
		return false;
	call_with_permit(e, call, reply);
	return return_permit(e, permit, reply, fault);
}

/* Whether a rejection is about the person. If the control call is rejected, too, *rejection becomes
 * that of the setup, whose sentence is the right one. */
static bool control(struct engine *e, const struct waiting *w, struct fault *rejection,
	enum error_scope *scope, struct fault *fault)
{
	const struct google_call call = {.method = GOOGLE_LIST, .list_page_size = 1};
	struct google_reply reply;

	*scope = SCOPE_PERSON;
	if (gate_control_is_fresh(e))
		return true;
	if (!call_now(e, &call, w, &reply, fault))
		return false;
	if (reply.fault.kind == FAULT_NONE) {
		e->gate.passed = true;
		e->gate.passed_ms = clock_boot_ms();
	} else if (reply.fault.kind == FAULT_TRANSIENT || reply.fault.kind == FAULT_STOPPED) {
		*scope = SCOPE_TRANSIENT;
	} else {
		*scope = SCOPE_SETUP;
		*rejection = reply.fault;
	}
	return true;
}

static bool explain_rejection(
	struct engine *e, const struct waiting *w, struct fault *rejection, struct fault *fault)
{
	enum error_scope scope;

	return rejection->kind != FAULT_REJECTED || control(e, w, rejection, &scope, fault);
}

static bool plain_address(const char *address, char plain[ADDRESS_MAX + 1], struct fault *fault)
{
	if (address_plain(address, plain))
		return true;
	fault_set(fault, FAULT_USAGE, "address", "'%.100s' is not a plain mail address", address);
	return fault_remedy(fault, "Write it as name@example.com.");
}

static void load_result(struct engine *e, const char *address, struct engine_result *out)
{
	struct fault fault = {.kind = FAULT_NONE};
	int found = ledger_person(e->ledger, address, &out->person, &fault);

	out->known = found > 0;
	if (found < 0 && out->fault.kind == FAULT_NONE)
		out->fault = fault;
}

static void apply_reply(
	const struct google_reply *reply, enum google_method method, struct engine_result *out)
{
	if (method == GOOGLE_CHECK)
		out->invitable = reply->invitable;
	if (method != GOOGLE_GET)
		return;
	out->shown = reply->shown;
	out->invitation = reply->invitation;
}

/* ---- check, get, list ---- */

static bool observe(struct engine *e, const char *address, const struct google_reply *reply,
	struct fault *fault)
{
	const struct evidence seen = {.shown = true,
		.state = reply->invitation.state,
		.mails = reply->invitation.mails,
		.updated = reply->invitation.updated,
		.date = reply->date,
		.now = e->now};

	return !reply->shown || observe_invitation(e, address, &seen, false, fault);
}

void engine_ask(struct engine *e, enum google_method method, const char *address,
	engine_progress *progress, void *ctx, struct engine_result *out)
{
	const struct waiting w = {progress, ctx};
	char plain[ADDRESS_MAX + 1];
	struct google_call call = {.method = method, .address = plain};
	struct google_reply reply;

	*out = (struct engine_result){.invitable = false};
	if (!plain_address(address, plain, &out->fault) ||
		!call_now(e, &call, &w, &reply, &out->fault))
		return;
	if (reply.fault.kind == FAULT_NONE) {
		apply_reply(&reply, method, out);
		if (method == GOOGLE_GET)
			(void)observe(e, plain, &reply, &out->fault);
	} else {
		struct fault rejection = reply.fault;

		if (explain_rejection(e, &w, &rejection, &out->fault))
			out->fault = rejection;
	}
	load_result(e, plain, out);
}

void engine_list(struct engine *e, const struct google_call *call, engine_progress *progress,
	void *ctx, void (*each)(const struct google_reply *reply, void *ctx), struct fault *fault)
{
	const struct waiting w = {progress, ctx};
	struct google_reply reply;

	if (!call_now(e, call, &w, &reply, fault))
		return;
	if (reply.fault.kind == FAULT_NONE)
		each(&reply, ctx);
	else
		*fault = reply.fault;
}

/* ---- send: may it be? ---- */

static const struct {
	enum fault_kind kind;
	const char *code, *text; /* after the address */
	const char *remedy;	 /* NULL: to send anyway */
} refusals[] = {
	[REFUSAL_BUSY] = {FAULT_TRANSIENT, "leased", "is in use by another process",
		"Try again in a moment."},
	[REFUSAL_INVITED] = {FAULT_POLICY, "invited", "has already been invited", NULL},
	[REFUSAL_ACCEPTED] = {FAULT_POLICY, "accepted", "has already accepted", NULL},
	[REFUSAL_DECLINED] = {FAULT_POLICY, "declined", "has declined", NULL},
	[REFUSAL_CANCELLED] = {FAULT_POLICY, "cancelled",
		"was invited, and the invitation was cancelled", NULL},
	[REFUSAL_UNCONFIRMED] = {FAULT_POLICY, "unconfirmed",
		"may already have received a mail: this is not confirmed yet", NULL},
	[REFUSAL_NEVER_CONFIRMED] = {FAULT_POLICY, "unconfirmed",
		"may already have received a mail: this was never confirmed", NULL},
	[REFUSAL_BLOCKED] = {FAULT_POLICY, "blocked", "is blocked", NULL},
};

static bool is_about_person(enum person_refusal refusal)
{
	return refusal >= REFUSAL_BUSY && refusal <= REFUSAL_BLOCKED;
}

static void set_refusal(
	struct engine *e, enum person_refusal refusal, const char *address, struct fault *fault)
{
	char text[200] = "";

	if (refusal == REFUSAL_DAILY_LIMIT) {
		fault_set(fault, FAULT_POLICY, "daily_limit",
			"today's limit of invitations is reached ([invitations] sends_per_day)");
		fault_remedy(fault, "Try again tomorrow, or raise sends_per_day.");
	} else if (refusal == REFUSAL_MAX_MAILS) {
		fault_set(fault, FAULT_POLICY, "max_mails",
			"the person has already received as many mails as max_mails permits");
		fault_remedy(fault, "To send one more: --resend --reason TEXT.");
	} else if (refusal == REFUSAL_NOT_INVITABLE) {
		fault_set(fault, FAULT_POLICY, "not_invitable",
			"there is no unmanaged account with that address (or it no longer exists)");
	} else if (refusal == REFUSAL_RECONCILE) {
		/* Google hides for two days what the lost part of the ledger may have done: asking
		 * would not help. */
		fault_set(fault, FAULT_POLICY, "reconcile", "no invitations are sent for now: %s",
			e->reconcile.text);
		fault_remedy(fault, "This ends automatically; see: cloudinvite status. To send "
				    "anyway: --resend --reason TEXT.");
	} else if (is_about_person(refusal)) {
		if (refusal == REFUSAL_BLOCKED)
			(void)ledger_blocked(e->ledger, address, text, sizeof(text), NULL);
		fault_set(fault, refusals[refusal].kind, refusals[refusal].code, "%.200s %s%s%s",
			address, refusals[refusal].text, text[0] != '\0' ? ": " : "", text);
		fault_remedy(fault, "%s",
			refusals[refusal].remedy ? refusals[refusal].remedy
						 : "To send anyway: --resend --reason TEXT.");
	}
}

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
		set_refusal(e, s->step.refusal, address, fault);
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
		set_refusal(e, REFUSAL_BUSY, address, fault);
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
		set_refusal(s->engine, s->step.refusal, p.address, &s->out->fault);
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
	if (step(s, &event, fault) && reconcile_count_intents(e, fault) &&
		ledger_commit(e->ledger, fault)) {
		reconcile_write_journal(e);
		return true;
	}
	ledger_rollback(e->ledger);
	return false;
}

static bool get_permit(struct sending *s, struct fault *fault)
{
	struct engine *e = s->engine;

	if (!wait_for_permit(e, s->waiting, &s->permit, fault))
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

	if (action != ACTION_SEND && !wait_for_permit(e, s->waiting, &s->permit, fault))
		return false;
	call_with_permit(e, &call, &reply);
	event.now = e->now;
	event.google_now = engine_google_now(e);
	engine_event_of_reply(&event, action, &reply, &setup);
	if (reply.fault.kind == FAULT_NONE)
		apply_reply(&reply, call.method, s->out);
	else
		s->out->fault = reply.fault;
	if (event.kind == EVENT_GOT &&
		!reconcile_observed(e, &s->step.next, &event.evidence, fault))
		return false;
	if (!step_after_call(s, &event, fault) || !return_permit(e, s->permit, &reply, fault))
		return false;
	if (s->step.action != ACTION_AWAIT_CONTROL)
		return true;
	if (!control(e, s->waiting, &s->out->fault, &scope, fault))
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
	if (!plain_address(address, plain, &out->fault))
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
	load_result(e, plain, out);
}

/* ---- cancel ---- */

/* 1 leased, 0 not known, -1 fault. */
static int lease_known(struct engine *e, const char *address, struct fault *fault)
{
	struct person p;
	int found = ledger_person(e->ledger, address, &p, fault);

	if (found <= 0)
		return found;
	found = p.state == PERSON_SENDING ? 0
					  : ledger_lease(e->ledger, address, e->owner, e->now,
						    e->now + LEASE_S, &p, fault);
	if (found == 0)
		set_refusal(e, REFUSAL_BUSY, address, fault);
	return found > 0 ? 1 : -1;
}

static bool store_cancelled(
	struct engine *e, const char *address, const char *reason, struct fault *fault)
{
	struct person_event event = engine_event(e, EVENT_CANCELLED_BY_ADMIN);

	event.text = reason;
	e->changed = true;
	return ledger_person_apply(e->ledger, address, &event, NULL, e->actor, NULL, fault) >= 0;
}

/* It is done at Google, also where the ledger does not know the person. */
static void log_cancelled(const struct engine *e, const char *address, const char *reason)
{
	const struct journal_about about = {
		.person = log_address(address), .reason = reason, .actor = e->actor};

	log_about(LOG_LEVEL_NOTE, "cancelled", &about, "%s: by %s", about.person, e->actor);
}

void engine_cancel(struct engine *e, const char *address, const char *reason,
	engine_progress *progress, void *ctx, struct engine_result *out)
{
	const struct waiting w = {progress, ctx};
	char plain[ADDRESS_MAX + 1];
	const struct google_call call = {.method = GOOGLE_CANCEL, .address = plain};
	struct google_reply reply;
	struct fault rejection;
	int known;

	*out = (struct engine_result){.invitable = false};
	e->now = clock_wall();
	if (!plain_address(address, plain, &out->fault))
		return;
	known = lease_known(e, plain, &out->fault);
	if (known < 0 || !call_now(e, &call, &w, &reply, &out->fault))
		goto out;
	rejection = reply.fault;
	if (rejection.kind == FAULT_NONE) {
		log_cancelled(e, plain, reason);
		if (known > 0)
			(void)store_cancelled(e, plain, reason, &out->fault);
	} else if (explain_rejection(e, &w, &rejection, &out->fault)) {
		out->fault = rejection;
	}
out:
	(void)ledger_release(e->ledger, e->owner, plain, NULL);
	load_result(e, plain, out);
}
