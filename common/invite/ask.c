/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's commands: one address at a time, waited for, within the same budget and by
 * the same journal as the dispatcher's.
 */
#include "invite/inside.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define LOOK_MS	     250 /* how often `progress` is told while it waits */
#define LEDGER_TRIES 5

struct waiting {
	void (*progress)(int64_t wait_ms, void *ctx);
	void *ctx;
};

static void tell_wait(const struct waiting *w, int64_t wait_ms)
{
	if (w->progress && wait_ms > 0)
		w->progress(wait_ms, w->ctx);
}

/* ---- one call, waited for ---- */

static bool wait_for_slot(
	struct invite *i, const struct waiting *w, int64_t *slot, struct fault *fault)
{
	int64_t wait_ms = 0;
	int got;

	while ((got = rate_limit_acquire(
			i->ledger, i->settings, i->admin, 1, slot, &wait_ms, fault)) == 0) {
		tell_wait(w, wait_ms);
		google_poll(i->google, NULL, 0,
			wait_ms > 0 && wait_ms < LOOK_MS ? (int)wait_ms : LOOK_MS);
	}
	return got > 0;
}

static bool give_slot_back(
	struct invite *i, int64_t slot, const struct google_reply *reply, struct fault *fault)
{
	if (!rate_limit_release(i->ledger, slot, false, fault))
		return false;
	if (reply->quota)
		return rate_limit_on_throttle(i->ledger, i->settings, reply->retry_after, fault);
	return reply->fault.kind != FAULT_NONE || i->settings->requests_per_minute == 0 ||
	       rate_limit_on_success(i->ledger, i->settings, fault);
}

/* `reply` with its page is valid until the next call. False: only the ledger has failed. */
static bool call_now(struct invite *i, const struct google_call *call, const struct waiting *w,
	struct google_reply *reply, struct fault *fault)
{
	struct google_reply kept;
	int64_t slot;

	if (!wait_for_slot(i, w, &slot, fault))
		return false;
	i->now = clock_wall();
	i->calling++;
	google_call_sync(i->google, call, reply);
	invite_took(i, call->method, reply, &kept);
	i->answered--;
	return give_slot_back(i, slot, reply, fault);
}

/* A refusal that the control call gets, too, is that of the set-up: then its sentence is the right
 * one. */
static bool explain_refusal(
	struct invite *i, const struct waiting *w, struct fault *refusal, struct fault *fault)
{
	const struct google_call control = {.method = GOOGLE_LIST, .list_page_size = 1};
	struct google_reply reply;

	if (refusal->kind != FAULT_REJECTED || control_fresh(i))
		return true;
	if (!call_now(i, &control, w, &reply, fault))
		return false;
	if (reply.fault.kind == FAULT_NONE) {
		i->control.passed = true;
		i->control.passed_ms = clock_boot_ms();
	} else if (reply.fault.kind != FAULT_TRANSIENT && reply.fault.kind != FAULT_STOPPED) {
		*refusal = reply.fault;
	}
	return true;
}

static bool plain_address(const char *address, char plain[ADDRESS_MAX + 1], struct fault *fault)
{
	if (address_plain(address, plain))
		return true;
	fault_set(fault, FAULT_USAGE, "address", "'%.100s' is not a plain mail address", address);
	return fault_remedy(fault, "Write it as name@example.com.");
}

static void look_up(struct invite *i, const char *address, struct invite_result *out)
{
	struct fault fault = {.kind = FAULT_NONE};
	int found = ledger_person(i->ledger, address, &out->person, &fault);

	out->known = found > 0;
	if (found < 0 && out->fault.kind == FAULT_NONE)
		out->fault = fault;
}

/* ---- check, get, list ---- */

static bool learn(struct invite *i, enum google_method method, const char *address,
	const struct google_reply *reply, struct invite_result *out)
{
	const struct evidence e = {.shown = true,
		.state = reply->invitation.state,
		.mails = reply->invitation.mails,
		.updated = reply->invitation.updated,
		.date = reply->date,
		.now = i->now};

	out->invitable = reply->invitable;
	out->shown = reply->shown;
	out->invitation = reply->invitation;
	i->now = e.now;
	return method != GOOGLE_GET || !reply->shown ||
	       shown_saw(i, address, &e, false, &out->fault);
}

void invite_ask(struct invite *i, enum google_method method, const char *address,
	void (*progress)(int64_t wait_ms, void *ctx), void *ctx, struct invite_result *out)
{
	const struct waiting w = {progress, ctx};
	char plain[ADDRESS_MAX + 1];
	struct google_call call = {.method = method, .address = plain};
	struct google_reply reply;

	*out = (struct invite_result){.invitable = false};
	if (!plain_address(address, plain, &out->fault) ||
		!call_now(i, &call, &w, &reply, &out->fault))
		return;
	if (reply.fault.kind == FAULT_NONE) {
		learn(i, method, plain, &reply, out);
	} else {
		struct fault refusal = reply.fault;

		if (explain_refusal(i, &w, &refusal, &out->fault))
			out->fault = refusal;
	}
	look_up(i, plain, out);
}

