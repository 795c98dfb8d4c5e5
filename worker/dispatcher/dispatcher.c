/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudinvite-dispatcher: decides whose address a sighting is and whether to write to it, and asks
 * Google. The only program with a credential; it sees neither spool nor accounts.
 *
 *   worker_poll ─► reload? ─► classify (when woken, or every few minutes) ─► engine_run ─► …
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instance.h"
#include "base/log.h"
#include "base/minmax.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "engine/engine.h"
#include "google/auth/hsm/hsm_uri.h"
#include "worker/dispatcher/memory.h"
#include "worker/dispatcher/metadata_probe.h"
#include "worker/dispatcher/metrics_file.h"
#include "worker/worker.h"

#define CLASSIFY_BATCH	   1000 /* sightings between two checks of signals and Google */
#define CLASSIFY_RETRY_MS  10000
#define NOTIFY_INTERVAL_MS 1000 /* between two wake-ups of the collector */
#define EXPIRE_BATCH	   1000
#define RELEASE_AFTER_MS   1000 /* after the last work, until memory is released */
#define DRAIN_POLL_MS	   50
#define DRAIN_MAX_MS	   60000 /* within the unit's TimeoutStopSec */
#define ONCE_POLL_MS	   25

/* Everything that depends on the settings and is replaced with them. */
struct runtime {
	struct address_map *map;
	struct ledger *ledger;
	struct google *google;
	struct engine *engine;
};

struct dispatcher {
	struct worker worker;
	struct runtime runtime;
	bool classify;	       /* there may be sightings to classify */
	int64_t classify_ms;   /* not before this time */
	bool notify_collector; /* states have changed since the collector was woken, … */
	int64_t notified_ms;   /* … at this time */
	bool ledger_gone;      /* another file, or not our tables any more: start again */
	bool did_work;	       /* since memory was last released */
	struct metrics_file metrics;
};

/* ---- opening ---- */

/* Called while a token is minted. */
static bool stop_asked(void *ctx)
{
	struct worker *w = ctx;

	worker_poll(w);
	return w->stop;
}

static void runtime_close(struct runtime *d)
{
	engine_close(d->engine);
	google_close(d->google);
	ledger_close(d->ledger);
	map_free(d->map);
	*d = (struct runtime){.map = NULL};
}

/* Opens everything that can fail because of the settings; the ledger is not changed. */
static bool runtime_open(
	struct runtime *d, struct worker *w, const struct settings *settings, struct fault *fault)
{
	*d = (struct runtime){.map = map_load(settings->map, fault)};
	if (d->map)
		d->google = google_open(settings, fault);
	if (d->google)
		d->ledger = ledger_open(settings, LEDGER_CREATE, fault);
	if (d->ledger && ledger_check_unclosed(d->ledger, fault)) {
		google_interrupt(d->google, stop_asked, w);
		return true;
	}
	runtime_close(d);
	return false;
}

/* Starts the work; leases of an earlier process are released here. All processes have one name,
 * because the lock lets only one of them run. */
static bool runtime_start(struct runtime *d, const struct worker *w,
	const struct settings *settings, struct fault *fault)
{
	char owner[HOST_MAX + 16];
	struct engine_options options = {.owner = owner, .actor = "dispatcher"};

	str_format(owner, sizeof(owner), "dispatcher@%s", w->heartbeat.host);
	d->engine = engine_open(settings, d->ledger, d->google, &options, fault);
	return d->engine;
}

/* ---- work ---- */

static void ledger_failed(struct dispatcher *d, const struct fault *fault)
{
	log_fault(LOG_LEVEL_ERROR, "ledger", fault);
	if (strcmp(fault->code, "ledger_replaced") == 0 ||
		strcmp(fault->code, "ledger_schema") == 0)
		d->ledger_gone = true;
}

static bool classify(struct dispatcher *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	int classified;

	if (!d->classify || clock_boot_ms() < d->classify_ms)
		return true;
	classified = engine_classify(d->runtime.engine, d->runtime.map, CLASSIFY_BATCH, &fault);
	d->classify = classified < 0 || classified == CLASSIFY_BATCH;
	if (classified >= 0)
		return true;
	d->classify_ms = clock_boot_ms() + CLASSIFY_RETRY_MS;
	ledger_failed(d, &fault);
	return false;
}

