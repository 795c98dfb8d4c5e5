/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What collector and dispatcher share: start, signals, lock, wake-ups, watchdog, reload of the
 * settings, heartbeat. The order at the start matters: prepare and what needs root come first, then
 * the change to the program's account, then the lock.
 */
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/environment.h"
#include "base/file.h"
#include "base/instance.h"
#include "base/log.h"
#include "base/minmax.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "telemetry/events.h"
#include "worker/notify.h"
#include "worker/options.h"
#include "worker/prepare.h"
#include "worker/prepare_bounded.h"

/* ---- start ---- */

/* From here on, signals wait for worker_poll(); threads that a library starts inherit this. */
static bool open_signals(struct worker *w, struct fault *fault)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGHUP);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR ||
		sigprocmask(SIG_BLOCK, &wanted, NULL) != 0)
		return fault_set(fault, FAULT_STORAGE, "signals", "signals: %s", strerror(errno));
	w->signals = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
	if (w->signals < 0)
		return fault_set(fault, FAULT_STORAGE, "signals", "signalfd: %s", strerror(errno));
	return true;
}

/* 1: locked. 0: another process runs (woken with --once; otherwise a fault). -1: fault. */
static int acquire_lock(struct worker *w, struct fault *fault)
{
	const char *role = w->program->role;
	pid_t holder;

	if (instance_lock(&w->instance, w->settings->run, role, &holder, fault))
		return 1;
	if (fault->kind != FAULT_NONE)
		return -1;
	if (w->once) {
		wakeup_send(w->settings->run);
		log_event(LOG_LEVEL_NOTE, "running",
			"the %s is already running (process %d): woke it", role, (int)holder);
		return 0;
	}
	fault_set(fault, FAULT_STORAGE, "already_running", "the %s is already running (process %d)",
		role, (int)holder);
	fault_remedy(fault, "Stop it first, or use --once to wake it.");
	return -1;
}

static void fill_heartbeat(struct worker *w)
{
	str_copy(w->heartbeat.program, sizeof(w->heartbeat.program), w->program->role);
	str_copy(w->heartbeat.version, sizeof(w->heartbeat.version), CLOUDINVITE_VERSION);
	local_hostname(w->heartbeat.host, sizeof(w->heartbeat.host));
	w->heartbeat.pid = getpid();
	w->heartbeat.started = clock_wall();
}

struct preparing {
	const struct worker_program *program;
	const struct settings *settings;
};

static bool prepare_all(const void *ctx, struct fault *fault)
{
	const struct preparing *p = ctx;
	const struct worker_program *program = p->program;
	const struct settings *settings = p->settings;

	prepare_settings_files(settings);
	return prepare_directories(settings, fault) &&
	       (!program->prepare || program->prepare(settings, fault));
}

/* 1: run. 0: there is nothing more to do. -1: fault. */
static int start(struct worker *w, bool prepare, struct fault *fault)
{
	const struct worker_program *program = w->program;
	int locked;

	w->settings = prepare ? settings_load(w->settings_path, fault)
			      : settings_load_checked(w->settings_path, program->dispatches, fault);
	if (!w->settings)
		return -1;
	log_show_addresses(w->settings->log_addresses == LOG_ADDRESSES_FULL);
	if (prepare)
		return prepare_bounded(prepare_all, &(struct preparing){program, w->settings},
			       PREPARE_MOST_MS, fault)
			       ? 0
			       : -1;
	if ((program->before_change_of_user &&
		    !program->before_change_of_user(w->settings, &w->kept, fault)) ||
		!settings_run_as(w->settings, program->account, fault))
		return -1;
	locked = acquire_lock(w, fault);
	if (locked != 1)
		return locked;
	w->wake = wakeup_watch(w->settings->run, fault);
	return w->wake >= 0 ? 1 : -1;
}

bool worker_start(struct worker *w, const struct worker_program *program, int argc, char **argv,
	int *exit_code)
{
	struct fault fault = {.kind = FAULT_NONE};
	enum worker_action action;
	int started;

	*w = (struct worker){.program = program,
		.instance = INSTANCE_NONE,
		.signals = -1,
		.wake = -1,
		.kept = -1};
	disable_tracing();
	log_start(program->role, LOG_LEVEL_INFO);
	log_message_ids(event_ids);
	action = worker_options(program, argc, argv, &w->settings_path);
	*exit_code = action == WORKER_MISUSED ? fault_exit_code(FAULT_USAGE) : 0;
	if (action == WORKER_ANSWERED || action == WORKER_MISUSED)
		return false;
	w->once = action == WORKER_ONCE;
	w->watchdog_ms = notify_watchdog_ms() / 2;
	/* Whatever the account: a worker never needs a home directory. */
	if (geteuid() != 0)
		environment_close();
	started = open_signals(w, &fault) ? start(w, action == WORKER_PREPARE, &fault) : -1;
	if (started == 1) {
		fill_heartbeat(w);
		return true;
	}
	*exit_code = started < 0 ? worker_fail(w, &fault) : 0;
	worker_end(w);
	return false;
}

void worker_ready(struct worker *w)
{
	notify_ready(w->heartbeat.status_text[0] != '\0' ? w->heartbeat.status_text : "started");
	worker_ping_watchdog(w);
}

void worker_stopping(struct worker *w)
{
	notify_send("STOPPING=1");
	worker_ping_watchdog(w);
}

