/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PAM stacks of a host as libpam reads them: /etc/pam.d, then the vendor's directories, with
 * include, substack, Debian's @include, continued lines, [controls] and arguments in brackets. It
 * reads and never judges: that is cli/pam_review.h.
 */
#ifndef CLOUDINVITE_CLI_PAM_STACK_H
#define CLOUDINVITE_CLI_PAM_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"

enum pam_type { PAM_TYPE_AUTH, PAM_TYPE_ACCOUNT, PAM_TYPE_PASSWORD, PAM_TYPE_SESSION };

/* A line that runs a module. */
struct pam_line {
	char *file;   /* "/etc/pam.d/common-session" */
	int number;   /* where it begins, from 1 */
	int substack; /* which one it runs in; 0: none. A jump or `done` does not leave it. */
	enum pam_type type;
	bool quiet;    /* a '-' before the type: its module may be missing without a word */
	char *control; /* "optional", or without the brackets: "success=1 default=ignore" */
	char *module;  /* as written */
	char **arguments;
	int argument_count;
};

/* All lines that a service runs, includes opened, in their order; for a type that has no line of
 * its own, those of the service `other`. */
struct pam_stack {
	struct pam_line *lines;
	size_t count, room;
	int substacks;
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

/* Reads the stack of `service` below `root` ("": this host). False where libpam would refuse the
 * service: a file that is missing or includes itself, a line that is none (code "pam_unreadable").
 * pam_stack_free() also after false: what could be read is in `out`. */
bool pam_stack_read(
	const char *root, const char *service, struct pam_stack *out, struct fault *fault);
void pam_stack_free(struct pam_stack *stack);

/* Calls `each` with the name of every file that may be a service, in the order of their names, each
 * once; false if `each` returned it, or without memory. */
bool pam_services(const char *root, bool (*each)(const char *service, void *ctx), void *ctx);
/* The file that libpam would open for a service or include, without `root`; false: there is none.
 */
bool pam_find(const char *root, const char *name, char *path, size_t size);

/* What the line's control says for a result: "success", "module_unknown". */
int pam_line_action(const struct pam_line *line, const char *result);
/* Whether its module is `name` ("pam_selinux.so"), in whatever directory. */
bool pam_line_runs(const struct pam_line *line, const char *name);
/* "session" */
const char *pam_type_word(enum pam_type type);

#endif
