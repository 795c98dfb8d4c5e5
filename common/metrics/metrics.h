/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: what Prometheus reads about this ledger. No label contains a user, an address or a host,
 * so a fleet of ten thousand hosts has as many series as one host. docs/monitoring.md says what
 * each metric means.
 */
#ifndef CLOUDINVITE_METRICS_METRICS_H
#define CLOUDINVITE_METRICS_METRICS_H

#include <stdbool.h>

#include "base/fault.h"
#include "base/strbuf.h"
#include "ledger/ledger.h"
#include "settings/settings.h"

enum metrics_format {
	METRICS_OPENMETRICS, /* ends with # EOF */
	METRICS_TEXT, /* Prometheus' own format 0.0.4, which node_exporter reads from files */
};

/* Appends all metrics. Those that only calls to Google change (queue, rate limit, token, resync)
 * are left out if the role does not dispatch, where they would always be zero. Counters are as
 * recent as the last heartbeat of the counting program, at most a minute old. False and a
 * FAULT_STORAGE if the ledger cannot be read. */
bool metrics_write(struct ledger *l, const struct settings *settings, enum metrics_format format,
	struct strbuf *out, struct fault *fault);

#endif
