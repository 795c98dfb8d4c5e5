/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's commands: one address at a time, waited for, within the same rate limit as
 * the dispatcher's calls. The send has a file of its own, admin_send.c.
 */
#include "engine/engine_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

/* The sentence of a rejection is that of the setup if the control call is rejected, too. */
static bool explain_rejection(struct engine *e, const struct admin_waiting *w,
	struct fault *rejection, struct fault *fault)
{
	enum error_scope scope;

	return rejection->kind != FAULT_REJECTED ||
	       admin_resolve_rejection(e, w, rejection, &scope, fault);
}

/* ---- check, get, list ---- */

static bool observe(struct engine *e, const char *address, const struct google_reply *reply,
	struct fault *fault)
{
	const struct evidence seen = engine_evidence(&reply->invitation, reply->date, e->now);

	return !reply->shown ||
	       (ledger_begin(e->ledger, fault) &&
		       ledger_end(e->ledger, observe_invitation(e, address, &seen, false, fault),
			       fault));
}

void engine_ask(struct engine *e, enum google_method method, const char *address,
	engine_progress *progress, void *ctx, struct engine_result *out)
{
	const struct admin_waiting w = {progress, ctx};
	char plain[ADDRESS_MAX + 1];
	struct google_call call = {.method = method, .address = plain};
	struct google_reply reply;

	*out = (struct engine_result){.invitable = false};
	if (!admin_plain_address(address, plain, &out->fault) ||
		!admin_call(e, &call, &w, &reply, &out->fault))
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
	const struct admin_waiting w = {progress, ctx};
	struct google_reply reply;

	if (!admin_call(e, call, &w, &reply, fault))
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
		admin_refuse(e, REFUSAL_BUSY, address, fault);
	return found > 0 ? 1 : -1;
}

/* Another program sends, where this one has waited for longer than its lease lasts: the invitation
 * that was cancelled may be there again. */
static void err_sending(const char *address, struct fault *fault)
{
	fault_set(fault, FAULT_TRANSIENT, "leased",
		"Google has cancelled the invitation of %s, but another process is sending a new "
		"one",
		address);
	fault_remedy(fault, "Try again in a moment.");
}

static void store_cancelled(
	struct engine *e, const char *address, const char *reason, struct fault *fault)
{
	struct person_event event = engine_event(e, EVENT_CANCELLED_BY_ADMIN);
	struct person_step step;
	int done;

	event.text = reason;
	done = ledger_person_apply(e->ledger, address, &event, NULL, e->actor, &step, fault);
	e->changed = e->changed || done > 0;
	if (done == 0 && step.refusal != REFUSAL_NONE)
		err_sending(address, fault);
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
	const struct admin_waiting w = {progress, ctx};
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
	if (known < 0 || !admin_call(e, &call, &w, &reply, &out->fault))
		goto out;
	rejection = reply.fault;
	if (rejection.kind == FAULT_NONE) {
		log_cancelled(e, plain, reason);
		if (known > 0)
			store_cancelled(e, plain, reason, &out->fault);
	} else if (explain_rejection(e, &w, &rejection, &out->fault)) {
		out->fault = rejection;
	}
out:
	(void)ledger_release(e->ledger, e->owner, plain, NULL);
	admin_load_result(e, plain, out);
}
