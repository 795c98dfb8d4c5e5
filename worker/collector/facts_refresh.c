/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Updates what the ledger knows of this host's accounts: facts that have changed, and everything
 * under a new name of the host.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "people/verdict.h"
#include "worker/collector/change_guard.h"
#include "worker/collector/collector.h"

#define GROUP 512 /* sightings in one commit */
#define REFRESH_INTERVAL_MS \
	INT64_C(3600000) /* between two changes of one account that are stored */

/* An account that must be reported again. */
struct changed_account {
	const struct account *account;
	enum trigger trigger;
};

struct refresh {
	struct collector *c;
	const struct account_snapshot *snapshot;
	bool all; /* also accounts whose facts are the same */
	struct changed_account *list;
	size_t count, room;
	bool failed; /* out of memory */
};

static void add_changed(struct refresh *g, const struct account *account, enum trigger trigger)
{
	struct changed_account *list = array_grow(g->list, g->count, &g->room, sizeof(*list));

	g->failed = g->failed || !list;
	if (!list)
		return;
	g->list = list;
	g->list[g->count++] = (struct changed_account){account, trigger};
}

/* ---- once an hour ---- */

/* A user can change shell and name many times a second, and each stored change costs commits, a
 * verdict and lines of history. So the first change is stored at once, and then the state an hour
 * later. Only this process remembers that. After a restart the first change is again stored at
 * once, and none is lost, because the facts are compared, not the changes. */

static int by_uid(const void *a, const void *b)
{
	uint32_t x = ((const struct refreshed *)a)->uid, y = ((const struct refreshed *)b)->uid;

	return (x > y) - (x < y);
}

static void drop_expired(struct collector *c)
{
	int64_t now = clock_boot_ms();
	size_t kept = 0;

	for (size_t i = 0; i < c->refreshed_count; i++)
		if (now - c->refreshed[i].at_ms < REFRESH_INTERVAL_MS)
			c->refreshed[kept++] = c->refreshed[i];
	c->refreshed_count = kept;
}

void facts_refresh_forget(struct collector *c)
{
	free(c->refreshed);
	c->refreshed = NULL;
	c->refreshed_count = 0;
}

/* Without memory they are not remembered, and one more change is stored. */
static void remember(struct collector *c, const struct changed_account *list, size_t count)
{
	size_t all = c->refreshed_count + count;
	struct refreshed *grown =
		count > 0 ? reallocarray(c->refreshed, all, sizeof(*grown)) : NULL;

	if (!grown)
		return;
	for (size_t i = 0; i < count; i++)
		grown[c->refreshed_count + i] =
			(struct refreshed){list[i].account->uid, clock_boot_ms()};
	qsort(grown, all, sizeof(*grown), by_uid);
	c->refreshed = grown;
	c->refreshed_count = all;
}

static void set_facts_due(struct collector *c, int64_t at)
{
	if (at != 0 && (c->facts_due == 0 || at < c->facts_due))
		c->facts_due = at;
}

/* An account that is excluded from now on must not wait, because it might be mailed meanwhile.
 * Before that it must have become not excluded, which waits: so at most two changes an hour. */
static bool must_wait(struct refresh *g, const struct sighting *was, const struct sighting *now)
{
	struct collector *c = g->c;
	const struct refreshed key = {.uid = (uint32_t)now->uid}, *last = NULL;
	int64_t due;

	if (c->refreshed_count > 0)
		last = bsearch(&key, c->refreshed, c->refreshed_count, sizeof(key), by_uid);
	if (!last || (verdict_excludes(now, c->settings) && !verdict_excludes(was, c->settings)))
		return false;
	due = clock_wall() + (last->at_ms + REFRESH_INTERVAL_MS - clock_boot_ms()) / 1000 + 1;
	set_facts_due(c, due);
	return true;
}

/* ---- one account ---- */

/* Without a whole group file the groups stay as they are known, unless a line that is there
 * excludes the account: an administrator may be locking a person out. */
static void keep_groups(
	const struct collector *c, const struct sighting *known, struct sighting *now)
{
	struct sighting as_known = *now;

	str_copy(as_known.groups, sizeof(as_known.groups), known->groups);
	if (now->groups[0] == '\0' || strcmp(now->groups, SIGHTING_GROUPS_UNKNOWN) == 0 ||
		!verdict_excludes(now, c->settings) || verdict_excludes(&as_known, c->settings))
		*now = as_known;
}

bool facts_settle(struct collector *c, const struct account_snapshot *snapshot,
	const struct sighting *known, struct sighting *now)
{
	enum trigger trigger = now->trigger;
	int64_t due;

	if (now->local && !group_file_whole(snapshot->groups))
		keep_groups(c, known, now);
	if (!readmission_waits(&c->readmissions, known, now, c->settings, clock_wall(), &due))
		return false;
	set_facts_due(c, due);
	*now = *known;
	now->trigger = trigger;
	return true;
}

bool store_sighting(struct collector *c, const struct account_snapshot *snapshot,
	struct sighting *s, struct fault *fault)
{
	struct ledger_sighting known;
	int found = ledger_sighting(c->ledger, s->host, s->user, &known, fault);
	bool first;

