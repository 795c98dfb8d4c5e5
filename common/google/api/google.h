/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google: the five calls of customers.userinvitations, as the rest of the program sees them. Only
 * common/google speaks HTTP. Everything is asynchronous over one curl multi handle, without
 * threads; google_call_sync() is for a caller that makes one call and waits.
 */
#ifndef CLOUDINVITE_GOOGLE_API_GOOGLE_H
#define CLOUDINVITE_GOOGLE_API_GOOGLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "google/types.h"
#include "settings/settings.h"

typedef void google_done(void *ctx, const struct google_reply *reply);

struct google;

/* Loads the credential without using the network; `settings` must outlive it. NULL and the
 * fault. */
struct google *google_open(const struct settings *settings, struct fault *fault);
/* Stops calls in flight. Accepts NULL. */
void google_close(struct google *g);

/* Starts a call. `done` is called exactly once, from google_poll() or google_stop(), never from
 * here. The next google_poll() takes the token from the cache or mints one first; minting blocks,
 * at most for `timeout`. A 401 mints a new token once and repeats the call, which had no effect. So
 * does a dead connection for a call without effect. Each repeat asks call->permit first. A `done`
 * may start calls, but must not call google_poll(). */
void google_start(struct google *g, const struct google_call *call, google_done *done, void *ctx);
/* Until when a request may begin that was decided on, and got its permit, at `decided_ms`: the
 * timeout, because minting a token may take as long. Not for less than five seconds: a disk may
 * take its time over the commit. */
#define GOOGLE_BEGIN_MIN_MS INT64_C(5000)
static inline int64_t google_begin_until(const struct settings *settings, int64_t decided_ms)
{
	int64_t timeout_ms = settings->timeout * 1000;

	return decided_ms + (timeout_ms > GOOGLE_BEGIN_MIN_MS ? timeout_ms : GOOGLE_BEGIN_MIN_MS);
}
/* Waits until something happens at Google or one of `fds` is readable, at most timeout_ms (-1: no
 * limit), calls `done` for finished calls, and returns the number of calls in flight. */
int google_poll(struct google *g, const int *fds, int nfds, int timeout_ms);
int google_in_flight(const struct google *g);
/* Ends all calls in flight and calls `done` for each: AMBIGUOUS for a send that may have been
 * written, STOPPED for all others. A reply that has already arrived counts. */
void google_stop(struct google *g);
/* `stop` is called now and then while a token is minted; true ends it (SIGTERM). */
void google_interrupt(struct google *g, bool (*stop)(void *ctx), void *ctx);

/* Makes one call and waits for it, with no others in flight. `reply` is valid until the next
 * google_call_sync() or google_close(). */
void google_call_sync(struct google *g, const struct google_call *call, struct google_reply *reply);

/* Seconds by which our clock is ahead of Google's, from the last Date header. */
int64_t google_clock_skew(const struct google *g);

#endif
