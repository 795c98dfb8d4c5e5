/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meters: what a program counts about itself, in memory and without a fault. The ledger adds it to
 * what it has (ledger_store_counters), so that counters go on over restarts and every program on a
 * ledger counts into the same ones; metrics/metrics.h writes them for Prometheus. For one thread.
 */
#ifndef CLOUDINVITE_BASE_COUNTERS_H
#define CLOUDINVITE_BASE_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

/* What follows the colon are the labels, in the order in which they are handed over; 0 for a label
 * that there is not. */
enum counter {
	/* counters */
	COUNTER_ARRIVALS,	   /* trigger: enum trigger */
	COUNTER_REQUESTS,	   /* method: enum google_method; outcome: enum counter_outcome */
	COUNTER_DURATIONS,	   /* method; counter_bucket(): calls that took no longer */
	COUNTER_DURATION_US,	   /* method: microseconds of all of them */
	COUNTER_THROTTLED,	   /* calls that Google refused for its quota */
	COUNTER_TOKENS,		   /* 0 minted, 1 failed */
	COUNTER_BREAKER_TRIPS,	   /* guard: 0 breaker, 1 account changes */
	COUNTER_LEDGER_ERRORS,	   /* */
	COUNTER_MAILS,		   /* confirmed */
	COUNTER_RESULTS,	   /* enum counter_result */
	COUNTER_FOREIGN_MAILS,	   /* mails of others to somebody whom this ledger never mailed */
	COUNTER_UNEXPLAINED_MAILS, /* mails more than this ledger sent, to somebody whom it mailed
				    */
	/* values */
	GAUGE_LAST_SUCCESS, /* wall clock */
	GAUGE_CLOCK_SKEW,   /* seconds that the host's clock is ahead of Google's */
	GAUGE_TOKEN_EXPIRY, /* wall clock */
	GAUGE_RELOADED, /* program: 0 collector, 1 dispatcher; 1 the last reload was good, 0 not */
	GAUGE_SPOOL,	/* directory: 0 new, 1 bad */
	GAUGE_SPOOL_OLDEST, /* wall clock; 0: it is empty */
	COUNTERS
};

enum counter_outcome { OUTCOME_OK, OUTCOME_TRANSIENT, OUTCOME_SETUP, OUTCOME_REJECTED };
enum counter_result { RESULT_ACCEPTED, RESULT_DECLINED, RESULT_CANCELLED };

#define COUNTER_NAME_MAX 96
#define COUNTER_BUCKETS	 10 /* the last is +Inf */

void counter_add(enum counter counter, int label_a, int label_b, int64_t n);
void counter_set(enum counter counter, int label_a, int label_b, int64_t value);
/* One call of that duration: its buckets and its sum. */
void counter_add_duration(int method, int64_t microseconds);

/* How many values the labels have: 1 without. */
int counter_label_a_values(enum counter counter);
int counter_label_b_values(enum counter counter);
/* "google_requests_total{method="check",outcome="ok"}": what the ledger keeps it under. */
void counter_name(enum counter counter, int label_a, int label_b, char out[COUNTER_NAME_MAX]);
/* "google_requests_total". */
const char *counter_family(enum counter counter);
bool counter_is_gauge(enum counter counter);

/* Every counter that has grown and every value that was set since counters_flushed(); false as soon
 * as `each` says so. */
bool counters_each_change(
	bool (*each)(const char *name, bool value, int64_t n, void *ctx), void *ctx);
/* They have been committed. */
void counters_flushed(void);

#endif
