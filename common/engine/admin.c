/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's commands: one address at a time, waited for, within the same budget and by
 * the same rules and journal as the dispatcher's. The send is in admin_send.c.
 */
#include "engine/admin_internal.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define POLL_MS 250 /* how often `progress` is called while a command waits */

/* ---- one call, waited for ---- */

bool admin_wait_for_permit(
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

bool admin_return_permit(
	struct engine *e, int64_t permit, const struct google_reply *reply, struct fault *fault)
{
	if (!rate_limit_release(e->ledger, permit, false, fault))
		return false;
	if (reply->quota)
		return rate_limit_on_throttle(e->ledger, e->settings, reply->retry_after, fault);
	return reply->fault.kind != FAULT_NONE || e->settings->requests_per_minute == 0 ||
	       rate_limit_on_success(e->ledger, e->settings, fault);
}

void admin_call(struct engine *e, const struct google_call *call, struct google_reply *reply)
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

	if (!admin_wait_for_permit(e, w, &permit, fault))
		return false;
	admin_call(e, call, reply);
	return admin_return_permit(e, permit, reply, fault);
}

/* Whether a rejection is about the person. If the control call is rejected, too, *rejection becomes
 * that of the setup, whose sentence is the right one. */
bool admin_control(struct engine *e, const struct waiting *w, struct fault *rejection,
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

	return rejection->kind != FAULT_REJECTED || admin_control(e, w, rejection, &scope, fault);
}

bool admin_plain_address(const char *address, char plain[ADDRESS_MAX + 1], struct fault *fault)
{
	if (address_plain(address, plain))
		return true;
	fault_set(fault, FAULT_USAGE, "address", "'%.100s' is not a plain mail address", address);
	return fault_remedy(fault, "Write it as name@example.com.");
}

void admin_load_result(struct engine *e, const char *address, struct engine_result *out)
{
	struct fault fault = {.kind = FAULT_NONE};
	int found = ledger_person(e->ledger, address, &out->person, &fault);

	out->known = found > 0;
	if (found < 0 && out->fault.kind == FAULT_NONE)
		out->fault = fault;
}

void admin_apply_reply(
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
	if (!admin_plain_address(address, plain, &out->fault) ||
		!call_now(e, &call, &w, &reply, &out->fault))
		return;
	if (reply.fault.kind == FAULT_NONE) {
		admin_apply_reply(&reply, method, out);
		if (method == GOOGLE_GET)
			(void)observe(e, plain, &reply, &out->fault);
	} else {
		struct fault rejection = reply.fault;

		if (explain_rejection(e, &w, &rejection, &out->fault))
			out->fault = rejection;
	}
	admin_load_result(e, plain, out);
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
		admin_set_refusal(e, REFUSAL_BUSY, address, fault);
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
	if (!admin_plain_address(address, plain, &out->fault))
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
	admin_load_result(e, plain, out);
}
