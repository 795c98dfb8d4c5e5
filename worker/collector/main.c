/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudinvite-collector: one event loop. It wakes when the keeper announces an arrival, when passwd
 * or group changes, when `wake` is touched, when something settles, and every few minutes as a
 * safety net.
 */
#include <malloc.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/instance.h"
#include "base/log.h"
#include "base/minmax.h"
#include "base/str.h"
#include "spool/keeper.h"
#include "telemetry/counters.h"
#include "worker/collector/collector.h"
#include "worker/worker.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_LAST_MS	 60000
#define NETWORK_MARK	 ((int64_t)30 * 24 * 60 * 60)

/* The loop's own state. */
struct loop {
	struct worker worker;
	struct collector collector;
	struct fs_watch watch;
	bool arrived, changed; /* arrivals; accounts or groups: still to be processed */
	bool own_keeper;       /* our own child, which cannot be started again */
	bool scan;	       /* the timed scan is due */
	int failures;	       /* passes in a row that failed, the last one with: */
	char last_error[sizeof(((struct fault *)0)->what)];
	int64_t retry_ms; /* clock_boot_ms */
};

/* While the program is still root: if no keeper serves the run directory's socket, it starts its
 * own. A collector that is not root can do so for a spool of its own. */
static bool start_keeper(const struct settings *settings, int *fd, struct fault *fault)
{
	struct stat st;

	*fd = -1;
	if (spool_client_has_socket(settings->run) ||
		(geteuid() != 0 && (lstat(settings->spool, &st) != 0 || st.st_uid != geteuid())))
		return true;
	*fd = spool_keeper_fork(settings->spool, fault);
	return *fd >= 0;
}

static const struct worker_program program = {
	.name = "cloudinvite-collector",
	.role = "collector",
	.summary = "Records logins and new accounts of this host in the ledger.",
	.dispatches = false,
	.account = ACCOUNT_COLLECTOR,
	.before_change_of_user = start_keeper,
};

/* ---- opening ---- */

static void close_ledger(struct collector *c)
{
	ledger_close(c->ledger);
	c->ledger = NULL;
}

static void close_all(struct loop *l)
{
	fs_watch_close(&l->watch);
	spool_client_close(&l->collector.spool);
	close_ledger(&l->collector);
	facts_refresh_forget(&l->collector);
	readmissions_free(&l->collector.readmissions);
}

static bool open_watch(struct loop *l, const struct settings *settings, struct fault *fault)
{
	struct collector *c = &l->collector;

	*c = (struct collector){.settings = settings, .spool.fd = -1};
	str_copy(c->host, sizeof(c->host), l->worker.heartbeat.host);
	l->watch = (struct fs_watch){.fd = -1};
	l->arrived = l->changed = true;
	return fs_watch_open(&l->watch, settings, fault);
}

/* Asks for everything that has come while there was no connection. */
static bool open_spool(struct loop *l, struct fault *fault)
{
	struct collector *c = &l->collector;

	c->marks_bound = false;
	l->arrived = true;
	if (!l->own_keeper)
		return spool_client_connect(&c->spool, c->settings->run, fault);
	spool_client_attach(&c->spool, l->worker.kept);
	l->worker.kept = -1;
	return true;
}

/* Another ledger has other revisions and has seen other people. */
static bool open_ledger(struct loop *l, struct fault *fault)
{
	struct collector *c = &l->collector;

	c->ledger = ledger_open(c->settings, LEDGER_CREATE, fault);
	if (c->ledger && !ledger_check_unclosed(c->ledger, fault)) {
		ledger_close(c->ledger);
		c->ledger = NULL;
	}
	c->change = 0;
	c->marks_bound = false;
	return c->ledger;
}

/* Opens whatever is not open. */
static bool open_what_is_missing(struct loop *l, struct fault *fault)
{
	struct collector *c = &l->collector;

	return (c->spool.fd >= 0 || open_spool(l, fault)) && (c->ledger || open_ledger(l, fault)) &&
	       (c->marks_bound || marks_bind(c, fault));
}

/* ---- working ---- */

static bool is_due(int64_t at)
{
	return at != 0 && clock_wall() >= at;
}

static bool check_accounts(
	struct loop *l, const struct account_snapshot *snapshot, struct fault *fault)
{
	struct collector *c = &l->collector;

	if (!accounts_compare(c, snapshot, fault))
		return false;
	return !(l->changed || is_due(c->facts_due) || c->readmissions.tripped) ||
	       facts_refresh(c, snapshot, fault);
}

/* Arrivals come first: a created account that its hook reported settles by its own time. */
static bool pass_with(
	struct loop *l, const struct account_snapshot *snapshot, bool accounts, struct fault *fault)
{
	struct collector *c = &l->collector;

	return arrivals_process(c, snapshot, fault) &&
	       (!accounts || check_accounts(l, snapshot, fault)) && marks_update(c, fault) &&
	       (!l->scan || !snapshot->accounts.whole ||
		       marks_drop_network(c, snapshot, NETWORK_MARK, fault));
}

