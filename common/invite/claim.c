/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who comes next, with which slots of the pace, and when there is something to do again.
 */
#include "invite/inside.h"

#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"

#define CLAIM_MAX      32 /* people a claim; more rounds follow at once */
#define CALLS_A_PERSON 3
#define SLOTS_MAX      256
#define WAIT_MIN_MS    20
#define LEASED_WAIT_MS 5000
#define LATER_IN_A_ROW 6
#define REST_FIRST_MS  INT64_C(15000)
#define REST_LAST_MS   INT64_C(300000)

/* Then one call at a time finds out whether Google can be reached again. */
static bool unreachable(const struct invite *i)
{
	return i->later_in_a_row >= LATER_IN_A_ROW;
}

/* ---- who comes next ---- */

/* Under a limit as many as can be brought to their end with the slots that are free: a mail is out
 * in seconds, and nobody stands between check and send while the slots go to others. -1: fault. */
static int claim_size(struct invite *i, struct fault *fault)
{
	int room = i->room - i->busy < CLAIM_MAX ? i->room - i->busy : CLAIM_MAX;
	struct rate_limit_status rate_limit;
	int64_t slots, fit;

	if (i->settings->requests_per_minute == 0 || room <= 0)
		return room;
	if (!rate_limit_status(i->ledger, i->settings, &rate_limit, fault))
		return -1;
	slots = rate_limit.effective - rate_limit.effective / 10 - rate_limit.used;
	fit = slots / CALLS_A_PERSON - i->busy;
	if (fit < 1 && i->busy == 0)
		fit = 1;
	return fit < 0 ? 0 : fit < room ? (int)fit : room;
}

bool claim_people(struct invite *i, struct fault *fault)
{
	struct person people[CLAIM_MAX];
	int want, got;

	i->claimed = i->wanted = 0;
	if (!ledger_clamp_schedule(i->ledger, i->now, fault))
		return false;
	if (round_stopped(i) || i->solo || bulk_is_coming(i) || clock_boot_ms() < i->slots_at_ms ||
		(unreachable(i) && i->calling > 0))
		return true;
	want = claim_size(i, fault);
	if (want <= 0)
		return want == 0;
	i->wanted = want = unreachable(i) ? 1 : want;
	got = ledger_claim(i->ledger, i->now, bulk_reads_first(i) ? PRIO_RETRY : PRIO_BACKGROUND,
		i->owner, i->now + LEASE_S, people, want, fault);
	if (got < 0)
		return false;
	for (int n = 0; n < got; n++) {
		struct course *c = round_take_free(i);

		if (!c)
			break;
		c->next = NEXT_END;
		if (!course_claimed(c, &people[n], fault) ||
			(round_going(c) && !round_let_go(i, c, fault)))
			return false;
	}
	i->claimed = got;
	return true;
}

static bool waits_for_control(struct invite *i, const struct course *c)
{
	if (c->next_step != GOOGLE_SEND || !control_holds_sends(i))
		return false;
	control_want(i);
	return true;
}

/* ---- slots ---- */

static int count_wanted(struct invite *i)
{
	int wanted = 0;

	for (struct course *c = round_first(i); c < round_end(i); c++)
		wanted += round_going(c) && !waits_for_control(i, c);
	wanted += i->control.call.phase == ERRAND_WANTED;
	return wanted + (i->sweep.call.phase == ERRAND_WANTED);
}

static void grant_errand(struct errand *e, const int64_t *slots, int *at, int granted)
{
	e->granted = e->phase == ERRAND_WANTED && *at < granted;
	if (e->granted)
		e->next_slot = slots[(*at)++];
}

/* Who was only just claimed and gets no slot of the pace goes back, so that the order of the queue
 * holds. */
static bool grant_course(
	struct course *c, const int64_t *slots, int *at, int granted, struct fault *fault)
{
	if (waits_for_control(c->invite, c))
		return true;
	if (*at < granted) {
		c->next_slot = slots[(*at)++];
		c->next = NEXT_CALL;
		return c->next_step != GOOGLE_SEND || mailing_intend(c, fault);
	}
	if (c->phase != COURSE_FREE || c->invite->settings->requests_per_minute == 0)
		return true;
	return ending_back(c, fault);
}

