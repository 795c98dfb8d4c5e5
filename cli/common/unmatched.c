/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule that matches nothing says nothing: its user is invited as if the rule were missing. So a
 * name that looks misspelt is pointed out, with the name that was probably meant.
 */
#include "cli/common/unmatched.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/distance.h"
#include "base/privdrop.h"
#include "base/str.h"

#define SUGGESTED_MAX 20 /* names for which a similar one is searched: that takes time */
#define NSS_BUFFER    65536
#define USUAL_GROUP   "no-cloudinvite" /* the default; it need not exist */

/* What exists here: one copy of all names in lower case, sorted. */
struct names {
	char **names;
	size_t count;
};

struct search {
	const struct mapping *mapping;
	const struct settings *settings;
	void (*report)(const struct fault *note, void *ctx);
	void *ctx;
	char here[HOST_MAX + 1];
	struct names users, groups;
	char *buffer; /* for NSS */
	/* the key that is being looked at */
	const char *key;
	const struct names *known;
	bool is_group;
	int suggested; /* names that were compared with all others */
	int others;    /* names that are like none */
	char example[96];
};

/* ---- what exists ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool names_add(struct names *n, const char *name, bool lower)
{
	char *copy = strdup(name);

	if (!copy)
		return false;
	if (lower)
		str_lower(copy);
	/* gcc -fanalyzer believes that the copy is lost: names_free frees it. */
	n->names[n->count++] = copy;
	return true;
}

static bool names_of_accounts(struct names *n, const struct account_table *t)
{
	bool good = true;

	n->names = calloc(t->count + 1, sizeof(*n->names));
	for (size_t i = 0; n->names && i < t->count && good; i++)
		good = names_add(n, t->accounts[i].user, true);
	if (n->names)
		qsort(n->names, n->count, sizeof(*n->names), compare_names);
	return n->names && good;
}

static bool names_of_groups(struct names *n, const struct group_table *t)
{
	bool good = true;

	n->names = calloc(group_count(t) + 1, sizeof(*n->names));
	for (size_t i = 0; n->names && i < group_count(t) && good; i++)
		good = names_add(n, group_name_at(t, i), false);
	if (n->names)
		qsort(n->names, n->count, sizeof(*n->names), compare_names);
	return n->names && good;
}

static void names_free(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->names[i]);
	free(n->names);
}

static bool is_in_directory(const struct search *s, const char *name)
{
	struct passwd user, *found_user = NULL;
	struct group group, *found_group = NULL;

	if (!s->settings->network_users)
		return false;
	if (s->is_group)
		return getgrnam_r(name, &group, s->buffer, NSS_BUFFER, &found_group) == 0 &&
		       found_group;
	return getpwnam_r(name, &user, s->buffer, NSS_BUFFER, &found_user) == 0 && found_user;
}

static bool exists(const struct search *s, const char *name)
{
	return bsearch(&name, s->known->names, s->known->count, sizeof(*s->known->names),
		       compare_names) ||
	       is_in_directory(s, name);
}

/* ---- the name that was meant ---- */

/* "domain" of "domain guests": the name was written without quotation marks. */
static bool is_first_word(const char *name, const char *whole)
{
	size_t n = strlen(name);

	return strncmp(whole, name, n) == 0 && whole[n] == ' ';
}

static const char *nearest(const struct search *s, const char *name)
{
	size_t best = strlen(name) > 3 ? 2 : 1;
	const char *found = NULL;

	for (size_t i = 0; i < s->known->count; i++) {
		const char *other = s->known->names[i];
		size_t distance = word_distance(name, other);

		if (s->is_group && is_first_word(name, other))
			return other;
		if (distance <= best && (!found || distance < best)) {
			best = distance;
			found = other;
		}
	}
	return found;
}

static void report_near(
	const struct search *s, const char *where, const char *name, const char *near)
{
	struct fault note = {.kind = FAULT_NONE};
	const char *mark = str_word_quoted(near) ? "\"" : "";

	fault_set(&note, FAULT_NONE, "rule_unmatched", "%s: there is no %s '%s' on this host",
		where, s->is_group ? "group" : "user", name);
	fault_remedy(&note, "Did you mean %s%s%s?%s", mark, near, mark,
		*mark ? " A name with a space in it is written in quotation marks." : "");
	s->report(&note, s->ctx);
}

static void look_up(struct search *s, const char *where, const char *name)
{
	const char *near;

	if (exists(s, name))
		return;
	near = s->suggested < SUGGESTED_MAX ? nearest(s, name) : NULL;
	s->suggested++;
	if (near) {
		report_near(s, where, name, near);
		return;
	}
	if (s->others++ == 0)
		str_safe(s->example, sizeof(s->example), name);
}

