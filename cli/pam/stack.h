/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PAM stacks of a host as libpam reads them: /etc/pam.d, then the vendor's directories, with
 * include, substack and Debian's @include opened. It only reads; cli/pam/lint.h checks.
 */
#ifndef CLOUDINVITE_CLI_PAM_STACK_H
#define CLOUDINVITE_CLI_PAM_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "cli/pam/line.h"

/* All lines by which a service runs modules, includes opened, in their order. A type without a line
 * of its own has those of the service `other`. */
struct pam_stack {
	struct pam_line *lines;
	size_t count, room;
	int substacks;
};

/* Reads the stack of `service` below `root` ("": this host). False if libpam would refuse the
 * service: a file that is missing or includes itself, an invalid line (code "pam_unreadable"). Call
 * pam_stack_free() also after false: `out` has what could be read. */
bool pam_stack_read(
	const char *root, const char *service, struct pam_stack *out, struct fault *fault);
void pam_stack_free(struct pam_stack *stack);

/* Calls `each` with the name of every file that may be a service, once, in the order of their
 * names; false if `each` returned it, or if out of memory. */
bool pam_services(const char *root, bool (*each)(const char *service, void *ctx), void *ctx);
/* The file that libpam would open for a service or an included file, without `root`; false:
 * none. */
bool pam_find(const char *root, const char *name, char *path, size_t size);

#endif
