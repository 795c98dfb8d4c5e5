/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verdict. Policy comes before the template, so that "unmapped" and "foreign_domain" are only
 * people that the administrator may want to map. Daemons and robots are always "excluded".
 */
#include "people/verdict.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "people/address.h"

static const char *const kind_words[] = {
	[VERDICT_NONE] = "none",
	[VERDICT_MAPPED] = "mapped",
	[VERDICT_UNMAPPED] = "unmapped",
	[VERDICT_FOREIGN_DOMAIN] = "foreign_domain",
	[VERDICT_EXCLUDED] = "excluded",
	[VERDICT_BLOCKED] = "blocked",
	[VERDICT_COLLISION] = "collision",
};

const char *verdict_word(enum verdict_kind kind)
{
	return kind_words[kind];
}

bool verdict_parse(const char *word, enum verdict_kind *out)
{
	int at = str_index(kind_words, ARRAY_SIZE(kind_words), word);

	if (at >= 0)
		*out = (enum verdict_kind)at;
	return at >= 0;
}

/* What the rules evaluate. */
struct rule_input {
	const struct sighting *s;
	const struct settings *settings;
	char user[USER_MAX + 1]; /* lower case, without the realm of a network user */
	char full[USER_MAX + 1]; /* lower case, as it was seen, with the realm */
	char shown[96];		 /* safe to quote in a sentence */
	const char *mapped;	 /* from the map: an address, "-", or NULL */
	int map_line;
};

/* Always returns true, so that a rule can end with it. */
__attribute__((format(printf, 4, 5))) static bool decide(
	struct verdict *out, enum verdict_kind kind, const char *rule, const char *format, ...)
{
	char sentence[1024];
	va_list args;

