/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the service as a whole: mode, pause, and the programs that run.
 */
#ifndef CLOUDINVITE_CLI_COMMON_SERVICE_STATE_H
#define CLOUDINVITE_CLI_COMMON_SERVICE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/common/context.h"
#include "ledger/ledger.h"

#define HEARTBEAT_LATE_S 300 /* with an older heartbeat, the program counts as down */

struct program {
	const char *role;	     /* "collector", "dispatcher" */
	bool wanted;		     /* this host's role includes it */
	bool alive;		     /* on this host, by its lock; on others, by its heartbeat */
	bool has_heartbeat;	     /* `worker` is filled in */
	struct ledger_worker worker; /* of this host, else the most recent one */
};

struct service_state {
	int64_t at;
	bool dry_run;
	bool paused;
	struct ledger_pause pause;
	bool reconciling; /* mails may be out that the ledger does not know of, so none is sent */
	struct ledger_reconcile reconcile;
	struct program collector, dispatcher;
	int hosts; /* heartbeats of all programs: a fleet has many */
	int late;  /* how many of them are late */
};

/* When it may end at the earliest, by Google's clock; 0: unknown yet. */
int64_t service_state_reconcile_end(const struct service_state *service);
bool service_state_read(const struct store *store, struct service_state *out, struct fault *fault);

#endif
