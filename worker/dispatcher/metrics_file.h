/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file for node_exporter's textfile collector, written anew after each heartbeat.
 */
#ifndef CLOUDINVITE_WORKER_DISPATCHER_METRICS_FILE_H
#define CLOUDINVITE_WORKER_DISPATCHER_METRICS_FILE_H

#include "ledger/ledger.h"
#include "settings/settings.h"
#include "worker/worker.h"

struct metrics_file {
	int64_t heartbeat_ms; /* the heartbeat that it tells of */
	bool failing;	      /* and it has been said */
};

/* Nothing where metrics_file is not set, or no heartbeat has been since. What goes wrong is logged
 * once: metrics must not hold up invitations. */
void metrics_file_update(struct metrics_file *m, const struct worker *w, struct ledger *ledger);

#endif
