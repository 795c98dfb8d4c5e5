/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compare: passwd against the baseline. It finds what no login and no hook tells: newusers,
 * vipw, image builders, deletions, renames. Nothing is taken for true before it was so for
 * `settle`, and a change that is too large to be everyday work brakes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "worker/collector/collector.h"
#include "worker/collector/host.h"

#define CREATIONS_MOST 50
#define DELETIONS_MOST 10

/* One compare: the records as they were, as they will be, and what has become ripe. */
struct comparing {
	struct collector *c;
	const struct census *census;
	struct host *host;
	struct host next; /* the records afterwards */
	int64_t now;
	int64_t in_range; /* accounts of the baseline that count */
	int64_t created;  /* changes that this compare is the first to see */
	int64_t deleted;
	struct record **gone; /* ripe deletions, of host->records */
	size_t gone_count;
	const struct account **come; /* ripe creations */
	size_t come_count;
	bool changed; /* the file must be written */
	bool failed;  /* memory */
};

static bool counts(const struct comparing *k, uint32_t uid)
{
	return (int64_t)uid >= k->c->settings->min_uid && (int64_t)uid <= k->c->settings->max_uid;
}

static void keep(
	struct comparing *k, const char *user, uint32_t uid, enum record_state state, int64_t since)
{
	if (!host_add(&k->next, user, uid, state, since))
		k->failed = true;
}

/* Whether a wait that began at *since is over. A clock that was set back begins it anew. */
static bool ripe(struct comparing *k, int64_t *since)
{
	if (*since > k->now) {
		*since = k->now;
		k->changed = true;
	}
	if (k->now - *since >= k->c->settings->settle)
		return true;
	collector_due(k->c, *since + k->c->settings->settle);
	return false;
}

static void add_come(struct comparing *k, const struct account *a)
{
	const struct account **more = realloc(k->come, (k->come_count + 1) * sizeof(*more));

	k->failed = k->failed || !more;
	if (!more)
		return;
	k->come = more;
	k->come[k->come_count++] = a;
}

static void add_gone(struct comparing *k, struct record *r)
{
	struct record **more = realloc(k->gone, (k->gone_count + 1) * sizeof(*more));

	k->failed = k->failed || !more;
	if (!more)
		return;
	k->gone = more;
	k->gone[k->gone_count++] = r;
}

static void see_new(struct comparing *k, const struct account *a, int64_t since, bool first)
{
	if (!counts(k, a->uid)) {
		keep(k, a->user, a->uid, RECORD_KNOWN, 0);
		k->changed = true;
		return;
	}
	if (first) {
		k->created++;
		k->changed = true;
	}
	if (ripe(k, &since)) {
		add_come(k, a);
		keep(k, a->user, a->uid, RECORD_KNOWN, 0);
		k->changed = true;
	} else {
		keep(k, a->user, a->uid, RECORD_NEW, since);
	}
}

static void see_absent(struct comparing *k, struct record *r)
{
	int64_t since = r->state == RECORD_ABSENT ? r->since : k->now;

	/* Gone before it settled, or nobody that counts. */
	if (r->state == RECORD_NEW || !counts(k, r->uid)) {
		k->changed = true;
		return;
	}
	if (r->state == RECORD_KNOWN) {
		k->deleted++;
		k->changed = true;
	}
	/* Two compares, whatever `settle` is: the first may have met a half-written file. */
	if (r->state == RECORD_ABSENT && ripe(k, &since)) {
		add_gone(k, r);
		k->changed = true;
		return;
	}
	if (r->state == RECORD_KNOWN)
		collector_due(k->c, k->now + k->c->settings->settle);
	keep(k, r->user, r->uid, RECORD_ABSENT, since);
}

static void see_both(struct comparing *k, struct record *r, const struct account *a)
{
	if (r->uid != a->uid && r->state != RECORD_NEW && counts(k, r->uid)) {
		/* The name went and came back as somebody else. */
		k->deleted++;
		add_gone(k, r);
		see_new(k, a, k->now, true);
	} else if (r->state == RECORD_NEW || r->uid != a->uid) {
		see_new(k, a, r->uid == a->uid ? r->since : k->now, r->state != RECORD_NEW);
	} else {
		k->changed = k->changed || r->state != RECORD_KNOWN;
		keep(k, r->user, r->uid, RECORD_KNOWN, 0);
	}
}

/* Both are sorted by name: one walk. */
static void merge(struct comparing *k)
{
	const struct account_table *t = &k->census->accounts;
	size_t i = 0, j = 0;

	while (i < k->host->count || j < t->count) {
		int order = i == k->host->count ? 1
			    : j == t->count	? -1
					    : strcmp(k->host->records[i].user, t->accounts[j].user);

		if (order < 0)
			see_absent(k, &k->host->records[i++]);
		else if (order > 0)
			see_new(k, &t->accounts[j++], k->now, true);
		else
			see_both(k, &k->host->records[i++], &t->accounts[j++]);
	}
}