void invite_list(struct invite *i, const struct google_call *call,
	void (*progress)(int64_t wait_ms, void *ctx), void *ctx,
	void (*each)(const struct google_reply *reply, void *ctx), struct fault *fault)
{
	const struct waiting w = {progress, ctx};
	struct google_reply reply;

	if (!call_now(i, call, &w, &reply, fault))
		return;
	if (reply.fault.kind == FAULT_NONE)
		each(&reply, ctx);
	else
		*fault = reply.fault;
}

/* ---- send: may it be? ---- */

static bool refuse(struct fault *fault, const char *code, const char *address, const char *is)
{
	fault_set(fault, FAULT_POLICY, code, "%.200s %s", address, is);
	return fault_remedy(fault, "To send anyway: --resend --reason TEXT.");
}

static bool refuse_busy(struct fault *fault, const char *address)
{
	fault_set(fault, FAULT_TRANSIENT, "leased", "%.200s is in use by another process", address);
	return fault_remedy(fault, "Try again in a moment.");
}

static bool state_allows(const struct person *p, bool again, struct fault *fault)
{
	switch (p->state) {
	case PERSON_SENDING:
		return refuse_busy(fault, p->address);
	case PERSON_INVITED:
		return again || refuse(fault, "invited", p->address, "has already been invited");
	case PERSON_ACCEPTED:
		return again || refuse(fault, "accepted", p->address, "has already accepted");
	case PERSON_DECLINED:
		return again || refuse(fault, "declined", p->address, "has declined");
	case PERSON_CANCELLED:
		return again || refuse(fault, "cancelled", p->address,
					"was invited, and the invitation was cancelled");
	case PERSON_UNCONFIRMED:
		return again ||
		       refuse(fault, "unconfirmed", p->address,
			       "may already have received a mail: this is not confirmed yet");
	case PERSON_HELD:
		return again || p->intent_at == 0 ||
		       refuse(fault, "unconfirmed", p->address,
			       "may already have received a mail: this was never confirmed");
	case PERSON_QUEUED:
	case PERSON_NOT_INVITABLE:
	case PERSON_FAILED:
	case PERSON_GONE:
		break;
	}
	return true;
}

static bool block_allows(struct invite *i, const char *address, bool again, struct fault *fault)
{
	char text[200], is[240];
	int blocked = again ? 0 : ledger_blocked(i->ledger, address, text, sizeof(text), fault);

	if (blocked <= 0)
		return blocked == 0;
	str_format(is, sizeof(is), "is blocked: %s", text);
	return refuse(fault, "blocked", address, is);
}

/* A set-up pause does not hold back an administrator who is about to mend it. */
static bool pause_allows(struct invite *i, struct fault *fault)
{
	int paused = ledger_paused(i->ledger, &i->pause, fault);

	if (paused <= 0 || strcmp(i->pause.kind, "setup") == 0)
		return paused >= 0;
	fault_set(fault, FAULT_POLICY, "paused", "sending is paused (%s): %.200s", i->pause.kind,
		i->pause.text);
	return fault_remedy(fault, "To end the pause: cloudinvite resume.");
}

/* Google hides for two days what the lost part of the ledger may have done: asking would not help.
 */
static bool reconcile_allows(struct invite *i, bool again, struct fault *fault)
{
	if (!reconcile_look(i, fault))
		return false;
	if (!i->reconciling || again)
		return true;
	fault_set(fault, FAULT_POLICY, "reconcile", "no invitations are sent for now: %s",
		i->reconcile.text);
	return fault_remedy(fault,
		"This ends automatically; see: cloudinvite status. To send anyway: "
		"--resend --reason TEXT.");
}

/* Somebody whom the ledger does not know is held, with nothing due, while we are at it: whatever
 * happens now, the dispatcher does not send by itself. */
static bool make_known(struct invite *i, const char *address, struct person *p, struct fault *fault)
{
	*p = (struct person){.state = PERSON_HELD, .mails = -1, .intent_mails = -1};
	p->first_day = clock_day_start(i->now);
	str_copy(p->address, sizeof(p->address), address);
	str_copy(p->reason, sizeof(p->reason), "manual");
	return ledger_person_put(
		i->ledger, p, "send: requested by an administrator", i->actor, fault);
}

static bool lease(
	struct invite *i, const char *address, bool again, struct person *p, struct fault *fault)
{
	int found = ledger_person(i->ledger, address, p, fault);

	if (found < 0 || (found == 0 && !make_known(i, address, p, fault)) ||
		!state_allows(p, again, fault))
		return false;
	found = ledger_lease(i->ledger, address, i->owner, i->now, i->now + LEASE_S, p, fault);
	if (found < 0)
		return false;
	if (found == 0)
		return refuse_busy(fault, address);
	if (state_allows(p, again, fault))
		return true;
	(void)ledger_release(i->ledger, i->owner, address, NULL);
	return false;
}

