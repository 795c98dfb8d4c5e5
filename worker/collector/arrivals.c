/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrivals. The order ensures that no account is lost whenever a program is killed: commit to the
 * ledger, write the marker, unlink the arrival; the keeper does the last two. Repeating a step
 * after a crash changes nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "telemetry/counters.h"
#include "worker/collector/collector.h"
#include "worker/collector/host.h"

#define LIST_FIRST	  8192
#define LIST_MAX	  65536
#define GROUP		  1024	       /* arrivals in one commit, so that its fsync costs little */
#define NETWORK_RETRY_S	  INT64_C(300) /* seconds */
#define LOG_AGAIN_MS	  INT64_C(3600000)
#define NETWORK_GIVE_UP_S INT64_C(86400) /* seconds */

/* What to do with one arrival. */
enum disposition {
	DEFER,	 /* it stays in the spool */
	DISCARD, /* it is removed without a sighting */
	ACCEPT,	 /* it becomes a sighting */
};

static enum trigger sighting_trigger(enum trigger of_arrival)
{
	return of_arrival == TRIGGER_DELETED ? TRIGGER_LOGIN : of_arrival;
}

static void set_due(struct collector *c, int64_t at)
{
	if (c->arrivals_due == 0 || at < c->arrivals_due)
		c->arrivals_due = at;
}

/* Whether a created account is still settling. A clock that was set back must not delay it for
 * long. */
static bool is_settling(struct collector *c, const struct spool_arrival *a, int64_t now)
{
	int64_t age = now - a->at;

	if (a->trigger != TRIGGER_CREATED || age < 0 || age >= c->settings->creation_delay)
		return false;
	set_due(c, a->at + c->settings->creation_delay);
	return true;
}

/* When to look up again the network users that NSS does not know yet. A clock that was set back
 * starts a new interval. */
static bool network_retry_due(const struct collector *c, int64_t now)
{
	return now < c->network_at || now >= c->network_at + NETWORK_RETRY_S;
}

/* A new arrival is looked up at once; a user who was not found, every few minutes for a day. */
static enum disposition classify_network(
	struct collector *c, const struct spool_arrival *a, int64_t now, struct sighting *s)
{
	if (a->at < c->network_at && !network_retry_due(c, now)) {
		set_due(c, c->network_at + NETWORK_RETRY_S);
		return DEFER;
	}
	if (facts_network(s, c, a->user))
		return ACCEPT;
	if (now - a->at < NETWORK_GIVE_UP_S) {
		set_due(c, now + NETWORK_RETRY_S);
		return DEFER;
	}
	log_event(LOG_LEVEL_WARN, "arrival",
		"%s: user not found in the passwd file or NSS: discarded after 24 h", a->user);
	return DISCARD;
}

/* A network user can log in as often as they like, so this is one line an hour. */
static void log_skipped(struct collector *c, const struct spool_arrival *a)
{
	int64_t now = clock_boot_ms();

	if (c->skipped_logged_ms != 0 && now - c->skipped_logged_ms < LOG_AGAIN_MS) {
		c->skipped++;
		return;
	}
	log_event(LOG_LEVEL_INFO, "arrival",
		"%s: not a local user, ignored; %lld others were ignored since the last message of "
		"this kind",
		a->user, (long long)c->skipped);
	c->skipped_logged_ms = now;
	c->skipped = 0;
}

static enum disposition classify_unknown(struct collector *c,
	const struct account_snapshot *snapshot, const struct spool_arrival *a, int64_t now,
	struct sighting *s)
{
	/* It was deleted before it settled, so it does not count. */
	if (a->trigger == TRIGGER_CREATED)
		return DISCARD;
	/* The user's line may be the broken one. */
	if (!snapshot->accounts.whole)
		return DEFER;
	if (c->settings->network_users)
		return classify_network(c, a, now, s);
	log_skipped(c, a);
	return DISCARD;
}

/* ---- what the baseline knows ---- */

static bool baseline_read(struct collector *c)
{
	if (c->baseline)
		return true;
	c->baseline = malloc(sizeof(*c->baseline));
	if (c->baseline &&
		!host_load(c->baseline, c->settings->state, c->settings->run, c->host, NULL)) {
		free(c->baseline);
		c->baseline = NULL;
	}
	return c->baseline;
}

static void baseline_forget(struct collector *c)
{
	if (!c->baseline)
		return;
	host_free(c->baseline);
	free(c->baseline);
	c->baseline = NULL;
}

static int compare_user(const void *user, const void *record)
{
	return strcmp(user, ((const struct record *)record)->user);
}

/* `useradd --prefix` runs the hook although it creates an account elsewhere, and its arrival names
 * an old account of this host. What the comparison has reported as created is known, too. */
static enum disposition classify_created(struct collector *c, const struct account *account)
{
	const struct record *record;

	/* A new system account does not count; a login with one is evaluated like every other. */
	if (account->uid < c->settings->min_uid || account->uid > c->settings->max_uid)
		return DISCARD;
	if (!baseline_read(c))
		return DEFER;
	if (c->baseline->first || host_cloned(c->baseline) || c->baseline->count == 0)
		return ACCEPT;
	record = bsearch(account->user, c->baseline->records, c->baseline->count, sizeof(*record),
		compare_user);
	if (!record || record->state != RECORD_KNOWN || record->uid != account->uid)
		return ACCEPT;
	log_event(LOG_LEVEL_INFO, "arrival",
		"%s: reported as created, but it is an account that was there before: ignored",
		account->user);
	return DISCARD;
}

