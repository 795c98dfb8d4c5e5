/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a service runs the module.
 */
#include "cli/pam/lint.h"
#include "cli/pam/method.h"
#include "cli/pam/stack.h"

bool pam_is_enabled(const char *service)
{
	struct fault ignored;
	struct pam_stack stack;
	bool runs = false;

	(void)pam_stack_read("", service, &stack, &ignored);
	for (size_t i = 0; i < stack.count && !runs; i++)
		runs = stack.lines[i].type == PAM_TYPE_SESSION &&
		       pam_line_runs(&stack.lines[i], PAM_MODULE);
	pam_stack_free(&stack);
	return runs;
}
