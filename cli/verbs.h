/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs: one table for dispatch, help and suggestions.
 */
#ifndef CLOUDINVITE_CLI_VERBS_H
#define CLOUDINVITE_CLI_VERBS_H

#include <stdbool.h>

#include "cli/common/context.h"

struct verb {
	const char *name;
	const char *group;   /* the heading in help; verbs of a group stand together */
	const char *usage;   /* what follows the name: "[--json] ADDRESS…" */
	const char *summary; /* one line */
	const char *details; /* lines for `help VERB` */
	verb_function *run;
	/* What it becomes when root types it (cli_settings); docs/security.md says of those that
	 * stay root what they do as which account. */
	enum local_account account;
};

extern const struct verb verbs[]; /* ends with a NULL name */

/* NULL if there is none of that name. */
const struct verb *verb_find(const char *name);
/* The verb that was most likely meant; NULL if nothing comes close. */
const struct verb *verb_nearest(const char *name);
/* Prints `cloudinvite help VERB`. */
void verb_explain_usage(const struct verb *verb);

#endif
