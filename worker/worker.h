/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What collector and dispatcher share: arguments, settings, account, lock, signals, wake-ups,
 * systemd, heartbeat. Each program is one event loop around it:
 *
 *   if (!worker_start(&w, &program, argc, argv, &exit_code))
 *           return exit_code;
 *   … open what the program needs …
 *   worker_ready(&w);
 *   do {
 *           … work; after each long step worker_ping_watchdog(&w) …
 *           … wait for worker_fds() and its own, at most worker_timeout_ms() …
 *           worker_poll(&w);
 *   } while (!w.stop && !w.once);
 *   worker_end(&w);
 */
#ifndef CLOUDINVITE_WORKER_WORKER_H
#define CLOUDINVITE_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/instance.h"
#include "ledger/ledger.h"
#include "settings/settings.h"

struct worker_program {
	const char *name;    /* "cloudinvite-collector": for the log and --version */
	const char *role;    /* "collector", "dispatcher": in the lock and in the heartbeat */
	const char *summary; /* one line for --help */
	bool dispatches;     /* errors in the settings that concern only Google stop it too */
	enum local_account account; /* its account if root starts it */
	/* What --prepare does for this program in addition to the directories; or NULL. */
	bool (*prepare)(const struct settings *settings, struct fault *fault);
	/* What must be done before root becomes the program's account; or NULL. *fd is stored as
	 * `kept`. */
	bool (*before_change_of_user)(
		const struct settings *settings, int *fd, struct fault *fault);
};

#define WORKER_FDS	    2
#define WORKER_SCAN_MS	    INT64_C(300000) /* the safety net under missed wake-ups */
#define WORKER_HEARTBEAT_MS INT64_C(60000)

struct worker {
	const struct worker_program *program;
	const char *settings_path; /* -c FILE; NULL: the default */
	struct settings *settings;
	bool once;

	/* Set by worker_poll(); the program clears `reload` and `woken`. */
	bool stop;   /* SIGTERM or SIGINT; never cleared */
	bool reload; /* SIGHUP */
	bool woken;  /* another program touched its wake file */

	struct instance instance;
	int signals, wake;   /* descriptors, -1 if not open */
	int kept;	     /* from before_change_of_user; the program takes it */
	int64_t watchdog_ms; /* between two pings; 0: none needed */
	int64_t pinged_ms, heartbeat_ms, scanned_ms; /* clock_boot_ms of the last one */
	char reload_fault[160];		/* why the last reload failed; "" if it succeeded */
	struct ledger_worker heartbeat; /* the row of the heartbeat */
};

/* Does everything up to the point where the program opens its own resources. Handles --help,
 * --version, --prepare, and `--once` beside a running process (wakes it). For these, and for
 * errors, which are then logged: false with the exit code. If true: root has become the program's
 * account, the lock is held, SIGTERM, SIGINT and SIGHUP arrive only by descriptor, and SIGPIPE and
 * SIGXFSZ are ignored, so that a failed write is a fault with a sentence. */
bool worker_start(struct worker *w, const struct worker_program *program, int argc, char **argv,
	int *exit_code);
/* Sends READY=1: call it when the loop is about to begin, and again after a reload. */
void worker_ready(struct worker *w);
/* Sends STOPPING=1; call worker_end later. */
void worker_stopping(struct worker *w);
/* Releases everything. */
void worker_end(struct worker *w);

/* Logs the fault, ends the worker, and returns the exit code: for failures between start and
 * loop. */
int worker_fail(struct worker *w, const struct fault *fault);

/* The descriptors to wait for: signals and wake-ups. */
void worker_fds(const struct worker *w, int fds[WORKER_FDS]);
/* How long the program may wait: until the next ping of the watchdog, heartbeat or timed scan. */
int worker_timeout_ms(const struct worker *w);
/* Reads the descriptors without blocking, sets stop, reload and woken, pings the watchdog. */
void worker_poll(struct worker *w);
/* Pings the watchdog if it is time: for long steps in which signals are not checked. */
void worker_ping_watchdog(struct worker *w);
/* True once every WORKER_SCAN_MS (and the first time). */
bool worker_scan_due(struct worker *w);

/* On SIGHUP: the new settings, for worker_apply_settings() when the program could open everything
 * again with them. NULL if they have errors or change what only a restart can change (role,
 * accounts, run directory, ledger); that has been logged and recorded. Sends RELOADING=1 to
 * systemd; worker_ready ends it in both cases. */
struct settings *worker_reload(struct worker *w);
/* The new settings are valid from now on; frees the old ones. */
void worker_apply_settings(struct worker *w, struct settings *settings);
/* The new settings could not be used (logged and recorded): frees them, the old ones stay. */
void worker_reject_settings(struct worker *w, struct settings *settings, const struct fault *fault);

/* Whether a minute has passed since the last heartbeat, so that it is time to measure. */
bool worker_heartbeat_due(const struct worker *w);
/* Writes the heartbeat and the counts of telemetry/counters.h, if a minute has passed or the status
 * text has changed. The text says what the program does, for `status` ("idle"); after a failed
 * reload that is added. Without a ledger (NULL: it cannot be opened) nothing is written. */
bool worker_heartbeat(
	struct worker *w, struct ledger *ledger, const char *note, struct fault *fault);

#endif
