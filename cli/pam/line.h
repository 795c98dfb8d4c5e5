/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of a PAM file, parsed as libpam does.
 */
#ifndef CLOUDINVITE_CLI_PAM_LINE_H
#define CLOUDINVITE_CLI_PAM_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

enum pam_type { PAM_TYPE_AUTH, PAM_TYPE_ACCOUNT, PAM_TYPE_PASSWORD, PAM_TYPE_SESSION };

enum pam_line_kind {
	PAM_KIND_MODULE,      /* runs `module` */
	PAM_KIND_INCLUDE,     /* runs the lines of its type in the file `module` */
	PAM_KIND_SUBSTACK,    /* the same, as a stack of its own */
	PAM_KIND_INCLUDE_ALL, /* Debian's @include: lines of all types */
};

struct pam_line {
	char *file;   /* "/etc/pam.d/common-session" */
	int number;   /* of its first line, from 1 */
	int substack; /* the substack that it is in; 0: none. A jump or `done` does not leave it. */
	enum pam_line_kind kind;
	enum pam_type type;
	bool quiet;    /* a '-' before the type: no message if its module is missing */
	char *control; /* "optional", or without the brackets: "success=1 default=ignore" */
	char *module;  /* as written */
	char **arguments;
	int argument_count;
};

/* What libpam does after a module's result; a positive number is a jump over that many lines. */
enum pam_action {
	PAM_ACTION_IGNORE = 0,
	PAM_ACTION_OK = -1,
	PAM_ACTION_DONE = -2,
	PAM_ACTION_BAD = -3,
	PAM_ACTION_DIE = -4,
	PAM_ACTION_RESET = -5,
};

/* A file's text while its lines are read. */
struct pam_text {
	const char *at;
	int number; /* of the line at `at`, from 1 */
};

/* The next line that is not blank, without its comment, with continued lines joined; *number is
 * where it begins. False at the end, or if out of memory (line->failed). */
bool pam_text_next(struct pam_text *text, struct strbuf *line, int *number);
/* Parses the line. NULL, or what is wrong with it ("names no module"; "…" if out of memory). Call
 * pam_line_free() in any case. */
const char *pam_line_parse(const char *text, struct pam_line *out);
void pam_line_free(struct pam_line *line);

/* What the line's control does for a result such as "success" or "module_unknown". */
int pam_line_action(const struct pam_line *line, const char *result);
/* Whether its module is `name` ("pam_selinux.so"), in any directory. */
bool pam_line_runs(const struct pam_line *line, const char *name);
/* "session" */
const char *pam_type_word(enum pam_type type);

#endif