/* With a clock that is far ahead, everything would be past its retention, so Google's counts, too.
 * If nothing else brings a reply of Google's, it is asked for one. */
static void expire(struct dispatcher *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	int64_t now = engine_expiry_now(d->runtime.engine);
	int done;

	if (now == 0)
		done = ledger_has_expired(
			d->runtime.ledger, d->worker.settings, clock_wall(), &fault);
	else
		done = ledger_expire(
			d->runtime.ledger, d->worker.settings, now, EXPIRE_BATCH, &fault);
	if (done < 0)
		ledger_failed(d, &fault);
	else if (now == 0 && done > 0)
		engine_want_clock(d->runtime.engine);
}

static void send_heartbeat(struct dispatcher *d)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (!worker_heartbeat(
		    &d->worker, d->runtime.ledger, engine_waits_for(d->runtime.engine), &fault))
		ledger_failed(d, &fault);
	metrics_file_update(&d->metrics, &d->worker, d->runtime.ledger);
}

/* The collector has markers to write. At most once a second, so that a busy dispatcher does not
 * keep it busy. */
static void notify_collector(struct dispatcher *d, bool now)
{
	if (engine_changed(d->runtime.engine))
		d->notify_collector = d->did_work = true;
	if (!d->notify_collector || (!now && clock_boot_ms() - d->notified_ms < NOTIFY_INTERVAL_MS))
		return;
	d->notify_collector = false;
	d->notified_ms = clock_boot_ms();
	wakeup_send(d->worker.settings->run);
}

/* Releases the memory that a day of many arrivals has taken. */
static void release_memory(struct dispatcher *d)
{
	if (!d->did_work || d->classify || !engine_idle(d->runtime.engine))
		return;
	d->did_work = false;
	ledger_release_memory(d->runtime.ledger);
	engine_release_memory(d->runtime.engine);
	memory_release();
}

static int wait_until(int wait, int64_t at_ms)
{
	return (int)min_i64(wait, max_i64(at_ms - clock_boot_ms(), 0));
}

static int timeout_ms(const struct dispatcher *d)
{
	/* --once has no heartbeats and no scans. It ends when nothing is in flight any more, so
	 * only calls are worth waiting for. */
	int wait = d->worker.once ? ONCE_POLL_MS : worker_timeout_ms(&d->worker);

	if (d->classify)
		wait = wait_until(wait, d->classify_ms);
	if (d->did_work)
		wait = wait_until(wait, clock_boot_ms() + RELEASE_AFTER_MS);
	if (d->notify_collector)
		wait = wait_until(wait, d->notified_ms + NOTIFY_INTERVAL_MS);
	return wait;
}

static bool run_engine(struct dispatcher *d)
{
	struct fault fault = {.kind = FAULT_NONE};
	int fds[WORKER_FDS];

	worker_fds(&d->worker, fds);
	if (engine_run(d->runtime.engine, fds, WORKER_FDS, timeout_ms(d), &fault))
		return true;
	ledger_failed(d, &fault);
	return false;
}

/* ---- reload ---- */

/* Starts nothing new and waits for calls in flight, but with a limit: a send without an answer is
 * then unconfirmed. */
static void drain(struct dispatcher *d)
{
	int64_t timeout = d->worker.settings->timeout * 1000;
	int64_t end = clock_boot_ms() + (timeout < DRAIN_MAX_MS ? timeout : DRAIN_MAX_MS);
	struct fault fault = {.kind = FAULT_NONE};

	engine_drain(d->runtime.engine);
	do {
		if (!engine_run(d->runtime.engine, NULL, 0, DRAIN_POLL_MS, &fault))
			log_fault(LOG_LEVEL_ERROR, "ledger", &fault);
		worker_ping_watchdog(&d->worker);
	} while (!engine_idle(d->runtime.engine) && clock_boot_ms() < end);
}

