/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the administrator's commands share: one call, which waits for a permit and for the reply,
 * and the result.
 */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/clock.h"

#define POLL_MS 250 /* how often `progress` is called while a command waits */

/* ---- the call ---- */

bool admin_wait_for_permit(
	struct engine *e, const struct admin_waiting *w, int64_t *permit, struct fault *fault)
{
	int64_t wait_ms = 0;
	int got;

	while (true) {
		e->decided_ms = clock_boot_ms();
		got = rate_limit_acquire(
			e->ledger, e->settings, e->admin, 1, permit, &wait_ms, fault);
		if (got != 0)
			break;
		if (w->progress && wait_ms > 0)
			w->progress(wait_ms, w->ctx);
		google_poll(e->google, NULL, 0,
			wait_ms > 0 && wait_ms < POLL_MS ? (int)wait_ms : POLL_MS);
	}
	e->now = clock_wall();
	if (got > 0)
		rate_limit_write_last(e->ledger, e->settings, *permit);
	return got > 0;
}

struct repeated {
	struct engine *engine;
	int64_t *permit;
};

static int64_t repeat_permit(void *ctx)
{
	const struct repeated *r = ctx;

	return engine_repeat_permit(r->engine, r->permit);
}

void admin_call_with_permit(struct engine *e, const struct google_call *call, int64_t *permit,
	struct google_reply *reply)
{
	struct repeated repeated = {e, permit};
	struct google_call limited = *call;
	struct google_reply kept;

	limited.begin_until_ms = google_begin_until(e->settings, e->decided_ms);
	limited.permit = repeat_permit;
	limited.permit_ctx = &repeated;
	e->in_flight++;
	google_call_sync(e->google, &limited, reply);
	engine_replied(e, call->method, reply, &kept);
	reply->date = kept.date;
	e->replies--;
	e->now = clock_wall();
	/* It was not stopped by a signal: the command may be tried again. */
	if (strcmp(reply->fault.code, "stood_still") == 0)
		reply->fault.kind = FAULT_TRANSIENT;
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

bool admin_call(struct engine *e, const struct google_call *call, const struct admin_waiting *w,
	struct google_reply *reply, struct fault *fault)
{
	int64_t permit;

	if (!admin_wait_for_permit(e, w, &permit, fault))
		return false;
	admin_call_with_permit(e, call, &permit, reply);
	return admin_return_permit(e, permit, reply, fault);
}

bool admin_control(struct engine *e, const struct admin_waiting *w, enum error_scope *scope,
	struct fault *why, struct fault *fault)
{
	const struct google_call call = {.method = GOOGLE_LIST, .list_page_size = 1};
	struct google_reply reply;

	if (!admin_call(e, &call, w, &reply, fault))
		return false;
	*scope = gate_scope_of(reply.fault.kind);
	*why = reply.fault;
	if (*scope == SCOPE_PERSON)
		gate_control_passed(e);
	return true;
}

bool admin_resolve_rejection(struct engine *e, const struct admin_waiting *w,
	struct fault *rejection, enum error_scope *scope, struct fault *fault)
{
	struct fault why;

	*scope = SCOPE_PERSON;
	if (gate_control_is_fresh(e))
		return true;
	if (!admin_control(e, w, scope, &why, fault))
		return false;
	if (*scope == SCOPE_SETUP)
		*rejection = why;
	return true;
}

/* ---- the result ---- */

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