static void report_others(const struct search *s, const char *where)
{
	struct fault note = {.kind = FAULT_NONE};
	const char *what = s->is_group ? "group" : "user";

	if (s->others == 0)
		return;
	if (s->others == 1)
		fault_set(&note, FAULT_NONE, "rule_unmatched",
			"%s: there is no %s '%s' on this host", where, what, s->example);
	else
		fault_set(&note, FAULT_NONE, "rule_unmatched",
			"%s: %d %ss do not exist on this host, such as '%s'", where, s->others,
			what, s->example);
	fault_remedy(&note, "If they exist on other hosts, this is right. Otherwise correct the "
			    "names: the rules for them never apply.");
	s->report(&note, s->ctx);
}

static void begin(struct search *s, const struct names *known, bool is_group)
{
	s->known = known;
	s->is_group = is_group;
	s->suggested = s->others = 0;
}

/* ---- the lists of the settings ---- */

static bool look_at_word(const char *word, size_t length, void *ctx)
{
	struct search *s = ctx;
	char name[256];

	/* A pattern may be meant for users of the future. */
	if (str_format(name, sizeof(name), "%.*s", (int)length, word) && !strpbrk(name, "*?") &&
		!(s->is_group && strcmp(name, USUAL_GROUP) == 0))
		look_up(s, s->key, name);
	return true;
}

static void look_at_list(struct search *s, const char *key, const char *list, bool is_group)
{
	begin(s, is_group ? &s->groups : &s->users, is_group);
	s->key = key;
	str_each_word(list, look_at_word, s);
	report_others(s, key);
}

/* ---- the map ---- */

static void report_foreign(const struct search *s, const char *where, const char *address)
{
	struct fault note = {.kind = FAULT_NONE};

	fault_set(&note, FAULT_NONE, "rule_foreign",
		"%s: %.120s is not in one of the organisation's domains, so it is never invited",
		where, address);
	fault_remedy(&note, "Correct the address, or add its domain to [people] domains (%.200s).",
		s->settings->domains);
	s->report(&note, s->ctx);
}

static bool look_at_line(const char *host, const char *user, const char *address, void *ctx)
{
	struct search *s = ctx;
	char where[512];
	int line = 0;

	if (!str_match(host, s->here) || !map_find(s->mapping->map, s->here, user, &line))
		return true;
	str_format(where, sizeof(where), "%.400s:%d", s->settings->map, line);
	look_up(s, where, user);
	if (strcmp(address, "-") != 0 && s->settings->domains[0] != '\0' &&
		!address_in_domains(address, s->settings->domains))
		report_foreign(s, where, address);
	return true;
}

static void look_at_map(struct search *s)
{
	begin(s, &s->users, false);
	map_each(s->mapping->map, look_at_line, s);
	report_others(s, s->settings->map);
}

/* ---- the whole ---- */

static bool search_open(struct search *s, struct fault *fault)
{
	struct group_table *groups = group_read(s->settings->group, "*", fault);
	bool good = groups && names_of_groups(&s->groups, groups) &&
		    names_of_accounts(&s->users, &s->mapping->accounts);

	local_hostname(s->here, sizeof(s->here));
	s->buffer = malloc(NSS_BUFFER);
	if (groups && (!good || !s->buffer))
		fault_no_memory(fault, FAULT_STORAGE);
	group_table_free(groups);
	return good && s->buffer;
}

/* libc finds no members in such a line, and so the groups of no user are known. */
static void look_at_group_file(const struct search *s)
{
	struct fault note = {.kind = FAULT_NONE};
	size_t line = group_broken_line(s->mapping->groups);

	if (line == 0)
		return;
	fault_set(&note, FAULT_SETTINGS, "group_broken",
		"%s:%zu: this line of a group that the settings name is broken, so no user's "
		"groups "
		"are known, and no user is invited",
		s->settings->group, line);
	fault_remedy(&note,
		"Write it as name:password:gid:members, with commas between the members: vigr, "
		"then grpck.");
	s->report(&note, s->ctx);
}

bool unmatched_rules(const struct mapping *mapping,
	void (*report)(const struct fault *note, void *ctx), void *ctx, struct fault *fault)
{
	struct search s = {
		.mapping = mapping, .settings = mapping->settings, .report = report, .ctx = ctx};
	bool good = search_open(&s, fault);

	if (good) {
		look_at_group_file(&s);
		look_at_map(&s);
		look_at_list(&s, "exclude_users", s.settings->exclude_users, false);
		look_at_list(&s, "include_groups", s.settings->include_groups, true);
		look_at_list(&s, "exclude_groups", s.settings->exclude_groups, true);
	}
	names_free(&s.users);
	names_free(&s.groups);
	free(s.buffer);
	return good;
}