/* ---- send ---- */

static struct course *set_out(struct invite *i, const struct person *p, bool again,
	const char *reason, struct invite_result *out)
{
	struct course *c = round_take_free(i);

	c->before = c->person = *p;
	c->person.resend = again;
	c->after = c->person;
	c->by_name = true;
	c->why = reason && reason[0] != '\0' ? reason : NULL;
	c->told = out;
	c->step = GOOGLE_CHECK;
	c->phase = COURSE_READY;
	c->ready_ms = clock_boot_ms();
	return c;
}

/* A ledger that fails for long leaves the person in `sending`, if it came to that: the dispatcher
 * settles it. */
static void follow(struct invite *i, struct course *c, const struct waiting *w)
{
	struct fault fault = {.kind = FAULT_NONE};
	int tries = 0;

	i->solo = c;
	i->next_ms = 0;
	while (c->phase != COURSE_OVER && (tries < LEDGER_TRIES || c->phase == COURSE_CALLING)) {
		int64_t wait_ms = i->slots_at_ms - clock_boot_ms();

		if (c->phase == COURSE_READY)
			tell_wait(w, wait_ms);
		if (invite_turn(i, NULL, 0, LOOK_MS, &fault))
			continue;
		tries++;
		c->fault = fault;
	}
	i->solo = NULL;
	i->answered = 0;
	i->backoff_ms = 0;
}

void invite_send(struct invite *i, const char *address, bool again, const char *reason,
	void (*progress)(int64_t wait_ms, void *ctx), void *ctx, struct invite_result *out)
{
	const struct waiting w = {progress, ctx};
	char plain[ADDRESS_MAX + 1];
	struct person p;
	struct course *c;

	*out = (struct invite_result){.invitable = false};
	i->now = clock_wall();
	if (!plain_address(address, plain, &out->fault))
		return;
	if (!pause_allows(i, &out->fault) || !reconcile_allows(i, again, &out->fault) ||
		!block_allows(i, plain, again, &out->fault) ||
		!lease(i, plain, again, &p, &out->fault)) {
		look_up(i, plain, out);
		return;
	}
	c = set_out(i, &p, again, reason, out);
	follow(i, c, &w);
	out->fault = c->fault;
	round_free(c);
	look_up(i, plain, out);
}

/* ---- cancel ---- */

/* 1 leased, 0 not known, -1 fault. */
static int lease_known(struct invite *i, const char *address, struct person *p, struct fault *fault)
{
	int found = ledger_person(i->ledger, address, p, fault);

	if (found <= 0)
		return found;
	found = p->state == PERSON_SENDING ? 0
					   : ledger_lease(i->ledger, address, i->owner, i->now,
						     i->now + LEASE_S, p, fault);
	if (found == 0)
		refuse_busy(fault, address);
	return found > 0 ? 1 : -1;
}

static bool put_cancelled(
	struct invite *i, struct person *p, const char *reason, struct fault *fault)
{
	char cause[200];

	p->state = PERSON_CANCELLED;
	p->next_attempt = 0;
	ending_clear_intent(p);
	str_copy(p->reason, sizeof(p->reason), "by_admin");
	str_format(cause, sizeof(cause), "cancel: %.150s", reason ? reason : "");
	i->changed = true;
	return ledger_person_put(i->ledger, p, cause, i->actor, fault);
}

/* It is done at Google, also where the ledger does not know the person. */
static void tell_cancelled(const struct invite *i, const char *address, const char *reason)
{
	const struct journal_about about = {
		.person = log_address(address), .reason = reason, .actor = i->actor};

	log_about(LOG_LEVEL_NOTE, "cancelled", &about, "%s: by %s", about.person, i->actor);
}

void invite_cancel(struct invite *i, const char *address, const char *reason,
	void (*progress)(int64_t wait_ms, void *ctx), void *ctx, struct invite_result *out)
{
	const struct waiting w = {progress, ctx};
	char plain[ADDRESS_MAX + 1];
	const struct google_call call = {.method = GOOGLE_CANCEL, .address = plain};
	struct google_reply reply;
	struct fault refusal;
	int known;

	*out = (struct invite_result){.invitable = false};
	i->now = clock_wall();
	if (!plain_address(address, plain, &out->fault))
		return;
	known = lease_known(i, plain, &out->person, &out->fault);
	if (known < 0 || !call_now(i, &call, &w, &reply, &out->fault))
		goto out;
	refusal = reply.fault;
	if (refusal.kind == FAULT_NONE) {
		tell_cancelled(i, plain, reason);
		if (known > 0)
			put_cancelled(i, &out->person, reason, &out->fault);
	} else if (explain_refusal(i, &w, &refusal, &out->fault)) {
		out->fault = refusal;
	}
out:
	(void)ledger_release(i->ledger, i->owner, plain, NULL);
	look_up(i, plain, out);
}
