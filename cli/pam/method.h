/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Methods: how a distribution's PAM files are changed. Each shows the change before making it, and
 * undoes exactly what it has done.
 */
#ifndef CLOUDINVITE_CLI_PAM_METHOD_H
#define CLOUDINVITE_CLI_PAM_METHOD_H

#include <stdbool.h>

#include "base/fault.h"
#include "base/strbuf.h"

#define PAM_LINE "session optional pam_cloudinvite.so"

struct pam_method {
	const char *name;	 /* for scripts: "pam-auth-update" */
	const char *description; /* for readers */
	bool (*applies)(void);
	bool (*enabled)(void);
	/* Appends what would be done, one line each. */
	bool (*plan)(bool enable, struct strbuf *out, struct fault *fault);
	bool (*enable)(struct fault *fault);
	bool (*disable)(struct fault *fault);
};

extern const struct pam_method pam_method_debian;     /* pam-auth-update */
extern const struct pam_method pam_method_authselect; /* a profile of its own */
extern const struct pam_method pam_method_postlogin;  /* Fedora's file, if authselect is not used */
extern const struct pam_method
	pam_method_services; /* the services' own files: openSUSE, all else */

/* The method of this host. */
const struct pam_method *pam_method(void);

/* Whether the session of a service or of an included file runs our module. */
bool pam_is_enabled(const char *service);

#endif
