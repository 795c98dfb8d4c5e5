/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google: the five calls of customers.userinvitations, as the rest of the program sees them. Only
 * this room speaks HTTP. Everything is asynchronous over one curl multi handle and has no threads;
 * google_call_sync() is for those who ask one thing and wait.
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

/* Loads the credential (no network); `settings` must outlive it. NULL and the fault. */
struct google *google_open(const struct settings *settings, struct fault *fault);
/* Stops what is under way. NULL-safe. */
void google_close(struct google *g);

/* Starts a call; `done` is called exactly once, from google_poll() or google_stop(), never from
 * here. The next turn takes the token from the cache or mints it first (synchronously: the one
 * thing that blocks, bounded by `timeout`); a 401 mints a fresh one once and repeats the call,
 * which had no effect. A `done` may start calls, but not turn. */
void google_start(struct google *g, const struct google_call *call, google_done *done, void *ctx);
/* Waits until something happens at Google or one of `fds` is readable, at most timeout_ms (-1: no
 * limit), runs what is done, and returns the number of calls still under way. */
int google_poll(struct google *g, const int *fds, int nfds, int timeout_ms);
int google_in_flight(const struct google *g);
/* Ends all that is under way, and tells each `done`: sends as AMBIGUOUS where anything may have
 * been written, all else as STOPPED. What has already been answered counts. */
void google_stop(struct google *g);
/* Asked now and then while a token is minted; true ends it (SIGTERM). */
void google_interrupt(struct google *g, bool (*stop)(void *ctx), void *ctx);

/* One call, waited for (with no others under way). `reply` is valid until the next
 * google_call_sync() or google_close(). */
void google_call_sync(struct google *g, const struct google_call *call, struct google_reply *reply);

/* How far our clock is ahead of Google's, seconds, from the last Date header. */
int64_t google_clock_skew(const struct google *g);

#endif
