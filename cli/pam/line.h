/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line of a PAM file, taken apart as libpam does it.
 */
#ifndef CLOUDINVITE_CLI_PAM_LINE_H
#define CLOUDINVITE_CLI_PAM_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strbuf.h"

enum pam_type { PAM_TYPE_AUTH, PAM_TYPE_ACCOUNT, PAM_TYPE_PASSWORD, PAM_TYPE_SESSION };

enum pam_line_kind {
	PAM_KIND_MODULE,      /* runs `module` */
	PAM_KIND_INCLUDE,     /* the lines of its type in the file `module` */
	PAM_KIND_SUBSTACK,    /* the same, as a stack of their own */
	PAM_KIND_INCLUDE_ALL, /* Debian's @include: the lines of every type */
};

struct pam_line {
	char *file;   /* "/etc/pam.d/common-session" */
	int number;   /* where it begins, from 1 */
	int substack; /* which one it runs in; 0: none. A jump or `done` does not leave it. */
	enum pam_line_kind kind;
	enum pam_type type;
	bool quiet;    /* a '-' before the type: its module may be missing without a word */
	char *control; /* "optional", or without the brackets: "success=1 default=ignore" */
	char *module;  /* as written */
	char **arguments;
	int argument_count;
};

/* What libpam does with what a module returned; a positive number is a jump over so many lines. */
enum pam_action {
	PAM_ACTION_IGNORE = 0,
	PAM_ACTION_OK = -1,
	PAM_ACTION_DONE = -2,
	PAM_ACTION_BAD = -3,
	PAM_ACTION_DIE = -4,
	PAM_ACTION_RESET = -5,
};

/* A file's text on its way through its lines. */
struct pam_text {
	const char *at;
	int number; /* of the line at `at`, from 1 */
};

/* The next line that says something, without comment, continued ones joined; *number is where it
 * begins. False at the end, or without memory (line->failed). */
bool pam_text_next(struct pam_text *text, struct strbuf *line, int *number);
/* Takes the line apart. NULL, or what is wrong with it ("names no module"), or without memory "…".
 * pam_line_free() in any case. */
const char *pam_line_parse(const char *text, struct pam_line *out);
void pam_line_free(struct pam_line *line);

/* What the line's control says for a result: "success", "module_unknown". */
int pam_line_action(const struct pam_line *line, const char *result);
/* Whether its module is `name` ("pam_selinux.so"), in whatever directory. */
bool pam_line_runs(const struct pam_line *line, const char *name);
/* "session" */
const char *pam_type_word(enum pam_type type);

#endif
