/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sighting: which account exists on which host, and the facts about it that policy needs. The
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

/* Instead of the groups if they could not be determined (a broken group file, more than fit): the
 * account counts as excluded, because one of its groups might be. */
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
	char groups[1024]; /* those that the settings mention, sorted, separated by blanks */
	char first[128];   /* from GECOS, only with gecos = yes */
	char last[128];
};

/* Like trigger_parse, but without `deleted`: such an account has no sighting. */
bool sighting_trigger_parse(const char *word, enum trigger *out);

/* Whether the settings invite for this trigger. An administrator's always counts. */
bool trigger_counts(enum trigger trigger, const struct settings *settings);
/* Whether a known account that is reported with `now` matters more than with `known`: one that
 * counts over one that does not, and then `manual` over `login` over `created`. */
bool trigger_outranks(enum trigger now, enum trigger known, const struct settings *settings);

/* Fills in uid and facts from a local account. The first field of GECOS is split at blanks into
 * first and last word (the last is empty if there is only one; both are, if there are more than
 * two). Control characters, invalid UTF-8,
 * commas and colons give empty names. */
void sighting_facts(struct sighting *s, const struct account *a, const struct group_table *groups,
	const struct settings *settings);
/* Whether the facts (not trigger and time) are the same. */
bool sighting_same_facts(const struct sighting *a, const struct sighting *b);

#endif
