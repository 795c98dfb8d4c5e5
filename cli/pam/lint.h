/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with the lines that name our module: the dangerous ways to write them, and where
 * they are missing.
 */
#ifndef CLOUDINVITE_CLI_PAM_LINT_H
#define CLOUDINVITE_CLI_PAM_LINT_H

#include <stdbool.h>

#include "base/fault.h"

#define PAM_MODULE "pam_cloudinvite.so"

struct pam_site {
	const char *root;   /* "": this host */
	const char *module; /* the module's file, for lines that name it without a directory */
	const char *spool;  /* where the collector looks; NULL: not known */
};

enum pam_presence {
	PAM_ABSENT,  /* a login through it is not seen */
	PAM_PRESENT, /* its session runs our module */
	PAM_SKIPPED, /* … which passes it over: cron, sudo … */
};

struct pam_service {
	const char *name;
	enum pam_presence presence;
	bool login;	  /* people log in through it, as far as its name tells */
	const char *file; /* where the line is; NULL when absent */
	int line;
};

/* Calls `each` for every service that runs our module, and for those by which people log in. False
 * if `each` returned it, or with the fault. */
bool pam_each_service(const struct pam_site *site,
	bool (*each)(const struct pam_service *service, void *ctx), void *ctx, struct fault *fault);

/* Calls `report` once for everything that is wrong; `bad`: logins are harmed, or not seen. Returns
 * how many were bad. */
int pam_lint(const struct pam_site *site,
	void (*report)(bool bad, const struct fault *fault, void *ctx), void *ctx);

#endif