static bool pass(struct loop *l, bool accounts, struct fault *fault)
{
	struct collector *c = &l->collector;
	struct account_snapshot snapshot;
	bool good;

	if (!snapshot_take(&snapshot, c->settings, fault))
		return false;
	good = pass_with(l, &snapshot, accounts, fault);
	snapshot_free(&snapshot);
	if (c->ledger_dirty)
		wakeup_send(c->settings->run);
	c->ledger_dirty = false;
	return good;
}

/* One round of work, if there is any. */
static bool work(struct loop *l, struct fault *fault)
{
	struct collector *c = &l->collector;
	bool accounts = l->changed || l->scan || is_due(c->accounts_due) || is_due(c->facts_due) ||
			(l->worker.woken && (c->guard_tripped || c->readmissions.tripped));
	bool good = true;

	l->changed = l->changed || l->scan;
	if (c->ledger && (l->scan || l->worker.woken) &&
		(ledger_moved(c->ledger) || ledger_has_new_id(c->ledger))) {
		log_event(LOG_LEVEL_WARN, "ledger", "%s: was replaced: reopened",
			c->settings->ledger);
		close_ledger(c);
	}
	if (!open_what_is_missing(l, fault))
		return false;
	if (accounts || l->arrived || c->pending || is_due(c->arrivals_due))
		good = pass(l, accounts, fault);
	else if (l->worker.woken)
		good = marks_update(c, fault);
	else
		return true;
	if (!good && strcmp(fault->code, "ledger_schema") == 0)
		return close_ledger(c), false; /* the next round opens and checks it again */
	/* A passwd file of a million lines takes a lot of memory. */
	ledger_release_memory(c->ledger);
	malloc_trim(0);
	return good;
}

/* Logs a fault once, and once that it is over. */
static void record_outcome(struct loop *l, bool good, const struct fault *fault)
{
	if (good) {
		if (l->failures > 0)
			log_event(LOG_LEVEL_NOTE, "recovered", "the collector is working again");
		l->failures = 0;
		return;
	}
	if (l->failures == 0 || strcmp(l->last_error, fault->what) != 0)
		log_fault(LOG_LEVEL_ERROR, "waiting", fault);
	str_copy(l->last_error, sizeof(l->last_error), fault->what);
	l->retry_ms = clock_boot_ms() + backoff(BACKOFF_FIRST_MS, BACKOFF_LAST_MS, l->failures++);
}

/* After a failure, everything is tried again after a while, with the ledger opened again, because
 * that gives the best error. */
static bool work_in_turn(struct loop *l, struct fault *fault)
{
	bool good;

	l->scan = worker_scan_due(&l->worker) || l->scan;
	if (l->failures > 0 && clock_boot_ms() < l->retry_ms)
		return true;
	if (l->failures > 0) {
		close_ledger(&l->collector);
		l->arrived = l->changed = true;
	}
	good = work(l, fault);
	record_outcome(l, good, fault);
	if (good) {
		l->arrived = l->changed = l->scan = false;
		l->worker.woken = false;
	}
	return good;
}

/* ---- the loop ---- */

static int64_t earlier_ms(int64_t wait, int64_t at)
{
	int64_t ms = (at - clock_wall()) * 1000;

	return at != 0 ? min_i64(wait, ms) : wait;
}

static int timeout_ms(const struct loop *l)
{
	int64_t wait = worker_timeout_ms(&l->worker);
	int64_t retry = l->retry_ms - clock_boot_ms();

	if (l->failures > 0) {
		wait = min_i64(wait, retry);
	} else {
		wait = earlier_ms(wait, l->collector.arrivals_due);
		wait = earlier_ms(wait, l->collector.accounts_due);
		wait = earlier_ms(wait, l->collector.facts_due);
		/* What the keeper announced while we waited for another answer has been read
		 * already. */
		wait = l->collector.pending || l->collector.spool.arrived ? 0 : wait;
	}
	return wait > 0 ? (int)wait : 0;
}

/* A keeper that has ended is found again in the next round of work. */
static void read_keeper(struct loop *l)
{
	struct spool_client *spool = &l->collector.spool;

	if (spool->fd >= 0 && !spool_client_look(spool, NULL))
		l->arrived = true;
	l->arrived = l->arrived || spool->arrived;
	spool->arrived = false;
}

static void wait_for_something(struct loop *l)
{
	struct pollfd fds[WORKER_FDS + 2];
	int worker_descriptors[WORKER_FDS];

	worker_fds(&l->worker, worker_descriptors);
	for (int i = 0; i < WORKER_FDS; i++)
		fds[i] = (struct pollfd){.fd = worker_descriptors[i], .events = POLLIN};
	fds[WORKER_FDS] = (struct pollfd){.fd = l->watch.fd, .events = POLLIN};
	/* A descriptor of -1 is ignored. */
	fds[WORKER_FDS + 1] = (struct pollfd){.fd = l->collector.spool.fd, .events = POLLIN};
	(void)poll(fds, WORKER_FDS + 2, timeout_ms(l));
	l->changed = fs_watch_read(&l->watch) || l->changed;
	read_keeper(l);
	worker_poll(&l->worker);
}

