/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one verb a file, `verb_<name>` each, in the table of cli/verbs.c.
 *
 * Exit codes are those of docs/design.md: 0 yes, 1 no, 2 usage, 3 settings, 4 credentials, 5 later,
 * 6 refused by Google, 7 held by policy, 8 storage. A verb that was given several items ends with
 * the worst of theirs, and the worst is the highest number.
 */
#ifndef CLOUDINVITE_CLI_COMMON_CONTEXT_H
#define CLOUDINVITE_CLI_COMMON_CONTEXT_H

#include <stdbool.h>

#include "base/fault.h"
#include "ledger/ledger.h"
#include "settings/settings.h"

#define EXIT_OK	      0
#define EXIT_NEGATIVE 1
#define EXIT_USAGE    2
#define EXIT_LATER    5
#define EXIT_REFUSED  6
#define EXIT_POLICY   7
#define EXIT_STORAGE  8

struct verb;

/* What every verb gets. */
struct cli {
	const char *settings_path;	    /* -c FILE, or NULL for the default */
	const struct strbuf *settings_text; /* what cli_load reads in its place, or NULL */
	bool terminal;	/* standard output is one: tables are cut to fit, bars are drawn */
	bool colour;	/* … and NO_COLOR is not set */
	bool utf8;	/* … and the locale's character set is UTF-8; else plain ASCII */
	bool progress;	/* standard error is a terminal: waiting may be told there */
	int width;	/* columns of the terminal; 80 if it is none */
	char actor[64]; /* who asked, for history */
	enum local_account account; /* what cli_settings becomes, if root has typed it */
	const struct verb *verbs;   /* the table of all; ends with a NULL name */
	const struct verb *verb;    /* the one that runs; NULL: none yet */
};

/* argv[0] is the verb, getopt is reset. Returns the exit code. */
typedef int verb_function(const struct cli *cli, int argc, char **argv);

/* Prints one line on standard output (cli_print) or on standard error (cli_note). The text is made
 * safe (str_safe) and a newline is added. All output but the pages of a screen goes through these.
 */
void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints "cloudinvite: what", then the remedy, on standard error; returns the fault's exit code. */
int cli_fail(const struct fault *fault);
/* Tells the journal what was decided, and who did. `address` NULL: about the whole; `reason` may be
 * NULL. The terminal hears of it from the verb. */
void cli_log_decision(
	const struct cli *cli, const char *event, const char *address, const char *reason);
/* Prints how the verb is used and returns 2. */
int cli_usage(const struct cli *cli);
/* Loads the settings. NULL after having printed why; *exit_code is then set. */
struct settings *cli_load(const struct cli *cli, int *exit_code);
/* Loads the settings and becomes the verb's account: what every verb does that touches ledger,
 * tokens or credential. NULL after having printed why; *exit_code is then set. */
struct settings *cli_settings(const struct cli *cli, int *exit_code);
/* Opens the ledger. NULL after having printed why (a user who is neither root nor one of
 * the accounts is told to use sudo); *exit_code is then set. */
struct ledger *cli_ledger(
	const struct settings *settings, enum ledger_open_mode mode, int *exit_code);
/* Both of them, for verbs that need no network. */
struct store {
	struct settings *settings;
	struct ledger *ledger;
};
bool cli_open_store(
	const struct cli *cli, enum ledger_open_mode mode, struct store *store, int *exit_code);
void cli_close_store(struct store *store);
/* Columns and lines of the terminal behind standard output; 80 and 24 if it is none. */
void cli_terminal_size(int *columns, int *lines);
/* The worse of two exit codes: the higher. */
int cli_max_exit(int a, int b);

#endif
