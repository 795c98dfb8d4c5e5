/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shell that collector and dispatcher share: arguments, settings, identity, lock, signals,
 * wake-ups, systemd, heartbeat. Each program is one event loop around it:
 *
 *	if (!worker_start(&w, &program, argc, argv, &exit_code))
 *		return exit_code;
 *	… open what the program needs …
 *	worker_ready(&w);
 *	do {
 *		… work; after each long step worker_ping_watchdog(&w) …
 *		… wait for worker_fds() and its own, at most worker_timeout_ms() …
 *		worker_poll(&w);
 *	} while (!w.stop && !w.once);
 *	worker_end(&w);
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
	const char *role;    /* "collector", "dispatcher": of the lock and of the heartbeat */
	const char *summary; /* one line for --help */
	bool dispatches;     /* errors in the settings that concern only Google stop it, too */
	enum local_account account; /* what it becomes when root starts it */
	enum settings_role
		excluded_role; /* the role of a host where this program has nothing to do */
	/* What --prepare does for this program beyond the directories; or NULL. */
	bool (*prepare)(const struct settings *settings, struct fault *fault);
	/* What has to be done before root becomes the program's account; or NULL. *fd is kept as
	 * `kept`. */
	bool (*before_change_of_user)(
		const struct settings *settings, int *fd, struct fault *fault);
};

#define WORKER_FDS	    2
#define WORKER_SCAN_MS	    INT64_C(300000) /* the net under missed wake-ups */
#define WORKER_HEARTBEAT_MS INT64_C(60000)

struct worker {
	const struct worker_program *program;
	const char *settings_path; /* -c FILE; NULL: the default */
	struct settings *settings;
	bool once;

	/* What worker_poll() has found; `reload` and `woken` are the program's to clear. */
	bool stop;   /* SIGTERM or SIGINT: for good */
	bool reload; /* SIGHUP */
	bool woken;  /* somebody touched `wake` */

	struct instance instance;
	int signals, wake;   /* descriptors, -1 when not open */
	int kept;	     /* of before_change_of_user; the program's to take */
	int64_t watchdog_ms; /* between two pings; 0: none wanted */
	int64_t pinged_ms, heartbeat_ms, scanned_ms; /* clock_boot_ms of the last one */
	char reload_fault[160];		/* why the last reload failed; "" if it did not */
	struct ledger_worker heartbeat; /* the heartbeat's row */
};

/* Everything up to the point where the program opens what is its own. Handles --help, --version,
 * --prepare, and `--once` beside a running one (wakes it); for these, and for errors, which have
 * been logged then, false with the exit code. On true: root has become the program's account, the
 * lock is held, SIGTERM, SIGINT and SIGHUP arrive by descriptor only, SIGPIPE and SIGXFSZ are
 * ignored: what cannot be written is a fault with a sentence. */
bool worker_start(struct worker *w, const struct worker_program *program, int argc, char **argv,
	int *exit_code);
/* Says READY=1: call it when the loop is about to begin, and again after a reload. */
void worker_ready(struct worker *w);
/* Says STOPPING=1; later worker_end. */
void worker_stopping(struct worker *w);
/* Releases all of it. */
void worker_end(struct worker *w);

/* Logs the fault, ends the worker, returns the exit code: for what fails between start and loop. */
int worker_fail(struct worker *w, const struct fault *fault);

/* The descriptors to wait for: signals and wake-ups. */
void worker_fds(const struct worker *w, int fds[WORKER_FDS]);
/* How long it may wait at most: until the next ping of the watchdog, heartbeat or timed scan. */
int worker_timeout_ms(const struct worker *w);
/* Reads the descriptors without blocking, sets stop, reload and woken, pings the watchdog. */
void worker_poll(struct worker *w);
/* Pings the watchdog if it is time: for long steps in which no signal is to be looked at. */
void worker_ping_watchdog(struct worker *w);
/* True once every WORKER_SCAN_MS (and the first time). */
bool worker_scan_due(struct worker *w);

/* SIGHUP: the new settings, to be handed to worker_apply_settings() when the program could open
 * everything anew with them, or NULL: they are faulty, or change what only a restart can change
 * (role, accounts, run directory, ledger); that has been logged and noted. Says RELOADING=1 to
 * systemd: worker_ready ends it either way. */
struct settings *worker_reload(struct worker *w);
/* The new settings count from now on; frees the old. */
void worker_apply_settings(struct worker *w, struct settings *settings);
/* They could not be used after all (logged and noted): freed, the old ones stay. */
void worker_reject_settings(struct worker *w, struct settings *settings, const struct fault *fault);

/* Whether a minute has passed since the last heartbeat: time to look at what is only measured. */
bool worker_heartbeat_due(const struct worker *w);
/* Writes the heartbeat, and what telemetry/counters.h has counted, if a minute has passed or the
 * note is another than last time. The note says what the program does, for `status` ("idle"); after
 * a failed reload that is added. Without a ledger (NULL: it cannot be opened) nobody is told. */
bool worker_heartbeat(
	struct worker *w, struct ledger *ledger, const char *note, struct fault *fault);

#endif
