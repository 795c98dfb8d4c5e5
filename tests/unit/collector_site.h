/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the collector: a host in a folder, with its ledger, its spool and a fresh baseline.
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
	struct spool_reader boxes; /* the collector itself could not open it */
	char group_names[64];
	char paths[5][128]; /* spool, state, passwd, group, run: the settings point to these */
};

int collector_new(void **state);
int collector_free(void **state);

/* Writes the passwd file: "alice:1001 bob:1002". root is always in it. */
void people(struct collector_site *s, const char *accounts);

/* One pass of a step of the collector over the present accounts. */
bool step(struct collector_site *s,
	bool (*what)(
		struct collector *c, const struct account_snapshot *snapshot, struct fault *fault));
void compares(struct collector_site *s);
void takes(struct collector_site *s);
void put_arrival(
	struct collector_site *s, const char *user, enum trigger trigger, int64_t seconds_ago);
bool exists(struct collector_site *s, const char *name);
bool marked(struct collector_site *s, const char *user);

/* The number of sightings that match: "account = 'alice' AND trigger = 'created'". */
int64_t sightings(struct collector_site *s, const char *where);

#define there(user) "gone_day IS NULL AND account = '" user "'"
#define gone(user)  "gone_day IS NOT NULL AND account = '" user "'"

#endif