	out->kind = kind;
	str_copy(out->rule, sizeof(out->rule), rule);
	va_start(args, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	str_safe(out->sentence, sizeof(out->sentence), sentence);
	return true;
}

/* ---- policy: each rule returns true if it has excluded the user ---- */

typedef bool policy_rule(const struct rule_input *q, struct verdict *out);

static bool rule_map_never(const struct rule_input *q, struct verdict *out)
{
	if (!q->mapped || strcmp(q->mapped, "-") != 0)
		return false;
	return decide(out, VERDICT_EXCLUDED, "map",
		"Line %d of %.120s says that %s is never invited.", q->map_line, q->settings->map,
		q->shown);
}

static bool rule_network(const struct rule_input *q, struct verdict *out)
{
	if (q->s->local || q->settings->network_users)
		return false;
	return decide(out, VERDICT_EXCLUDED, "network_users",
		"%s is not in the passwd file of %.64s, and network_users = no.", q->shown,
		q->s->host);
}

static bool rule_uid_range(const struct rule_input *q, struct verdict *out)
{
	const struct settings *set = q->settings;

	if (!q->s->local || (q->s->uid >= set->min_uid && q->s->uid <= set->max_uid))
		return false;
	if (q->s->uid < 0)
		return decide(out, VERDICT_EXCLUDED, "uid_range", "The uid of %s is not known.",
			q->shown);
	return decide(out, VERDICT_EXCLUDED, "uid_range",
		"uid %" PRId64 " is outside %" PRId64 " to %" PRId64
		" (min_uid, max_uid): a system account, not a person's.",
		q->s->uid, set->min_uid, set->max_uid);
}

static bool rule_shell(const struct rule_input *q, struct verdict *out)
{
	const char *slash = strrchr(q->s->shell, '/');
	const char *name = slash ? slash + 1 : q->s->shell;

	if (strcmp(name, "nologin") != 0 && strcmp(name, "false") != 0)
		return false;
	return decide(out, VERDICT_EXCLUDED, "shell", "The shell %.100s does not allow logins.",
		q->s->shell);
}

static bool in_users(const struct rule_input *q, const char *list)
{
	return str_in_list(q->user, list) || str_in_list(q->full, list);
}

static bool rule_reserved_name(const struct rule_input *q, struct verdict *out)
{
	const char *group = reserved_name_kind(q->user);

	if (!group || in_users(q, q->settings->allow_reserved_names))
		return false;
	return decide(out, VERDICT_EXCLUDED, "reserved_name",
		"The name %s usually does not belong to a person (%s). If it does here, add it to "
		"allow_reserved_names.",
		q->shown, group);
}

static bool rule_exclude_users(const struct rule_input *q, struct verdict *out)
{
	if (!in_users(q, q->settings->exclude_users))
		return false;
	return decide(
		out, VERDICT_EXCLUDED, "exclude_users", "%s is listed in exclude_users.", q->shown);
}

static bool groups_unknown(const struct rule_input *q)
{
	return strcmp(q->s->groups, SIGHTING_GROUPS_UNKNOWN) == 0;
}

struct group_search {
	const char *list;
	char found[64];
};

/* Stops at the first group that is in the list. */
static bool group_not_in(const char *word, size_t len, void *ctx)
{
	struct group_search *search = ctx;
	char name[256];

	if (!str_format(name, sizeof(name), "%.*s", (int)len, word) ||
		!str_in_list(name, search->list))
		return true;
	str_copy(search->found, sizeof(search->found), name);
	return false;
}

static bool in_groups(const struct rule_input *q, const char *list, struct group_search *search)
{
	*search = (struct group_search){.list = list};
	return list[0] != '\0' && !str_each_word(q->s->groups, group_not_in, search);
}

static bool rule_groups_unknown(const struct rule_input *q, struct verdict *out)
{
	if (!groups_unknown(q))
		return false;
	if (!q->s->local)
		return decide(out, VERDICT_EXCLUDED, "groups_unknown",
			"The directory did not say which groups %s is in on %.64s, and one of them "
			"may be excluded. Compare there: id %s. See what cloudinvite config "
			"--check "
			"says about include_groups and exclude_groups.",
			q->shown, q->s->host, q->shown);
	return decide(out, VERDICT_EXCLUDED, "groups_unknown",
		"The groups of %s on %.64s cannot be determined, and one of them may be excluded. "
		"Repair the group file there: cloudinvite doctor names the line.",
		q->shown, q->s->host);
}

static bool rule_include_groups(const struct rule_input *q, struct verdict *out)
{
	struct group_search search;

	if (q->settings->include_groups[0] == '\0' ||
		in_groups(q, q->settings->include_groups, &search))
		return false;
	return decide(out, VERDICT_EXCLUDED, "include_groups",
		"%s is not in any of the groups in include_groups (%.80s).", q->shown,
		q->settings->include_groups);
}

static bool rule_exclude_groups(const struct rule_input *q, struct verdict *out)
{
	struct group_search search;

	if (!in_groups(q, q->settings->exclude_groups, &search))
		return false;
	return decide(out, VERDICT_EXCLUDED, "exclude_groups",
		"%s is in the group %s, which is listed in exclude_groups.", q->shown,
		search.found);
}

static policy_rule *const policy[] = {
	rule_map_never,
	rule_network,
	rule_uid_range,
	rule_shell,
	rule_reserved_name,
	rule_exclude_users,
	rule_groups_unknown,
	rule_include_groups,
	rule_exclude_groups,
};

/* ---- the address ---- */

static bool unmapped(
	const struct rule_input *q, const char *rule, const char *why, struct verdict *out)
{
	if (q->settings->map[0] == '\0')
		return decide(out, VERDICT_UNMAPPED, rule, "No address for %s: %s.", q->shown, why);
	return decide(out, VERDICT_UNMAPPED, rule,
		"No address for %s: %s. Add a line \"user address\" to %.80s.", q->shown, why,
		q->settings->map);
}

static bool find_address(const struct rule_input *q, struct verdict *out)
{
	const char *template = q->settings->address, *why;

	if (q->mapped)
		return str_copy(out->address, sizeof(out->address), q->mapped);
	if (template[0] == '\0') {
		unmapped(q, "no_template", "it is not in the map, and [people] address is not set",
			out);
		return false;
	}
	if (!q->settings->gecos && (strstr(template, "{first}") || strstr(template, "{last}"))) {
		unmapped(q, "gecos", "the template needs full names, but gecos = no", out);
		return false;
	}
	out->from_template = address_from_template(q->s, template, out->address, &why);
	if (!out->from_template)
		unmapped(q, "template", why, out);
	return out->from_template;
}

static void evaluate_address(const struct rule_input *q, struct verdict *out)
{
	if (!find_address(q, out))
		return;
	if (!address_in_domains(out->address, q->settings->domains)) {
		decide(out, VERDICT_FOREIGN_DOMAIN, "domains",
			"%.120s is not in one of the organisation's domains (domains = %.80s).",
			out->address, q->settings->domains);
		out->address[0] = '\0';
	} else if (out->from_template) {
		decide(out, VERDICT_MAPPED, "address",
			"The template %.80s gives the address %.120s to %s.", q->settings->address,
			out->address, q->shown);
	} else {
		decide(out, VERDICT_MAPPED, "map", "Line %d of %.80s maps %s to %.100s.",
			q->map_line, q->settings->map, q->shown, out->address);
	}
}

static void fill_rule_input(
	struct rule_input *q, const struct sighting *s, const struct settings *settings)
{
	*q = (struct rule_input){.s = s, .settings = settings};
	address_user(s, q->user, sizeof(q->user));
	str_copy(q->full, sizeof(q->full), s->user);
	str_lower(q->full);
	str_safe(q->shown, sizeof(q->shown), s->user);
}

static bool excluded(const struct rule_input *q, struct verdict *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(policy); i++)
		if (policy[i](q, out))
			return true;
	return false;
}

