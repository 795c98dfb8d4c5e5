/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs by name: the one that was typed, the one that was meant, and the help of one.
 */
#include "cli/common/verb.h"

#include <stdio.h>
#include <string.h>

const struct verb *verb_find(const struct verb *verbs, const char *name)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}

#define NAME_MAX_BYTES 16

static int min3(int a, int b, int c)
{
	int min3 = a < b ? a : b;

	return min3 < c ? min3 : c;
}

/* How many letters must be changed, added, dropped or swapped with their neighbour. */
static int distance(const char *a, const char *b)
{
	int rows[3][NAME_MAX_BYTES + 1], n = (int)strlen(a), m = (int)strlen(b);
	int *before = rows[0], *above = rows[1], *row = rows[2], *old;

	for (int j = 0; j <= m; j++)
		above[j] = before[j] = j;
	for (int i = 1; i <= n; i++) {
		row[0] = i;
		for (int j = 1; j <= m; j++) {
			int differs = a[i - 1] != b[j - 1];
			row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + differs);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < row[j])
				row[j] = before[j - 2] + 1;
		}
		old = before;
		before = above;
		above = row;
		row = old;
	}
	return above[m];
}

const struct verb *verb_nearest(const struct verb *verbs, const char *name)
{
	const struct verb *nearest = NULL;
	int best = (int)strlen(name) / 3 + 2;

	if (strlen(name) > NAME_MAX_BYTES)
		return NULL;
	for (const struct verb *verb = verbs; verb->name; verb++) {
		int away = distance(name, verb->name);
		if (away >= best || away >= (int)strlen(verb->name))
			continue;
		best = away;
		nearest = verb;
	}
	return nearest;
}

void verb_print_help(const struct verb *verb)
{
	printf("usage: cloudinvite [-c FILE] %s%s%s\n\n%s\n", verb->name,
		verb->usage[0] != '\0' ? " " : "", verb->usage, verb->summary);
	if (verb->details[0] != '\0')
		printf("\n%s", verb->details);
}
