/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help [VERB]: the verbs by group, or one of them in detail.
 */
#include "cli/ops/ops.h"

#include <stdio.h>
#include <string.h>

#include "cli/common/screen.h"
#include "cli/common/verb.h"

static void print_verbs(const struct cli *cli, struct screen *s)
{
	const char *group = "";

	for (const struct verb *verb = cli->verbs; verb->name; verb++) {
		if (strcmp(group, verb->group) != 0) {
			screen_newline(s);
			screen_put(s, STYLE_BOLD, verb->group);
			screen_newline(s);
			group = verb->group;
		}
		screen_to_column(s, 2);
		screen_put(s, STYLE_PLAIN, verb->name);
		screen_to_column(s, 11);
		screen_wrap(s, STYLE_PLAIN, 11, verb->summary);
		screen_newline(s);
	}
}

int verb_help(const struct cli *cli, int argc, char **argv)
{
	const struct verb *verb;
	struct fault fault;
	struct screen s;

	if (argc > 2)
		return cli_usage(cli);
	if (argc == 2) {
		verb = verb_find(cli->verbs, argv[1]);
		if (verb) {
			verb_print_help(verb);
			return EXIT_OK;
		}
		fault_set(&fault, FAULT_USAGE, "unknown_verb", "unknown verb '%s'", argv[1]);
		fault_remedy(&fault, "See: cloudinvite help");
		return cli_fail(&fault);
	}
	screen_open(&s, cli, stdout);
	screen_wrap(&s, STYLE_PLAIN, 0,
		"cloudinvite invites people who once opened a private Google account with their "
		"work address to bring that account under the organisation's management.");
	screen_newline(&s);
	screen_newline(&s);
	screen_put(&s, STYLE_PLAIN, "usage: cloudinvite [-c FILE] VERB [OPTION…] [TARGET…]");
	screen_newline(&s);
	print_verbs(cli, &s);
	screen_newline(&s);
	screen_put(&s, STYLE_PLAIN, "For one verb in detail: cloudinvite help VERB");
	screen_newline(&s);
	return EXIT_OK;
}
