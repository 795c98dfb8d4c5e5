/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schedule: who comes next, with which permits of the rate limit, and when there is something
 * to do again.
 */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/minmax.h"

#define CLAIM_MAX	   64 /* people a claim; more batches follow at once */
#define CALLS_A_PERSON	   3
#define PERMITS_MAX	   256
#define WAIT_MIN_MS	   20
#define LEASED_WAIT_MS	   5000
#define TRANSIENT_IN_A_ROW 6
#define REST_FIRST_MS	   INT64_C(15000)
#define REST_LAST_MS	   INT64_C(300000)

/* Then one call at a time finds out whether Google can be reached again. */
static bool is_unreachable(const struct engine *e)
{
	return e->transient_in_a_row >= TRANSIENT_IN_A_ROW;
}

/* ---- who comes next ---- */

/* Under a rate limit as many people as can be brought to their end with the permits that are there:
 * a mail is out in seconds, and no person stands between check and send while the permits go to
 * others. -1: fault. */
static int claim_size(struct engine *e, struct fault *fault)
{
	int room = (int)min_i64(e->room - e->busy, CLAIM_MAX);
	struct rate_limit_status limit;
	int64_t permits, fit;

	if (e->settings->requests_per_minute == 0 || room <= 0)
		return room;
	if (!rate_limit_status(e->ledger, e->settings, &limit, fault))
		return -1;
	permits = limit.effective - limit.effective / 10 - limit.used;
	fit = permits / CALLS_A_PERSON - e->busy;
	return (int)min_i64(room, max_i64(fit, e->busy == 0 ? 1 : 0));
}

static bool begin_jobs(struct engine *e, const struct person *people, int n, struct fault *fault)
{
	for (int k = 0; k < n; k++) {
		struct job *j = job_take_free(e);

		if (!j)
			break;
		if (!job_claimed(j, &people[k], fault) ||
			(job_wants(j) != ACTION_NONE && !job_may_go_on(j, fault)))
			return false;
	}
	return true;
}

bool schedule_claim(struct engine *e, struct fault *fault)
{
	struct person people[CLAIM_MAX];
	int want, got;

	e->claimed = e->wanted = 0;
	if (!ledger_clamp_schedule(e->ledger, e->now, fault))
		return false;
	if (engine_is_stopped(e) || backlog_is_coming(e) || clock_boot_ms() < e->permits_at_ms ||
		(is_unreachable(e) && e->in_flight > 0))
		return true;
	want = claim_size(e, fault);
	if (want <= 0)
		return want == 0;
	e->wanted = want = is_unreachable(e) ? 1 : want;
	got = ledger_claim(e->ledger, e->now, backlog_scans_first(e) ? PRIO_RETRY : PRIO_BACKGROUND,
		e->owner, e->now + LEASE_S, people, want, fault);
	if (got < 0 || !begin_jobs(e, people, got, fault))
		return false;
	e->claimed = got;
	return true;
}

/* ---- permits ---- */

static bool waits_for_control(struct engine *e, const struct job *j)
{
	if (job_wants(j) != ACTION_SEND || !gate_holds_sends(e))
		return false;
	gate_want_control(e);
	return true;
}

static bool wants_permit(struct engine *e, const struct job *j)
{
	return job_wants(j) != ACTION_NONE && !waits_for_control(e, j);
}

static int count_wanted(struct engine *e)
{
	int wanted = 0;

	for (struct job *j = job_first(e); j < job_end(e); j++)
		wanted += wants_permit(e, j);
	wanted += e->gate.call.phase == CALL_WANTED;
	return wanted + (e->resync.call.phase == CALL_WANTED);
}

/* The permits of one batch. */
struct permits {
	int64_t ids[PERMITS_MAX];
	int granted, next;
};

static void grant_global(struct global_call *call, struct permits *permits)
{
	call->granted = call->phase == CALL_WANTED && permits->next < permits->granted;
	if (call->granted)
		call->next_permit = permits->ids[permits->next++];
}

/* A person who was only just claimed and gets no permit goes back, so that the order of the queue
 * holds. */
static bool grant_job(struct job *j, struct permits *permits, struct fault *fault)
{
	if (permits->next < permits->granted)
		return job_granted(j, permits->ids[permits->next++], fault);
	if (j->phase != JOB_FREE || j->engine->settings->requests_per_minute == 0)
		return true;
	return job_release(j, fault);
}