static int64_t deletions_allowed(const struct comparing *k)
{
	int64_t fifth = k->in_range / 5;

	fifth = fifth < 2 ? 2 : fifth;
	return fifth < DELETIONS_MOST ? fifth : DELETIONS_MOST;
}

/* True if the compare may be taken over. A brake that the administrator has released lets one pass.
 */
static bool brake_allows(struct comparing *k, bool *allowed, struct fault *fault)
{
	struct ledger_pause pause = {.since = k->now};
	int paused;

	*allowed = true;
	if (k->created <= CREATIONS_MOST && k->deleted <= deletions_allowed(k)) {
		k->c->braked = false;
		return true;
	}
	paused = ledger_paused(k->c->ledger, &pause, fault);
	if (paused < 0)
		return false;
	*allowed = k->c->braked && paused == 0;
	if (*allowed) {
		log_event(LOG_LEVEL_NOTE, "compare",
			"the brake was released: %lld creations and %lld deletions "
			"are taken over",
			(long long)k->created, (long long)k->deleted);
		k->c->braked = false;
	}
	if (*allowed || (k->c->braked && paused == 1))
		return true;
	k->c->braked = true;
	text_copy(pause.kind, sizeof(pause.kind), "brake");
	text_copy(pause.actor, sizeof(pause.actor), "collector");
	text_format(pause.text, sizeof(pause.text),
		"%s: %lld accounts were created and %lld deleted in %s at "
		"once: nothing of it is taken over",
		k->c->host, (long long)k->created, (long long)k->deleted, k->c->settings->passwd);
	text_format(pause.remedy, sizeof(pause.remedy),
		"If that is right, run `cloudinvite resume`: the next "
		"compare takes it as it is.");
	pause.since = k->now;
	log_event(LOG_LEVEL_ERROR, "brake", "%s. %s", pause.text, pause.remedy);
	return ledger_pause(k->c->ledger, &pause, fault);
}

/* ---- what has become ripe ------------------------------------------------------- */

/* The old name of an account that has come: one that went with the same uid. */
static const struct record *renamed_from(struct comparing *k, const struct account *a)
{
	for (size_t i = 0; i < k->gone_count; i++)
		if (k->gone[i] && k->gone[i]->uid == a->uid &&
			strcmp(k->gone[i]->user, a->user) != 0)
			return k->gone[i];
	return NULL;
}

/* With settle = 0 an account is ripe before the deletion of its old name is believed, which takes
 * two compares: it waits for that, or a rename would count as a creation. */
static void wait_for_old_names(struct comparing *k)
{
	size_t kept = 0;

	for (size_t i = 0; i < k->come_count; i++) {
		struct record *own = NULL;
		bool waits = false;

		for (size_t j = 0; j < k->next.count; j++) {
			struct record *r = &k->next.records[j];

			waits = waits || (r->state == RECORD_ABSENT && r->uid == k->come[i]->uid);
			if (strcmp(r->user, k->come[i]->user) == 0)
				own = r;
		}
		if (waits && own) {
			own->state = RECORD_NEW;
			own->since = k->now;
		} else {
			k->come[kept++] = k->come[i];
		}
	}
	k->come_count = kept;
}

static bool note_news(struct collector *c, int news)
{
	c->news = c->news || news > 0;
	return news >= 0;
}

/* Renames first, while the old name is still there; then who is gone, before somebody else under
 * the same name comes. */
static bool store(struct comparing *k, struct fault *fault)
{
	struct collector *c = k->c;

	for (size_t i = 0; i < k->come_count; i++) {
		const struct record *old = renamed_from(k, k->come[i]);

		if (old && !note_news(c, ledger_renamed(c->ledger, c->host, old->user,
						 k->come[i]->user, fault)))
			return false;
	}
	for (size_t i = 0; i < k->gone_count; i++)
		if (!note_news(c, ledger_lost(c->ledger, c->host, k->gone[i]->user, fault)))
			return false;
	for (size_t i = 0; i < k->come_count; i++) {
		struct sighting s;

		/* Somebody renamed who had not been seen is no news: the baseline's account, still.
		 */
		if (renamed_from(k, k->come[i]))
			continue;
		facts_local(&s, c, k->census, k->come[i]);
		s.reason = SEEN_CREATED;
		if (!note_news(c, ledger_saw(c->ledger, &s, fault)))
			return false;
	}
	return true;
}

static bool mark(struct comparing *k, struct fault *fault)
{
	for (size_t i = 0; i < k->gone_count; i++)
		if (!spool_unmark(&k->c->spool, k->gone[i]->user, fault))
			return false;
	for (size_t i = 0; i < k->come_count; i++)
		/* A renamed baseline account has not been seen: its first login counts. */
		if (!renamed_from(k, k->come[i]) &&
			!spool_mark_first(&k->c->spool, k->come[i]->user, "seen", fault))
			return false;
	return true;
}

