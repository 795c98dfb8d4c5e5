/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rate limit: one for all programs that share a ledger. In any 60 seconds, Google sees at most
 * requests_per_minute requests.
 *
 * A request needs a permit, which is returned 60 s after the request has ended, because Google saw
 * the request at an unknown moment between its start and its end. Times are of CLOCK_BOOTTIME with
 * the boot id, so that a wall clock that jumps neither frees nor freezes anything. Permits of an
 * earlier boot count as if they had been acquired now. A permit whose process died is returned as
 * if the request had taken six times the configured timeout.
 *
 * A ledger that is new or was restored does not know the requests of the last minute. If the file
 * of the last request knows of some, all permits count as used until they are over.
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
	int64_t used;		      /* permits in use */
	int64_t wait_ms;	      /* until the dispatcher can have the next permit; 0: now */
	int64_t throttled_until_wall; /* Retry-After in force, seconds since the epoch; 0: none */
};

/* Acquires up to `want` permits. `admin`: the administrator's own commands may also use the tenth
 * that is reserved for them (rounded up; nothing is reserved of a rate of 1). Returns how many were
 * acquired (their ids in permits[]), -1 on a fault. If there are fewer than wanted, *wait_ms says
 * when to ask again. Without a limit all are granted, with the id 0. */
int rate_limit_acquire(struct ledger *l, const struct settings *s, bool admin, int want,
	int64_t *permits, int64_t *wait_ms, struct fault *fault);
/* After the commit in which they were acquired, and before their requests begin: writes the newest
 * of them to a file beside the tokens, for a ledger that takes the place of this one. */
void rate_limit_write_last(struct ledger *l, const struct settings *s, int64_t permit);
/* The request has ended. `unused`: it was never made, so the permit is free at once. */
bool rate_limit_release(struct ledger *l, int64_t permit, bool unused, struct fault *fault);
/* Google refused a request for its quota: halves the effective rate, at most once in 30 s, because
 * all requests in flight may be refused. Nothing starts for retry_after seconds (-1, unknown: 10;
 * at most an hour). */
bool rate_limit_on_throttle(
	struct ledger *l, const struct settings *s, int64_t retry_after, struct fault *fault);
/* A request succeeded: raises a lowered rate by a tenth of the configured one, at most once a
 * minute and not within a minute of its lowering. */
bool rate_limit_on_success(struct ledger *l, const struct settings *s, struct fault *fault);
/* How many requests that many queued people will need: one each, and two more (one in dry run) for
 * each person who is found unmanaged. The share of the unmanaged is that of the people who have
 * been checked; before the first check, everybody counts as unmanaged. */
int64_t rate_limit_calls(const struct ledger_summary *people, bool mails, int64_t queued);
bool rate_limit_status(struct ledger *l, const struct settings *s, struct rate_limit_status *out,
	struct fault *fault);
/* How many seconds `calls` requests take from now at the effective rate: right within a fifth and a
 * minute, as long as the rate stays as it is. */
int64_t rate_limit_eta(const struct rate_limit_status *p, int64_t calls);

#endif