/* First the sends, of the people who have come furthest, then the questions. */
static bool grant_jobs(struct engine *e, bool sends, struct permits *permits, struct fault *fault)
{
	for (struct job *j = job_first(e); j < job_end(e); j++)
		if (wants_permit(e, j) && (job_wants(j) == ACTION_SEND) == sends &&
			!grant_job(j, permits, fault))
			return false;
	return true;
}

static bool acquire(struct engine *e, struct permits *permits, struct fault *fault)
{
	int want = count_wanted(e);
	int64_t wait_ms = 0;

	permits->granted = permits->next = 0;
	if (is_unreachable(e) && want > 0)
		want = e->in_flight == 0 ? 1 : 0;
	if (clock_boot_ms() < e->permits_at_ms)
		return true;
	want = (int)min_i64(want, min_i64(e->parallel - e->in_flight, PERMITS_MAX));
	if (want <= 0)
		return true;
	permits->granted = rate_limit_acquire(
		e->ledger, e->settings, e->admin, want, permits->ids, &wait_ms, fault);
	if (permits->granted < 0)
		return false;
	if (permits->granted < want)
		e->permits_at_ms = clock_boot_ms() + max_i64(wait_ms, WAIT_MIN_MS);
	return true;
}

bool schedule_permits(struct engine *e, struct fault *fault)
{
	struct permits permits;

	if (!acquire(e, &permits, fault))
		return false;
	grant_global(&e->gate.call, &permits);
	if (!grant_jobs(e, true, &permits, fault) || !grant_jobs(e, false, &permits, fault))
		return false;
	grant_global(&e->resync.call, &permits);
	return true;
}

/* ---- waiting ---- */

/* When nothing gets through any more, all people wait together, instead of failing one by one. */
void schedule_rest(struct engine *e)
{
	int64_t rest = backoff(REST_FIRST_MS, REST_LAST_MS, e->rests);

	if (!is_unreachable(e) || e->transient_in_a_row == e->rested_for)
		return;
	e->permits_at_ms = max_i64(e->permits_at_ms, clock_boot_ms() + rest);
	if (e->rests == 0)
		log_event(LOG_LEVEL_WARN, "unreachable",
			"%d calls in a row failed: calling Google less often",
			e->transient_in_a_row);
	e->rests++;
	e->rested_for = e->transient_in_a_row;
}

/* In how many milliseconds a moment of the host's clock is. The clock may jump: the timed scan is
 * the safety net. */
static int64_t until(const struct engine *e, int64_t wall)
{
	return max_i64(wall - e->now, 0) * 1000;
}

/* Whether a job could go on at once, or as soon as the rate limit permits. Asks for the control
 * call where that is what is waited for: so the global calls are looked at last. */
static bool waits_for_permits(struct engine *e)
{
	bool waiting = e->wanted > 0 && e->claimed == e->wanted;

	/* A reply comes first: all connections are taken, or the one call that finds out whether
	 * Google can be reached is under way. */
	if (e->in_flight >= e->parallel || (is_unreachable(e) && e->in_flight > 0))
		return false;
	/* The rate limit has kept it from asking who is next. */
	if (e->wanted == 0 && !engine_is_stopped(e) && e->busy == 0)
		waiting = true;
	for (struct job *j = job_first(e); j < job_end(e); j++)
		if (j->phase == JOB_READY && !waits_for_control(e, j))
			waiting = true;
	return waiting || e->gate.call.phase == CALL_WANTED || e->resync.call.phase == CALL_WANTED;
}

/* When there is something to do that no reply announces. */
bool schedule_plan(struct engine *e, struct fault *fault)
{
	bool waiting = waits_for_permits(e);
	int64_t now = clock_boot_ms(), next = INT64_MAX, due;

	if (waiting)
		next = max_i64(e->permits_at_ms, now);
	if (e->claimed < e->wanted) {
		if (!ledger_next_due(e->ledger, &due, fault))
			return false;
		if (due > 0)
			next = min_i64(next, now + (due > e->now ? until(e, due) : LEASED_WAIT_MS));
	}
	if (gate_probe_at(e) != 0 && !e->draining && e->gate.call.phase == CALL_IDLE)
		next = min_i64(next, now + until(e, gate_probe_at(e)));
	if (e->resync.next_at != 0 && resync_is_wanted(e) && !engine_is_stopped(e) &&
		e->resync.call.phase == CALL_IDLE)
		next = min_i64(next, now + until(e, e->resync.next_at));
	if (reconcile_wait_ms(e) >= 0 && !e->draining)
		next = min_i64(next, now + reconcile_wait_ms(e));
	e->next_ms = next;
	return true;
}
