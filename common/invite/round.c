/* SPDX-License-Identifier: Apache-2.0 */
#include "invite/inside.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define CLAIM_MAX      16 /* people a claim; more rounds follow at once */
#define CALLS_A_PERSON 3
#define LEASED_WAIT_MS 5000
#define READY_MAX_MS   INT64_C(300000) /* then others may have them */

/* ---- courses ---- */

struct course *round_take_free(struct invite *i)
{
	struct course *c = i->free;

	if (!c)
		return NULL;
	i->free = c->next_free;
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

static struct course *first(struct invite *i)
{
	return i->courses;
}

static struct course *end(struct invite *i)
{
	return i->courses + i->room;
}

static bool going(const struct course *c)
{
	return c->next == NEXT_READY;
}

/* ---- what has come back ---- */

static bool in_doubt(const struct course *c)
{
	return c->next == NEXT_DOUBT || (c->phase == COURSE_DOUBT && c->next == NEXT_NOTHING);
}

static bool decide_doubts(struct invite *i, enum doubt doubt, struct fault *fault)
{
	for (struct course *c = first(i); c < end(i); c++)
		if (in_doubt(c) && !course_doubt_over(c, doubt, fault))
			return false;
	return true;
}

/* Too many sends were ambiguous, and the call that was to tell why got no answer. */
static bool delay_sends(struct invite *i, const struct fault *why, struct fault *fault)
{
	if (!control_holds_sends(i))
		return true;
	for (struct course *c = first(i); c < end(i); c++)
		if (going(c) && c->next_step == GOOGLE_SEND && !ending_retry(c, why, fault))
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
	for (struct course *c = first(i); c < end(i); c++) {
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
		return pace_throttled(
			i->ledger, i->settings, i->retry_after > 0 ? i->retry_after : -1, fault);
	return !i->succeeded || i->settings->requests_per_minute == 0 ||
	       pace_succeeded(i->ledger, i->settings, fault);
}

/* ---- who may go on ---- */

static bool stopped(const struct invite *i)
{
	return i->draining || (i->paused && !i->solo);
}

static bool let_go(struct invite *i, struct course *c, struct fault *fault)
{
	bool waited = c->phase == COURSE_READY && !c->by_name &&
		      clock_boot_ms() - c->ready_ms > READY_MAX_MS;

	if (stopped(i) || waited)
		return ending_back(c, fault);
	return c->next_step != GOOGLE_SEND || mailing_cleared(c, fault);
}

static bool decide_going(struct invite *i, struct fault *fault)
{
	for (struct course *c = first(i); c < end(i); c++) {
		if (i->draining && in_doubt(c) && !course_doubt_over(c, DOUBT_SETUP, fault))
			return false;
		if (going(c) && !let_go(i, c, fault))
			return false;
		if (in_doubt(c))
			control_want(i);
	}
	return true;
}

/* ---- who comes next ---- */

/* Under a limit as many as can be brought to their end with the slots that are free: a mail is out
 * in seconds, and nobody stands between check and send while the slots go to others. -1: fault. */
static int claim_size(struct invite *i, struct fault *fault)
{
	int room = i->room - i->busy < CLAIM_MAX ? i->room - i->busy : CLAIM_MAX;
	struct pace pace;
	int64_t slots, fit;

	if (i->settings->requests_per_minute == 0 || room <= 0)
		return room;
	if (!pace_look(i->ledger, i->settings, &pace, fault))
		return -1;
	slots = pace.effective - pace.effective / 10 - pace.used;
	fit = slots / CALLS_A_PERSON - i->busy;
	if (fit < 1 && i->busy == 0)
		fit = 1;
	return fit < 0 ? 0 : fit < room ? (int)fit : room;
}

static bool claim(struct invite *i, struct fault *fault)
{
	struct person people[CLAIM_MAX];
	int want, got;

	i->claimed = i->wanted = 0;
	if (stopped(i) || i->solo || clock_boot_ms() < i->slots_at_ms)
		return true;
	want = claim_size(i, fault);
	if (want <= 0)
		return want == 0;
	i->wanted = want;
	got = ledger_claim(
		i->ledger, i->now, CLASS_SWEEP, i->owner, i->now + LEASE_S, people, want, fault);
	if (got < 0)
		return false;
	for (int n = 0; n < got; n++) {
		struct course *c = round_take_free(i);

		if (!course_claimed(c, &people[n], fault) || (going(c) && !let_go(i, c, fault)))
			return false;
	}
	i->claimed = got;
	return true;
}

/* ---- slots ---- */

static bool waits_for_control(struct invite *i, const struct course *c)
{
	if (c->next_step != GOOGLE_SEND || !control_holds_sends(i))
		return false;
	control_want(i);
	return true;
}

static int count_wanted(struct invite *i)
{
	int wanted = 0;

	for (struct course *c = first(i); c < end(i); c++)
		wanted += going(c) && !waits_for_control(i, c);
	wanted += i->control.call.phase == ERRAND_WANTED;
	return wanted + (i->sweep.call.phase == ERRAND_WANTED);
}

static bool grant_errand(struct errand *e, const int64_t *slots, int *at, int granted)
{
	e->granted = e->phase == ERRAND_WANTED && *at < granted;
	if (e->granted)
		e->next_slot = slots[(*at)++];
	return true;
}

/* Who was only just claimed and gets no slot goes back, so that the order of the queue holds. */
static bool grant_course(
	struct course *c, const int64_t *slots, int *at, int granted, struct fault *fault)
{
	if (!going(c) || waits_for_control(c->invite, c))
		return true;
	if (*at < granted) {
		c->next_slot = slots[(*at)++];
		c->next = NEXT_CALL;
		return c->next_step != GOOGLE_SEND || mailing_intend(c, fault);
	}
	return c->phase != COURSE_FREE || c->by_name || ending_back(c, fault);
}

/* A send that came to nothing after all. */
static bool give_back(struct invite *i, const struct course *c, struct fault *fault)
{
	return c->next != NEXT_END || c->next_slot == 0 ||
	       pace_end(i->ledger, c->next_slot, true, fault);
}

static bool grant(struct invite *i, struct fault *fault)
{
	int64_t slots[128], wait_ms = 0;
	int want = count_wanted(i), at = 0;

	i->granted = 0;
	if (want == 0 || clock_boot_ms() < i->slots_at_ms)
		want = 0;
	if (want > (int)(sizeof(slots) / sizeof(slots[0])))
		want = (int)(sizeof(slots) / sizeof(slots[0]));
	if (want > 0) {
		i->granted =
			pace_take(i->ledger, i->settings, i->admin, want, slots, &wait_ms, fault);
		if (i->granted < 0)
			return false;
		if (i->granted < want)
			i->slots_at_ms = clock_boot_ms() + (wait_ms > 20 ? wait_ms : 20);
	}
	grant_errand(&i->control.call, slots, &at, i->granted);
	for (struct course *c = first(i); c < end(i); c++) {
		c->next_slot = 0;
		if (!grant_course(c, slots, &at, i->granted, fault) || !give_back(i, c, fault))
			return false;
	}
	return grant_errand(&i->sweep.call, slots, &at, i->granted);
}

/* ---- after the commit ---- */

static void tell(const struct course *c)
{
	bool bad = strcmp(c->event, "failed") == 0 || strcmp(c->event, "unconfirmed") == 0 ||
		   strcmp(c->event, "retry") == 0;

	log_event(bad ? LOG_LEVEL_WARN : LOG_LEVEL_NOTE, c->event, "%s: %s",
		log_address(c->person.address), c->cause);
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
	for (struct course *c = first(i); c < end(i); c++)
		advance(c);
	if (control->phase == ERRAND_ANSWERED) {
		control->phase = ERRAND_IDLE;
		control->slot_open = false;
	}
	if (i->draining && control->phase == ERRAND_WANTED)
		control->phase = ERRAND_IDLE;
	if (control->granted)
		control_start(i);
	sweep_settle(i);
}

/* The ledger would not have it: as if the round had not been, but for the answers. */
static void forget(struct invite *i)
{
	for (struct course *c = first(i); c < end(i); c++) {
		if (c->phase == COURSE_FREE && c->next != NEXT_NOTHING)
			round_free(c);
		c->next = NEXT_NOTHING;
		c->event = NULL;
	}
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* In how many milliseconds a moment of the wall clock is; it may jump: the timed scan is the net.
 */
static int64_t until(const struct invite *i, int64_t wall)
{
	return wall <= i->now ? 0 : (wall - i->now) * 1000;
}

/* Whether somebody could go on at once, or as soon as the pace allows. Asks for the control call
 * where that is what is waited for: so the calls are looked at last. */
static bool waiting_for_slots(struct invite *i)
{
	bool waiting = i->wanted > 0 && i->claimed == i->wanted;

	/* The pace has kept it from asking who is next. */
	if (i->wanted == 0 && !stopped(i) && !i->solo && i->busy == 0)
		waiting = true;
	for (struct course *c = first(i); c < end(i); c++)
		if (c->phase == COURSE_READY && !waits_for_control(i, c))
			waiting = true;
	return waiting || i->control.call.phase == ERRAND_WANTED ||
	       i->sweep.call.phase == ERRAND_WANTED;
}

/* When there is something to do that no answer announces. */
static bool plan(struct invite *i, struct fault *fault)
{
	bool waiting = waiting_for_slots(i), alone = i->draining || i->solo;
	int64_t now = clock_boot_ms(), next = INT64_MAX, due;

	if (waiting)
		next = i->slots_at_ms > now ? i->slots_at_ms : now;
	if (i->wanted > 0 && i->claimed < i->wanted) {
		if (!ledger_next_due(i->ledger, &due, fault))
			return false;
		if (due > 0)
			next = sooner(next, now + (due > i->now ? until(i, due) : LEASED_WAIT_MS));
	}
	if (control_probe_at(i) != 0 && !alone && i->control.call.phase == ERRAND_IDLE)
		next = sooner(next, now + until(i, control_probe_at(i)));
	if (i->sweep.next_at != 0 && !alone && !i->paused && i->sweep.call.phase == ERRAND_IDLE)
		next = sooner(next, now + until(i, i->sweep.next_at));
	i->next_ms = next;
	return true;
}

/* ---- the round ---- */

static bool look_at_sweep(struct invite *i, struct fault *fault)
{
	if (!stopped(i) && !i->solo)
		return sweep_look(i, fault);
	if (i->sweep.call.phase == ERRAND_WANTED)
		i->sweep.call.phase = ERRAND_IDLE;
	return true;
}

static bool decide(struct invite *i, struct fault *fault)
{
	return decide_answers(i, fault) && tell_the_pace(i, fault) && decide_going(i, fault) &&
	       claim(i, fault) && look_at_sweep(i, fault) && grant(i, fault);
}

static void begin(struct invite *i)
{
	i->now = clock_wall();
	i->sends_today = -1;
	i->throttled = i->succeeded = false;
	i->retry_after = -1;
	i->control.call.granted = i->sweep.call.granted = false;
}

bool round_run(struct invite *i, struct fault *fault)
{
	begin(i);
	if (!control_look(i, fault) || !ledger_begin(i->ledger, fault))
		return false;
	if (decide(i, fault) && ledger_commit(i->ledger, fault)) {
		settle(i);
		return plan(i, fault);
	}
	ledger_rollback(i->ledger);
	forget(i);
	return false;
}
