/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One person's job: every reply becomes an event, person_step() says what follows, and what must be
 * stored is stored in the batch's transaction. Nothing of it counts before the commit: until then
 * it stands in j->step, and after a rollback the same reply gives the same step.
 */
#include "engine/engine_internal.h"

#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/send_day.h"

#define READY_MAX_MS INT64_C(300000) /* then others may have the people */

/* ---- the array ---- */

struct job *job_take_free(struct engine *e)
{
	struct job *j = e->free;

	if (j)
		e->free = j->next_free;
	else if (e->used < e->room)
		j = &e->jobs[e->used++];
	else
		return NULL;
	*j = (struct job){.engine = e};
	e->busy++;
	return j;
}

void job_free(struct job *j)
{
	struct engine *e = j->engine;

	j->phase = JOB_FREE;
	j->decided = false;
	j->next_free = e->free;
	e->free = j;
	e->busy--;
}

const struct person *job_person(const struct job *j)
{
	return j->decided ? &j->step.next : &j->person;
}

enum person_action job_wants(const struct job *j)
{
	if (j->decided)
		return j->granted || j->step.action == ACTION_AWAIT_CONTROL ? ACTION_NONE
									    : j->step.action;
	return j->phase == JOB_READY ? j->action : ACTION_NONE;
}

bool job_awaits_control(const struct job *j)
{
	return j->decided ? j->step.action == ACTION_AWAIT_CONTROL : j->phase == JOB_AWAIT_CONTROL;
}

/* ---- events ---- */

static enum google_method method_of(enum person_action action)
{
	static const enum google_method methods[] = {
		[ACTION_NONE] = GOOGLE_CHECK,
		[ACTION_CHECK] = GOOGLE_CHECK,
		[ACTION_GET] = GOOGLE_GET,
		[ACTION_SEND] = GOOGLE_SEND,
		[ACTION_CANCEL] = GOOGLE_CANCEL,
		[ACTION_AWAIT_CONTROL] = GOOGLE_LIST,
	};

	return methods[action];
}

struct person_event engine_event(const struct engine *e, enum person_event_kind kind)
{
	struct person_event event = {.kind = kind,
		.now = e->now,
		.today = clock_day_start(e->now),
		.google_now = engine_google_now(e)};

	/* Only delays depend on it: without random numbers they are the shortest. */
	(void)!getrandom(&event.random, sizeof(event.random), GRND_NONBLOCK);
	return event;
}

static struct evidence evidence_of(const struct google_reply *reply, int64_t now)
{
	return (struct evidence){.shown = reply->shown,
		.state = reply->invitation.state,
		.mails = reply->invitation.mails,
		.updated = reply->invitation.updated,
		.date = reply->date,
		.now = now};
}

static void event_of_answer(struct person_event *event, const struct google_reply *reply)
{
	switch (event->call) {
	case ACTION_CHECK:
		event->kind = EVENT_CHECKED;
		event->invitable = reply->invitable;
		break;
	case ACTION_SEND:
		event->kind = EVENT_SENT;
		event->sent.confirmed = reply->confirmed;
		event->sent.mails = reply->has_invitation ? reply->invitation.mails : -1;
		event->sent.date = reply->date;
		break;
	case ACTION_CANCEL:
		event->kind = EVENT_CANCELLED;
		break;
	case ACTION_GET:
	case ACTION_NONE:
	case ACTION_AWAIT_CONTROL:
		event->kind = EVENT_GOT;
		event->evidence = evidence_of(reply, event->now);
		break;
	}
}

static bool is_about_setup(enum fault_kind kind)
{
	return kind == FAULT_SETUP || kind == FAULT_CREDENTIALS || kind == FAULT_SETTINGS ||
	       kind == FAULT_STORAGE || kind == FAULT_POLICY;
}

void engine_event_of_reply(struct person_event *event, enum person_action call,
	const struct google_reply *reply, bool *setup)
{
	event->call = call;
	*setup = is_about_setup(reply->fault.kind);
	if (reply->fault.kind == FAULT_NONE) {
		event_of_answer(event, reply);
		return;
	}
	event->kind = EVENT_FAILED;
	event->failed.fault = &reply->fault;
	event->failed.quota = reply->quota;
	event->failed.retry_after = reply->retry_after;
}

/* ---- what the rules allow now ---- */

static int64_t window_opens(struct engine *e)
{
	if (e->now < e->window_from || e->now >= e->window_until) {
		bool open = window_open(e->settings->send_window, e->now, &e->window_until);

		e->window_from = e->now;
		e->window_opens = open ? 0 : e->window_until;
	}
	return e->window_opens;
}

/* The moment that tells the day: a host clock that has jumped ahead brings no second day's mails.
 */
static int64_t moment_of_day(const struct engine *e)
{
	int64_t google = engine_google_now(e);

	return google != 0 && google < e->now ? google : e->now;
}

