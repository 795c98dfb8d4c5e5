/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector: who was seen on this host, and the facts about the account. No network, no
 *credential.
 *
 *	arrivals.c   the spool's new/ -> sightings in the ledger -> marks
 *	compare.c    passwd against the baseline: created, deleted, renamed; the brake
 *	facts.c      what policy needs to know of an account, local or network
 *	marks.c      what became of people -> the spool's seen/
 *	watch.c      inotify on new/, passwd and group
 *	host.c       the baseline on disk
 *	main.c       the loop
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
#include "spool/reader.h"

struct collector {
	const struct settings *settings;
	struct ledger *ledger;
	struct spool_reader spool;
	char host[HOST_MAX + 1];

	bool news;	     /* the ledger has got something for the dispatcher */
	int64_t next_due;    /* wall clock: when something settles; 0: nothing waits */
	int64_t change;	     /* the newest change of the ledger that the marks show */
	int64_t network_at;  /* wall clock: when unknown network users are looked up again */
	bool braked;	     /* our brake is on, or was when we last looked */
	bool told_not_whole; /* that passwd is not fit for a compare has been logged */
};

/* The present accounts and groups, read for one pass and let go. */
struct census {
	struct account_table accounts;
	struct group_table *groups;
};
bool census_take(struct census *c, const struct settings *settings, struct fault *fault);
void census_free(struct census *c);

/* Fills user, host, uid and facts from a local account; reason and day are the caller's. */
void facts_local(struct sighting *s, const struct collector *c, const struct census *census,
	const struct account *account);
/* The same through NSS, which may block. False if NSS knows nobody of that name. */
bool facts_network(struct sighting *s, const struct collector *c, const char *user);

/* Takes what lies in new/ and is ripe. */
bool arrivals_take(struct collector *c, const struct census *census, struct fault *fault);
/* Compares the accounts with the baseline, and the facts with those that the ledger has. */
bool compare_accounts(struct collector *c, const struct census *census, struct fault *fault);
bool compare_facts(struct collector *c, const struct census *census, struct fault *fault);
/* Brings the marks up to date with the ledger; drops those of network users after 30 days. */
bool marks_update(struct collector *c, struct fault *fault);
bool marks_expire(struct collector *c, const struct census *census, struct fault *fault);

/* Notes that something is to be done at that time. */
void collector_due(struct collector *c, int64_t at);

/* Watches new/, and the directories of passwd and group: an inotify descriptor, or -1. */
struct watch {
	int fd;
	int passwd; /* watch descriptors */
	int group;
	const char *passwd_name;
	const char *group_name;
};
bool watch_open(struct watch *w, const struct settings *settings, struct fault *fault);
/* Reads away what has gathered: whether there may be arrivals, and whether accounts may have
 * changed. */
void watch_read(struct watch *w, bool *arrived, bool *changed);
void watch_close(struct watch *w);

#endif