static bool same_spool(const struct settings *a, const struct settings *b, struct fault *fault)
{
	if (strcmp(a->spool, b->spool) == 0)
		return true;
	fault_set(
		fault, FAULT_SETTINGS, "needs_restart", "%s: spool has changed", settings_path(b));
	return fault_remedy(fault,
		"Restart cloudinvite-keeper and the collector: a reload cannot apply this change.");
}

/* The new settings are used only if everything that they name could be opened. The spool stays:
 * only a restart can change it. */
static void reload(struct loop *l)
{
	struct settings *settings = worker_reload(&l->worker);
	struct collector old = l->collector;
	struct fs_watch old_watch = l->watch;
	struct fault fault = {.kind = FAULT_NONE};

	l->worker.reload = false;
	if (settings && same_spool(l->worker.settings, settings, &fault) &&
		open_watch(l, settings, &fault) && open_ledger(l, &fault)) {
		l->collector.spool = old.spool;
		fs_watch_close(&old_watch);
		close_ledger(&old);
		facts_refresh_forget(&old);
		readmissions_free(&old.readmissions);
		worker_apply_settings(&l->worker, settings);
	} else if (settings) {
		if (l->watch.fd != old_watch.fd)
			fs_watch_close(&l->watch);
		if (l->collector.ledger != old.ledger)
			close_ledger(&l->collector);
		l->collector = old;
		l->watch = old_watch;
		worker_reject_settings(&l->worker, settings, &fault);
	}
	worker_ready(&l->worker);
}

/* Measures the spool as it is now. */
static void measure_spool(struct collector *c)
{
	int64_t new, oldest, bad, ignored;

	if (c->spool.fd < 0 || !spool_client_stat(&c->spool, SPOOL_NEW, &new, &oldest, NULL) ||
		!spool_client_stat(&c->spool, SPOOL_BAD, &bad, &ignored, NULL))
		return;
	counter_set(GAUGE_SPOOL, 0, 0, new);
	counter_set(GAUGE_SPOOL, 1, 0, bad);
	counter_set(GAUGE_SPOOL_OLDEST, 0, 0, oldest);
}

static void send_heartbeat(struct loop *l)
{
	struct fault fault = {.kind = FAULT_NONE};
	char note[sizeof(l->worker.heartbeat.status_text)] = "idle";

	if (worker_heartbeat_due(&l->worker))
		measure_spool(&l->collector);
	if (l->failures > 0)
		str_format(note, sizeof(note), "waiting: %s", l->last_error);
	else if (l->collector.guard_tripped || l->collector.readmissions.tripped)
		str_copy(note, sizeof(note), "paused: account_changes");
	else if (l->collector.pending)
		str_copy(note, sizeof(note), "working");
	/* If the ledger fails, the work itself logs it. */
	(void)worker_heartbeat(&l->worker, l->collector.ledger, note, &fault);
}

/* Only root can start a keeper, and the program is not root any more. */
static bool keeper_has_ended(const struct loop *l)
{
	return l->own_keeper && l->worker.kept < 0 && l->collector.spool.fd < 0;
}

static int error_keeper_ended(void)
{
	struct fault fault;

	fault_set(&fault, FAULT_STORAGE, "keeper", "the keeper of the spool has ended");
	fault_remedy(
		&fault, "Start the collector again. The keeper's last log line shows the cause.");
	log_fault(LOG_LEVEL_ERROR, "keeper", &fault);
	return fault_exit_code(fault.kind);
}

static int run(struct loop *l)
{
	struct fault fault = {.kind = FAULT_NONE};

	while (!l->worker.stop && !keeper_has_ended(l)) {
		fault_clear(&fault);
		(void)work_in_turn(l, &fault);
		send_heartbeat(l);
		wait_for_something(l);
		if (l->worker.reload)
			reload(l);
	}
	return keeper_has_ended(l) ? error_keeper_ended() : 0;
}

static int run_once(struct loop *l)
{
	struct fault fault = {.kind = FAULT_NONE};
	bool good;

	do {
		good = work_in_turn(l, &fault);
		worker_poll(&l->worker);
	} while (good && l->collector.pending && !l->worker.stop);
	send_heartbeat(l);
	return good ? 0 : fault_exit_code(fault.kind);
}

int main(int argc, char **argv)
{
	struct loop l = {.watch.fd = -1, .collector.spool.fd = -1};
	struct fault fault = {.kind = FAULT_NONE};
	int exit_code;

	if (!worker_start(&l.worker, &program, argc, argv, &exit_code))
		return exit_code;
	l.own_keeper = l.worker.kept >= 0;
	if (!open_watch(&l, l.worker.settings, &fault))
		return worker_fail(&l.worker, &fault);
	log_event(LOG_LEVEL_NOTE, "started", "collector %s on %s", CLOUDINVITE_VERSION,
		l.collector.host);
	worker_ready(&l.worker);
	exit_code = l.worker.once ? run_once(&l) : run(&l);
	worker_stopping(&l.worker);
	close_all(&l);
	worker_end(&l.worker);
	return exit_code;
}
