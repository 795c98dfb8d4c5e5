/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of one person: check, get, commit the intent, send, commit the result; and what surrounds
 * it: the control call, the pause, the brakes, the cap, the window, the sweep. The dispatcher
 * drives it for everybody, the CLI for the addresses that an administrator names. Nothing else
 * sends.
 *
 * At most one mail: an intent is committed before the request is handed to libcurl; an intent
 * without a result is `unconfirmed` and is never sent again before it is settled (docs/design.md).
 */
#ifndef CLOUDINVITE_INVITE_INVITE_H
#define CLOUDINVITE_INVITE_INVITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "google/api/google.h"
#include "ledger/ledger.h"
#include "people/verdict.h"
#include "settings/settings.h"

struct invite;

struct invite_options {
	const char *owner; /* of leases: "dispatcher@host:pid" */
	const char *actor; /* for history: "dispatcher", "root", "alice (sudo)" */
	bool admin;	   /* may use the part of the pace that is kept for the administrator */
};

struct invite *invite_open(const struct settings *settings, struct ledger *ledger,
	struct google *google, const struct invite_options *options, struct fault *fault);
void invite_close(struct invite *i);

/* ---- the dispatcher's loop ---- */

/* Judges sightings that the present rules have not judged, and queues the people that they lead to:
 * at most `max`. Their number, or -1 and the fault (ledger). */
int invite_judge(struct invite *i, const struct address_map *map, int max, struct fault *fault);

/* One round: commits what has come back and what is to be sent, in one group; then starts calls;
 * then waits for Google or one of `fds` or what is due next, at most max_wait_ms. False and the
 * fault when the ledger fails (everything under way is still accounted for when it works again). */
bool invite_turn(struct invite *i, const int *fds, int nfds, int max_wait_ms, struct fault *fault);
/* Whether nothing is under way and nothing is due now: for --once. */
bool invite_idle(struct invite *i);
/* Gives back the memory that only work needs; does nothing while something is under way. */
void invite_release_memory(struct invite *i);
/* Starts nothing new any more; invite_turn until invite_idle, bounded by the settings' timeout. */
void invite_drain(struct invite *i);
/* Whether a state or a verdict has changed since this was asked last: then the collector has marks
 * to write. */
bool invite_changed(struct invite *i);
/* How many calls of each method have been made and how they ended, since open. */
struct invite_counts {
	int64_t calls[GOOGLE_METHODS];
	int64_t invited, not_invitable, unconfirmed, faults;
};
void invite_counts(const struct invite *i, struct invite_counts *out);
/* What it waits for, in a few words: "idle", "waiting for the rate limit", "paused: setup". */
const char *invite_waits_for(const struct invite *i);

/* ---- the administrator's commands ---- */

/* What became of one address: the reply's fault, or the person afterwards. */
struct invite_result {
	struct fault fault;
	bool invitable;
	bool shown;
	struct invitation invitation;
	struct person person;
	bool known; /* `person` is filled */
};
/* One live call for one address, within pace and pause rules for the administrator (waits for a
 * slot; `progress` is told how long, may be NULL). check and get change nothing but what the ledger
 * knows of a person that it has. */
void invite_ask(struct invite *i, enum google_method method, const char *address,
	void (*progress)(int64_t wait_ms, void *ctx), void *ctx, struct invite_result *out);
/* One page of list. */
void invite_list(struct invite *i, const struct google_call *call,
	void (*progress)(int64_t wait_ms, void *ctx), void *ctx,
	void (*each)(const struct google_reply *reply, void *ctx), struct fault *fault);
/* The whole way for one address, through journal and budget: refuses (FAULT_POLICY) somebody
 * blocked, and somebody invited, accepted, declined, unconfirmed or cancelled unless `again` (with
 * a reason for history). Works in dry-run too: the administrator says so by name. */
void invite_send(struct invite *i, const char *address, bool again, const char *reason,
	void (*progress)(int64_t wait_ms, void *ctx), void *ctx, struct invite_result *out);
/* Cancels at Google and in the ledger. */
void invite_cancel(struct invite *i, const char *address, const char *reason,
	void (*progress)(int64_t wait_ms, void *ctx), void *ctx, struct invite_result *out);

#endif
