/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudinvite-collector: one event loop. It wakes for an arrival, for a changed passwd or group,
 * for a touch of `wake`, for what settles, and every few minutes as the net under all of these.
 */
#include <malloc.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/meter.h"
#include "base/running.h"
#include "base/text.h"
#include "spool/walk.h"
#include "worker/collector/collector.h"
#include "worker/worker.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MOST_MS	 60000
#define NETWORK_MARK	 ((int64_t)30 * 24 * 60 * 60)

/* The loop's own state. */
struct loop {
	struct worker worker;
	struct collector collector;
	struct watch watch;
	struct watched watched; /* and not yet worked on */
	bool scan;		/* the timed scan is due */
	bool failing;		/* the last pass failed, with: */
	char trouble[sizeof(((struct fault *)0)->what)];
	int64_t backoff_ms;
	int64_t retry_ms; /* clock_boot_ms */
};

static const struct worker_program program = {
	.name = "cloudinvite-collector",
	.role = "collector",
	.does = "notices who logs in or gets an account on this host, and writes it to the ledger",
	.dispatches = false,
	.not_for = ROLE_DISPATCHER,
};

/* ---- opening ---- */

static void close_ledger(struct collector *c)
{
	ledger_close(c->ledger);
	c->ledger = NULL;
}

static void close_all(struct loop *l)
{
	watch_close(&l->watch);
	spool_reader_close(&l->collector.spool);
	close_ledger(&l->collector);
}

/* Spool and watches. */
static bool open_spool(struct loop *l, const struct settings *settings, struct fault *fault)
{
	struct collector *c = &l->collector;

	*c = (struct collector){.settings = settings, .spool = {-1, -1, -1}};
	text_copy(c->host, sizeof(c->host), l->worker.self.host);
	l->watch = (struct watch){.fd = -1};
	if (!spool_reader_open(&c->spool, settings->spool, fault) ||
		!watch_open(&l->watch, settings, fault)) {
		close_all(l);
		return false;
	}
	l->watched.arrived = l->watched.changed = true;
	return true;
}

/* Another ledger has other changes, and other people have been seen. */
static bool open_ledger(struct collector *c, struct fault *fault)
{
	int dropped = 0;

	c->ledger = ledger_open(c->settings, LEDGER_CREATE, fault);
	if (!c->ledger)
		return false;
	c->change = 0;
	if (!spool_marks_belong(&c->spool, ledger_id(c->ledger), &dropped, fault)) {
		close_ledger(c);
		return false;
	}
	if (dropped > 0)
		log_event(LOG_LEVEL_NOTE, "marks",
			"%d marks were another ledger's: those people are new again", dropped);
	return true;
}

/* ---- working ---- */

static bool is_due(int64_t at)
{
	return at != 0 && clock_wall() >= at;
}

static bool look_at_accounts(struct loop *l, const struct census *census, struct fault *fault)
{
	struct collector *c = &l->collector;

	if (!accounts_compare(c, census, fault))
		return false;
	return !l->watched.changed || known_refresh(c, census, fault);
}

/* Arrivals first: a created account that its hook reported settles by its own time. */
static bool pass_with(
	struct loop *l, const struct census *census, bool accounts, struct fault *fault)
{
	struct collector *c = &l->collector;

	return arrivals_take(c, census, fault) &&
	       (!accounts || look_at_accounts(l, census, fault)) && marks_update(c, fault) &&
	       (!l->scan || !census->accounts.whole ||
		       marks_drop_network(c, census, NETWORK_MARK, fault));
}

static bool pass(struct loop *l, bool accounts, struct fault *fault)
{
	struct collector *c = &l->collector;
	struct census census;
	bool good;

	if (!census_take(&census, c->settings, fault))
		return false;
	good = pass_with(l, &census, accounts, fault);
	census_free(&census);
	if (c->news)
		running_wake(c->settings->run);
	c->news = false;
	return good;
}

/* A round of work, if there is any. */
static bool work(struct loop *l, struct fault *fault)
{
	struct collector *c = &l->collector;
	bool accounts = l->watched.changed || l->scan || is_due(c->accounts_due) ||
			(l->worker.woken && c->braked);
	bool good = true;

	l->watched.changed = l->watched.changed || l->scan;
	if (c->ledger && (l->scan || l->worker.woken) &&
		(ledger_moved(c->ledger) || ledger_has_new_id(c->ledger))) {
		log_event(LOG_LEVEL_WARN, "ledger", "%s: is another one now: opened anew",
			c->settings->ledger);
		close_ledger(c);
	}
	if (!c->ledger && !open_ledger(c, fault))
		return false;
	if (accounts || l->watched.arrived || c->more || is_due(c->arrivals_due))
		good = pass(l, accounts, fault);
	else if (l->worker.woken)
		good = marks_update(c, fault);
	else
		return true;
	/* What a passwd file of a million lines has taken goes back. */
	ledger_rest(c->ledger);
	malloc_trim(0);
	return good;
}

/* Says a fault once, and once that it is over. */
static void note_outcome(struct loop *l, bool good, const struct fault *fault)
{
	if (good) {
		if (l->failing)
			log_event(LOG_LEVEL_NOTE, "recovered", "the collector works again");
		l->failing = false;
		l->backoff_ms = 0;
		return;
	}
	if (!l->failing || strcmp(l->trouble, fault->what) != 0)
		log_fault(LOG_LEVEL_ERROR, "waiting", fault);
	text_copy(l->trouble, sizeof(l->trouble), fault->what);
	l->failing = true;
	l->backoff_ms = l->backoff_ms ? 2 * l->backoff_ms : BACKOFF_FIRST_MS;
	if (l->backoff_ms > BACKOFF_MOST_MS)
		l->backoff_ms = BACKOFF_MOST_MS;
	l->retry_ms = clock_boot_ms() + l->backoff_ms;
}

