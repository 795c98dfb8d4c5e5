/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The comparison of the passwd file with the baseline. It finds what no login and no hook reports:
 * newusers, vipw, image builders, deletions, renames. A pure function of both, the settings and the
 * time.
 *
 * A change is reported only after it has persisted for the creation delay, and an account counts as
 * deleted only if it was missing from two comparisons. Only uids from min_uid to max_uid count.
 */
#ifndef CLOUDINVITE_WORKER_COLLECTOR_ACCOUNT_DIFF_H
#define CLOUDINVITE_WORKER_COLLECTOR_ACCOUNT_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "people/account.h"
#include "settings/settings.h"
#include "worker/collector/host.h"

/* The order in which changes are applied: a rename while the old name is still there, and a
 * creation after the removal of another account with that name. */
enum change_kind { CHANGE_RENAMED, CHANGE_REMOVED, CHANGE_CREATED };

struct change {
	enum change_kind kind;
	const struct record *old;      /* renamed, removed: in the baseline */
	const struct account *account; /* renamed, created: in the table */
};

struct account_diff {
	struct change *changes; /* settled ones */
	size_t count;
	struct host next;      /* the next baseline: only its records */
	bool differs;	       /* it differs from the old baseline */
	size_t in_range_count; /* accounts of the baseline that are in range */
	size_t added_count,
		removed_count; /* those that this comparison is the first to miss or to find */
	int64_t due;	       /* wall clock: when the next change settles; 0: none is waiting */
};

/* False if out of memory. The table must be complete; it and the baseline must outlive the
 * result. */
bool account_diff_compute(const struct host *baseline, const struct account_table *present,
	const struct settings *settings, int64_t now, struct account_diff *out);
void account_diff_free(struct account_diff *diff);

#endif
