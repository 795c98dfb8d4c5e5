/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pace: one budget for the whole ledger. Any 60 seconds hold at most requests_per_minute calls
 * as Google sees them. A call takes a slot when it starts and frees it 60 s after it has ended,
 * because Google saw it at an unknown moment between the two. Times are of CLOCK_BOOTTIME with the
 * boot id, so that a wall clock that jumps neither frees nor freezes anything; slots of an earlier
 * boot count as taken now. A slot whose process died is freed as if the call had taken six times
 * the settings' timeout.
 */
#ifndef CLOUDINVITE_RATELIMIT_RATE_LIMIT_H
#define CLOUDINVITE_RATELIMIT_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "ledger/ledger.h"

struct rate_limit_status {
	int64_t configured;	      /* requests a minute; 0: unlimited */
	int64_t effective;	      /* lowered by 429 and quota 403, raised again by success */
	int64_t used;		      /* slots taken now */
	int64_t wait_ms;	      /* until the next slot is free for the worker; 0: now */
	int64_t throttled_until_wall; /* Retry-After in force, seconds since the epoch; 0: none */
};

/* Takes up to `want` slots. `admin`: the administrator's own commands may also use the tenth that
 * is kept for them (rounded up; nothing is kept of a rate of 1). Returns how many were taken (their
 * ids in slots[]), -1 on a fault; *wait_ms says when to ask again if fewer than wanted. Unlimited:
 * takes all, with ids of 0. */
int rate_limit_acquire(struct ledger *l, const struct settings *s, bool admin, int want,
	int64_t *permits, int64_t *wait_ms, struct fault *fault);
/* The call has ended (or was never made: `unused` frees the slot at once). */
bool rate_limit_release(struct ledger *l, int64_t permit, bool unused, struct fault *fault);
/* Google said slow down: halves the effective rate (calls under way may all say so: once in 30 s),
 * and nothing starts for retry_after (seconds, -1 unknown: 10; at most an hour). */
bool rate_limit_on_throttle(
	struct ledger *l, const struct settings *s, int64_t retry_after, struct fault *fault);
/* A call went well: raises a lowered rate by a tenth of the configured one, at most once a minute
 * and not within a minute of its lowering. */
bool rate_limit_on_success(struct ledger *l, const struct settings *s, struct fault *fault);
/* How many calls so many queued people will take, judged by those who have been looked at: one
 * each, and two more (one in dry run) for everybody who is found unmanaged. As long as nobody has
 * been looked at, everybody counts as found. */
int64_t rate_limit_calls(const struct ledger_summary *people, bool mails, int64_t queued);
bool rate_limit_status(struct ledger *l, const struct settings *s, struct rate_limit_status *out,
	struct fault *fault);
/* How long the queue of `calls` calls takes from now at the effective rate, seconds: right within a
 * fifth and a minute, as long as the rate stays as it is. */
int64_t rate_limit_eta(const struct rate_limit_status *p, int64_t calls);

#endif
