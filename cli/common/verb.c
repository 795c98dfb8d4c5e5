/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verbs by name: finding one, suggesting the one that was probably meant, and printing its help.
 */
#include "cli/common/verb.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/distance.h"

const struct verb *verb_find(const struct verb *verbs, const char *name)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (strcmp(verb->name, name) == 0)
			return verb;
	return NULL;
}

const struct verb *verb_nearest(const struct verb *verbs, const char *name)
{
	const struct verb *nearest = NULL;
	size_t best = strlen(name) / 3 + 2;

	for (const struct verb *verb = verbs; verb->name; verb++) {
		size_t away = word_distance(name, verb->name);

		if (away >= best || away >= strlen(verb->name))
			continue;
		best = away;
		nearest = verb;
	}
	return nearest;
}

bool verb_parse_json(int argc, char **argv, bool *json)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	int option;

	*json = false;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j')
			return false;
		*json = true;
	}
	return true;
}

void verb_print_help(const struct verb *verb)
{
	printf("usage: cloudinvite [-c FILE] %s%s%s\n\n%s\n", verb->name,
		verb->usage[0] != '\0' ? " " : "", verb->usage, verb->summary);
	if (verb->details[0] != '\0')
		printf("\n%s", verb->details);
}
