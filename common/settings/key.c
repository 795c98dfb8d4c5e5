/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding keys by name, and the one that somebody meant.
 */
#include "settings/key.h"

#include <string.h>

#include "base/str.h"

#define WORD_MAX 64

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

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many letters must be added, dropped, changed or swapped with their neighbour. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];
	size_t n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		last[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t changed = ascii_lower(a[i - 1]) != ascii_lower(b[j - 1]);

			now[j] = least(least(last[j], now[j - 1]) + 1, last[j - 1] + changed);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		size_t *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[n];
}

const char *setting_suggest(const char *section, const char *word)
{
	const char *nearest = NULL;
	size_t length = strlen(word);
	size_t limit = length / 3 + 1; /* one slip in three letters */

	if (length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < setting_count; i++) {
		const struct setting_key *k = &setting_keys[i];
		const char *candidate = !section ? k->section : k->key;

		if (section && strcmp(section, k->section) != 0)
			continue;
		size_t d = distance(word, candidate);
		if (d < limit) {
			limit = d;
			nearest = candidate;
		}
	}
	return nearest;
}
