/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pipelining and group commit. One fsync takes as long as dozens of API calls. If no rate limit is
 * configured, check and get need nothing from the ledger, so they are issued between commits until
 * as many people are ready to be sent to as `parallel` allows. A single commit then holds all their
 * intents, the results of the previous batch and the next claims.
 */
#include "engine/engine_internal.h"

#include "base/clock.h"

#define DEPTH_FACTOR	3 /* jobs for each call that may be under way */
#define COMMIT_DELAY_MS 5 /* no reply waits longer for others */

/* With a rate limit every call needs a permit from the ledger; and after a fault the batch decides
 * first what it means for the others. */
static bool pipelining_allowed(const struct engine *e)
{
	return e->settings->requests_per_minute == 0 && !engine_is_stopped(e) && !e->failure &&
	       e->transient_in_a_row == 0;
}

int pipeline_depth(const struct settings *settings)
{
	int parallel = settings->parallel > 0 ? (int)settings->parallel : 1;

	return settings->requests_per_minute == 0 ? DEPTH_FACTOR * parallel : parallel;
}

/* check has found a person to invite: continues with get, without a commit, if it can. */
static bool advance(struct job *j)
{
	struct person_event event;
	const struct send_policy none = {.blocked = false};
	struct person_step step;
	bool setup;

	if (!pipelining_allowed(j->engine) || j->action != ACTION_CHECK ||
		j->reply.fault.kind != FAULT_NONE || engine_is_old(j->begun_ms))
		return false;
	event = engine_event(j->engine, EVENT_CHECKED);
	event.claimed = &j->claimed;
	engine_event_of_reply(&event, j->action, &j->reply, &setup);
	step = person_step(&j->person, &event, &none);
	if (step.store || step.action != ACTION_GET)
		return false;
	j->person = step.next;
	j->action = step.action;
	j->phase = JOB_READY;
	j->ready_ms = clock_boot_ms();
	j->engine->replies--;
	return true;
}

/* ---- the call ---- */

static void on_reply(void *ctx, const struct google_reply *reply)
{
	struct job *j = ctx;

	engine_replied(j->engine, engine_method_of(j->action), reply, &j->reply);
	if (!advance(j))
		j->phase = JOB_REPLIED;
}

static int64_t repeat_permit(void *ctx)
{
	struct job *j = ctx;

	return engine_repeat_permit(j->engine, &j->permit);
}

void pipeline_start(struct job *j, int64_t decided_ms)
{
	const struct google_call call = {.method = engine_method_of(j->action),
		.address = j->person.address,
		.begin_until_ms = google_begin_until(j->engine->settings, decided_ms),
		.permit = repeat_permit,
		.permit_ctx = j};

	j->phase = JOB_IN_FLIGHT;
	j->begun_ms = clock_boot_ms();
	j->engine->in_flight++;
	google_start(j->engine->google, &call, on_reply, j);
}

/* ---- between two commits ---- */

/* Jobs whose next call is the send, or may be when the batch has looked at what get has shown. */
static int count_before_send(struct engine *e)
{
	int count = 0;

	for (const struct job *j = job_first(e); j < job_end(e); j++)
		count += (j->phase == JOB_REPLIED && j->action == ACTION_GET) ||
			 (j->phase == JOB_READY && j->action == ACTION_SEND);
	return count;
}

void pipeline_start_ready(struct engine *e)
{
	int room = e->parallel - e->in_flight - count_before_send(e);
	bool left = false;

	if (!pipelining_allowed(e))
		return;
	for (struct job *j = job_first(e); j < job_end(e); j++) {
		if (j->phase != JOB_READY || j->action == ACTION_SEND)
			continue;
		if (room-- > 0 && clock_boot_ms() >= e->permits_at_ms)
			pipeline_start(j, clock_boot_ms());
		else
			left = true;
	}
	/* No call is in flight whose reply would bring the next batch. */
	if (left && e->in_flight == 0)
		e->next_ms = e->permits_at_ms;
}

int64_t pipeline_commit_delay_ms(const struct engine *e)
{
	int64_t left = e->replied_ms + COMMIT_DELAY_MS - clock_boot_ms();

	if (!pipelining_allowed(e) || e->in_flight == 0 || left < 0)
		return 0;
	return left < COMMIT_DELAY_MS ? left : COMMIT_DELAY_MS;
}
