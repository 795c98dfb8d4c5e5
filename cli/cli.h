/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one verb a file, `verb_<name>` each, in the table of cli/cloudinvite.c.
 */
#ifndef CLOUDINVITE_CLI_CLI_H
#define CLOUDINVITE_CLI_CLI_H

#include <stdbool.h>

#include "base/fault.h"
#include "settings/settings.h"

/* What every verb gets. */
struct cli {
	const char *settings_path; /* -c FILE, or NULL for the default */
	bool colour;		   /* standard output is a terminal and NO_COLOR is not set */
	int width;		   /* columns of the terminal; 80 if it is none */
	char actor[64];		   /* who asked, for history */
};

/* argv[0] is the verb. Returns the exit code (docs/design.md, "Commands"). */
typedef int verb_function(const struct cli *cli, int argc, char **argv);

/* Prints "cloudinvite: what", then the remedy, on standard error; returns the fault's exit code. */
int cli_fail(const struct fault *fault);
/* Prints how the verb is used and returns 2. */
int cli_usage(const char *verb);
/* Loads the settings and becomes the service's user: what every verb does that touches ledger,
 * tokens or credential. NULL after having printed why; *exit_code is then set. */
struct settings *cli_settings(const struct cli *cli, int *exit_code);

#endif
