/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts about an account that the rules need: from passwd and group for a local account, from
 * NSS for a network account. A group that cannot be looked up is unknown, and unknown groups
 * exclude.
 */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "worker/collector/collector.h"

#define NSS_BUFFER 65536
#define GROUPS_MAX 1024

bool snapshot_take(struct account_snapshot *c, const struct settings *settings, struct fault *fault)
{
	char names[4096];

	*c = (struct account_snapshot){.groups = NULL};
	if (!str_format(names, sizeof(names), "%s %s", settings->include_groups,
		    settings->exclude_groups))
		return fault_set(fault, FAULT_SETTINGS, "groups",
			"[people] include_groups and exclude_groups are "
			"longer than %zu bytes together",
			sizeof(names));
	if (!account_read(settings->passwd, &c->accounts, fault))
		return false;
	c->groups = group_read(settings->group, names, fault);
	if (c->groups)
		return true;
	snapshot_free(c);
	return false;
}

void snapshot_free(struct account_snapshot *c)
{
	account_table_free(&c->accounts);
	group_table_free(c->groups);
	c->groups = NULL;
}

/* Names are complete: those in spool, baseline and ledger are not longer than a sighting's. */
static void init_sighting(struct sighting *s, const struct collector *c, const char *user)
{
	memset(s, 0, sizeof(*s));
	s->uid = -1;
	s->first_seen = clock_day_start(clock_wall());
	str_copy(s->host, sizeof(s->host), c->host);
	str_copy(s->user, sizeof(s->user), user);
}

void facts_local(struct sighting *s, const struct collector *c,
	const struct account_snapshot *snapshot, const struct account *account)
{
	init_sighting(s, c, account->user);
	sighting_facts(s, account, snapshot->groups, c->settings);
}

/* ---- network users ---- */

struct membership {
	const gid_t *groups;
	int count;
	struct strbuf *out;
	char *buffer;
};

static bool add_if_member(const char *word, size_t length, void *ctx)
{
	struct membership *m = ctx;
	struct group entry, *found = NULL;
	char name[256];

	/* NSS cannot look up a pattern, which settings_check refuses, so the membership is unknown,
	 * which excludes. */
	if (!str_format(name, sizeof(name), "%.*s", (int)length, word) || strpbrk(name, "*?"))
		return false;
	/* A directory that cannot be asked at this moment does not say that there is no group. */
	if (getgrnam_r(name, &entry, m->buffer, NSS_BUFFER, &found) != 0)
		return false;
	if (!found)
		return true;
	const char *mark = str_word_quoted(name) ? "\"" : "";
	for (int i = 0; i < m->count; i++)
		if (m->groups[i] == entry.gr_gid)
			return strbuf_addf(
				m->out, "%s%s%s%s", m->out->len ? " " : "", mark, name, mark);
	return true;
}

static void network_groups(
	struct sighting *s, const struct settings *settings, const struct passwd *pw, char *buffer)
{
	gid_t groups[GROUPS_MAX];
	int count = GROUPS_MAX;
	struct strbuf out = {.max = sizeof(s->groups) - 1};
	struct membership m = {groups, 0, &out, buffer};
	bool known;

	if (getgrouplist(s->user, pw->pw_gid, groups, &count) < 0) {
		str_copy(s->groups, sizeof(s->groups), SIGHTING_GROUPS_UNKNOWN);
		return;
	}
	m.count = count;
	known = str_each_word(settings->include_groups, add_if_member, &m) &&
		str_each_word(settings->exclude_groups, add_if_member, &m);
	str_copy(s->groups, sizeof(s->groups),
		!known	   ? SIGHTING_GROUPS_UNKNOWN
		: out.data ? out.data
			   : "");
	strbuf_free(&out);
}

bool facts_network(struct sighting *s, const struct collector *c, const char *user)
{
	struct passwd entry, *found = NULL;
	struct account account;
	char *buffer, *group_buffer;
	bool good = false;

	init_sighting(s, c, user);
	buffer = malloc(NSS_BUFFER);
	group_buffer = malloc(NSS_BUFFER);
	if (buffer && group_buffer && getpwnam_r(user, &entry, buffer, NSS_BUFFER, &found) == 0 &&
		found) {
		account = (struct account){.user = s->user,
			.gecos = found->pw_gecos,
			.shell = found->pw_shell,
			.uid = found->pw_uid,
			.gid = found->pw_gid};
		sighting_facts(s, &account, NULL, c->settings);
		s->local = false;
		network_groups(s, c->settings, found, group_buffer);
		good = true;
	}
	free(buffer);
	free(group_buffer);
	return good;
}
