/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one verb in each file, `verb_<name>`, listed in the table of cli/verbs.c.
 *
 * Exit codes are those of docs/design.md: 0 yes, 1 no, 2 usage, 3 settings, 4 credentials, 5 later,
 * 6 refused by Google, 7 held by policy, 8 storage. A verb with several items ends with the worst
 * of their exit codes, which is the highest number.
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

/* The context of a verb. */
struct cli {
	const char *settings_path;	    /* -c FILE, or NULL for the default */
	const struct strbuf *settings_text; /* what cli_load reads instead of the file, or NULL */
	bool terminal;	/* standard output is a terminal: tables are cut to fit, bars are drawn */
	bool colour;	/* … and NO_COLOR is not set */
	bool utf8;	/* … and the locale's character set is UTF-8; else plain ASCII */
	bool progress;	/* standard error is a terminal: progress may be shown there */
	int width;	/* columns of the terminal; 80 if there is none */
	char actor[64]; /* who asked, for the history */
	enum local_account
		account; /* the account that cli_settings changes to, if root started the verb */
	const struct verb *verbs; /* the table of all verbs; a NULL name ends it */
	const struct verb *verb;  /* the verb that runs; NULL: none yet */
};

/* argv[0] is the verb, getopt is reset. Returns the exit code. */
typedef int verb_function(const struct cli *cli, int argc, char **argv);

/* Prints one line on standard output (cli_print) or on standard error (cli_note). The text is made
 * safe (str_safe) and a newline is added. All output but the pages of a screen goes through these.
 */
void cli_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void cli_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints "cloudinvite: what" and the remedy on standard error; returns the fault's exit code. */
int cli_fail(const struct fault *fault);
/* Writes to the journal the decision and who made it. `address` NULL: a decision about the whole
 * service; `reason` may be NULL. The verb prints its own message. */
void cli_log_decision(
	const struct cli *cli, const char *event, const char *address, const char *reason);
/* Prints how the verb is used and returns 2. */
int cli_usage(const struct cli *cli);
/* Loads the settings. NULL after printing why; *exit_code is then set. */
struct settings *cli_load(const struct cli *cli, int *exit_code);
/* Loads the settings and changes to the verb's account: for every verb that touches ledger, tokens
 * or credential. NULL after printing why; *exit_code is then set. */
struct settings *cli_settings(const struct cli *cli, int *exit_code);
/* Opens the ledger. NULL after printing why (a user who is neither root nor one of the accounts is
 * told to use sudo); *exit_code is then set. */
struct ledger *cli_ledger(
	const struct settings *settings, enum ledger_open_mode mode, int *exit_code);
/* Settings and ledger, for verbs that need no network. */
struct store {
	struct settings *settings;
	struct ledger *ledger;
};
bool cli_open_store(
	const struct cli *cli, enum ledger_open_mode mode, struct store *store, int *exit_code);
void cli_close_store(struct store *store);
/* Columns and lines of the terminal on standard output; 80 and 24 if there is none. */
void cli_terminal_size(int *columns, int *lines);
/* The worse of two exit codes, which is the higher one. */
int cli_max_exit(int a, int b);

#endif
