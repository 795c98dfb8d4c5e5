/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/collector/compare.h"

#include <stdlib.h>
#include <string.h>

#include "spool/spool.h"

/* Somebody of the baseline who is missing, and whose name nobody else bears. */
struct leaver {
	const struct record *record;
	bool ripe;
	bool renamed;
};

/* Somebody new who is ripe. */
struct comer {
	const struct account *account;
	size_t at; /* of its record in next */
};

/* One compare under way. Each array has room for the most that there can be: what is not written of
 * it costs no memory. */
struct comparing {
	const struct settings *settings;
	int64_t now;
	struct comparison *out;
	struct leaver *leavers;
	size_t leaver_count;
	struct comer *comers;
	size_t comer_count;
	bool failed; /* no memory */
};

static bool counts(const struct comparing *k, uint32_t uid)
{
	return (int64_t)uid >= k->settings->min_uid && (int64_t)uid <= k->settings->max_uid;
}

static void keep(
	struct comparing *k, const char *user, uint32_t uid, enum record_state state, int64_t since)
{
	if (!host_add(&k->out->next, user, uid, state, since))
		k->failed = true;
}

static void add_change(struct comparing *k, enum change_kind kind, const struct record *old,
	const struct account *account)
{
	k->out->changes[k->out->count++] = (struct change){kind, old, account};
}

static void add_leaver(struct comparing *k, const struct record *r, bool ripe)
{
	k->leavers[k->leaver_count++] = (struct leaver){r, ripe, false};
}

static void add_comer(struct comparing *k, const struct account *a, size_t at)
{
	k->comers[k->comer_count++] = (struct comer){a, at};
}

/* ---- one account ---- */

static void due(struct comparing *k, int64_t at)
{
	if (k->out->due == 0 || at < k->out->due)
		k->out->due = at;
}

/* Whether a wait that began at *since is over. A clock that was set back begins it anew. */
static bool ripe(struct comparing *k, int64_t *since)
{
	if (*since > k->now) {
		*since = k->now;
		k->out->differs = true;
	}
	if (k->now - *since >= k->settings->settle)
		return true;
	due(k, *since + k->settings->settle);
	return false;
}

/* Somebody who does not count is kept as known: other settings do not make an old account new. */
static void see_new(struct comparing *k, const struct account *a, int64_t since, bool first)
{
	char name[SPOOL_NAME_MAX + 1];

	/* Nobody whom the spool could name can be followed. */
	if (!spool_mark_name(name, a->user))
		return;
	k->out->differs = k->out->differs || first;
	if (!counts(k, a->uid)) {
		keep(k, a->user, a->uid, RECORD_KNOWN, 0);
		k->out->differs = true;
		return;
	}
	k->out->came += first;
	if (ripe(k, &since))
		add_comer(k, a, k->out->next.count);
	keep(k, a->user, a->uid, RECORD_NEW, since);
}

static void see_absent(struct comparing *k, const struct record *r)
{
	int64_t since = r->since;

	/* Gone before it settled, or nobody that counts. */
	if (r->state == RECORD_NEW || !counts(k, r->uid)) {
		k->out->differs = true;
		return;
	}
	if (r->state == RECORD_KNOWN) {
		/* Two compares, whatever `settle` is: this one may have met a file half changed. */
		k->out->went++;
		k->out->differs = true;
		due(k, k->now + (k->settings->settle > 0 ? k->settings->settle : 1));
		add_leaver(k, r, false);
		keep(k, r->user, r->uid, RECORD_ABSENT, k->now);
	} else if (ripe(k, &since)) {
		k->out->differs = true;
		add_leaver(k, r, true);
	} else {
		add_leaver(k, r, false);
		keep(k, r->user, r->uid, RECORD_ABSENT, since);
	}
}

/* The name has another uid: somebody else bears it now. Both are told in one go, so that an address
 * to which the name leads is not without an account in between. */
