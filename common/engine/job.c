/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One person's job: every reply becomes an event, person_step() says what follows, and what must be
 * stored is stored in the batch's transaction. Nothing of it counts before the commit: until then
 * it stands in j->step, and after a rollback the same reply gives the same step.
 */
#include "engine/engine_internal.h"

#include <string.h>

#include "base/clock.h"

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

static bool is_over(const struct job *j)
{
	return j->phase == JOB_FREE || (j->decided && j->step.action == ACTION_NONE);
}

bool job_exists(const struct engine *e, const char *address)
{
	for (int n = 0; n < e->used; n++)
		if (!is_over(&e->jobs[n]) && strcmp(e->jobs[n].person.address, address) == 0)
			return true;
	return false;
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

/* It would clear the way for a mail, but the host or this program stood still since Google gave it.
 */
static bool is_old_answer(const struct job *j)
{
	enum person_state state = job_person(j)->state;

	return (j->action == ACTION_CHECK || j->action == ACTION_GET) &&
	       state != PERSON_UNCONFIRMED && state != PERSON_INVITED && engine_is_old(j->begun_ms);
}

bool job_replied(struct job *j, struct fault *fault)
{
	struct engine *e = j->engine;
	const struct google_reply *reply = &j->reply;
	struct person_event event = engine_event(e, EVENT_GOT);
	bool setup;

	if (j->permit_open && !rate_limit_release(e->ledger, j->permit, false, fault))
		return false;
	e->succeeded = e->succeeded || reply->fault.kind == FAULT_NONE;
	engine_event_of_reply(&event, j->action, reply, &setup);
	if (is_old_answer(j))
		event = engine_event(e, EVENT_RELEASED);
	if (reply->quota && reply->fault.kind == FAULT_TRANSIENT)
		gate_throttled(e, reply);
	if (setup && !gate_refused(e, engine_method_of(j->action), &reply->fault, fault))
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
		!gate_person_rejected(j->engine, engine_method_of(j->action), &j->claimed, why,
			&event.control.breaker, fault))
		return false;
	return job_step(j, &event, fault);
}

bool job_may_go_on(struct job *j, struct fault *fault)
{
	bool waited = j->phase == JOB_READY && clock_boot_ms() - j->ready_ms > READY_MAX_MS;
	struct person_event event;

	if (engine_is_stopped(j->engine) || waited)
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
		pipeline_start(j, j->engine->decided_ms);
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
