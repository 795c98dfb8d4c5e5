/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accounts, groups and map file of this host, read once, and the verdict on each account under
 * the present settings. The ledger is not read.
 */
#include "cli/common/mapping.h"

#include "base/privdrop.h"
#include "base/str.h"

#define NOBODY_UID 65534

bool mapping_open(struct mapping *m, const struct settings *settings, struct fault *fault)
{
	char names[2048];

	*m = (struct mapping){.settings = settings};
	if (!str_format(names, sizeof(names), "%s %s", settings->include_groups,
		    settings->exclude_groups))
		return fault_set(fault, FAULT_SETTINGS, "groups",
			"[people] include_groups and exclude_groups are too long");
	if (!account_read(settings->passwd, &m->accounts, fault))
		return false;
	m->groups = group_read(settings->group, names, fault);
	if (m->groups)
		m->map = map_load(settings->map, fault);
	return m->map;
}

void mapping_close(struct mapping *m)
{
	map_free(m->map);
	group_table_free(m->groups);
	account_table_free(&m->accounts);
}

bool mapping_counts(const struct mapping *m, const struct account *account)
{
	return (int64_t)account->uid >= m->settings->min_uid &&
	       (int64_t)account->uid <= m->settings->max_uid;
}

/* No person has the overflow uid (65534). */
bool mapping_is_above(const struct mapping *m, const struct account *account)
{
	return (int64_t)account->uid > m->settings->max_uid && account->uid != NOBODY_UID &&
	       !str_ends(account->shell, "/nologin") && !str_ends(account->shell, "/false");
}

void mapping_evaluate(
	const struct mapping *m, const struct account *account, struct verdict *verdict)
{
	struct sighting sighting = {.trigger = TRIGGER_MANUAL};

	local_hostname(sighting.host, sizeof(sighting.host));
	str_copy(sighting.user, sizeof(sighting.user), account->user);
	sighting_facts(&sighting, account, m->groups, m->settings);
	verdict_evaluate(&sighting, m->settings, m->map, verdict);
}
