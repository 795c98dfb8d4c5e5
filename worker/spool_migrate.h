/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies in directories that another account could open, made again in those that it cannot.
 */
#ifndef CLOUDINVITE_WORKER_SPOOL_MIGRATE_H
#define CLOUDINVITE_WORKER_SPOOL_MIGRATE_H

#include "base/fault.h"
#include "worker/prepare_spool.h"

#define MIGRATE_OLD   ".old-"	/* .old-new, .old-seen, .old-bad: as they were */
#define MIGRATE_FRESH ".fresh-" /* not in their place yet */

/* Makes the arrivals and marks of `.old-new` and `.old-seen` again in new/ and seen/, and removes
 * the old directories. No inode of another account is linked or renamed into a new place, and root
 * waits for nothing in an old directory: a child looks into it, as the account that owns it, and
 * tells of names and words. What cannot be read in time is left out and said: a mark that is lost
 * only lets the user's next login be told once more. */
void spool_migrate(const char *path, int spool, const struct old_owner *old, struct fault *fault);

#endif