static void see_other(struct comparing *k, const struct record *r, const struct account *a)
{
	bool was = r->state != RECORD_NEW && counts(k, r->uid);

	k->out->differs = true;
	if (!was) {
		see_new(k, a, k->now, r->state != RECORD_NEW);
		return;
	}
	k->out->went++;
	add_change(k, CHANGE_LOST, r, NULL);
	if (counts(k, a->uid)) {
		k->out->came++;
		add_change(k, CHANGE_CREATED, NULL, a);
	}
	keep(k, a->user, a->uid, RECORD_KNOWN, 0);
}

static void see_both(struct comparing *k, const struct record *r, const struct account *a)
{
	if (r->uid != a->uid) {
		see_other(k, r, a);
	} else if (r->state == RECORD_NEW) {
		see_new(k, a, r->since, false);
	} else {
		k->out->differs = k->out->differs || r->state != RECORD_KNOWN;
		keep(k, r->user, r->uid, RECORD_KNOWN, 0);
	}
}

/* Both are sorted by name: one walk. */
static void merge(
	struct comparing *k, const struct host *baseline, const struct account_table *present)
{
	size_t i = 0, j = 0;

	while (!k->failed && (i < baseline->count || j < present->count)) {
		int order = i == baseline->count ? 1
			    : j == present->count
				    ? -1
				    : strcmp(baseline->records[i].user, present->accounts[j].user);

		if (order < 0)
			see_absent(k, &baseline->records[i++]);
		else if (order > 0)
			see_new(k, &present->accounts[j++], k->now, true);
		else
			see_both(k, &baseline->records[i++], &present->accounts[j++]);
	}
}

/* ---- who came as whom ---- */

static int by_uid(const void *a, const void *b)
{
	const struct leaver *x = a, *y = b;
	uint32_t left = x->record->uid, right = y->record->uid;

	return (left > right) - (left < right);
}

/* The first leaver with that uid, or where it would stand. */
static size_t first_of(const struct comparing *k, uint32_t uid)
{
	size_t low = 0, high = k->leaver_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (k->leavers[middle].record->uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Who left with the same uid was this one under another name. As long as that is not certain the
 * new name waits: a rename must not count as a creation. */
static void come(struct comparing *k, const struct comer *comer)
{
	const struct account *a = comer->account;
	struct leaver *was = NULL;
	bool waits = false;

	for (size_t i = first_of(k, a->uid);
		i < k->leaver_count && k->leavers[i].record->uid == a->uid; i++) {
		if (k->leavers[i].ripe && !k->leavers[i].renamed && !was)
			was = &k->leavers[i];
		waits = waits || !k->leavers[i].ripe;
	}
	if (!was && waits)
		return;
	if (was)
		was->renamed = true;
	add_change(k, was ? CHANGE_RENAMED : CHANGE_CREATED, was ? was->record : NULL, a);
	k->out->next.records[comer->at].state = RECORD_KNOWN;
	k->out->differs = true;
}

static void pair(struct comparing *k)
{
	if (k->leaver_count > 1)
		qsort(k->leavers, k->leaver_count, sizeof(*k->leavers), by_uid);
	for (size_t i = 0; i < k->comer_count; i++)
		come(k, &k->comers[i]);
	for (size_t i = 0; i < k->leaver_count; i++)
		if (k->leavers[i].ripe && !k->leavers[i].renamed)
			add_change(k, CHANGE_LOST, k->leavers[i].record, NULL);
}

bool compare(const struct host *baseline, const struct account_table *present,
	const struct settings *settings, int64_t now, struct comparison *out)
{
	struct comparing k = {.settings = settings, .now = now, .out = out};

	*out = (struct comparison){.count = 0};
	k.leavers = calloc(baseline->count + 1, sizeof(*k.leavers));
	k.comers = calloc(present->count + 1, sizeof(*k.comers));
	out->changes = calloc(baseline->count + present->count + 1, sizeof(*out->changes));
	k.failed = !k.leavers || !k.comers || !out->changes;
	for (size_t i = 0; i < baseline->count; i++)
		out->counted += counts(&k, baseline->records[i].uid);
	merge(&k, baseline, present);
	if (!k.failed)
		pair(&k);
	free(k.leavers);
	free(k.comers);
	return !k.failed;
}

void comparison_free(struct comparison *k)
{
	free(k->changes);
	host_free(&k->next);
	*k = (struct comparison){.count = 0};
}
