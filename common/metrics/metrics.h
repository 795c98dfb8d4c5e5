/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics: what Prometheus is told about this ledger. No user, no address, no host stands in a
 * label, so that there are as many series on the ten thousandth host as on the first.
 * docs/monitoring.md says what each means.
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
	METRICS_TEXT,	     /* Prometheus' own format 0.0.4: what node_exporter reads from files */
};

/* Appends all of them. What only asking Google makes (queue, pace, token, sweep) is left out where
 * the role does not dispatch: a collector would only say zero. Counters are as old as the last
 * heartbeat of the program that counts, a minute. False and a FAULT_STORAGE when the ledger cannot
 * be read. */
bool metrics_write(struct ledger *l, const struct settings *settings, enum metrics_format format,
	struct strbuf *out, struct fault *fault);

#endif