/* Ledger, marks, file: what a crash in between repeats changes nothing the second time. */
static bool take_over(struct comparing *k, struct fault *fault)
{
	if (k->come_count + k->gone_count > 0) {
		if (!ledger_begin(k->c->ledger, fault))
			return false;
		if (!store(k, fault) || !ledger_commit(k->c->ledger, fault)) {
			ledger_rollback(k->c->ledger);
			return false;
		}
		if (!mark(k, fault))
			return false;
	}
	text_copy(k->next.machine, sizeof(k->next.machine), k->host->machine);
	text_copy(k->next.name, sizeof(k->next.name), k->host->name);
	return !k->changed || host_save(&k->next, k->c->settings->state, fault);
}

/* The first start, or the first on another machine: who is there is no news. */
static bool begin_anew(struct comparing *k, struct fault *fault)
{
	const struct account_table *t = &k->census->accounts;
	int dropped;

	if (host_cloned(k->host)) {
		log_event(LOG_LEVEL_NOTE, "baseline",
			"another machine-id: this is a copy of host %s; its accounts "
			"and marks are forgotten, people are not",
			k->host->old_name);
		/* Marks first: the file is written last, and until then this comes again. */
		if (!spool_marks_belong(&k->c->spool, "none", &dropped, fault) ||
			!spool_marks_belong(
				&k->c->spool, ledger_id(k->c->ledger), &dropped, fault) ||
			!ledger_host_reset(k->c->ledger, k->host->old_name, fault))
			return false;
		host_clear(k->host);
	}
	for (size_t j = 0; j < t->count; j++)
		keep(k, t->accounts[j].user, t->accounts[j].uid, RECORD_KNOWN, 0);
	k->changed = true;
	log_event(LOG_LEVEL_NOTE, "baseline", "%zu accounts are here; they count when they log in",
		t->count);
	return !k->failed && take_over(k, fault);
}

static bool not_whole(struct collector *c, const struct account_table *t)
{
	if (!t->whole && !c->told_not_whole) {
		if (t->broken_line)
			log_event(LOG_LEVEL_WARN, "compare",
				"%s:%zu: broken line: the file is not compared; mend it "
				"with vipw",
				c->settings->passwd, t->broken_line);
		else
			log_event(LOG_LEVEL_WARN, "compare", "%s: has no root: it is not compared",
				c->settings->passwd);
	}
	c->told_not_whole = !t->whole;
	return !t->whole;
}

bool compare_accounts(struct collector *c, const struct census *census, struct fault *fault)
{
	struct comparing k = {.c = c, .census = census, .now = clock_wall()};
	struct host host;
	bool good = false, allowed;

	if (not_whole(c, &census->accounts))
		return true;
	if (!host_load(&host, c->settings->state, fault))
		goto out;
	k.host = &host;
	if (host.first || host_cloned(&host)) {
		good = begin_anew(&k, fault);
		goto out;
	}
	for (size_t i = 0; i < host.count; i++)
		k.in_range += counts(&k, host.records[i].uid);
	merge(&k);
	if (!k.failed)
		wait_for_old_names(&k);
	if (!k.failed && brake_allows(&k, &allowed, fault))
		good = !allowed || take_over(&k, fault);
out:
	if (k.failed)
		good = fault_set(
			fault, FAULT_STORAGE, "no_memory", "no memory to compare the accounts");
	host_free(&host);
	host_free(&k.next);
	free(k.gone);
	free(k.come);
	return good;
}

/* ---- facts ----------------------------------------------------------------------- */

#define FACTS_BATCH 256

struct refreshing {
	struct collector *c;
	const struct census *census;
	struct sighting *changed;
	int count;
};

static bool add_changed(const struct ledger_sighting *known, void *ctx)
{
	struct refreshing *r = ctx;
	const struct account *account;
	struct sighting s;

	if (known->gone || !known->seen.local)
		return true;
	account = account_find(&r->census->accounts, known->seen.user);
	if (!account)
		return true;
	facts_local(&s, r->c, r->census, account);
	if (sighting_same_facts(&s, &known->seen))
		return true;
	s.reason = known->seen.reason;
	r->changed[r->count++] = s;
	return r->count < FACTS_BATCH;
}

static bool store_changed(struct refreshing *r, struct fault *fault)
{
	if (!ledger_begin(r->c->ledger, fault))
		return false;
	for (int i = 0; i < r->count; i++) {
		int news = ledger_saw(r->c->ledger, &r->changed[i], fault);

		if (news < 0) {
			ledger_rollback(r->c->ledger);
			return false;
		}
		r->c->news = r->c->news || news > 0;
	}
	if (ledger_commit(r->c->ledger, fault))
		return true;
	ledger_rollback(r->c->ledger);
	return false;
}

bool compare_facts(struct collector *c, const struct census *census, struct fault *fault)
{
	struct refreshing r = {.c = c, .census = census};
	bool good;

	r.changed = calloc(FACTS_BATCH, sizeof(*r.changed));
	if (!r.changed)
		return fault_set(fault, FAULT_STORAGE, "no_memory", "no memory to compare facts");
	do {
		r.count = 0;
		good = ledger_each_sighting(
			       c->ledger, c->host, NULL, NULL, add_changed, &r, fault) &&
		       (r.count == 0 || store_changed(&r, fault));
	} while (good && r.count == FACTS_BATCH);
	free(r.changed);
	return good;
}
