/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compare: passwd against the baseline. It finds what no login and no hook tells: newusers,
 * vipw, image builders, deletions, renames. A pure function of the two, the settings and the time.
 *
 * Nothing is taken for true before it was so for `creation_delay`, and nobody is gone who was not
 * missing twice. Only uids from min_uid to max_uid count.
 */
#ifndef CLOUDINVITE_WORKER_COLLECTOR_ACCOUNT_DIFF_H
#define CLOUDINVITE_WORKER_COLLECTOR_ACCOUNT_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "people/account.h"
#include "settings/settings.h"
#include "worker/collector/host.h"

/* In the order in which they are to be taken over: a rename while the old name is there still, and
 * a creation after somebody else of that name has gone. */
enum change_kind { CHANGE_RENAMED, CHANGE_REMOVED, CHANGE_CREATED };

struct change {
	enum change_kind kind;
	const struct record *old;      /* renamed, lost: in the baseline */
	const struct account *account; /* renamed, created: in the table */
};

struct account_diff {
	struct change *changes; /* ripe ones */
	size_t count;
	struct host next;      /* the baseline afterwards: its records only */
	bool differs;	       /* it is not the baseline that there was */
	size_t in_range_count; /* accounts of the baseline that count */
	size_t added_count,
		removed_count; /* those that this compare is the first to miss or to meet */
	int64_t due;	       /* wall clock: when the next change is ripe; 0: none waits */
};

/* False without memory. The table must be whole, and like the baseline outlives the comparison. */
bool account_diff_compute(const struct host *baseline, const struct account_table *present,
	const struct settings *settings, int64_t now, struct account_diff *out);
void account_diff_free(struct account_diff *diff);

#endif
