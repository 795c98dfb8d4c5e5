/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector: who was seen on this host, and the facts about the account. No network, no
 * credential.
 *
 * The spool itself is the keeper's (spool/keeper.h): the collector asks it (spool/client.h).
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

/* A user whose changed facts were taken over lately, and when (clock_boot_ms). */
struct refreshed {
	uint32_t uid;
	int64_t at_ms;
};

struct collector {
	const struct settings *settings;
	struct ledger *ledger;
	struct spool_client spool;
	char host[HOST_MAX + 1];

	bool ledger_dirty;    /* the ledger has got something for the dispatcher */
	bool pending;	      /* arrivals are left that could be taken at once */
	int64_t arrivals_due; /* wall clock: when an arrival that waits is looked at; 0: none does
			       */
	int64_t accounts_due; /* the same of what a compare has found */
	int64_t facts_due;    /* the same of facts that have changed again */
	struct refreshed *refreshed; /* within the last hour, by uid */
	size_t refreshed_count;
	int64_t network_at;	   /* when all network users who wait were last looked up */
	int64_t skipped_logged_ms; /* when a stranger was last logged (clock_boot_ms; 0: never), …
				    */
	int64_t skipped;	   /* … and how many have come since */
	int64_t change;		   /* the newest change of the ledger that the marks show */
	bool guard_tripped;	   /* the last compare was too much at once */
	bool warned_incomplete;	   /* that passwd is not fit for a compare has been logged */
};

/* The present accounts and groups, read for one pass and let go. */
struct account_snapshot {
	struct account_table accounts;
	struct group_table *groups;
};
bool snapshot_take(
	struct account_snapshot *c, const struct settings *settings, struct fault *fault);
void snapshot_free(struct account_snapshot *c);

/* Fills user, host, uid, day and facts from a local account; the reason is the caller's. */
void facts_local(struct sighting *s, const struct collector *c,
	const struct account_snapshot *snapshot, const struct account *account);
/* The same through NSS, which may block. False if NSS knows nobody of that name. */
bool facts_network(struct sighting *s, const struct collector *c, const char *user);

/* Takes what lies in new/ and is ripe, some thousand at once: sets c->pending and c->arrivals_due.
 */
bool arrivals_process(
	struct collector *c, const struct account_snapshot *snapshot, struct fault *fault);
/* Takes over how the accounts differ from the baseline: sets c->accounts_due and c->guard_tripped.
 * A passwd file that is not whole is not compared. */
bool accounts_compare(
	struct collector *c, const struct account_snapshot *snapshot, struct fault *fault);
/* Tells the ledger of every known local account whose facts are others now: of one account once an
 * hour, and at once where the settings exclude it now. Sets c->facts_due if some must wait. */
bool facts_refresh(
	struct collector *c, const struct account_snapshot *snapshot, struct fault *fault);
/* Frees what facts_refresh remembers of the last hour. */
void facts_refresh_forget(struct collector *c);
/* The host had another name: what the ledger knows under it is known under the present one. */
bool host_rename(struct collector *c, const struct account_snapshot *snapshot, const char *old_host,
	struct fault *fault);

/* Brings the marks up to date with the ledger. */
bool marks_update(struct collector *c, struct fault *fault);
/* Drops the marks of users who are not local, if they are older than `age` seconds. */
bool marks_drop_network(struct collector *c, const struct account_snapshot *snapshot, int64_t age,
	struct fault *fault);
/* Drops all of them. */
bool marks_drop_all(struct collector *c, struct fault *fault);

/* Adds what a call of the ledger returned (-1: fault) to c->news; false if it was a fault. */
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
/* Reads away what has gathered: whether accounts or groups may have changed. */
bool fs_watch_read(struct fs_watch *w);
void fs_watch_close(struct fs_watch *w);

#endif
