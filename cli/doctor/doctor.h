/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doctor: every step from the module's file to Google's answer, in the order in which a login
 * becomes an invitation. A step looks and says what it found; it changes nothing.
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
	HEALTH_SKIPPED, /* not looked at: it needs something that is missing */
	HEALTH_NOTE,	/* works, and an administrator should know */
	HEALTH_BAD,
};

/* What lies in the spool: only root can look, and does so before it becomes the service's user. */
struct doctor_spool {
	bool looked;
	struct fault fault; /* why it could not be looked into; FAULT_NONE: the rest holds */
	struct spool_content arrivals, bad;
};

struct doctor {
	const struct cli *cli;
	bool json;
	bool offline;		   /* nothing is asked of the network */
	struct settings *settings; /* NULL: they cannot be used */
	struct doctor_spool spool;
	struct ledger *ledger; /* NULL: there is none that can be used */
	struct http *http;     /* NULL: the network was not asked yet, or in vain */
	struct credential *credential;
	bool reached; /* Google's API answered over TLS */
	bool token;   /* and a token was had */
	/* what was said */
	const char *step;
	char bad_code[48]; /* of the last thing that was bad */
	json_t *findings;
	struct screen screen;
	struct progress progress;
	int count[HEALTH_BAD + 1];
	int exit_code;
};

/* What a step found. */
void doctor_ok(struct doctor *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
void doctor_skip(struct doctor *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `remedy` may be NULL. */
void doctor_note(struct doctor *d, const char *code, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void doctor_bad(struct doctor *d, const struct fault *fault);

/* Fills in d->spool. */
void doctor_read_spool(struct doctor *d);

/* The steps; each says at least one thing. */
typedef void doctor_step(struct doctor *d);
doctor_step doctor_module, doctor_hook;				       /* doctor_login.c */
doctor_step doctor_pam;						       /* doctor_pam.c */
doctor_step doctor_settings, doctor_directories, doctor_accounts;      /* doctor_host.c */
doctor_step doctor_ledger, doctor_workers, doctor_backlog;	       /* doctor_ledger.c */
doctor_step doctor_pause, doctor_people;			       /* doctor_ledger.c */
doctor_step doctor_network, doctor_clock;			       /* doctor_google.c */
doctor_step doctor_credential, doctor_token, doctor_api, doctor_quota; /* doctor_google.c */
doctor_step doctor_secrets;					       /* doctor_secrets.c */
doctor_step doctor_isolation;					       /* doctor_isolation.c */

verb_function verb_doctor;

#endif
