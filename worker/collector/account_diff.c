/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The difference between the baseline and the present accounts: one walk over two lists that are
 * sorted by name, then a match by uid of removed and added accounts, which are renames. It uses no
 * file and no clock. The invariants are C3 to C5 and C9 of README.md.
 */
#include "worker/collector/account_diff.h"

#include <stdlib.h>
#include <string.h>

#include "spool/spool.h"

/* An account of the baseline that is missing, and whose name no other account has. */
struct removed {
	const struct record *record;
	bool settled;
	bool renamed;
};

/* A new account that has settled. */
struct added {
	const struct account *account;
	size_t at; /* index of its record in next */
};

/* One comparison in progress. Each array has room for the largest possible number; memory that is
 * not written costs nothing. */
struct diff_run {
	const struct settings *settings;
	int64_t now;
	struct account_diff *out;
	struct removed *removed;
	size_t removed_total;
	struct added *added;
	size_t added_total;
	bool failed; /* out of memory */
};

static bool uid_in_range(const struct diff_run *d, uint32_t uid)
{
	return (int64_t)uid >= d->settings->min_uid && (int64_t)uid <= d->settings->max_uid;
}

static void push_record(
	struct diff_run *d, const char *user, uint32_t uid, enum record_state state, int64_t since)
{
	if (!host_add(&d->out->next, user, uid, state, since))
		d->failed = true;
}

static void push_change(struct diff_run *d, enum change_kind kind, const struct record *old,
	const struct account *account)
{
	d->out->changes[d->out->count++] = (struct change){kind, old, account};
}

static void push_removed(struct diff_run *d, const struct record *r, bool settled)
{
	d->removed[d->removed_total++] = (struct removed){r, settled, false};
}

static void push_added(struct diff_run *d, const struct account *a, size_t at)
{
	d->added[d->added_total++] = (struct added){a, at};
}

/* ---- one account ---- */

static void set_due(struct diff_run *d, int64_t at)
{
	if (d->out->due == 0 || at < d->out->due)
		d->out->due = at;
}

/* Whether a wait that began at *since is over. If the clock was set back, the wait starts again. */
static bool is_settled(struct diff_run *d, int64_t *since)
{
	if (*since > d->now) {
		*since = d->now;
		d->out->differs = true;
	}
	if (d->now - *since >= d->settings->creation_delay)
		return true;
	set_due(d, *since + d->settings->creation_delay);
	return false;
}

/* An account that is out of range is recorded as known: other settings do not make an old account
 * new. */
static void on_new(struct diff_run *d, const struct account *a, int64_t since, bool first)
{
	char name[SPOOL_NAME_MAX + 1];

	/* A name that does not fit into the spool cannot be tracked. */
	if (!spool_mark_name(name, a->user))
		return;
	d->out->differs = d->out->differs || first;
	if (!uid_in_range(d, a->uid)) {
		push_record(d, a->user, a->uid, RECORD_KNOWN, 0);
		d->out->differs = true;
		return;
	}
	d->out->added_count += first;
	if (is_settled(d, &since))
		push_added(d, a, d->out->next.count);
	push_record(d, a->user, a->uid, RECORD_NEW, since);
}

static void on_absent(struct diff_run *d, const struct record *r)
{
	int64_t since = r->since;

	/* Removed before it settled, or out of range. */
	if (r->state == RECORD_NEW || !uid_in_range(d, r->uid)) {
		d->out->differs = true;
		return;
	}
	if (r->state == RECORD_KNOWN) {
		/* Two comparisons, whatever the creation delay: this one may have read a file that
		 * was half changed. */
		d->out->removed_count++;
		d->out->differs = true;
		set_due(d, d->now + (d->settings->creation_delay > 0 ? d->settings->creation_delay
								     : 1));
		push_removed(d, r, false);
		push_record(d, r->user, r->uid, RECORD_ABSENT, d->now);
	} else if (is_settled(d, &since)) {
		d->out->differs = true;
		push_removed(d, r, true);
	} else {
		push_removed(d, r, false);
		push_record(d, r->user, r->uid, RECORD_ABSENT, since);
	}
}

/* The name has another uid: another account has it now. Both changes are reported in one pass, so
 * that the address to which the name leads always has an account. */
