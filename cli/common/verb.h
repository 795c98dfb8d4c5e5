/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a verb is. The table of all verbs is in cli/verbs.c; a verb sees it only as cli->verbs.
 */
#ifndef CLOUDINVITE_CLI_COMMON_VERB_H
#define CLOUDINVITE_CLI_COMMON_VERB_H

#include "cli/common/context.h"

struct verb {
	const char *name;
	const char *group;   /* the heading in the help; verbs of a group are together */
	const char *usage;   /* what follows the name: "[--json] ADDRESS…" */
	const char *summary; /* one line */
	const char *details; /* lines for `help VERB` */
	verb_function *run;
	/* The account that it changes to if root starts it (cli_settings). docs/security.md says
	 * what those that stay root do as which account. */
	enum local_account account;
};

/* NULL if the table has no verb of that name. */
const struct verb *verb_find(const struct verb *verbs, const char *name);
/* The verb that was probably meant; NULL if none is similar. */
const struct verb *verb_nearest(const struct verb *verbs, const char *name);
/* The command line of a verb whose only option is --json; false if there is another one. What is
 * not an option begins at argv[optind]. */
bool verb_parse_json(int argc, char **argv, bool *json);
/* Prints `cloudinvite help VERB`. */
void verb_print_help(const struct verb *verb);

#endif