/* A send that came to nothing after all. */
static bool give_back(struct invite *i, const struct course *c, struct fault *fault)
{
	return c->next != NEXT_END || c->next_slot == 0 ||
	       rate_limit_release(i->ledger, c->next_slot, true, fault);
}

/* First the sends, of those who have come furthest, then the questions. */
static bool grant_courses(struct invite *i, bool sends, const int64_t *slots, int *at, int granted,
	struct fault *fault)
{
	for (struct course *c = round_first(i); c < round_end(i); c++) {
		if (!round_going(c) || (c->next_step == GOOGLE_SEND) != sends)
			continue;
		c->next_slot = 0;
		if (!grant_course(c, slots, at, granted, fault) || !give_back(i, c, fault))
			return false;
	}
	return true;
}

/* How many are got, -1: fault. */
static int take_slots(struct invite *i, int64_t *slots, struct fault *fault)
{
	int want = count_wanted(i), got;
	int64_t wait_ms = 0;

	if (unreachable(i) && want > 0)
		want = i->calling == 0 ? 1 : 0;
	if (clock_boot_ms() < i->slots_at_ms)
		return 0;
	want = want < i->parallel - i->calling ? want : i->parallel - i->calling;
	want = want < SLOTS_MAX ? want : SLOTS_MAX;
	if (want <= 0)
		return 0;
	got = rate_limit_acquire(i->ledger, i->settings, i->admin, want, slots, &wait_ms, fault);
	if (got >= 0 && got < want)
		i->slots_at_ms = clock_boot_ms() + (wait_ms > WAIT_MIN_MS ? wait_ms : WAIT_MIN_MS);
	return got;
}

bool claim_slots(struct invite *i, struct fault *fault)
{
	int64_t slots[SLOTS_MAX];
	int granted = take_slots(i, slots, fault), at = 0;

	if (granted < 0)
		return false;
	grant_errand(&i->control.call, slots, &at, granted);
	if (!grant_courses(i, true, slots, &at, granted, fault) ||
		!grant_courses(i, false, slots, &at, granted, fault))
		return false;
	grant_errand(&i->sweep.call, slots, &at, granted);
	return true;
}

/* ---- waiting ---- */

/* When nothing gets through any more, everybody waits together, instead of failing one by one. */
void claim_rest(struct invite *i)
{
	int64_t rest = backoff(REST_FIRST_MS, REST_LAST_MS, i->rests);

	if (!unreachable(i) || i->later_in_a_row == i->rested_for)
		return;
	if (i->slots_at_ms < clock_boot_ms() + rest)
		i->slots_at_ms = clock_boot_ms() + rest;
	if (i->rests == 0)
		log_event(LOG_LEVEL_WARN, "unreachable",
			"%d calls in a row failed: calling Google less often", i->later_in_a_row);
	i->rests++;
	i->rested_for = i->later_in_a_row;
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

	/* An answer comes first: all lines are taken, or the one call that finds out is under way.
	 */
	if (i->calling >= i->parallel || (unreachable(i) && i->calling > 0))
		return false;
	/* The pace has kept it from asking who is next. */
	if (i->wanted == 0 && !round_stopped(i) && !i->solo && i->busy == 0)
		waiting = true;
	for (struct course *c = round_first(i); c < round_end(i); c++)
		if (c->phase == COURSE_READY && !waits_for_control(i, c))
			waiting = true;
	return waiting || i->control.call.phase == ERRAND_WANTED ||
	       i->sweep.call.phase == ERRAND_WANTED;
}

/* When there is something to do that no answer announces. */
bool claim_plan(struct invite *i, struct fault *fault)
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
	if (i->sweep.next_at != 0 && sweep_wanted(i) && !alone && !i->paused &&
		i->sweep.call.phase == ERRAND_IDLE)
		next = sooner(next, now + until(i, i->sweep.next_at));
	if (reconcile_wait_ms(i) >= 0 && !alone)
		next = sooner(next, now + reconcile_wait_ms(i));
	i->next_ms = next;
	return true;
}