static void reload(struct dispatcher *d)
{
	struct settings *settings = worker_reload(&d->worker);
	struct fault fault = {.kind = FAULT_NONE};
	struct runtime runtime;

	if (settings && !runtime_open(&runtime, &d->worker, settings, &fault)) {
		worker_reject_settings(&d->worker, settings, &fault);
		settings = NULL;
	}
	if (settings) {
		drain(d);
		runtime_close(&d->runtime);
		d->runtime = runtime;
		worker_apply_settings(&d->worker, settings);
		if (!runtime_start(&d->runtime, &d->worker, settings, &fault)) {
			log_fault(LOG_LEVEL_ERROR, "ledger", &fault);
			d->ledger_gone = true;
		}
	}
	d->classify = true;
	if (d->runtime.engine)
		send_heartbeat(d);
	worker_ready(&d->worker);
}

/* ---- the loop ---- */

static void poll_worker(struct dispatcher *d)
{
	struct worker *w = &d->worker;

	worker_poll(w);
	if (w->reload && !w->stop)
		reload(d);
	if (w->woken)
		d->classify = true;
	w->woken = false;
	if (worker_scan_due(w)) {
		d->classify = true;
		expire(d);
	}
}

static int run(struct dispatcher *d)
{
	send_heartbeat(d);
	worker_ready(&d->worker);
	log_event(LOG_LEVEL_INFO, "started", "version %s", CLOUDINVITE_VERSION);
	poll_worker(d);
	while (!d->worker.stop && !d->ledger_gone) {
		classify(d);
		notify_collector(d, false);
		release_memory(d);
		run_engine(d);
		notify_collector(d, false);
		send_heartbeat(d);
		poll_worker(d);
	}
	worker_stopping(&d->worker);
	if (d->runtime.engine)
		drain(d);
	log_event(LOG_LEVEL_INFO, "stopped", "%s",
		d->worker.stop ? "requested by a signal" : "the ledger was replaced or changed");
	return d->worker.stop ? 0 : fault_exit_code(FAULT_STORAGE);
}

/* Does what is due now, as far as the rate limit allows; the rest stays queued for the next
 * time. */
static int run_once(struct dispatcher *d)
{
	struct engine_counts counts;
	bool ok = true;

	d->classify = true;
	expire(d);
	do {
		ok = classify(d) && run_engine(d);
		worker_poll(&d->worker);
	} while (ok && !d->worker.stop && (d->classify || !engine_idle(d->runtime.engine)));
	if (ok)
		expire(d);
	drain(d);
	send_heartbeat(d);
	notify_collector(d, true);
	engine_get_counts(d->runtime.engine, &counts);
	log_event(LOG_LEVEL_INFO, "done",
		"%lld invited, %lld not invitable, %lld unconfirmed; %lld errors",
		(long long)counts.invited, (long long)counts.not_invitable,
		(long long)counts.unconfirmed, (long long)counts.faults);
	return ok ? 0 : fault_exit_code(FAULT_STORAGE);
}

/* Debian's libcurl depends on GnuTLS (for RTMP), which would build its ASN.1 trees, more than 100
 * KB, at every start of a program that never uses them. A library that needs GnuTLS initialises it
 * itself. */
int _gnutls_global_init_skip(void);
int _gnutls_global_init_skip(void)
{
	return 1;
}

int main(int argc, char **argv)
{
	static const struct worker_program program = {
		.name = "cloudinvite-dispatcher",
		.role = "dispatcher",
		.summary =
			"Evaluates the accounts that were seen, checks them at Google, and sends "
			"invitations.",
		.dispatches = true,
		.account = ACCOUNT_DISPATCHER,
		.prepare = metadata_probe,
	};
	struct dispatcher d = {.classify = true};
	struct fault fault = {.kind = FAULT_NONE};
	int exit_code;

	memory_configure();
	settings_read_keys_with(&hsm_key_reader);
	if (!worker_start(&d.worker, &program, argc, argv, &exit_code))
		return exit_code;
	if (!runtime_open(&d.runtime, &d.worker, d.worker.settings, &fault) ||
		!runtime_start(&d.runtime, &d.worker, d.worker.settings, &fault)) {
		runtime_close(&d.runtime);
		return worker_fail(&d.worker, &fault);
	}
	exit_code = d.worker.once ? run_once(&d) : run(&d);
	runtime_close(&d.runtime);
	worker_end(&d.worker);
	return exit_code;
}
