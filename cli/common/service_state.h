/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the service: what holds for everybody at this moment: mode, pause, and the programs
 * that work.
 */
#ifndef CLOUDINVITE_CLI_COMMON_SERVICE_STATE_H
#define CLOUDINVITE_CLI_COMMON_SERVICE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/common/context.h"
#include "ledger/ledger.h"

#define HEARTBEAT_LATE_S 300 /* a heartbeat older than this belongs to a program that is down */

struct program {
	const char *role;	     /* "collector", "dispatcher" */
	bool wanted;		     /* by this host's role */
	bool alive;		     /* here, by its lock; elsewhere, by its heartbeat */
	bool has_heartbeat;	     /* `worker` is filled */
	struct ledger_worker worker; /* of this host, else the freshest of all */
};

struct service_state {
	int64_t at;
	bool dry_run;
	bool paused;
	struct ledger_pause pause;
	bool reconciling; /* mails may be out that the ledger does not know of: none is sent */
	struct ledger_reconcile reconcile;
	struct program collector, dispatcher;
	int hosts; /* heartbeats of all kinds: a fleet has many */
	int late;  /* those that are late */
};

/* When it may end at the earliest, by Google's clock; 0: not known yet. */
int64_t service_state_reconcile_end(const struct service_state *service);
bool service_state_read(const struct store *store, struct service_state *out, struct fault *fault);

#endif