/* Once a batch. */
static bool count_sends(struct engine *e, struct fault *fault)
{
	if (e->sends_today >= 0)
		return true;
	if (!reconcile_check_ledger(e, fault))
		return false;
	e->sends_today = ledger_sends_since(e->ledger, send_day_start(moment_of_day(e)), fault);
	return e->sends_today >= 0;
}

static enum discovery_policy discovery_policy(const struct settings *settings)
{
	if (settings->discovered == DISCOVERED_IGNORE)
		return DISCOVERY_IGNORE;
	return settings->discovered == DISCOVERED_SEND ? DISCOVERY_SEND : DISCOVERY_HOLD;
}

bool engine_policy(struct engine *e, bool send, struct send_policy *policy, struct fault *fault)
{
	const struct settings *s = e->settings;
	int64_t today = moment_of_day(e);

	*policy = (struct send_policy){.dry_run = s->mode == MODE_DRY_RUN,
		.cancel_on_delete = s->cancel_on_delete,
		.discovered = discovery_policy(s),
		.max_mails = s->max_mails,
		.daily_limit = s->sends_per_day};
	if (!send)
		return true;
	if (!count_sends(e, fault))
		return false;
	policy->sent_today = e->sends_today;
	policy->day_ends = send_day_end(today) + (e->now - today); /* by the host's clock */
	policy->window_opens = window_opens(e);
	policy->reconciling = e->reconciling;
	policy->reconcile_until = e->reconciling ? reconcile_until(e) : 0;
	return true;
}

/* ---- storing ---- */

static bool is_final(enum send_outcome outcome)
{
	return outcome != SEND_NONE && outcome != SEND_BEGUN;
}

/* Another program has taken over the person, or `forget` has erased it. Only the journal of sends
 * still hears how the send ended. */
static bool let_go(struct engine *e, const struct person *p, bool leased, struct person_step *step,
	struct fault *fault)
{
	enum send_outcome outcome = step->outcome;

	*step = (struct person_step){.next = *p};
	if (is_final(outcome) && !ledger_send_end(e->ledger, p->address, outcome, fault))
		return false;
	return !leased || ledger_release(e->ledger, e->owner, p->address, fault);
}

static bool store(struct engine *e, const struct person_step *step, struct fault *fault)
{
	bool goes_on = step->action != ACTION_NONE;

	e->changed = true;
	if (step->outcome == SEND_BEGUN) {
		e->sends_today++;
		e->intents++;
	}
	return ledger_person_store(
		e->ledger, step, goes_on ? e->owner : NULL, e->now + LEASE_S, e->actor, fault);
}

bool engine_step(struct engine *e, const struct person *p, const struct person_event *event,
	struct person_step *step, struct fault *fault)
{
	struct person current = *p, stored;
	struct send_policy policy;
	int held, blocked;

	if (!engine_policy(e, event->kind == EVENT_PERMIT, &policy, fault))
		return false;
	*step = person_step(p, event, &policy);
	if (!step->store)
		return step->action != ACTION_NONE ||
		       ledger_release(e->ledger, e->owner, p->address, fault);
	/* What is stored is decided with what the ledger says now. */
	held = ledger_may_lease(e->ledger, p->address, e->owner, e->now, &stored, fault);
	if (held < 0)
		return false;
	if (held == 0 || !person_still_claimed(&current, event->claimed, &stored))
		return let_go(e, p, held > 0, step, fault);
	blocked = ledger_blocked(e->ledger, p->address, NULL, 0, fault);
	if (blocked < 0)
		return false;
	policy.blocked = blocked > 0;
	*step = person_step(&current, event, &policy);
	return step->store ? store(e, step, fault)
			   : ledger_release(e->ledger, e->owner, p->address, fault);
}

static bool job_step(struct job *j, struct person_event *event, struct fault *fault)
{
	const struct person p = *job_person(j);

	event->claimed = &j->claimed;
	if (event->call == ACTION_NONE)
		event->call = j->action;
	j->decided = true;
	j->granted = false;
	return engine_step(j->engine, &p, event, &j->step, fault);
}

/* ---- a job's events ---- */

bool job_claimed(struct job *j, const struct person *p, struct fault *fault)
{
	struct person_event event = engine_event(j->engine, EVENT_CLAIMED);

	j->claimed = j->person = *p;
	return job_step(j, &event, fault);
}

bool job_release(struct job *j, struct fault *fault)
{
	struct person_event event = engine_event(j->engine, EVENT_RELEASED);

	return job_step(j, &event, fault);
}

