/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One person's way. Every function that decides does so on c->after and with ledger writes of the
 * round's transaction; none of it counts before the commit.
 *
 *              queued ────────────────┐ asked within a day
 *                │ claimed            │
 *                ▼                    │
 *              CHECK ── no ───────────┼──────────────► not_invitable
 *                │ yes                │
 *                ▼                    │
 *               GET ── INVITED, … ────┼──────────────► invited, accepted, declined
 *                │ not shown,         ▼
 *                │ NOT_YET_SENT     policy ── hold ──► held (dry_run, discovered, max_mails)
 *                └────────────────►   │ ─── wait ────► queued (window, cap)
 *                                     ▼
 *                       COMMIT: sending, the intent
 *                                     │
 *                                     ▼
 *                                   SEND ── done ────► invited
 *                                     │ ── unclear ──► unconfirmed ── GET … ► invited, queued, held
 *                                     └ no effect ───► queued (retry)
 *
 *   anywhere: LATER → queued (retry) · SETUP → pause, back as before · PERSON → the control call,
 * then failed, or pause and back as before · crash → `sending` is found again, and becomes
 * unconfirmed
 */
#include "invite/inside.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

/* ---- claimed ---- */

static void go_on(struct course *c, enum google_method step)
{
	c->next = NEXT_READY;
	c->next_step = step;
}

static bool checked_lately(const struct course *c)
{
	int64_t age = c->invite->now - c->person.checked;

	return c->person.checked != 0 && age >= 0 && age < CHECKED_FRESH_S;
}

/* The last account is gone: the invitation is called back if the settings say so and it is ours. */
static bool invited_claimed(struct course *c, struct fault *fault)
{
	bool gone = strcmp(c->person.reason, "account_removed") == 0;

	if (gone && !(c->invite->settings->cancel_on_delete && c->person.our_mails > 0)) {
		c->after.next_attempt = 0;
		return ending_put(c, NULL, fault);
	}
	c->purpose = gone ? PURPOSE_CANCEL : PURPOSE_WATCH;
	go_on(c, gone ? GOOGLE_CANCEL : GOOGLE_GET);
	return true;
}

bool course_claimed(struct course *c, const struct person *p, struct fault *fault)
{
	c->before = c->person = c->after = *p;
	c->purpose = PURPOSE_INVITE;
	switch (p->state) {
	case PERSON_SENDING:
		return mailing_interrupted(c, fault);
	case PERSON_UNCONFIRMED:
		c->purpose = PURPOSE_SETTLE;
		go_on(c, GOOGLE_GET);
		return true;
	case PERSON_INVITED:
		return invited_claimed(c, fault);
	case PERSON_QUEUED:
		go_on(c, checked_lately(c) ? GOOGLE_SEND : GOOGLE_CHECK);
		return true;
	case PERSON_NOT_INVITABLE:
	case PERSON_ACCEPTED:
	case PERSON_DECLINED:
	case PERSON_CANCELLED:
	case PERSON_HELD:
	case PERSON_FAILED:
	case PERSON_GONE:
		break;
	}
	return ending_back(c, fault);
}

/* ---- refused: is it the person? ---- */

static bool person_failed(struct course *c, struct fault *fault)
{
	bool braked;

	c->fault = c->answer.fault;
	if (!control_person_failed(c->invite, c, &braked, fault))
		return false;
	if (braked || c->after.resend)
		return ending_back(c, fault);
	ending_state(c, PERSON_FAILED, c->answer.fault.code, 0);
	ending_clear_intent(&c->after);
	ending_note_fault(&c->after, &c->answer.fault);
	str_format(c->cause, sizeof(c->cause), "%s: %.150s", google_method_word(c->step),
		c->answer.fault.what);
	return c->person.state == PERSON_SENDING ? ending_send(c, "refused", "failed", fault)
						 : ending_put(c, "failed", fault);
}

/* What is refused about somebody who may have been mailed already leaves the person as it is. */
static bool question_refused(struct course *c, struct fault *fault)
{
	struct evidence nothing = {.date = c->answer.date, .now = c->invite->now};
	struct evidence_meaning meaning = {.event = NULL};

	ending_note_fault(&c->after, &c->answer.fault);
	c->after.next_attempt = 0;
	if (c->purpose == PURPOSE_SETTLE)
		evidence_apply(&c->after, &nothing, &meaning);
	str_format(c->cause, sizeof(c->cause), "%s: %.150s", google_method_word(c->step),
		c->answer.fault.what);
	return ending_put(c, meaning.event, fault);
}

bool course_doubt_over(struct course *c, enum doubt doubt, struct fault *fault)
{
	c->after = c->person;
	if (doubt == DOUBT_LATER)
		return ending_retry(c, &c->answer.fault, fault);
	if (doubt == DOUBT_SETUP) {
		c->fault = c->answer.fault;
		return ending_back(c, fault);
	}
	return c->purpose == PURPOSE_INVITE ? person_failed(c, fault) : question_refused(c, fault);
}

/* ---- answers ---- */

/* Who is sent to again was invited once: that there is nothing to invite any more changes nothing.
 */
static bool nothing_to_send_again(struct course *c, struct fault *fault)
{
	fault_set(&c->fault, FAULT_POLICY, "not_invitable",
		"there is no unmanaged account with that address (or it no longer exists)");
	return ending_back(c, fault);
}