static enum disposition classify(struct collector *c, const struct account_snapshot *snapshot,
	const struct spool_arrival *a, int64_t now, struct sighting *s)
{
	const struct account *account;
	enum disposition disposition = ACCEPT;

	/* A deletion is found by the comparison, which looks twice. */
	if (a->trigger == TRIGGER_DELETED)
		return DISCARD;
	if (is_settling(c, a, now))
		return DEFER;
	account = account_find(&snapshot->accounts, a->user);
	if (account)
		facts_local(s, c, snapshot, account);
	else
		disposition = classify_unknown(c, snapshot, a, now, s);
	if (account && a->trigger == TRIGGER_CREATED)
		disposition = classify_created(c, account);
	if (disposition == ACCEPT)
		s->trigger = sighting_trigger(a->trigger);
	return disposition;
}

/* Only arrivals tell of a network user: one who waits to be readmitted stays in the spool. */
static bool defer_readmission(struct collector *c, const struct account_snapshot *snapshot,
	struct sighting *s, enum disposition *disposition, struct fault *fault)
{
	struct ledger_sighting known;
	int found = ledger_sighting(c->ledger, s->host, s->user, &known, fault);

	if (found > 0 && !known.gone && facts_settle(c, snapshot, &known.seen, s)) {
		set_due(c, clock_wall() + NETWORK_RETRY_S);
		*disposition = DEFER;
	}
	return found >= 0;
}

/* Stores the sightings of one group in one commit. */
static bool store_sightings(struct collector *c, const struct account_snapshot *snapshot,
	const struct spool_arrival *list, int count, enum disposition *dispositions,
	struct fault *fault)
{
	const int64_t now = clock_wall();
	struct sighting s;
	bool good = true;

	if (!ledger_begin(c->ledger, fault))
		return false;
	for (int i = 0; good && i < count; i++) {
		dispositions[i] = classify(c, snapshot, &list[i], now, &s);
		if (dispositions[i] == ACCEPT && !s.local)
			good = defer_readmission(c, snapshot, &s, &dispositions[i], fault);
		if (good && dispositions[i] == ACCEPT)
			good = store_sighting(c, snapshot, &s, fault);
	}
	good = good && (!c->ledger_dirty || ledger_note_report(c->ledger, fault));
	return ledger_end(c->ledger, good, fault);
}

/* Every account gets a marker, also one that will be excluded: later logins then cost one
 * fstatat. */
static bool process_group(struct collector *c, const struct account_snapshot *snapshot,
	const struct spool_arrival *list, int count, int *taken, struct fault *fault)
{
	enum disposition dispositions[GROUP] = {DEFER};

	if (!store_sightings(c, snapshot, list, count, dispositions, fault) ||
		!marks_bind(c, fault))
		return false;
	for (int i = 0; i < count; i++)
		if (dispositions[i] != DEFER &&
			!spool_client_take(&c->spool, &list[i],
				dispositions[i] == ACCEPT && marks_allowed(c, list[i].trigger),
				fault))
			return false;
	if (!spool_client_flush(&c->spool, fault))
		return false;
	for (int i = 0; i < count; i++) {
		*taken += dispositions[i] != DEFER;
		if (dispositions[i] == ACCEPT)
			counter_add(COUNTER_ARRIVALS, (int)sighting_trigger(list[i].trigger), 0, 1);
	}
	return true;
}

/* Returns their number, or -1. */
static int process_list(struct collector *c, const struct account_snapshot *snapshot,
	const struct spool_arrival *list, int count, struct fault *fault)
{
	int taken = 0;

	for (int i = 0; i < count; i += GROUP)
		if (!process_group(c, snapshot, &list[i], count - i < GROUP ? count - i : GROUP,
			    &taken, fault))
			return -1;
	return taken;
}

/* One list. `full`: the list was full, so there may be more arrivals. */
static int list_and_process(struct collector *c, const struct account_snapshot *snapshot, int room,
	bool *full, struct fault *fault)
{
	struct spool_arrival *list = reallocarray(NULL, (size_t)room, sizeof(*list));
	int count, taken = -1;

	if (!list) {
		fault_set(
			fault, FAULT_STORAGE, "no_memory", "out of memory while listing arrivals");
		return -1;
	}
	count = spool_client_list(&c->spool, list, room, fault);
	*full = count == room;
	if (count >= 0)
		taken = process_list(c, snapshot, list, count, fault);
	free(list);
	return taken;
}

bool arrivals_process(
	struct collector *c, const struct account_snapshot *snapshot, struct fault *fault)
{
	int64_t now = clock_wall();
	bool full = true;
	int taken = 0;

	c->pending = false;
	c->arrivals_due = 0;
	/* A longer list reaches arrivals behind those that wait. */
	if (!readmissions_load(&c->readmissions, c->settings->state, fault))
		return false;
	for (int room = LIST_FIRST; full && taken == 0 && room <= LIST_MAX; room *= 8)
		taken = list_and_process(c, snapshot, room, &full, fault);
	baseline_forget(c);
	if (taken < 0 || !readmissions_settle(c, fault))
		return false;
	c->pending = full && taken > 0;
	if (!c->pending && network_retry_due(c, now))
		c->network_at = now;
	return true;
}
