/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doctor: every step from the module's file to Google's answer, in the order in which a login
 * becomes an invitation. A step checks and reports; it changes nothing.
 */
#ifndef CLOUDINVITE_CLI_DOCTOR_DOCTOR_H
#define CLOUDINVITE_CLI_DOCTOR_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/common/context.h"
#include "cli/common/progress.h"
#include "cli/common/screen.h"
#include "google/auth/credential.h"
#include "google/http/http.h"
#include "spool/walk.h"

enum health {
	HEALTH_OK,
	HEALTH_SKIPPED, /* not checked: something that it needs is missing */
	HEALTH_NOTE,	/* it works, but an administrator should know about it */
	HEALTH_BAD,
};

/* The content of the spool. Only root can read it, and does so before it becomes the service's
 * user. */
struct doctor_spool {
	bool looked;
	struct fault fault; /* why it could not be read; FAULT_NONE: the rest is valid */
	struct spool_content arrivals, bad;
};

struct doctor {
	const struct cli *cli;
	bool json;
	bool offline;		   /* no network is used */
	struct settings *settings; /* NULL: not usable */
	struct doctor_spool spool;
	struct ledger *ledger; /* NULL: not usable */
	struct http *http;     /* NULL: the network has not been tried, or did not work */
	struct credential *credential;
	bool reached; /* Google's API answered over TLS */
	bool token;   /* and there was a token */
	/* the steps' results */
	const char *step;
	char bad_code[48]; /* of the last problem */
	json_t *findings;
	struct screen screen;
	struct progress progress;
	int count[HEALTH_BAD + 1];
	int exit_code;
};

/* Reports a result of a step. */
void doctor_ok(struct doctor *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_skip(struct doctor *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `remedy` may be NULL. */
void doctor_note(struct doctor *d, const char *code, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void doctor_bad(struct doctor *d, const struct fault *fault);

/* Fills in d->spool. */
void doctor_read_spool(struct doctor *d);

/* The steps; each reports at least one result. */
typedef void doctor_step(struct doctor *d);
doctor_step doctor_module, doctor_hook;				       /* module.c */
doctor_step doctor_pam;						       /* pam.c */
doctor_step doctor_settings, doctor_directories, doctor_accounts;      /* host.c */
doctor_step doctor_ledger, doctor_workers, doctor_backlog;	       /* ledger.c */
doctor_step doctor_pause, doctor_people;			       /* ledger.c */
doctor_step doctor_network, doctor_clock;			       /* google.c */
doctor_step doctor_credential, doctor_token, doctor_api, doctor_quota; /* google.c */
doctor_step doctor_secrets;					       /* secrets.c */
doctor_step doctor_isolation;					       /* isolation.c */

verb_function verb_doctor;

#endif