static bool check_answered(struct course *c, struct fault *fault)
{
	if (c->told)
		c->told->invitable = c->answer.invitable;
	if (c->answer.invitable) {
		go_on(c, GOOGLE_GET);
		return true;
	}
	if (c->after.resend)
		return nothing_to_send_again(c, fault);
	ending_clear_intent(&c->after);
	ending_state(c, PERSON_NOT_INVITABLE, "not_invitable", 0);
	ending_clear_fault(&c->after);
	c->after.mails = c->after.mails > 0 ? c->after.mails : -1;
	str_copy(c->cause, sizeof(c->cause), "check: not invitable");
	c->invite->counts.not_invitable++;
	return ending_put(c, "decision", fault);
}

static struct evidence seen(const struct course *c)
{
	return (struct evidence){.shown = c->answer.shown,
		.state = c->answer.invitation.state,
		.mails = c->answer.invitation.mails,
		.updated = c->answer.invitation.updated,
		.date = c->answer.date,
		.now = c->invite->now};
}

/* Who sends again knows that there is an invitation; only an account that is managed by now ends
 * it. */
static bool may_go_on(const struct course *c)
{
	if (c->after.resend)
		return !(c->answer.shown && c->answer.invitation.state == INVITATION_ACCEPTED);
	return c->after.state == c->person.state;
}

static bool state_unknown(const struct course *c)
{
	return c->answer.shown && !c->by_name && !c->after.approved &&
	       (c->answer.invitation.state == INVITATION_OTHER ||
		       c->answer.invitation.state == INVITATION_UNSPECIFIED);
}

static bool first_look_answered(struct course *c, struct fault *fault)
{
	struct evidence e = seen(c);
	struct evidence_meaning meaning = {.event = NULL};

	if (!reconcile_noted(c->invite, &c->after, &e, fault))
		return false;
	if (!c->after.resend || e.state == INVITATION_ACCEPTED)
		evidence_apply(&c->after, &e, &meaning);
	else if (e.shown && e.mails > c->after.mails)
		c->after.mails = e.mails;
	ending_clear_fault(&c->after);
	ending_clear_intent(&c->after);
	if (c->told) {
		c->told->shown = e.shown;
		c->told->invitation = c->answer.invitation;
	}
	if (!may_go_on(c)) {
		str_format(c->cause, sizeof(c->cause), "get: %.150s", meaning.cause);
		return ending_put(c, meaning.event, fault);
	}
	if (state_unknown(c)) {
		ending_state(c, PERSON_HELD, "unknown_state", 0);
		str_copy(
			c->cause, sizeof(c->cause), "get: a state that this version does not know");
		return ending_put(c, "held", fault);
	}
	c->after.checked = c->invite->now;
	go_on(c, GOOGLE_SEND);
	return true;
}

/* settle, watch: the person is put even if nothing has changed, because `due` was now. */
static bool later_look_answered(struct course *c, struct fault *fault)
{
	struct evidence e = seen(c);
	struct evidence_meaning meaning;

	if (!reconcile_noted(c->invite, &c->after, &e, fault))
		return false;
	c->after.next_attempt = 0;
	ending_clear_fault(&c->after);
	evidence_apply(&c->after, &e, &meaning);
	str_format(c->cause, sizeof(c->cause), "get: %.150s", meaning.cause);
	if (meaning.journal)
		return ending_send(c, meaning.journal, meaning.event, fault);
	return ending_put(c, meaning.event, fault);
}

static bool cancel_answered(struct course *c, struct fault *fault)
{
	ending_state(c, PERSON_CANCELLED, "deleted", 0);
	ending_clear_fault(&c->after);
	str_copy(c->cause, sizeof(c->cause), "cancel: the account is gone");
	return ending_put(c, "cancelled", fault);
}

static bool answered_well(struct course *c, struct fault *fault)
{
	c->invite->succeeded = true;
	switch (c->step) {
	case GOOGLE_CHECK:
		return check_answered(c, fault);
	case GOOGLE_SEND:
		return mailing_answered(c, fault);
	case GOOGLE_CANCEL:
		return cancel_answered(c, fault);
	case GOOGLE_GET:
	case GOOGLE_LIST:
		break;
	}
	return c->purpose == PURPOSE_INVITE ? first_look_answered(c, fault)
					    : later_look_answered(c, fault);
}

bool course_answered(struct course *c, struct fault *fault)
{
	const struct fault *got = &c->answer.fault;

	c->after = c->person;
	if (c->slot_open && !rate_limit_release(c->invite->ledger, c->slot, false, fault))
		return false;
	switch (got->kind) {
	case FAULT_NONE:
		return answered_well(c, fault);
	case FAULT_TRANSIENT:
		return c->answer.quota ? ending_quota(c, fault) : ending_retry(c, got, fault);
	case FAULT_AMBIGUOUS:
		return mailing_unclear(c, fault);
	case FAULT_REJECTED:
	case FAULT_USAGE:
		c->next = NEXT_DOUBT;
		return true;
	case FAULT_STOPPED:
		c->fault = *got;
		return ending_back(c, fault);
	case FAULT_SETUP:
	case FAULT_CREDENTIALS:
	case FAULT_SETTINGS:
	case FAULT_STORAGE:
	case FAULT_POLICY:
		break;
	}
	return ending_setup(c, fault);
}

/* ---- the call ---- */

static void course_done(void *ctx, const struct google_reply *reply)
{
	struct course *c = ctx;

	invite_took(c->invite, c->step, reply, &c->answer);
	if (!wave_straight_on(c))
		c->phase = COURSE_ANSWERED;
}

void course_start(struct course *c)
{
	const struct google_call call = {.method = c->step, .address = c->person.address};

	c->phase = COURSE_CALLING;
	c->invite->calling++;
	google_start(c->invite->google, &call, course_done, c);
}