bool job_replied(struct job *j, struct fault *fault)
{
	struct engine *e = j->engine;
	const struct google_reply *reply = &j->reply;
	struct person_event event = engine_event(e, EVENT_FAILED);
	bool setup;

	if (j->permit_open && !rate_limit_release(e->ledger, j->permit, false, fault))
		return false;
	e->succeeded = e->succeeded || reply->fault.kind == FAULT_NONE;
	engine_event_of_reply(&event, j->action, reply, &setup);
	if (reply->quota && reply->fault.kind == FAULT_TRANSIENT)
		gate_throttled(e, reply);
	if (setup && !gate_refused(e, method_of(j->action), &reply->fault, fault))
		return false;
	if (event.kind == EVENT_GOT &&
		!reconcile_observed(e, job_person(j), &event.evidence, fault))
		return false;
	return job_step(j, &event, fault);
}

bool job_control(
	struct job *j, enum error_scope scope, const struct fault *why, struct fault *fault)
{
	struct person_event event = engine_event(j->engine, EVENT_CONTROL);
	const struct person *p = job_person(j);
	bool mailed = p->state == PERSON_UNCONFIRMED || p->state == PERSON_INVITED;

	event.control.scope = scope;
	event.control.fault = why;
	event.control.retry_after = j->reply.retry_after;
	event.control.date = j->reply.date;
	if (scope == SCOPE_PERSON && !mailed &&
		!gate_person_rejected(j->engine, method_of(j->action), p->address, why,
			&event.control.breaker, fault))
		return false;
	return job_step(j, &event, fault);
}

bool job_may_go_on(struct job *j, struct fault *fault)
{
	bool waited = j->phase == JOB_READY && clock_boot_ms() - j->ready_ms > READY_MAX_MS;
	struct person_event event;

	if (batch_stopped(j->engine) || waited)
		return job_release(j, fault);
	if (job_wants(j) != ACTION_SEND)
		return true;
	event = engine_event(j->engine, EVENT_PERMIT);
	return job_step(j, &event, fault);
}

bool job_granted(struct job *j, int64_t permit, struct fault *fault)
{
	enum person_action action = job_wants(j);
	struct person_event event = engine_event(j->engine, EVENT_PERMIT);

	if (action != ACTION_SEND) {
		if (!j->decided)
			j->step = (struct person_step){.next = j->person, .action = action};
		j->decided = true;
	} else {
		event.granted = true;
		if (!job_step(j, &event, fault))
			return false;
	}
	j->granted = j->step.action != ACTION_NONE;
	j->next_permit = permit;
	/* A send that came to nothing after all. */
	return j->granted || permit == 0 ||
	       rate_limit_release(j->engine->ledger, permit, true, fault);
}

/* ---- after the commit ---- */

void engine_log_step(const struct engine *e, const struct person_step *step)
{
	enum audit_event event = step->event;
	bool bad = event == AUDIT_FAILED || event == AUDIT_UNCONFIRMED || event == AUDIT_RETRY;
	struct journal_about about = {.person = log_address(step->next.address),
		.reason = person_reason_word(&step->next),
		.actor = e->actor};

	if (event != AUDIT_NONE)
		log_about(bad ? LOG_LEVEL_WARN : LOG_LEVEL_NOTE, audit_event_word(event), &about,
			"%s: %s", about.person, step->cause);
}

static void count_step(struct engine_counts *counts, const struct person_step *step)
{
	counts->invited += step->outcome == SEND_SENT;
	counts->unconfirmed += step->outcome == SEND_UNCONFIRMED;
	counts->not_invitable += step->store && step->next.state == PERSON_NOT_INVITABLE;
}

void job_apply(struct job *j)
{
	if (j->phase == JOB_REPLIED)
		j->permit_open = false;
	if (!j->decided)
		return;
	j->decided = false;
	j->person = j->step.next;
	engine_log_step(j->engine, &j->step);
	count_step(&j->engine->counts, &j->step);
	if (j->step.action == ACTION_NONE) {
		job_free(j);
	} else if (j->step.action == ACTION_AWAIT_CONTROL) {
		j->phase = JOB_AWAIT_CONTROL;
	} else if (j->granted) {
		j->action = j->step.action;
		j->permit = j->next_permit;
		j->permit_open = true;
		job_start(j);
	} else {
		if (j->phase != JOB_READY)
			j->ready_ms = clock_boot_ms();
		j->action = j->step.action;
		j->phase = JOB_READY;
	}
}

void job_forget(struct job *j)
{
	if (j->phase == JOB_FREE && j->decided)
		job_free(j);
	j->decided = false;
}

/* ---- the call ---- */

static void on_reply(void *ctx, const struct google_reply *reply)
{
	struct job *j = ctx;

	engine_replied(j->engine, method_of(j->action), reply, &j->reply);
	if (!pipeline_advance(j))
		j->phase = JOB_REPLIED;
}

void job_start(struct job *j)
{
	const struct google_call call = {
		.method = method_of(j->action), .address = j->person.address};

	j->phase = JOB_IN_FLIGHT;
	j->engine->in_flight++;
	google_start(j->engine->google, &call, on_reply, j);
}
