/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What settings were called before version 0.1.0 was released. An old name is unknown like any
 * other; only its remedy is better than a guess.
 */
#include "settings/key.h"

#include <string.h>

#include "base/array.h"

static const struct {
	const char *section, *key;
	const char *value; /* NULL: the key itself is the old name */
	const char *remedy;
} old_names[] = {
	{"people", "allow_users", NULL, "Use allow_reserved_names instead."},
	{"invitations", "settle", NULL, "Use creation_delay instead."},
	{"invitations", "sweep_every", NULL, "Use resync_interval instead."},
	{"worker", "user", NULL,
		"Each program has its own account: set collector_user, dispatcher_user and "
		"ledger_user, or none of them to use the packages' accounts."},
	{"worker", "role", "collector", "Use host instead."},
	{"worker", "role", "dispatcher", "Use hub instead."},
};

const char *setting_old_key(const char *section, const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(old_names); i++)
		if (!old_names[i].value && strcmp(section, old_names[i].section) == 0 &&
			strcmp(key, old_names[i].key) == 0)
			return old_names[i].remedy;
	return NULL;
}

const char *setting_old_value(const struct setting_key *k, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(old_names); i++)
		if (old_names[i].value && strcmp(k->section, old_names[i].section) == 0 &&
			strcmp(k->key, old_names[i].key) == 0 &&
			strcmp(value, old_names[i].value) == 0)
			return old_names[i].remedy;
	return NULL;
}
