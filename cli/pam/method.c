/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pam/method.h"

#include "cli/pam/lint.h"
#include "cli/pam/stack.h"
#include "base/array.h"

const struct pam_method *pam_method(void)
{
	static const struct pam_method *const methods[] = {
		&pam_method_debian, &pam_method_authselect, &pam_method_postlogin};

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (methods[i]->applies())
			return methods[i];
	return &pam_method_services;
}

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
