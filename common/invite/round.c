/* SPDX-License-Identifier: Apache-2.0 */
#include "invite/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"

#define READY_MAX_MS  INT64_C(300000) /* then others may have them */
#define CLOCK_BACK_MS INT64_C(60000)  /* less is no jump */

/* ---- courses ---- */

struct course *round_take_free(struct invite *i)
{
	struct course *c = i->free;

	if (c)
		i->free = c->next_free;
	else if (i->used < i->room)
		c = &i->courses[i->used++];
	else
		return NULL;
	*c = (struct course){.invite = i};
	i->busy++;
	return c;
}

void round_free(struct course *c)
{
	struct invite *i = c->invite;

	c->phase = COURSE_FREE;
	c->next_free = i->free;
	i->free = c;
	i->busy--;
}

/* A new array takes memory only as it is used. If there is none, the old one serves on. */
void round_release_memory(struct invite *i)
{
	struct course *fresh =
		i->busy == 0 && i->used > 0 ? calloc((size_t)i->room, sizeof(*fresh)) : NULL;

	if (!fresh)
		return;
	free(i->courses);
	i->courses = fresh;
	i->free = NULL;
	i->used = 0;
}

/* ---- what has come back ---- */

static bool in_doubt(const struct course *c)
{
	return c->next == NEXT_DOUBT || (c->phase == COURSE_DOUBT && c->next == NEXT_NOTHING);
}

static bool decide_doubts(struct invite *i, enum doubt doubt, struct fault *fault)
{
	for (struct course *c = round_first(i); c < round_end(i); c++)
		if (in_doubt(c) && !course_doubt_over(c, doubt, fault))
			return false;
	return true;
}

/* Too many sends were ambiguous, and the call that was to tell why got no answer. */
static bool delay_sends(struct invite *i, const struct fault *why, struct fault *fault)
{
	if (!control_holds_sends(i))
		return true;
	for (struct course *c = round_first(i); c < round_end(i); c++)
		if (round_going(c) && c->next_step == GOOGLE_SEND && !ending_retry(c, why, fault))
			return false;
	return true;
}

static bool decide_control(struct invite *i, struct fault *fault)
{
	struct errand *call = &i->control.call;
	enum doubt doubt = DOUBT_PERSON;

	if (call->phase == ERRAND_ANSWERED) {
		if (!control_answered(i, &doubt, fault) || !decide_doubts(i, doubt, fault))
			return false;
		return doubt != DOUBT_LATER || delay_sends(i, &call->answer.fault, fault);
	}
	return !control_fresh(i) || decide_doubts(i, DOUBT_PERSON, fault);
}

static bool decide_answers(struct invite *i, struct fault *fault)
{
	for (struct course *c = round_first(i); c < round_end(i); c++) {
		c->next = c->phase == COURSE_READY ? NEXT_READY : NEXT_NOTHING;
		c->next_step = c->step;
		c->event = NULL;
		if (c->phase == COURSE_ANSWERED && !course_answered(c, fault))
			return false;
	}
	return decide_control(i, fault) &&
	       (i->sweep.call.phase != ERRAND_ANSWERED || sweep_answered(i, fault));
}

static bool tell_the_pace(struct invite *i, struct fault *fault)
{
	if (i->throttled)
		return rate_limit_on_throttle(
			i->ledger, i->settings, i->retry_after > 0 ? i->retry_after : -1, fault);
	return !i->succeeded || i->settings->requests_per_minute == 0 ||
	       rate_limit_on_success(i->ledger, i->settings, fault);
}

/* ---- who may go on ---- */

bool round_let_go(struct invite *i, struct course *c, struct fault *fault)
{
	bool waited = c->phase == COURSE_READY && !c->by_name &&
		      clock_boot_ms() - c->ready_ms > READY_MAX_MS;

	if (round_stopped(i) || waited)
		return ending_back(c, fault);
	return c->next_step != GOOGLE_SEND || mailing_cleared(c, fault);
}

/* No call at all is to be made, not even one that would tell whose fault it is. */
static bool silent(const struct invite *i)
{
	return i->draining || (round_stopped(i) && strcmp(i->pause.kind, "setup") != 0);
}

static bool decide_going(struct invite *i, struct fault *fault)
{
	for (struct course *c = round_first(i); c < round_end(i); c++) {
		if (silent(i) && in_doubt(c) && !course_doubt_over(c, DOUBT_SETUP, fault))
			return false;
		if (round_going(c) && !round_let_go(i, c, fault))
			return false;
		if (in_doubt(c))
			control_want(i);
	}
	if (silent(i) && i->control.call.phase == ERRAND_WANTED)
		i->control.call.phase = ERRAND_IDLE;
	return true;
}

