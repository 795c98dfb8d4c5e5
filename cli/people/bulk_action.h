/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions about people who stand still: they are put back into the queue. What is decided about
 * one of them is decided under a lease, so that the dispatcher is never in the middle of it.
 */
#ifndef CLOUDINVITE_CLI_PEOPLE_BULK_ACTION_H
#define CLOUDINVITE_CLI_PEOPLE_BULK_ACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/common/context.h"
#include "ledger/ledger.h"

/* What a verb decides. */
struct bulk_action {
	const char *done;	 /* "approved", for people and for history */
	const char *question;	 /* "Invite" 14 people? */
	enum person_state state; /* of the people whom --all means */
	enum person_event_kind event;
	/* Why the rules refuse it for a person who was named. Always false. */
	bool (*refuse)(const struct person *p, enum person_refusal refusal, struct fault *fault);
};

struct bulk_run {
	const struct cli *cli;
	const struct bulk_action *action;
	struct store store;
	char owner[HOST_MAX + 32]; /* of leases */
	const char *reason;	   /* NULL: any */
	bool yes;		   /* does not ask */
	int done, busy;
};

/* For those who are named: nobody, if one of the names is not understood. The exit code. */
int bulk_action_named(struct bulk_run *run, char **typed, int n);
/* For everybody who stands there, for run->reason if that is set. The exit code. */
int bulk_action_all(struct bulk_run *run);

#endif
