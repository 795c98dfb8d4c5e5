/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the ledger knows of this host's accounts, brought up to date: facts that have changed, and
 * everything once more under a new name of the host.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "people/verdict.h"
#include "worker/collector/collector.h"

#define GROUP	 512		  /* sightings a commit */
#define AGAIN_MS INT64_C(3600000) /* between two changes of one account that are taken over */

/* An account that is to be told again. */
struct again {
	const struct account *account;
	enum trigger reason;
};

struct gathering {
	struct collector *c;
	const struct account_snapshot *snapshot;
	bool all; /* also those whose facts are the same */
	struct again *list;
	size_t count, room;
	bool failed; /* no memory */
};

static void add(struct gathering *g, const struct account *account, enum trigger reason)
{
	if (g->count == g->room) {
		size_t room = g->room ? 2 * g->room : 64;
		struct again *list = reallocarray(g->list, room, sizeof(*list));

		g->failed = !list;
		if (!list)
			return;
		g->list = list;
		g->room = room;
	}
	g->list[g->count++] = (struct again){account, reason};
}

/* ---- once an hour ---- */

/* A user may change shell and name as often as a second has milliseconds, and each change that is
 * taken over costs commits, a verdict, lines of history. So the first counts at once, and what the
 * account is like an hour later counts then. Only this process remembers it: after a restart the
 * first change counts at once again, and none is lost, as the facts are compared, not the changes.
 */

static int by_uid(const void *a, const void *b)
{
	uint32_t x = ((const struct taken_over *)a)->uid, y = ((const struct taken_over *)b)->uid;

	return (x > y) - (x < y);
}

static void drop_past(struct collector *c)
{
	int64_t now = clock_boot_ms();
	size_t kept = 0;

	for (size_t i = 0; i < c->taken_over_count; i++)
		if (now - c->taken_over[i].at_ms < AGAIN_MS)
			c->taken_over[kept++] = c->taken_over[i];
	c->taken_over_count = kept;
}

void known_forget(struct collector *c)
{
	free(c->taken_over);
	c->taken_over = NULL;
	c->taken_over_count = 0;
}

/* Without memory they are not remembered, and may change once more. */
static void remember(struct collector *c, const struct again *list, size_t count)
{
	size_t all = c->taken_over_count + count;
	struct taken_over *grown =
		count > 0 ? reallocarray(c->taken_over, all, sizeof(*grown)) : NULL;

	if (!grown)
		return;
	for (size_t i = 0; i < count; i++)
		grown[c->taken_over_count + i] =
			(struct taken_over){list[i].account->uid, clock_boot_ms()};
	qsort(grown, all, sizeof(*grown), by_uid);
	c->taken_over = grown;
	c->taken_over_count = all;
}

/* An account that is excluded from now on must not wait: it might be mailed meanwhile. It can
 * become so only from not being so, which waits: two changes an hour, then. */
static bool must_wait(struct gathering *g, const struct sighting *was, const struct sighting *now)
{
	struct collector *c = g->c;
	const struct taken_over key = {.uid = (uint32_t)now->uid}, *last = NULL;
	int64_t due;

	if (c->taken_over_count > 0)
		last = bsearch(&key, c->taken_over, c->taken_over_count, sizeof(key), by_uid);
	if (!last || (verdict_excludes(now, c->settings) && !verdict_excludes(was, c->settings)))
		return false;
	due = clock_wall() + (last->at_ms + AGAIN_MS - clock_boot_ms()) / 1000 + 1;
	if (c->facts_due == 0 || due < c->facts_due)
		c->facts_due = due;
	return true;
}

/* ---- gathering ---- */

static bool look(const struct ledger_sighting *known, void *ctx)
{
	struct gathering *g = ctx;
	const struct account *account;
	struct sighting now;

	if (known->gone || !known->seen.local)
		return true;
	account = account_find(&g->snapshot->accounts, known->seen.user);
	if (!account)
		return true;
	facts_local(&now, g->c, g->snapshot, account);
	if (g->all ||
		(!sighting_same_facts(&now, &known->seen) && !must_wait(g, &known->seen, &now)))
		add(g, account, known->seen.reason);
	return !g->failed;
}

/* The ledger is not to be changed while it tells: first all who have to be told again. */
static bool gather(struct gathering *g, const char *host, struct fault *fault)
{
	if (!ledger_each_sighting(g->c->ledger, host, NULL, NULL, look, g, fault))
		return false;
	return !g->failed || fault_set(fault, FAULT_STORAGE, "no_memory",
				     "out of memory while comparing account facts");
}

static bool tell(const struct gathering *g, const struct again *again, struct fault *fault)
{
	struct sighting s;

	facts_local(&s, g->c, g->snapshot, again->account);
	s.reason = again->reason;
	return collector_news(g->c, ledger_saw(g->c->ledger, &s, fault));
}

static bool tell_group(const struct gathering *g, size_t first, struct fault *fault)
{
	struct ledger *ledger = g->c->ledger;

	if (!ledger_begin(ledger, fault))
		return false;
	for (size_t i = first; i < g->count && i < first + GROUP; i++)
		if (!tell(g, &g->list[i], fault)) {
			ledger_rollback(ledger);
			return false;
		}
	if (ledger_commit(ledger, fault))
		return true;
	ledger_rollback(ledger);
	return false;
}

static bool tell_all(const struct gathering *g, struct fault *fault)
{
	for (size_t i = 0; i < g->count; i += GROUP)
		if (!tell_group(g, i, fault))
			return false;
	return true;
}

bool known_refresh(
	struct collector *c, const struct account_snapshot *snapshot, struct fault *fault)
{
	struct gathering g = {.c = c, .snapshot = snapshot};
	bool good;

	c->facts_due = 0;
	drop_past(c);
	good = gather(&g, c->host, fault) && tell_all(&g, fault);
	if (good)
		remember(c, g.list, g.count);
	free(g.list);
	return good;
}

/* First they are there under the new name, then the old one goes: in between they are known twice,
 * and never not at all. Network users are seen anew when they log in, as their marks are gone. */
bool known_move(struct collector *c, const struct account_snapshot *snapshot, const char *old_host,
	struct fault *fault)
{
	struct gathering g = {.c = c, .snapshot = snapshot, .all = true};
	bool good;

	log_event(LOG_LEVEL_NOTE, "host", "this host was renamed from %s: its accounts are kept",
		old_host);
	good = gather(&g, old_host, fault) && tell_all(&g, fault) &&
	       marks_drop_network(c, snapshot, 0, fault) &&
	       ledger_host_reset(c->ledger, old_host, fault);
	free(g.list);
	return good;
}
