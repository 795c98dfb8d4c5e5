/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with the lines that name our module: dangerous ways to write them, and services
 * without one.
 */
#ifndef CLOUDINVITE_CLI_PAM_LINT_H
#define CLOUDINVITE_CLI_PAM_LINT_H

#include <stdbool.h>

#include "base/fault.h"

#define PAM_MODULE "pam_cloudinvite.so"

struct settings;

struct pam_site {
	const char *root;   /* "": this host */
	const char *module; /* the module's file, for lines that name it without a directory */
	const char *spool;  /* the spool that the collector reads; NULL: unknown */
	const struct settings *settings; /* to compare the line's uids with; NULL: unknown */
};

enum pam_presence {
	PAM_ABSENT,  /* its logins are not seen */
	PAM_PRESENT, /* its session runs our module */
	PAM_SKIPPED, /* … which ignores the service: cron, sudo … */
};

struct pam_service {
	const char *name;
	enum pam_presence presence;
	bool login;	  /* people log in through it, judging by its name */
	const char *file; /* the file that has the line; NULL if absent */
	int line;
};

/* Calls `each` for every service that runs our module, and for those through which people log in.
 * False if `each` returned it, or with the fault. */
bool pam_each_service(const struct pam_site *site,
	bool (*each)(const struct pam_service *service, void *ctx), void *ctx, struct fault *fault);

/* Calls `report` once for each problem; `bad`: it harms logins, or they are not seen. Returns how
 * many were bad. */
int pam_lint(const struct pam_site *site,
	void (*report)(bool bad, const struct fault *fault, void *ctx), void *ctx);

#endif
