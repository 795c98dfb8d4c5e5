/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sighting: who was seen on which host, and the facts about the account that policy needs. The
 * collector writes it; only the dispatcher decides whose address that is (people/verdict.h).
 */
#ifndef CLOUDINVITE_PEOPLE_SIGHTING_H
#define CLOUDINVITE_PEOPLE_SIGHTING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/trigger.h"
#include "people/account.h"
#include "settings/settings.h"

/* In place of the groups when they could not be told (a broken group file, more than fit): judged
 * as excluded, because one of them might be. */
#define SIGHTING_GROUPS_UNKNOWN "?"

struct sighting {
	char host[HOST_MAX + 1];
	char user[USER_MAX + 1];
	int64_t uid; /* -1: not known */
	enum trigger trigger;
	int64_t first_seen; /* day, as its first second UTC */
	/* facts */
	bool local;
	char shell[256];
	char groups[1024]; /* those that the settings mention, sorted, blanks between */
	char first[128];   /* from GECOS, only with gecos = yes */
	char last[128];
};

/* As trigger_parse, but without `deleted`: that account is seen no more. */
bool sighting_trigger_parse(const char *word, enum trigger *out);

/* Fills uid and facts from a local account. GECOS' first field is split at blanks: first word, last
 * word (empty if there is only one); control characters, invalid UTF-8, commas and colons yield
 * empty names. */
void sighting_facts(struct sighting *s, const struct account *a, const struct group_table *groups,
	const struct settings *settings);
/* Whether the facts (not reason and time) are the same. */
bool sighting_same_facts(const struct sighting *a, const struct sighting *b);

#endif
