/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding keys by name, and suggesting the one that was probably meant.
 */
#include "settings/key.h"

#include <string.h>

#include "base/distance.h"

const struct setting_key *setting_find(const char *section, const char *key)
{
	for (size_t i = 0; i < setting_count; i++)
		if (strcmp(setting_keys[i].section, section) == 0 &&
			strcmp(setting_keys[i].key, key) == 0)
			return &setting_keys[i];
	return NULL;
}

const struct setting_key *setting_find_anywhere(const char *key)
{
	for (size_t i = 0; i < setting_count; i++)
		if (strcmp(setting_keys[i].key, key) == 0)
			return &setting_keys[i];
	return NULL;
}

bool setting_section_known(const char *section)
{
	for (size_t i = 0; i < setting_count; i++)
		if (strcmp(setting_keys[i].section, section) == 0)
			return true;
	return false;
}

bool setting_section_used_by_collector(const char *section)
{
	for (size_t i = 0; i < setting_count; i++)
		if (strcmp(setting_keys[i].section, section) == 0 &&
			setting_keys[i].used_by_collector)
			return true;
	return false;
}

const char *setting_suggest(const char *section, const char *word)
{
	const char *nearest = NULL;
	size_t limit = strlen(word) / 3 + 1; /* one error for every three letters */

	for (size_t i = 0; i < setting_count; i++) {
		const struct setting_key *k = &setting_keys[i];
		const char *candidate = !section ? k->section : k->key;

		if (section && strcmp(section, k->section) != 0)
			continue;
		size_t d = word_distance(word, candidate);
		if (d < limit) {
			limit = d;
			nearest = candidate;
		}
	}
	return nearest;
}
