/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict on a sighting: its address, or the reason why there is none. A pure function of
 * facts, settings, map and blocklist, so that it can be computed again and explained.
 */
#ifndef CLOUDINVITE_PEOPLE_VERDICT_H
#define CLOUDINVITE_PEOPLE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "people/sighting.h"

enum verdict_kind {
	VERDICT_NONE = 0, /* not evaluated yet */
	VERDICT_MAPPED,
	VERDICT_UNMAPPED,
	VERDICT_FOREIGN_DOMAIN,
	VERDICT_EXCLUDED,
	VERDICT_BLOCKED,   /* set by the ledger's blocklist */
	VERDICT_COLLISION, /* set by the ledger, which compares the sightings of one host */
};

struct verdict {
	enum verdict_kind kind;
	bool from_template;	       /* the address came from the template, not from the map */
	char address[ADDRESS_MAX + 1]; /* lower case; also for blocked and collision */
	char rule[64]; /* stable word: "uid_range", "shell", "reserved_name", "exclude_users" … */
	char sentence[256]; /* for explain: why, in the administrator's words */
	bool repeated;	    /* set by ledger_set_verdict: the same kind and address as last time */
};

/* "mapped", "unmapped", "foreign_domain", "excluded", "blocked", "collision", "none". */
const char *verdict_word(enum verdict_kind kind);
bool verdict_parse(const char *word, enum verdict_kind *out);

/* The map file: each line is `[host-glob:]user address`, or `user -` for never; # begins a
 * comment. */
struct address_map;
/* "" or a missing default file gives an empty map; a broken line is a FAULT_SETTINGS. */
struct address_map *map_load(const char *path, struct fault *fault);
struct address_map *map_parse(const char *text, size_t n, const char *path, struct fault *fault);
/* The first line that matches host and user: its address, "-" for never, or NULL; *line is its
 * number. */
const char *map_find(const struct address_map *m, const char *host, const char *user, int *line);
/* Calls `each` for every line, in the order of users, until it returns false. */
bool map_each(const struct address_map *m,
	bool (*each)(const char *host, const char *user, const char *address, void *ctx),
	void *ctx);
void map_free(struct address_map *m);

/* Evaluates a sighting. The ledger adds blocklist and collisions later (ledger_set_verdict). */
void verdict_evaluate(const struct sighting *s, const struct settings *settings,
	const struct address_map *map, struct verdict *out);

/* Whether the settings exclude the account, whatever the map says. */
bool verdict_excludes(const struct sighting *s, const struct settings *settings);

/* A plain address: one @; a local part of RFC 5321 dot-atom characters of at most 64 bytes; a
 * host name with a dot; ASCII, without quotes and control characters. Writes it to `out` in
 * lower case. */
bool address_plain(const char *s, char out[ADDRESS_MAX + 1]);
/* Whether its domain is one of `domains` (exactly; no subdomains). */
bool address_in_domains(const char *address, const char *domains);

/* The group of a reserved name, regardless of case ("cloud image", "automation", "role name",
 * "service", "shared name", "machine account"), or NULL. */
const char *reserved_name_kind(const char *user);

/* A number that changes when a setting or map line changes on which verdicts depend. */
uint64_t rules_fingerprint(const struct settings *settings, const struct address_map *map);

#endif
