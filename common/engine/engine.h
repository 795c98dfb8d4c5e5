/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: does what person_step() decides. It claims people, asks Google, commits intents and
 * results; around that stand the control call, the pause, the breaker, the rate limit and the
 * resync. The dispatcher drives it for everybody, the command line for the addresses that an
 * administrator names. Nothing else sends.
 *
 * At most one mail: an intent is committed before the request is handed to libcurl; an intent
 * without a result is `unconfirmed`, and is never sent again before it is resolved
 * (docs/design.md).
 */
#ifndef CLOUDINVITE_ENGINE_ENGINE_H
#define CLOUDINVITE_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "google/api/google.h"
#include "ledger/ledger.h"
#include "people/verdict.h"
#include "settings/settings.h"

struct engine;

struct engine_options {
	const char *owner; /* of leases: "dispatcher@host:pid" */
	const char *actor; /* for history: "dispatcher", "root", "alice (sudo)" */
	bool admin; /* for the administrator's commands only: may use the permits kept for them */
};

struct engine *engine_open(const struct settings *settings, struct ledger *ledger,
	struct google *google, const struct engine_options *options, struct fault *fault);
void engine_close(struct engine *e);

/* ---- the dispatcher's loop ---- */

/* Evaluates sightings that the present rules have not evaluated, and queues the people that they
 * lead to: at most `max`. Their number, or -1 and the fault (ledger). */
int engine_classify(struct engine *e, const struct address_map *map, int max, struct fault *fault);

/* One batch: commits what has come back and what is to be sent, in one transaction; then starts
 * calls; then waits for Google or one of `fds` or what is due next, at most max_wait_ms. False and
 * the fault when the ledger fails (everything under way is still accounted for when it works
 * again). */
bool engine_run(struct engine *e, const int *fds, int nfds, int max_wait_ms, struct fault *fault);
/* Whether nothing is under way and nothing is due now: for --once. */
bool engine_idle(const struct engine *e);
/* Gives back the memory that only work needs; does nothing while something is under way. */
void engine_release_memory(struct engine *e);
/* By which time things may expire: the earlier of this host's clock and Google's. 0: Google's was
 * not heard yet, so nothing expires. */
int64_t engine_expiry_now(const struct engine *e);
/* Asks Google for its clock, if it was not heard yet. */
void engine_want_clock(struct engine *e);
/* Starts nothing new any more; engine_run until engine_idle, bounded by the settings' timeout. */
void engine_drain(struct engine *e);
/* Whether a state or a verdict has changed since this was asked last: then the collector has
 * markers to write. */
bool engine_changed(struct engine *e);
/* How many calls of each method have been made and how they ended, since open. */
struct engine_counts {
	int64_t calls[GOOGLE_METHODS];
	int64_t invited, not_invitable, unconfirmed, faults;
};
void engine_get_counts(const struct engine *e, struct engine_counts *out);
/* A word or short sentence on what it waits for: "idle", "waiting for the rate limit", "paused". */
const char *engine_waits_for(const struct engine *e);

/* ---- the administrator's commands ---- */

/* Called while a command waits for a permit of the rate limit. */
typedef void engine_progress(int64_t wait_ms, void *ctx);

/* What became of one address: the reply's fault, or the person afterwards. */
struct engine_result {
	struct fault fault;
	bool invitable;
	bool shown;
	struct invitation invitation;
	struct person person;
	bool known; /* `person` is filled */
};
/* One call for one address, within the rate limit. check and get change nothing but what the ledger
 * knows of a person that it has. `progress` may be NULL. */
void engine_ask(struct engine *e, enum google_method method, const char *address,
	engine_progress *progress, void *ctx, struct engine_result *out);
/* One page of list. */
void engine_list(struct engine *e, const struct google_call *call, engine_progress *progress,
	void *ctx, void (*each)(const struct google_reply *reply, void *ctx), struct fault *fault);
/* The whole way for one address, through journal and budget: refuses (FAULT_POLICY) a person who is
 * blocked, and one who is invited, accepted, declined, unconfirmed or cancelled unless `resend`
 * (with a reason for history). Works in dry run too: the administrator names the address. */
void engine_send(struct engine *e, const char *address, bool resend, const char *reason,
	engine_progress *progress, void *ctx, struct engine_result *out);
/* Cancels at Google and in the ledger. */
void engine_cancel(struct engine *e, const char *address, const char *reason,
	engine_progress *progress, void *ctx, struct engine_result *out);

#endif
