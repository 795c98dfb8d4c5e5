/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the collector remembers of its host between two runs: the file `collector/host` in the state
 * directory.
 *
 *   cloudinvite-host 1
 *   machine MACHINE-ID
 *   product HASH-OF-A-UUID
 *   instance INSTANCE-ID
 *   name HOST
 *   change_guard tripped
 *   known UID ESCAPED-USER
 *   new UID ESCAPED-USER SINCE
 *   absent UID ESCAPED-USER SINCE
 *   end NUMBER-OF-RECORDS
 *
 * `known` is the baseline: accounts that are not new. `new` and `absent` wait for the creation
 * delay. `change_guard` is there from the comparison that tripped the change guard to the one that
 * passes it; an earlier version wrote `brake set`. The file is read for a comparison and then
 * freed, so that an idle collector is as small with a million accounts as with ten.
 */
#ifndef CLOUDINVITE_WORKER_COLLECTOR_HOST_H
#define CLOUDINVITE_WORKER_COLLECTOR_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/machine.h"
#include "people/account.h"
#include "people/sighting.h"

enum record_state { RECORD_KNOWN, RECORD_NEW, RECORD_ABSENT };

struct record {
	char *user;
	uint32_t uid;
	enum record_state state;
	int64_t since; /* new, absent: wall clock */
};

struct host {
	struct machine machine; /* now; what is not known now is as in the file */
	char name[HOST_MAX + 1];
	struct machine old_machine; /* as in the file */
	char old_name[HOST_MAX + 1];
	bool first;		/* there was no file, or it was not valid */
	bool guard_tripped;	/* the guard has paused and not yet let the change pass */
	struct record *records; /* sorted by user */
	size_t count;
	size_t room;
};

/* Reads state/collector/host; `name` is the host's present name, `run` the run directory. A broken
 * file is logged and counts
 * as missing: then the present accounts are the baseline again, and users are seen when they log
 * in. False if out of memory or if the file cannot be read. */
bool host_load(struct host *h, const char *state_directory, const char *run, const char *name,
	struct fault *fault);
/* Replaces the file: `h` with the records of `records` (which may be `h` itself). */
bool host_save(const struct host *h, const struct host *records, const char *state_directory,
	struct fault *fault);
void host_free(struct host *h);

/* Whether another machine wrote the file (a cloned image). */
bool host_cloned(const struct host *h);
/* Whether the host has another name than in the file, and nothing but an id that is easily copied
 * says that it is the same machine: renamed, or a clone. */
bool host_may_be_cloned(const struct host *h);
/* Whether a fact about the machine is known that the file does not have. */
bool host_has_learned(const struct host *h);
/* Removes all records. */
void host_clear(struct host *h);
/* Appends a record. Records must be in the order of users before they are compared or saved. False
 * if out of memory. */
bool host_add(
	struct host *h, const char *user, uint32_t uid, enum record_state state, int64_t since);
void host_sort(struct host *h);

#endif
