/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One batch: what has come back is decided, then who goes on, then who is claimed, then who gets a
 * permit; all in one transaction. After the commit it counts, and the calls start. After a rollback
 * nothing of it has happened, and the replies are decided again by the next batch.
 */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"

#define CLOCK_BACK_MS INT64_C(60000) /* a smaller step is not a jump */

/* ---- what has come back ---- */

static bool decide_rejected(struct engine *e, enum error_scope scope, struct fault *fault)
{
	for (struct job *j = job_first(e); j < job_end(e); j++)
		if (job_awaits_control(j) && !job_control(j, scope, &j->reply.fault, fault))
			return false;
	return true;
}

/* Too many sends were ambiguous, and the call that was to tell why got no reply. */
static bool delay_sends(struct engine *e, const struct fault *why, struct fault *fault)
{
	if (!gate_holds_sends(e))
		return true;
	for (struct job *j = job_first(e); j < job_end(e); j++)
		if (job_wants(j) == ACTION_SEND && !job_control(j, SCOPE_TRANSIENT, why, fault))
			return false;
	return true;
}

static bool decide_control(struct engine *e, struct fault *fault)
{
	struct global_call *call = &e->gate.call;
	enum error_scope scope;

	if (call->phase != CALL_REPLIED)
		return !gate_control_is_fresh(e) || decide_rejected(e, SCOPE_PERSON, fault);
	if (!gate_control_replied(e, &scope, fault) || !decide_rejected(e, scope, fault))
		return false;
	return scope != SCOPE_TRANSIENT || delay_sends(e, &call->reply.fault, fault);
}

static bool decide_replies(struct engine *e, struct fault *fault)
{
	for (struct job *j = job_first(e); j < job_end(e); j++)
		if (j->phase == JOB_REPLIED && !job_replied(j, fault))
			return false;
	if (!decide_control(e, fault))
		return false;
	return e->resync.call.phase != CALL_REPLIED || resync_replied(e, fault);
}

static bool tell_rate_limit(struct engine *e, struct fault *fault)
{
	if (e->throttled)
		return rate_limit_on_throttle(
			e->ledger, e->settings, e->retry_after > 0 ? e->retry_after : -1, fault);
	return !e->succeeded || e->settings->requests_per_minute == 0 ||
	       rate_limit_on_success(e->ledger, e->settings, fault);
}

/* ---- who may go on ---- */

/* No call at all is to be made, not even one that would tell whose fault it is. */
static bool is_silent(const struct engine *e)
{
	return e->draining || (e->paused && strcmp(e->pause.kind, "setup") != 0);
}

static bool decide_job(struct engine *e, struct job *j, struct fault *fault)
{
	if (is_silent(e) && job_awaits_control(j))
		return job_control(j, SCOPE_SETUP, &j->reply.fault, fault);
	if (job_awaits_control(j))
		gate_want_control(e);
	return job_wants(j) == ACTION_NONE || job_may_go_on(j, fault);
}

static bool decide_jobs(struct engine *e, struct fault *fault)
{
	for (struct job *j = job_first(e); j < job_end(e); j++)
		if (!decide_job(e, j, fault))
			return false;
	if (is_silent(e) && e->gate.call.phase == CALL_WANTED)
		e->gate.call.phase = CALL_IDLE;
	return true;
}

static bool check_resync(struct engine *e, struct fault *fault)
{
	if (!engine_is_stopped(e))
		return resync_check(e, fault);
	if (e->resync.call.phase == CALL_WANTED)
		e->resync.call.phase = CALL_IDLE;
	return true;
}

/* A host clock that was ahead, while Google's was not known, has dated mails into the future. They
 * would count on the days that are to come. */
static bool correct_sends(struct engine *e, struct fault *fault)
{
	if (e->sends_are_past || !google_clock_is_sure(&e->clock, clock_boot_ms(), e->now))
		return true;
	if (!ledger_sends_correct(e->ledger, engine_google_now(e), fault))
		return false;
	e->sends_are_past = true;
	return true;
}

/* ---- the transaction ---- */

static bool decide(struct engine *e, struct fault *fault)
{
	static bool (*const steps[])(struct engine *, struct fault *) = {
		correct_sends,
		decide_replies,
		reconcile_decide,
		tell_rate_limit,
		decide_jobs,
		backlog_check,
		schedule_claim,
		check_resync,
		schedule_permits,
		reconcile_count_intents,
	};

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (!steps[i](e, fault))
			return false;
	return true;
}

static void committed(struct engine *e)
{
	struct global_call *control = &e->gate.call;

	e->replies = 0;
	e->failure = false;
	reconcile_write_journal(e);
	rate_limit_write_last(e->ledger, e->settings, e->last_permit);
	for (struct job *j = job_first(e); j < job_end(e); j++)
		job_apply(j);
	if (control->phase == CALL_REPLIED) {
		control->phase = CALL_IDLE;
		control->permit_open = false;
	}
	if (control->granted)
		gate_start_control(e);
	resync_apply(e);
}

static void rolled_back(struct engine *e, const struct gate *gate)
{
	e->gate = *gate;
	for (struct job *j = job_first(e); j < job_end(e); j++)
		job_forget(j);
}

static void begin(struct engine *e)
{
	e->now = clock_wall();
	e->decided_ms = clock_boot_ms();
	e->sends_today = -1;
	e->throttled = e->succeeded = false;
	e->intents = 0;
	e->realigns = e->mailed = false;
	e->last_permit = 0;
	e->retry_after = -1;
	e->gate.call.granted = e->resync.call.granted = false;
	e->resync.step = RESYNC_STAY;
	schedule_rest(e);
}

/* The host's clock was ahead and has been set back: what is scheduled by it is scheduled again. */
static bool check_clock(struct engine *e, struct fault *fault)
{
	int64_t ahead = e->now * 1000 - clock_boot_ms(), back = (e->ahead_ms - ahead) / 1000;

	if (e->ahead_ms == 0 || ahead > e->ahead_ms - CLOCK_BACK_MS) {
		e->ahead_ms = ahead;
		return true;
	}
	if (!ledger_reschedule(e->ledger, e->now, back, fault))
		return false;
	log_event(LOG_LEVEL_NOTE, "clock", "the clock was set back by %lld s", (long long)back);
	e->ahead_ms = ahead;
	e->window_until = 0;
	e->sends_are_past = false;
	e->resync.next_at = 0;
	e->gate.probe_now = true;
	return true;
}

static bool needs_clock(const struct engine *e)
{
	return e->wants_clock && engine_google_now(e) == 0 && !engine_is_stopped(e);
}

bool batch_run(struct engine *e, struct fault *fault)
{
	struct gate gate;

	begin(e);
	if (!check_clock(e, fault) || !gate_refresh(e, fault) || !reconcile_refresh(e, fault))
		return false;
	if (reconcile_needs_clock(e) || needs_clock(e))
		gate_want_control(e);
	if (!ledger_begin(e->ledger, fault))
		return false;
	gate = e->gate;
	if (!ledger_end(e->ledger, decide(e, fault), fault)) {
		rolled_back(e, &gate);
		return false;
	}
	committed(e);
	return schedule_plan(e, fault);
}