bool verdict_excludes(const struct sighting *s, const struct settings *settings)
{
	struct verdict v = {.kind = VERDICT_NONE};
	struct rule_input q;

	fill_rule_input(&q, s, settings);
	return excluded(&q, &v);
}

void verdict_evaluate(const struct sighting *s, const struct settings *settings,
	const struct address_map *map, struct verdict *out)
{
	struct rule_input q;

	*out = (struct verdict){.kind = VERDICT_NONE};
	fill_rule_input(&q, s, settings);
	q.mapped = map_find(map, s->host, s->user, &q.map_line);
	if (!q.mapped)
		q.mapped = map_find(map, s->host, q.user, &q.map_line);
	if (!excluded(&q, out))
		evaluate_address(&q, out);
}

/* ---- the fingerprint of the rules ---- */

/* FNV-1a. The NUL is included, so that two texts never look like one. */
static void mix(uint64_t *hash, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < n; i++)
		*hash = (*hash ^ p[i]) * 0x100000001b3u;
}

static void mix_text(uint64_t *hash, const char *s)
{
	mix(hash, s, strlen(s) + 1);
}

static bool mix_line(const char *host, const char *user, const char *address, void *ctx)
{
	mix_text(ctx, host);
	mix_text(ctx, user);
	mix_text(ctx, address);
	return true;
}

uint64_t rules_fingerprint(const struct settings *settings, const struct address_map *map)
{
	const char *const texts[] = {
		CLOUDINVITE_VERSION, /* the built-in list may have changed */
		settings->address,
		settings->domains,
		settings->map,
		settings->allow_reserved_names,
		settings->exclude_users,
		settings->include_groups,
		settings->exclude_groups,
	};
	const unsigned char flags[] = {settings->network_users, settings->gecos};
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		mix_text(&hash, texts[i]);
	mix(&hash, &settings->min_uid, sizeof(settings->min_uid));
	mix(&hash, &settings->max_uid, sizeof(settings->max_uid));
	mix(&hash, flags, sizeof(flags));
	map_each(map, mix_line, &hash);
	return hash;
}