/* ---- after the commit ---- */

static void tell(const struct course *c)
{
	bool bad = strcmp(c->event, "failed") == 0 || strcmp(c->event, "unconfirmed") == 0 ||
		   strcmp(c->event, "retry") == 0;
	struct journal_about about = {.person = log_address(c->person.address),
		.reason = c->person.reason,
		.actor = c->invite->actor};

	log_about(bad ? LOG_LEVEL_WARN : LOG_LEVEL_NOTE, c->event, &about, "%s: %s", about.person,
		c->cause);
}

static void advance(struct course *c)
{
	if (c->phase == COURSE_ANSWERED)
		c->slot_open = false;
	if (c->next != NEXT_NOTHING && c->next != NEXT_DOUBT)
		c->person = c->after;
	if (c->event)
		tell(c);
	c->event = NULL;
	switch (c->next) {
	case NEXT_NOTHING:
		break;
	case NEXT_READY:
		if (c->phase != COURSE_READY)
			c->ready_ms = clock_boot_ms();
		c->step = c->next_step;
		c->phase = COURSE_READY;
		break;
	case NEXT_CALL:
		c->step = c->next_step;
		c->slot = c->next_slot;
		c->slot_open = true;
		course_start(c);
		break;
	case NEXT_DOUBT:
		c->phase = COURSE_DOUBT;
		break;
	case NEXT_END:
		if (c->by_name)
			c->phase = COURSE_OVER;
		else
			round_free(c);
		break;
	}
}

static void settle(struct invite *i)
{
	struct errand *control = &i->control.call;

	i->answered = 0;
	i->trouble = false;
	reconcile_sends(i);
	for (struct course *c = round_first(i); c < round_end(i); c++)
		advance(c);
	if (control->phase == ERRAND_ANSWERED) {
		control->phase = ERRAND_IDLE;
		control->slot_open = false;
	}
	if (control->granted)
		control_start(i);
	sweep_settle(i);
}

/* The ledger would not have it: as if the round had not been, but for the answers. */
static void forget(struct invite *i)
{
	for (struct course *c = round_first(i); c < round_end(i); c++) {
		if (c->phase == COURSE_FREE && c->next != NEXT_NOTHING)
			round_free(c);
		c->next = NEXT_NOTHING;
		c->event = NULL;
	}
}

/* ---- the round ---- */

static bool look_at_sweep(struct invite *i, struct fault *fault)
{
	if (!round_stopped(i) && !i->solo)
		return sweep_look(i, fault);
	if (i->sweep.call.phase == ERRAND_WANTED)
		i->sweep.call.phase = ERRAND_IDLE;
	return true;
}

static bool decide(struct invite *i, struct fault *fault)
{
	return decide_answers(i, fault) && reconcile_decide(i, fault) && tell_the_pace(i, fault) &&
	       decide_going(i, fault) && bulk_look(i, fault) && claim_people(i, fault) &&
	       look_at_sweep(i, fault) && claim_slots(i, fault) && reconcile_count(i, fault);
}

static void begin(struct invite *i)
{
	i->now = clock_wall();
	i->sends_today = -1;
	i->throttled = i->succeeded = false;
	i->intents = 0;
	i->realigns = false;
	i->retry_after = -1;
	i->control.call.granted = i->sweep.call.granted = false;
	i->sweep.step = SWEEP_STAY;
	claim_rest(i);
}

/* Our clock was ahead and has been set back: what is planned by it is planned anew. */
static bool look_at_clock(struct invite *i, struct fault *fault)
{
	int64_t ahead = i->now * 1000 - clock_boot_ms(), back = (i->ahead_ms - ahead) / 1000;

	if (i->ahead_ms == 0 || ahead > i->ahead_ms - CLOCK_BACK_MS) {
		i->ahead_ms = ahead;
		return true;
	}
	if (!ledger_reschedule(i->ledger, i->now, back, fault))
		return false;
	log_event(LOG_LEVEL_NOTE, "clock", "the clock was set back by %lld s", (long long)back);
	i->ahead_ms = ahead;
	i->window_until = 0;
	i->sweep.next_at = 0;
	i->control.probe_now = true;
	return true;
}

bool round_run(struct invite *i, struct fault *fault)
{
	begin(i);
	if (!look_at_clock(i, fault) || !control_look(i, fault) || !reconcile_look(i, fault) ||
		!ledger_begin(i->ledger, fault))
		return false;
	if (decide(i, fault) && ledger_commit(i->ledger, fault)) {
		settle(i);
		return claim_plan(i, fault);
	}
	ledger_rollback(i->ledger);
	forget(i);
	return false;
}
