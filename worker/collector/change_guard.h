/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The change guard: a change that is too large for everyday work (a passwd file of another host,
 * half a file, an import gone wrong) is not applied before an administrator has confirmed it.
 */
#ifndef CLOUDINVITE_WORKER_COLLECTOR_CHANGE_GUARD_H
#define CLOUDINVITE_WORKER_COLLECTOR_CHANGE_GUARD_H

#include "worker/collector/account_diff.h"
#include "worker/collector/collector.h"

/* Sets *allowed: whether the comparison may be applied. If not, the ledger is paused with the kind
 * `account_changes`, and host->guard_tripped is set as soon as that pause is in effect. `resume`
 * clears it and lets the next comparison pass. The caller saves the host. */
bool change_guard_allows(struct collector *c, struct host *host, const struct account_diff *diff,
	bool *allowed, struct fault *fault);

/* The same for accounts that were excluded and are not any more (readmission.h): if they are many,
 * the ledger is paused, and none is readmitted before `resume`. */
bool change_guard_readmits(struct collector *c, struct fault *fault);

#endif
