/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: the module's six functions called directly, without libpam, so that its own results
 * and traces are seen.
 */
#ifndef CLOUDINVITE_TESTS_PAM_MODULE_H
#define CLOUDINVITE_TESTS_PAM_MODULE_H

#include "tests/pam/stack.h"

#include <dlfcn.h>

typedef int (*pam_function)(pam_handle_t *, int, int, const char **);

struct module {
	void *library;
	pam_handle_t *pamh;
	char spool[128]; /* "spool=…", the first argument */
};

static const struct pam_conv module_conversation = {listen_to, NULL};

/* A handle for stack.service and stack.user, and the module beside it. */
UNUSED static void module_open(struct module *m)
{
	char path[512], file[64];

	snprintf(path, sizeof(path), "%s/pam_cloudinvite.so", programs());
	m->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!m->library)
		fail_msg("%s", dlerror());
	snprintf(file, sizeof(file), "conf/%s", stack.service);
	put(file, "session required pam_permit.so\n", 0644);
	assert_int_equal(pam_start_confdir(stack.service, stack.user, &module_conversation,
				 at("conf"), &m->pamh),
		PAM_SUCCESS);
	snprintf(m->spool, sizeof(m->spool), "spool=%s", at("spool"));
}

UNUSED static void module_close(struct module *m)
{
	assert_int_equal(pam_end(m->pamh, PAM_SUCCESS), PAM_SUCCESS);
	assert_int_equal(dlclose(m->library), 0);
}

/* Calls one of the six functions with up to seven arguments after spool=. */
UNUSED static int module_call(
	const struct module *m, const char *name, int flags, const char *const *arguments)
{
	const char *argv[8] = {m->spool};
	pam_function function;
	int argc = 1;

	*(void **)&function = dlsym(m->library, name);
	assert_non_null(function);
	for (; arguments && arguments[argc - 1]; argc++)
		argv[argc] = arguments[argc - 1];
	return function(m->pamh, flags, argc, argv);
}

#endif
