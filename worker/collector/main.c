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
#include "base/running.h"
#include "worker/collector/collector.h"
#include "worker/worker.h"

#define BACKOFF_FIRST_MS 1000
#define BACKOFF_MOST_MS	 60000

/* The loop's own state. */
struct loop {
	struct worker worker;
	struct collector collector;
	struct watch watch;
	bool arrived; /* there may be arrivals */
	bool changed; /* accounts or groups may have changed */
	bool failing; /* the last pass failed */
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

void collector_due(struct collector *c, int64_t at)
{
	if (c->next_due == 0 || at < c->next_due)
		c->next_due = at;
}

static void close_all(struct loop *l)
{
	watch_close(&l->watch);
	spool_reader_close(&l->collector.spool);
	ledger_close(l->collector.ledger);
	l->collector.ledger = NULL;
}

/* Everything that the settings name. */
static bool open_all(struct loop *l, const struct settings *settings, struct fault *fault)
{
	struct collector *c = &l->collector;
	int dropped = 0;

	*c = (struct collector){.settings = settings, .spool = {-1, -1, -1}};
	memcpy(c->host, l->worker.self.host, sizeof(c->host));
	l->watch.fd = -1;
	if (!spool_reader_open(&c->spool, settings->spool, fault) ||
		!watch_open(&l->watch, settings, fault))
		goto fail;
	c->ledger = ledger_open(settings, LEDGER_CREATE, fault);
	if (!c->ledger || !spool_marks_belong(&c->spool, ledger_id(c->ledger), &dropped, fault))
		goto fail;
	if (dropped > 0)
		log_event(LOG_LEVEL_NOTE, "marks",
			"%d marks were another ledger's: those people are new again", dropped);
	l->arrived = l->changed = true;
	return true;
fail:
	close_all(l);
	return false;
}

static bool pass(struct loop *l, bool scan, struct fault *fault)
{
	struct collector *c = &l->collector;
	struct census census;
	bool good;

	if (!census_take(&census, c->settings, fault))
		return false;
	c->next_due = 0;
	/* Arrivals first: a created account that its hook reported settles by its own time. */
	good = arrivals_take(c, &census, fault) && compare_accounts(c, &census, fault) &&
	       (!l->changed || compare_facts(c, &census, fault)) && marks_update(c, fault) &&
	       (!scan || marks_expire(c, &census, fault));
	census_free(&census);
	/* A passwd of a million lines was read: its memory goes back. */
	malloc_trim(0);
	if (c->news)
		running_wake(c->settings->run);
	c->news = false;
	return good;
}

/* Says a fault once, and that it is over once. */
static void note_outcome(struct loop *l, bool good, const struct fault *fault)
{
	if (good && l->failing)
		log_event(LOG_LEVEL_NOTE, "recovered", "the collector works again");
	if (!good && !l->failing)
		log_fault(LOG_LEVEL_ERROR, "waiting", fault);
	l->failing = !good;
	if (good) {
		l->backoff_ms = 0;
		return;
	}
	l->backoff_ms = l->backoff_ms ? 2 * l->backoff_ms : BACKOFF_FIRST_MS;
	if (l->backoff_ms > BACKOFF_MOST_MS)
		l->backoff_ms = BACKOFF_MOST_MS;
	l->retry_ms = clock_boot_ms() + l->backoff_ms;
}

/* One round of work, if there is any. */
static bool work(struct loop *l, struct fault *fault)
{
	struct collector *c = &l->collector;
	bool scan = worker_scan_due(&l->worker);
	bool due = c->next_due != 0 && clock_wall() >= c->next_due;
	bool good = true;

	if (l->failing && clock_boot_ms() < l->retry_ms)
		return true;
	if (scan || due || l->arrived || l->changed || l->failing) {
		l->changed = l->changed || scan;
		good = pass(l, scan, fault);
		if (good)
			l->arrived = l->changed = false;
	} else if (l->worker.woken) {
		good = marks_update(c, fault) && (!c->braked || pass(l, false, fault));
	}
	l->worker.woken = false;
	note_outcome(l, good, fault);
	return good;
}

static int timeout_ms(const struct loop *l)
{
	int64_t wait = worker_timeout_ms(&l->worker);
	int64_t settle = (l->collector.next_due - clock_wall()) * 1000;
	int64_t retry = l->retry_ms - clock_boot_ms();

	if (l->failing)
		wait = retry < wait ? retry : wait;
	else if (l->collector.next_due != 0 && settle < wait)
		wait = settle;
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
	watch_read(&l->watch, &l->arrived, &l->changed);
	worker_look(&l->worker);
}

/* The new settings count only if everything that they name could be opened. */
static void reload(struct loop *l)
{
	struct settings *settings = worker_reload(&l->worker);
	struct loop old = *l;
	struct fault fault = {.kind = FAULT_NONE};

	l->worker.reload = false;
	if (settings && open_all(l, settings, &fault)) {
		close_all(&old);
		worker_adopt(&l->worker, settings);
	} else if (settings) {
		l->collector = old.collector;
		l->watch = old.watch;
		worker_refuse(&l->worker, settings, &fault);
	}
	worker_ready(&l->worker);
}

static void beat(struct loop *l)
{
	struct fault fault = {.kind = FAULT_NONE};

	/* A ledger that fails is said by the work itself. */
	(void)worker_beat(&l->worker, l->collector.ledger,
		l->failing	      ? "waiting for the ledger"
		: l->collector.braked ? "braked"
				      : "idle",
		&fault);
}

int main(int argc, char **argv)
{
	struct loop l = {.watch.fd = -1};
	struct fault fault = {.kind = FAULT_NONE};
	int exit_code;
	bool good;

	if (!worker_start(&l.worker, &program, argc, argv, &exit_code))
		return exit_code;
	if (!open_all(&l, l.worker.settings, &fault))
		return worker_fail(&l.worker, &fault);
	log_event(LOG_LEVEL_NOTE, "started", "collector %s on %s", CLOUDINVITE_VERSION,
		l.collector.host);
	worker_ready(&l.worker);
	do {
		fault_clear(&fault);
		good = work(&l, &fault);
		if (!l.worker.once) {
			beat(&l);
			wait_for_something(&l);
		}
		if (l.worker.reload)
			reload(&l);
	} while (!l.worker.stop && !l.worker.once);
	worker_stopping(&l.worker);
	close_all(&l);
	worker_end(&l.worker);
	return l.worker.once && !good ? fault_exit_code(fault.kind) : 0;
}
