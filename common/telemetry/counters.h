/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters and gauges: what a program counts about itself, in memory; counting cannot fail. The
 * ledger adds the counts to what it has stored (ledger_store_counters), so that counters continue
 * over restarts and all programs of a ledger share them. metrics/metrics.h writes them for
 * Prometheus. Not for more than one thread.
 */
#ifndef CLOUDINVITE_TELEMETRY_COUNTERS_H
#define CLOUDINVITE_TELEMETRY_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

/* The comment of each names its labels, in the order in which they are passed. A label that a
 * counter does not have is passed as 0. */
enum counter {
	COUNTER_ARRIVALS,      /* enum trigger */
	COUNTER_REQUESTS,      /* enum google_method, enum counter_outcome */
	COUNTER_DURATIONS,     /* enum google_method, bucket: calls that took no longer */
	COUNTER_DURATION_US,   /* enum google_method: microseconds of all calls */
	COUNTER_THROTTLED,     /* calls that Google refused because of the quota */
	COUNTER_TOKENS,	       /* 0 minted, 1 failed */
	COUNTER_BREAKER_TRIPS, /* 0: the breaker, 1: the change guard */
	COUNTER_LEDGER_ERRORS,
	COUNTER_MAILS,		   /* confirmed */
	COUNTER_RESULTS,	   /* enum counter_result */
	COUNTER_FOREIGN_MAILS,	   /* sent by others to people that this ledger never invited */
	COUNTER_UNEXPLAINED_MAILS, /* sent by others to people that this ledger invited */
	GAUGE_LAST_SUCCESS,	   /* wall clock */
	GAUGE_CLOCK_SKEW,	   /* seconds by which the host's clock is ahead of Google's */
	GAUGE_TOKEN_EXPIRY,	   /* wall clock */
	GAUGE_RELOADED,		   /* 0: collector, 1: dispatcher; 1 if the last reload succeeded */
	GAUGE_SPOOL,		   /* 0: new/, 1: bad/ */
	GAUGE_SPOOL_OLDEST,	   /* wall clock; 0: the spool is empty */
	COUNTERS
};

enum counter_outcome { OUTCOME_OK, OUTCOME_TRANSIENT, OUTCOME_SETUP, OUTCOME_REJECTED };
enum counter_result { RESULT_ACCEPTED, RESULT_DECLINED, RESULT_CANCELLED };

#define COUNTER_NAME_MAX 96
#define COUNTER_BUCKETS	 10 /* the last is +Inf */

void counter_add(enum counter counter, int label_a, int label_b, int64_t n);
void counter_set(enum counter counter, int label_a, int label_b, int64_t value);
/* Counts one call of that duration in its buckets and in the sum. */
void counter_add_duration(int method, int64_t microseconds);

/* How many values the label has; 1 if there is no label. */
int counter_label_a_values(enum counter counter);
int counter_label_b_values(enum counter counter);
/* The name under which the ledger stores it: "google_requests_total{method="check",outcome="ok"}".
 */
void counter_name(enum counter counter, int label_a, int label_b, char out[COUNTER_NAME_MAX]);
/* "google_requests_total". */
const char *counter_family(enum counter counter);
bool counter_is_gauge(enum counter counter);

/* Calls `each` for every counter that has grown and every gauge that was set since
 * counters_flushed(). False as soon as `each` returns false. */
bool counters_each_change(
	bool (*each)(const char *name, bool value, int64_t n, void *ctx), void *ctx);
/* The counts have been committed: starts again from zero. */
void counters_flushed(void);

#endif
