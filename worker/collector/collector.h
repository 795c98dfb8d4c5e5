/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector: which accounts were seen on this host, and the facts about them. No network, no
 * credential.
 *
 * The spool is the keeper's (spool/keeper.h): the collector asks it (spool/client.h).
 *
 * README.md has the map of these files, the invariants and the traps.
 */
#ifndef CLOUDINVITE_WORKER_COLLECTOR_COLLECTOR_H
#define CLOUDINVITE_WORKER_COLLECTOR_COLLECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "ledger/ledger.h"
#include "people/account.h"
#include "people/sighting.h"
#include "settings/settings.h"
#include "spool/client.h"
#include "worker/collector/readmission.h"

/* A user whose changed facts were stored recently, and when (clock_boot_ms). */
struct refreshed {
	uint32_t uid;
	int64_t at_ms;
};

struct host;

struct collector {
	const struct settings *settings;
	struct ledger *ledger;
	struct spool_client spool;
	char host[HOST_MAX + 1];

	bool ledger_dirty;    /* the ledger has something new for the dispatcher */
	bool pending;	      /* there are more arrivals that can be processed now */
	int64_t arrivals_due; /* wall clock: when the next arrival that waits can be processed; 0:
				 none waits */
	int64_t accounts_due; /* the same for changes of the accounts */
	int64_t facts_due;    /* the same for facts that have changed again */
	struct refreshed *refreshed; /* in the last hour, by uid */
	size_t refreshed_count;
	int64_t network_at;	   /* when all waiting network users were last looked up */
	int64_t skipped_logged_ms; /* when an unknown user was last logged (clock_boot_ms; 0:
				      never), … */
	int64_t skipped;	   /* … and how many have come since */
	bool marks_bound;	   /* the markers belong to this ledger, as of … */
	int64_t marks_revision;	   /* … this revision */
	int64_t change;		   /* the newest revision of the ledger that the markers show */
	struct readmissions readmissions;
	bool guard_tripped;	/* the last comparison had too many changes */
	struct host *baseline;	/* during a pass that has `created` arrivals */
	bool warned_incomplete; /* it has been logged that the passwd file cannot be compared, … */
	bool warned_groups;	/* … and that the group file does not count */
};

/* The present accounts and groups, read for one pass and then freed. */
struct account_snapshot {
	struct account_table accounts;
	struct group_table *groups;
};
bool snapshot_take(
	struct account_snapshot *c, const struct settings *settings, struct fault *fault);
void snapshot_free(struct account_snapshot *c);

/* Fills in user, host, uid, day and facts from a local account; the caller sets the trigger. */
void facts_local(struct sighting *s, const struct collector *c,
	const struct account_snapshot *snapshot, const struct account *account);
/* The same through NSS, which may block. False if NSS does not know the name. */
bool facts_network(struct sighting *s, const struct collector *c, const char *user);

/* What of `now` the ledger may hear at this look, for an account that it knows: without a whole
 * group file the groups stay as they are known (unless one excludes the account), and while the
 * account waits to be readmitted all facts do. Whether it waits; sets c->facts_due. */
bool facts_settle(struct collector *c, const struct account_snapshot *snapshot,
	const struct sighting *known, struct sighting *now);
/* Stores a sighting, as facts_settle leaves it. A known account takes over the trigger if it
 * matters more than its own. In a transaction. */
bool store_sighting(struct collector *c, const struct account_snapshot *snapshot,
	struct sighting *s, struct fault *fault);
/* Processes the arrivals in new/ that can be processed now, some thousand at a time: sets
 * c->pending and c->arrivals_due. */
bool arrivals_process(
	struct collector *c, const struct account_snapshot *snapshot, struct fault *fault);
/* Applies the differences between accounts and baseline: sets c->accounts_due and c->guard_tripped.
 * An incomplete passwd file is not compared. */
bool accounts_compare(
	struct collector *c, const struct account_snapshot *snapshot, struct fault *fault);
/* Reports every known local account whose facts have changed: each account once an hour, and at
 * once if the settings now exclude it. Sets c->facts_due if some must wait. */
bool facts_refresh(
	struct collector *c, const struct account_snapshot *snapshot, struct fault *fault);
/* After a pass in which accounts may have begun to wait for their readmission: the guard, and the
 * file. */
bool readmissions_settle(struct collector *c, struct fault *fault);
/* Frees what facts_refresh remembers of the last hour. */
void facts_refresh_forget(struct collector *c);
/* The host had another name: what the ledger has under that name is stored under the present
 * one. */
bool host_rename(struct collector *c, const struct account_snapshot *snapshot, const char *old_host,
	struct fault *fault);

/* Before markers are written: the spool notes to which ledger and revision they belong. Markers of
 * another ledger are removed. A ledger with a smaller revision than the markers was restored from a
 * backup: it takes a new id, and the dispatcher is told (ledger_note_copy). */
bool marks_bind(struct collector *c, struct fault *fault);
/* Whether an account that was reported with this trigger may have a marker. One that was only
 * created, where `created` does not count, has none: its first login is to be reported. */
bool marks_allowed(const struct collector *c, enum trigger trigger);
/* Updates the markers from the ledger. */
bool marks_update(struct collector *c, struct fault *fault);
/* Removes the markers of users who are not local, if they are older than `age` seconds. */
bool marks_drop_network(struct collector *c, const struct account_snapshot *snapshot, int64_t age,
	struct fault *fault);

/* Evaluates the result of a ledger call (-1: fault): sets c->ledger_dirty if something changed;
 * false if it was a fault. */
static inline bool collector_note_result(struct collector *c, int result)
{
	c->ledger_dirty = c->ledger_dirty || result > 0;
	return result >= 0;
}

/* Watches the directories of passwd and group: an inotify descriptor, or -1. */
struct fs_watch {
	int fd;
	int passwd, group; /* watch descriptors */
	const char *passwd_name;
	const char *group_name;
};
bool fs_watch_open(struct fs_watch *w, const struct settings *settings, struct fault *fault);
/* Reads all events: whether accounts or groups may have changed. */
bool fs_watch_read(struct fs_watch *w);
void fs_watch_close(struct fs_watch *w);

#endif
