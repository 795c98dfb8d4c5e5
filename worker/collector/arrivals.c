/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrivals. The order makes that nobody is forgotten whatever is killed whenever: commit to the
 * ledger, write the mark, unlink the arrival. What is done twice because of a crash changes nothing
 * the second time.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "worker/collector/collector.h"

#define BATCH_FIRST   512
#define BATCH_MOST    65536
#define NETWORK_AGAIN (5 * 60)
#define NETWORK_MOST  (24 * 60 * 60)

/* What is to be done with one arrival. */
enum fate { FATE_WAIT, FATE_TAKE, FATE_SEEN };

static enum sighting_reason reason_of(enum spool_reason reason)
{
	switch (reason) {
	case SPOOL_CREATED:
		return SEEN_CREATED;
	case SPOOL_ASKED:
		return SEEN_ASKED;
	case SPOOL_LOGIN:
	case SPOOL_DELETED:
		break;
	}
	return SEEN_LOGIN;
}

/* Whether a creation is still settling. A clock that was set back must not hold it for long. */
static bool settling(struct collector *c, const struct spool_arrival *a, int64_t now)
{
	int64_t age = now - a->at;

	if (a->reason != SPOOL_CREATED || age < 0 || age >= c->settings->settle)
		return false;
	collector_due(c, a->at + c->settings->settle);
	return true;
}

static enum fate judge_network(
	struct collector *c, const struct spool_arrival *a, int64_t now, struct sighting *s)
{
	if (now < c->network_at) {
		collector_due(c, c->network_at);
		return FATE_WAIT;
	}
	if (facts_network(s, c, a->user)) {
		s->reason = reason_of(a->reason);
		return FATE_SEEN;
	}
	if (now - a->at < NETWORK_MOST) {
		collector_due(c, now + NETWORK_AGAIN);
		return FATE_WAIT;
	}
	log_event(LOG_LEVEL_WARN, "arrival",
		"a user that neither passwd nor NSS knows: given up after 24 h");
	return FATE_TAKE;
}

static enum fate judge(struct collector *c, const struct census *census,
	const struct spool_arrival *a, int64_t now, struct sighting *s)
{
	const struct account *account;

	/* Who is gone is found by the compare, which looks twice. */
	if (a->reason == SPOOL_DELETED)
		return FATE_TAKE;
	if (settling(c, a, now))
		return FATE_WAIT;
	account = account_find(&census->accounts, a->user);
	if (account) {
		facts_local(s, c, census, account);
		s->reason = reason_of(a->reason);
		return FATE_SEEN;
	}
	/* Gone before it settled: it was never there. */
	if (a->reason == SPOOL_CREATED || !c->settings->network_users)
		return FATE_TAKE;
	return judge_network(c, a, now, s);
}

/* One group: all of it in one commit, then the marks, then the arrivals go. */
static bool take_batch(struct collector *c, const struct census *census,
	const struct spool_arrival *list, int count, enum fate *fates, int *taken,
	struct fault *fault)
{
	const int64_t now = clock_wall();
	struct sighting s;

	if (!ledger_begin(c->ledger, fault))
		return false;
	for (int i = 0; i < count; i++) {
		int news;

		fates[i] = judge(c, census, &list[i], now, &s);
		if (fates[i] != FATE_SEEN)
			continue;
		news = ledger_saw(c->ledger, &s, fault);
		if (news < 0) {
			ledger_rollback(c->ledger);
			return false;
		}
		c->news = c->news || news > 0;
	}
	if (!ledger_commit(c->ledger, fault)) {
		ledger_rollback(c->ledger);
		return false;
	}
	for (int i = 0; i < count; i++) {
		if (fates[i] == FATE_SEEN &&
			!spool_mark_first(&c->spool, list[i].user, "seen", fault))
			return false;
		if (fates[i] != FATE_WAIT && !spool_taken(&c->spool, &list[i], fault))
			return false;
		*taken += fates[i] != FATE_WAIT;
	}
	return true;
}

bool arrivals_take(struct collector *c, const struct census *census, struct fault *fault)
{
	struct spool_arrival *list = NULL;
	enum fate *fates = NULL;
	int room = BATCH_FIRST, count, taken, bad;
	bool good = false;

	for (;;) {
		struct spool_arrival *more = realloc(list, (size_t)room * sizeof(*list));
		enum fate *more_fates = realloc(fates, (size_t)room * sizeof(*fates));

		list = more ? more : list;
		fates = more_fates ? more_fates : fates;
		if (!more || !more_fates) {
			fault_set(fault, FAULT_STORAGE, "no_memory", "no memory to list arrivals");
			break;
		}
		taken = 0;
		count = spool_list(&c->spool, list, room, &bad, fault);
		if (count < 0 ||
			(count > 0 && !take_batch(c, census, list, count, fates, &taken, fault)))
			break;
		if (count < room) {
			good = true;
			break;
		}
		/* The list was full: look behind it, past those that wait. */
		if (taken < room / 2 && room < BATCH_MOST)
			room *= 2;
		else if (taken == 0) {
			good = true;
			break;
		}
	}
	if (good && clock_wall() >= c->network_at)
		c->network_at = clock_wall() + NETWORK_AGAIN;
	free(list);
	free(fates);
	return good;
}