void worker_end(struct worker *w)
{
	file_close(&w->wake);
	file_close(&w->signals);
	instance_unlock(&w->instance);
	file_close(&w->kept);
	settings_free(w->settings);
	w->settings = NULL;
}

int worker_fail(struct worker *w, const struct fault *fault)
{
	log_fault(LOG_LEVEL_ERROR, "start", fault);
	worker_end(w);
	return fault_exit_code(fault->kind);
}

/* ---- for the loop ---- */

void worker_fds(const struct worker *w, int fds[WORKER_FDS])
{
	fds[0] = w->signals;
	fds[1] = w->wake;
}

int worker_timeout_ms(const struct worker *w)
{
	int64_t next =
		min_i64(w->heartbeat_ms + WORKER_HEARTBEAT_MS, w->scanned_ms + WORKER_SCAN_MS);

	if (w->watchdog_ms > 0)
		next = min_i64(next, w->pinged_ms + w->watchdog_ms);
	return (int)max_i64(next - clock_boot_ms(), 0);
}

void worker_poll(struct worker *w)
{
	struct signalfd_siginfo got;

	while (read(w->signals, &got, sizeof(got)) == (ssize_t)sizeof(got)) {
		if (got.ssi_signo == SIGHUP)
			w->reload = true;
		else
			w->stop = true;
	}
	if (wakeup_drain(w->wake))
		w->woken = true;
	worker_ping_watchdog(w);
}

void worker_ping_watchdog(struct worker *w)
{
	int64_t now = clock_boot_ms();

	if (w->watchdog_ms == 0 || (w->pinged_ms != 0 && now - w->pinged_ms < w->watchdog_ms))
		return;
	w->pinged_ms = now;
	notify_send("WATCHDOG=1");
}

bool worker_scan_due(struct worker *w)
{
	int64_t now = clock_boot_ms();

	if (w->scanned_ms != 0 && now - w->scanned_ms < WORKER_SCAN_MS)
		return false;
	w->scanned_ms = now;
	return true;
}

/* ---- reload ---- */

static void reload_failed(struct worker *w, const struct fault *fault)
{
	log_fault(LOG_LEVEL_ERROR, "config_reload_failed", fault);
	str_format(w->reload_fault, sizeof(w->reload_fault),
		"the settings on disk have errors (%.100s)", fault->what);
}

/* The lock, the descriptors and the account depend on these. */
static bool can_reload(const struct settings *a, const struct settings *b, struct fault *fault)
{
	const char *changed = a->role != b->role				  ? "role"
			      : strcmp(a->collector_user, b->collector_user) != 0 ? "collector_user"
			      : strcmp(a->dispatcher_user, b->dispatcher_user) != 0
				      ? "dispatcher_user"
			      : strcmp(a->ledger_user, b->ledger_user) != 0 ? "ledger_user"
			      : strcmp(a->run, b->run) != 0		    ? "run"
			      : strcmp(a->ledger, b->ledger) != 0	    ? "ledger"
									    : NULL;

	if (!changed)
		return true;
	fault_set(fault, FAULT_SETTINGS, "needs_restart", "%s: %s has changed", settings_path(b),
		changed);
	return fault_remedy(fault, "Restart the service: a reload cannot apply this change.");
}

struct settings *worker_reload(struct worker *w)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *settings;

	notify_reloading();
	w->reload = false;
	settings = settings_load_checked(w->settings_path, w->program->dispatches, &fault);
	if (settings && can_reload(w->settings, settings, &fault))
		return settings;
	reload_failed(w, &fault);
	settings_free(settings);
	return NULL;
}

void worker_apply_settings(struct worker *w, struct settings *settings)
{
	settings_free(w->settings);
	w->settings = settings;
	w->reload_fault[0] = '\0';
	log_show_addresses(settings->log_addresses == LOG_ADDRESSES_FULL);
	log_event(LOG_LEVEL_NOTE, "config_reloaded", "%s", settings_path(settings));
}

void worker_reject_settings(struct worker *w, struct settings *settings, const struct fault *fault)
{
	reload_failed(w, fault);
	settings_free(settings);
}

/* ---- the heartbeat ---- */

bool worker_heartbeat_due(const struct worker *w)
{
	return w->heartbeat_ms == 0 || clock_boot_ms() - w->heartbeat_ms >= WORKER_HEARTBEAT_MS;
}

bool worker_heartbeat(
	struct worker *w, struct ledger *ledger, const char *note, struct fault *fault)
{
	char full[sizeof(w->heartbeat.status_text)];
	int64_t now = clock_boot_ms();

	if (w->reload_fault[0] != '\0')
		str_format(full, sizeof(full), "%.50s; %s", note, w->reload_fault);
	else
		str_copy(full, sizeof(full), note);
	if (w->heartbeat_ms != 0 && now - w->heartbeat_ms < WORKER_HEARTBEAT_MS &&
		strcmp(full, w->heartbeat.status_text) == 0)
		return true;
	/* A ledger that fails is not tried again before the next heartbeat. */
	w->heartbeat_ms = now;
	str_copy(w->heartbeat.status_text, sizeof(w->heartbeat.status_text), full);
	w->heartbeat.last_heartbeat = clock_wall();
	counter_set(GAUGE_RELOADED, w->program->dispatches, 0, w->reload_fault[0] == '\0');
	if (!ledger)
		return true;
	ledger_release_memory(
		ledger); /* the work of the last minute may have been the last for days */
	return ledger_heartbeat(ledger, &w->heartbeat, fault) &&
	       ledger_store_counters(ledger, fault);
}
