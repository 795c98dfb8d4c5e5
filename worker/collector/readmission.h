/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts that were excluded and are not any more. They wait for the creation delay and a second
 * look before the ledger hears of it, because the first look may have read a file that was half
 * written: an empty group file would release all people that it excludes, and a mail cannot be
 * called back. If more than a few are released at once, the change guard pauses the service.
 *
 * The waiting accounts are in the file `collector/readmitted` in the state directory, for a
 * collector that runs as `--once`:
 *
 *   cloudinvite-readmitted 1
 *   guard tripped
 *   SINCE ESCAPED-USER
 *   …
 *   end NUMBER-OF-ACCOUNTS
 */
#ifndef CLOUDINVITE_WORKER_COLLECTOR_READMISSION_H
#define CLOUDINVITE_WORKER_COLLECTOR_READMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "people/sighting.h"
#include "settings/settings.h"

#define READMITTED_MAX 3 /* so many at once are everyday work */

struct readmission {
	char *user;
	int64_t since; /* wall clock: the first look that found it not excluded */
	bool counted;  /* by the guard: not if only its groups were unknown before */
};

struct readmissions {
	struct readmission *list; /* sorted by user */
	size_t count, room;
	size_t counted;
	bool loaded;
	bool changed; /* since the last save */
	bool tripped; /* the guard has paused the service, and no account is readmitted, … */
	bool passed;  /* … until an administrator has ended that pause */
};

/* Pure. Whether the ledger must not hear yet that an account is not excluded any more: `was` is
 * what the ledger knows, `now` what was found at this look. *due (wall clock): when to look again;
 * 0: not by time. Without memory it waits, too. */
bool readmission_waits(struct readmissions *r, const struct sighting *was,
	const struct sighting *now, const struct settings *settings, int64_t wall, int64_t *due);
/* Whether more are waiting than everyday work releases. */
bool readmissions_are_many(const struct readmissions *r);
/* Removes accounts that have waited for a week: they were deleted, or do not come any more. */
void readmissions_expire(struct readmissions *r, int64_t wall);

/* Reads the file once. A broken file counts as missing: the wait begins again. */
bool readmissions_load(struct readmissions *r, const char *state_directory, struct fault *fault);
/* Replaces the file if something has changed. */
bool readmissions_save(struct readmissions *r, const char *state_directory, struct fault *fault);
void readmissions_free(struct readmissions *r);

#endif
