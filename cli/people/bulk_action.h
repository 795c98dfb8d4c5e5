/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions that put held or failed people back into the queue. Each is made under a lease, so that
 * the dispatcher never works on the same person.
 */
#ifndef CLOUDINVITE_CLI_PEOPLE_BULK_ACTION_H
#define CLOUDINVITE_CLI_PEOPLE_BULK_ACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/common/context.h"
#include "ledger/ledger.h"

/* What a verb does. */
struct bulk_action {
	const char *done;	 /* "approved", for the message and the history */
	const char *question;	 /* "Invite" 14 people? */
	enum person_state state; /* the state that --all is about */
	enum person_event_kind event;
	/* Why the rules refuse it for a person who was named. Always false. */
	bool (*refuse)(const struct person *p, enum person_refusal refusal, struct fault *fault);
};

struct action_run {
	const struct cli *cli;
	const struct bulk_action *action;
	struct store store;
	char owner[HOST_MAX + 32]; /* of the leases */
	const char *reason;	   /* NULL: any */
	bool approved_only;	   /* who were approved before */
	bool yes;		   /* without asking */
	int done, busy;
};

/* For people who are named; does nothing if one of the names cannot be resolved. Returns the exit
 * code. */
int bulk_action_named(struct action_run *run, char **typed, int n);
/* For all people in the state, with run->reason if that is set. Returns the exit code. */
int bulk_action_all(struct action_run *run);

#endif