/* What has failed is tried again as a whole, after a while, and with the ledger opened anew: that
 * says best what is wrong with it. */
static bool work_in_turn(struct loop *l, struct fault *fault)
{
	bool good;

	l->scan = worker_scan_due(&l->worker) || l->scan;
	if (l->failing && clock_boot_ms() < l->retry_ms)
		return true;
	if (l->failing) {
		close_ledger(&l->collector);
		l->watched.arrived = l->watched.changed = true;
	}
	good = work(l, fault);
	note_outcome(l, good, fault);
	if (good) {
		l->watched.arrived = l->watched.changed = l->scan = false;
		l->worker.woken = false;
	}
	return good;
}

/* ---- the loop ---- */

static int64_t sooner_ms(int64_t wait, int64_t at)
{
	int64_t ms = (at - clock_wall()) * 1000;

	return at != 0 && ms < wait ? ms : wait;
}

static int timeout_ms(const struct loop *l)
{
	int64_t wait = worker_timeout_ms(&l->worker);
	int64_t retry = l->retry_ms - clock_boot_ms();

	if (l->failing) {
		wait = retry < wait ? retry : wait;
	} else {
		wait = sooner_ms(wait, l->collector.arrivals_due);
		wait = sooner_ms(wait, l->collector.accounts_due);
		wait = l->collector.more ? 0 : wait;
	}
	return wait > 0 ? (int)wait : 0;
}

static void wait_for_something(struct loop *l)
{
	struct pollfd fds[WORKER_FDS + 1];
	int worker_descriptors[WORKER_FDS];

	worker_fds(&l->worker, worker_descriptors);
	for (int i = 0; i < WORKER_FDS; i++)
		fds[i] = (struct pollfd){.fd = worker_descriptors[i], .events = POLLIN};
	fds[WORKER_FDS] = (struct pollfd){.fd = l->watch.fd, .events = POLLIN};
	(void)poll(fds, WORKER_FDS + 1, timeout_ms(l));
	watch_read(&l->watch, &l->watched);
	worker_look(&l->worker);
}

/* The new settings count only if everything that they name could be opened. */
static void reload(struct loop *l)
{
	struct settings *settings = worker_reload(&l->worker);
	struct loop old = *l;
	struct fault fault = {.kind = FAULT_NONE};

	l->worker.reload = false;
	if (settings && open_spool(l, settings, &fault) && open_ledger(&l->collector, &fault)) {
		close_all(&old);
		worker_adopt(&l->worker, settings);
	} else if (settings) {
		close_all(l);
		l->collector = old.collector;
		l->watch = old.watch;
		worker_refuse(&l->worker, settings, &fault);
	}
	worker_ready(&l->worker);
}

/* What lies in the spool, as of now. */
static void measure_spool(const struct collector *c)
{
	struct spool_content new, bad;

	if (!spool_measure(c->spool.new_box, &new) || !spool_measure(c->spool.bad_box, &bad))
		return;
	meter_set(METER_SPOOL, 0, 0, new.count);
	meter_set(METER_SPOOL, 1, 0, bad.count);
	meter_set(METER_SPOOL_OLDEST, 0, 0, new.oldest);
}

static void beat(struct loop *l)
{
	struct fault fault = {.kind = FAULT_NONE};
	char note[sizeof(l->worker.self.note)] = "idle";

	if (worker_beat_due(&l->worker))
		measure_spool(&l->collector);
	if (l->failing)
		text_format(note, sizeof(note), "waiting: %s", l->trouble);
	else if (l->collector.braked)
		text_copy(note, sizeof(note), "braked");
	else if (l->collector.more)
		text_copy(note, sizeof(note), "working");
	/* A ledger that fails is said by the work itself. */
	(void)worker_beat(&l->worker, l->collector.ledger, note, &fault);
}

/* Whoever took the spool's directory away is not followed: a start makes it anew. */
static int spool_lost(const struct loop *l)
{
	struct fault fault;

	fault_set(&fault, FAULT_STORAGE, "spool_lost", "%s/" SPOOL_NEW " was taken away",
		l->collector.settings->spool);
	fault_remedy(&fault, "Start the collector again: its unit makes it anew.");
	log_fault(LOG_LEVEL_ERROR, "spool_lost", &fault);
	return fault_exit_code(fault.kind);
}

static int run(struct loop *l)
{
	struct fault fault = {.kind = FAULT_NONE};

	while (!l->worker.stop && !l->watched.lost) {
		fault_clear(&fault);
		(void)work_in_turn(l, &fault);
		beat(l);
		wait_for_something(l);
		if (l->worker.reload)
			reload(l);
	}
	return l->watched.lost ? spool_lost(l) : 0;
}

static int run_once(struct loop *l)
{
	struct fault fault = {.kind = FAULT_NONE};
	bool good;

	do {
		good = work_in_turn(l, &fault);
		worker_look(&l->worker);
	} while (good && l->collector.more && !l->worker.stop);
	beat(l);
	return good ? 0 : fault_exit_code(fault.kind);
}

int main(int argc, char **argv)
{
	struct loop l = {.watch.fd = -1};
	struct fault fault = {.kind = FAULT_NONE};
	int exit_code;

	if (!worker_start(&l.worker, &program, argc, argv, &exit_code))
		return exit_code;
	if (!open_spool(&l, l.worker.settings, &fault))
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