static void on_other_uid(struct diff_run *d, const struct record *r, const struct account *a)
{
	bool was = r->state != RECORD_NEW && uid_in_range(d, r->uid);

	d->out->differs = true;
	if (!was) {
		on_new(d, a, d->now, r->state != RECORD_NEW);
		return;
	}
	d->out->removed_count++;
	push_change(d, CHANGE_REMOVED, r, NULL);
	if (uid_in_range(d, a->uid)) {
		d->out->added_count++;
		push_change(d, CHANGE_CREATED, NULL, a);
	}
	push_record(d, a->user, a->uid, RECORD_KNOWN, 0);
}

static void on_present(struct diff_run *d, const struct record *r, const struct account *a)
{
	if (r->uid != a->uid) {
		on_other_uid(d, r, a);
	} else if (r->state == RECORD_NEW) {
		on_new(d, a, r->since, false);
	} else {
		d->out->differs = d->out->differs || r->state != RECORD_KNOWN;
		push_record(d, r->user, r->uid, RECORD_KNOWN, 0);
	}
}

/* Both lists are sorted by name, so one walk is enough. */
static void merge(
	struct diff_run *d, const struct host *baseline, const struct account_table *present)
{
	size_t i = 0, j = 0;

	while (!d->failed && (i < baseline->count || j < present->count)) {
		int order = i == baseline->count ? 1
			    : j == present->count
				    ? -1
				    : strcmp(baseline->records[i].user, present->accounts[j].user);

		if (order < 0)
			on_absent(d, &baseline->records[i++]);
		else if (order > 0)
			on_new(d, &present->accounts[j++], d->now, true);
		else
			on_present(d, &baseline->records[i++], &present->accounts[j++]);
	}
}

/* ---- renames ---- */

static int by_uid(const void *a, const void *b)
{
	const struct removed *x = a, *y = b;
	uint32_t left = x->record->uid, right = y->record->uid;

	return (left > right) - (left < right);
}

/* The first removed account with that uid, or where it would be. */
static size_t first_removed_with_uid(const struct diff_run *d, uint32_t uid)
{
	size_t low = 0, high = d->removed_total;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (d->removed[middle].record->uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A removed account with the same uid had this one's old name. Until that is certain, the new name
 * waits, because a rename must not count as a creation. */
static void match_added(struct diff_run *d, const struct added *added)
{
	const struct account *a = added->account;
	struct removed *was = NULL;
	bool waits = false;

	for (size_t i = first_removed_with_uid(d, a->uid);
		i < d->removed_total && d->removed[i].record->uid == a->uid; i++) {
		if (d->removed[i].settled && !d->removed[i].renamed && !was)
			was = &d->removed[i];
		waits = waits || !d->removed[i].settled;
	}
	if (!was && waits)
		return;
	if (was)
		was->renamed = true;
	push_change(d, was ? CHANGE_RENAMED : CHANGE_CREATED, was ? was->record : NULL, a);
	d->out->next.records[added->at].state = RECORD_KNOWN;
	d->out->differs = true;
}

static void match_renames(struct diff_run *d)
{
	if (d->removed_total > 1)
		qsort(d->removed, d->removed_total, sizeof(*d->removed), by_uid);
	for (size_t i = 0; i < d->added_total; i++)
		match_added(d, &d->added[i]);
	for (size_t i = 0; i < d->removed_total; i++)
		if (d->removed[i].settled && !d->removed[i].renamed)
			push_change(d, CHANGE_REMOVED, d->removed[i].record, NULL);
}

bool account_diff_compute(const struct host *baseline, const struct account_table *present,
	const struct settings *settings, int64_t now, struct account_diff *out)
{
	struct diff_run d = {.settings = settings, .now = now, .out = out};

	*out = (struct account_diff){.count = 0};
	d.removed = calloc(baseline->count + 1, sizeof(*d.removed));
	d.added = calloc(present->count + 1, sizeof(*d.added));
	out->changes = calloc(baseline->count + present->count + 1, sizeof(*out->changes));
	d.failed = !d.removed || !d.added || !out->changes;
	for (size_t i = 0; i < baseline->count; i++)
		out->in_range_count += uid_in_range(&d, baseline->records[i].uid);
	merge(&d, baseline, present);
	if (!d.failed)
		match_renames(&d);
	free(d.removed);
	free(d.added);
	return !d.failed;
}

void account_diff_free(struct account_diff *d)
{
	free(d->changes);
	host_free(&d->next);
	*d = (struct account_diff){.count = 0};
}
