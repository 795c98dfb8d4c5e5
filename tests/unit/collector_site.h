/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the collector: a host in a folder, with its ledger, its spool and a clean baseline.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_COLLECTOR_SITE_H
#define CLOUDINVITE_TESTS_UNIT_COLLECTOR_SITE_H

#include "base/str.h"
#include "base/strbuf.h"
#include "ledger_site.h"

#include <time.h>

#include "spool/keeper.h"
#include "worker/collector/collector.h"

#define HOST "web1"

struct collector_site {
	struct site *site; /* ledger and settings */
	struct collector c;
	struct spool_reader boxes; /* what the collector itself could not open */
	char group_names[64];
	char paths[4][128]; /* spool, state, passwd, group: settings point here */
};

int collector_new(void **state);
int collector_free(void **state);

/* The passwd file: "alice:1001 bob:1002". root is always there. */
void people(struct collector_site *s, const char *accounts);

/* One pass of one of the collector's steps over the accounts as they are now. */
bool step(struct collector_site *s,
	bool (*what)(
		struct collector *c, const struct account_snapshot *snapshot, struct fault *fault));
void compares(struct collector_site *s);
void takes(struct collector_site *s);
void put_arrival(
	struct collector_site *s, const char *user, enum trigger reason, int64_t seconds_ago);
bool exists(struct collector_site *s, const char *name);
bool marked(struct collector_site *s, const char *user);

/* How many rows of the sightings fit: "account = 'alice' AND reason = 'created'". */
int64_t sightings(struct collector_site *s, const char *where);

#define there(user) "gone_day IS NULL AND account = '" user "'"
#define gone(user)  "gone_day IS NOT NULL AND account = '" user "'"

#endif
