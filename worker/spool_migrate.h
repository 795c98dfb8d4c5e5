/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies what lies in directories that another account could open into directories that it cannot
 * open.
 */
#ifndef CLOUDINVITE_WORKER_SPOOL_MIGRATE_H
#define CLOUDINVITE_WORKER_SPOOL_MIGRATE_H

#include "base/fault.h"
#include "worker/prepare_spool.h"

#define MIGRATE_OLD   ".old-"	/* .old-new, .old-seen, .old-bad: the old directories */
#define MIGRATE_FRESH ".fresh-" /* a new directory that is not in its place yet */

/* Recreates the arrivals and markers of `.old-new` and `.old-seen` in new/ and seen/, and removes
 * the old directories. No inode of another account is linked or renamed into a new place, and root
 * waits for nothing in an old directory: a child reads it, as the account that owns it, and reports
 * names and words. What cannot be read in time is left out and logged: after the loss of a marker,
 * the user's next login is only reported again. */
void spool_migrate(const char *path, int spool, const struct old_owner *old, struct fault *fault);

#endif
