/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file for node_exporter's textfile collector, written again after each heartbeat.
 */
#ifndef CLOUDINVITE_WORKER_DISPATCHER_METRICS_FILE_H
#define CLOUDINVITE_WORKER_DISPATCHER_METRICS_FILE_H

#include "ledger/ledger.h"
#include "settings/settings.h"
#include "worker/worker.h"

struct metrics_file {
	int64_t heartbeat_ms; /* the heartbeat after which it was written */
	bool failing;	      /* writing fails, and that has been logged */
};

/* Does nothing if metrics_file is not set or there was no heartbeat since. Errors are logged once:
 * metrics must not delay invitations. */
void metrics_file_update(struct metrics_file *m, const struct worker *w, struct ledger *ledger);

#endif
