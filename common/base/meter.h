/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meters: what a program counts about itself, in memory and without a fault. The ledger adds it to
 * what it has (ledger_store_meters), so that counters go on over restarts and every program on a
 * ledger counts into the same ones; metrics/metrics.h writes them for Prometheus. For one thread.
 */
#ifndef CLOUDINVITE_BASE_METER_H
#define CLOUDINVITE_BASE_METER_H

#include <stdbool.h>
#include <stdint.h>

/* What follows the colon are the labels, in the order in which they are handed over; 0 for a label
 * that there is not. */
enum meter {
	/* counters */
	METER_ARRIVALS,	     /* reason: enum sighting_reason */
	METER_REQUESTS,	     /* method: enum google_method; outcome: enum meter_outcome */
	METER_DURATIONS,     /* method; meter_bucket(): calls that took no longer */
	METER_DURATION_US,   /* method: microseconds of all of them */
	METER_THROTTLED,     /* calls that Google refused for its quota */
	METER_TOKENS,	     /* 0 minted, 1 failed */
	METER_BRAKES,	     /* 0 Google, 1 accounts */
	METER_LEDGER_ERRORS, /* */
	METER_MAILS,	     /* confirmed */
	METER_RESULTS,	     /* enum meter_result */
	METER_FOREIGN,	     /* mails of others to somebody whom this ledger never mailed */
	METER_UNEXPLAINED,   /* mails more than this ledger sent, to somebody whom it mailed */
	/* values */
	METER_LAST_SUCCESS, /* wall clock */
	METER_CLOCK_SKEW,   /* seconds that the host's clock is ahead of Google's */
	METER_TOKEN_EXPIRY, /* wall clock */
	METER_RELOADED,	    /* role: 0 collector, 1 dispatcher; 1 the last reload was good, 0 not */
	METER_SPOOL,	    /* box: 0 new, 1 bad */
	METER_SPOOL_OLDEST, /* wall clock; 0: it is empty */
	METERS
};

enum meter_outcome { OUTCOME_OK, OUTCOME_TRANSIENT, OUTCOME_SETUP, OUTCOME_REJECTED };
enum meter_result { RESULT_ACCEPTED, RESULT_DECLINED, RESULT_CANCELLED };

#define METER_NAME_MAX 96
#define METER_BUCKETS  10 /* the last is +Inf */

void meter_add(enum meter meter, int first, int second, int64_t n);
void meter_set(enum meter meter, int first, int second, int64_t value);
/* One call of that duration: its buckets and its sum. */
void meter_duration(int method, int64_t microseconds);

/* How many values the labels have: 1 without. */
int meter_first(enum meter meter);
int meter_second(enum meter meter);
/* "google_requests_total{method="check",outcome="ok"}": what the ledger keeps it under. */
void meter_name(enum meter meter, int first, int second, char out[METER_NAME_MAX]);
/* "google_requests_total". */
const char *meter_family(enum meter meter);
bool meter_is_value(enum meter meter);

/* Every counter that has grown and every value that was set since meter_stored(); false as soon as
 * `each` says so. */
bool meter_each_change(bool (*each)(const char *name, bool value, int64_t n, void *ctx), void *ctx);
/* They have been committed. */
void meter_stored(void);

#endif
