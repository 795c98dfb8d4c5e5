/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening and closing, one run of the dispatcher's loop, and what every reply says to the engine as
 * a whole.
 */
#include "engine/engine_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/minmax.h"
#include "base/str.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LAST_MS	 60000

/* ---- opening ---- */

static struct engine *engine_new(const struct settings *settings)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->parallel = settings->parallel > 0 ? (int)settings->parallel : 1;
	e->room = pipeline_depth(settings);
	e->jobs = calloc((size_t)e->room, sizeof(*e->jobs));
	if (!e->jobs) {
		free(e);
		return NULL;
	}
	e->settings = settings;
	e->journal.fd = -1;
	return e;
}

struct engine *engine_open(const struct settings *settings, struct ledger *ledger,
	struct google *google, const struct engine_options *options, struct fault *fault)
{
	struct engine *e = engine_new(settings);

	if (!e) {
		fault_no_memory(fault, FAULT_STORAGE);
		return NULL;
	}
	e->ledger = ledger;
	e->google = google;
	e->admin = options->admin;
	e->gate.probe_now = !options->admin;
	e->arrivals = !options->admin;
	str_copy(e->owner, sizeof(e->owner), options->owner);
	str_copy(e->actor, sizeof(e->actor), options->actor);
	/* Leases of this name are those of a predecessor that is dead: the instance lock lets only
	 * one of them run. What it was sending becomes unconfirmed. */
	if (!ledger_release(ledger, e->owner, NULL, fault) || !reconcile_open(e, fault) ||
		(!e->admin && (!ledger_reschedule(ledger, e->now, 0, fault) ||
				      !approved_begin(e, fault)))) {
		engine_close(e);
		return NULL;
	}
	return e;
}

void engine_close(struct engine *e)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (!e)
		return;
	e->draining = true; /* the last batch starts nothing */
	if (e->in_flight > 0)
		google_stop(e->google);
	if (e->replies > 0 && !batch_run(e, &fault))
		log_fault(LOG_LEVEL_ERROR, "ledger", &fault);
	if (!ledger_release(e->ledger, e->owner, NULL, &fault))
		log_fault(LOG_LEVEL_WARN, "ledger", &fault);
	resync_free(e);
	send_journal_close(&e->journal);
	free(e->jobs);
	free(e);
}

/* A new array takes memory only as it is used. If there is none, the old one serves on. */
void engine_release_memory(struct engine *e)
{
	struct job *fresh =
		e->busy == 0 && e->used > 0 ? calloc((size_t)e->room, sizeof(*fresh)) : NULL;

	if (!fresh)
		return;
	free(e->jobs);
	e->jobs = fresh;
	e->free = NULL;
	e->used = 0;
}

/* ---- a run ---- */

/* True if it waits for something else than before. */
static bool update_waits_for(struct engine *e)
{
	char text[sizeof(e->waits_for)] = "idle";

	if (e->draining)
		str_copy(text, sizeof(text), "stopping");
	else if (e->backoff_ms > 0)
		str_copy(text, sizeof(text), "ledger error");
	else if (e->paused)
		str_format(text, sizeof(text), "paused: %s", e->pause.kind);
	else if (e->rests > 0)
		str_copy(text, sizeof(text), "Google cannot be reached");
	else if (e->permits_at_ms > clock_boot_ms())
		str_copy(text, sizeof(text), "waiting for the rate limit");
	else if (e->reconciling)
		str_copy(text, sizeof(text), "reconcile: no invitations are sent");
	if (strcmp(text, e->waits_for) == 0)
		return false;
	str_copy(e->waits_for, sizeof(e->waits_for), text);
	return true;
}

/* A ledger that fails (disk full, locked) is left alone for a while; replies wait meanwhile. */
static void back_off(struct engine *e)
{
	e->backoff_ms =
		e->backoff_ms == 0 ? BACKOFF_FIRST_MS : backoff(e->backoff_ms, BACKOFF_LAST_MS, 1);
	e->next_ms = clock_boot_ms() + e->backoff_ms;
}

static bool batch_is_needed(const struct engine *e)
{
	if (e->backoff_ms > 0)
		return clock_boot_ms() >= e->next_ms;
	return (e->replies > 0 && pipeline_commit_delay_ms(e) == 0) ||
	       clock_boot_ms() >= e->next_ms;
}

static int wait_ms(const struct engine *e, int max_wait_ms)
{
	int64_t wait = e->next_ms - clock_boot_ms();

	if (e->replies > 0 && e->backoff_ms == 0 && pipeline_commit_delay_ms(e) < wait)
		wait = pipeline_commit_delay_ms(e);
	if (max_wait_ms >= 0 && wait > max_wait_ms)
		return max_wait_ms;
	return wait < 0 ? 0 : wait > INT32_MAX ? INT32_MAX : (int)wait;
}

bool engine_run(struct engine *e, const int *fds, int nfds, int max_wait_ms, struct fault *fault)
{
	bool ok = true, changed = e->changed, tell;

	if (batch_is_needed(e)) {
		ok = batch_run(e, fault);
		if (ok)
			e->backoff_ms = 0;
		else
			back_off(e);
	}
	/* A change of what it waits for is shown before it waits, and the collector hears of a
	 * change when no call is in flight that would end the wait soon. */
	tell = update_waits_for(e) || (!changed && e->changed && e->in_flight == 0);
	google_poll(e->google, fds, nfds, tell ? 0 : wait_ms(e, max_wait_ms));
	pipeline_start_ready(e);
	return ok;
}

bool engine_idle(const struct engine *e)
{
	if (e->in_flight > 0 || e->replies > 0 || reconcile_waits_for_clock(e))
		return false;
	return e->draining ? e->busy == 0 : clock_boot_ms() < e->next_ms;
}

int64_t engine_expiry_now(const struct engine *e)
{
	return min_i64(clock_wall(), google_clock_earliest(&e->clock, clock_boot_ms()));
}

void engine_want_clock(struct engine *e)
{
	e->wants_clock = true;
	e->next_ms = 0;
}

void engine_drain(struct engine *e)
{
	e->draining = true;
	e->next_ms = 0;
}

void engine_get_counts(const struct engine *e, struct engine_counts *out)
{
	*out = e->counts;
}

const char *engine_waits_for(const struct engine *e)
{
	return e->waits_for[0] != '\0' ? e->waits_for : "idle";
}

bool engine_changed(struct engine *e)
{
	bool changed = e->changed;

	e->changed = false;
	return changed;
}