	if (found < 0)
		return false;
	if (found > 0 && known.gone)
		found = 0;
	if (found > 0)
		(void)facts_settle(c, snapshot, &known.seen, s);
	else if (s->local && !group_file_whole(snapshot->groups))
		str_copy(s->groups, sizeof(s->groups), SIGHTING_GROUPS_UNKNOWN);
	if (!collector_note_result(c, ledger_account_seen(c->ledger, s, fault)))
		return false;
	if (found == 0 || !trigger_outranks(s->trigger, known.seen.trigger, c->settings))
		return true;
	first = !trigger_counts(known.seen.trigger, c->settings);
	return collector_note_result(
		c, ledger_account_trigger(c->ledger, s->host, s->user, s->trigger, first, fault));
}

/* ---- collecting ---- */

static bool on_sighting(const struct ledger_sighting *known, void *ctx)
{
	struct refresh *g = ctx;
	const struct account *account;
	struct sighting now;

	if (known->gone || !known->seen.local)
		return true;
	account = account_find(&g->snapshot->accounts, known->seen.user);
	if (!account)
		return true;
	facts_local(&now, g->c, g->snapshot, account);
	if (!g->all)
		(void)facts_settle(g->c, g->snapshot, &known->seen, &now);
	if (g->all ||
		(!sighting_same_facts(&now, &known->seen) && !must_wait(g, &known->seen, &now)))
		add_changed(g, account, known->seen.trigger);
	return !g->failed;
}

/* The ledger must not be changed while it is read, so all accounts to report are collected
 * first. */
static bool find_changed(struct refresh *g, const char *host, struct fault *fault)
{
	if (!ledger_each_sighting(g->c->ledger, host, NULL, NULL, on_sighting, g, fault))
		return false;
	return !g->failed || fault_set(fault, FAULT_STORAGE, "no_memory",
				     "out of memory while comparing account facts");
}

static bool store_account(
	const struct refresh *g, const struct changed_account *changed_account, struct fault *fault)
{
	struct sighting s;

	facts_local(&s, g->c, g->snapshot, changed_account->account);
	s.trigger = changed_account->trigger;
	return store_sighting(g->c, g->snapshot, &s, fault);
}

static bool store_group(const struct refresh *g, size_t first, struct fault *fault)
{
	bool good = true;

	if (!ledger_begin(g->c->ledger, fault))
		return false;
	for (size_t i = first; good && i < g->count && i < first + GROUP; i++)
		good = store_account(g, &g->list[i], fault);
	return ledger_end(g->c->ledger, good, fault);
}

static bool store_all(const struct refresh *g, struct fault *fault)
{
	for (size_t i = 0; i < g->count; i += GROUP)
		if (!store_group(g, i, fault))
			return false;
	return true;
}

bool readmissions_settle(struct collector *c, struct fault *fault)
{
	return change_guard_readmits(c, fault) &&
	       readmissions_save(&c->readmissions, c->settings->state, fault);
}

/* Logged once, until it is over. */
static void log_groups(struct collector *c, const struct account_snapshot *snapshot)
{
	bool whole = group_file_whole(snapshot->groups);

	if (!whole && !c->warned_groups)
		log_event(LOG_LEVEL_WARN, "account_scan",
			"%s: is not complete (it has no root group, or its last line has no end): "
			"groups stay as they were, and a new user counts as excluded; correct the "
			"file with vigr",
			c->settings->group);
	c->warned_groups = !whole;
}

bool facts_refresh(
	struct collector *c, const struct account_snapshot *snapshot, struct fault *fault)
{
	struct refresh g = {.c = c, .snapshot = snapshot};
	bool good;

	c->facts_due = 0;
	drop_expired(c);
	log_groups(c, snapshot);
	/* Before, too: an administrator may have ended the guard's pause. */
	good = readmissions_load(&c->readmissions, c->settings->state, fault) &&
	       change_guard_readmits(c, fault) && find_changed(&g, c->host, fault) &&
	       store_all(&g, fault);
	if (good)
		remember(c, g.list, g.count);
	free(g.list);
	readmissions_expire(&c->readmissions, clock_wall());
	return good && readmissions_settle(c, fault);
}

/* Insert the accounts under the new host name before deleting the old ones, so that a crash in
 * between leaves duplicates instead of losing accounts. Network users are seen again when they log
 * in, because their markers are removed. */
bool host_rename(struct collector *c, const struct account_snapshot *snapshot, const char *old_host,
	struct fault *fault)
{
	struct refresh g = {.c = c, .snapshot = snapshot, .all = true};
	bool good;

	log_event(LOG_LEVEL_NOTE, "host", "this host was renamed from %s: its accounts are kept",
		old_host);
	good = find_changed(&g, old_host, fault) && store_all(&g, fault) &&
	       marks_drop_network(c, snapshot, 0, fault) &&
	       ledger_host_reset(c->ledger, old_host, fault);
	free(g.list);
	return good;
}
