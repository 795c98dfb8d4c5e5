/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People: their states, leases and next attempts.
 */
#ifndef CLOUDINVITE_LEDGER_PEOPLE_H
#define CLOUDINVITE_LEDGER_PEOPLE_H

#include "ledger/handle.h"
#include "person/event.h"

/* 1 found, 0 not found, -1. */
int ledger_person(struct ledger *l, const char *address, struct person *out, struct fault *fault);
/* People in order of address after `after` (NULL: from the start), at most `limit` (0: all), only
 * those in `state` (-1: any). */
bool ledger_each_person(struct ledger *l, int state, const char *after, int limit,
	bool (*each)(const struct person *p, void *ctx), void *ctx, struct fault *fault);

/* Stores the person as given: inserts or replaces the row, ends the lease, and adds to the history
 * if state or reason have changed. `cause`: a stable word or a short sentence ("check: not
 * invitable"); `actor`: "dispatcher", "root". person_step() decides what a person becomes. */
bool ledger_person_put(struct ledger *l, const struct person *p, const char *cause,
	const char *actor, struct fault *fault);
/* Stores step->next in the same way, and how its send ended (step->outcome). `stored`: the person
 * as it was read in this transaction; NULL: it is not there. With an `owner` the person is leased:
 * for an intent, whose result is still to come. */
bool ledger_person_store(struct ledger *l, const struct person_step *step,
	const struct person *stored, const char *owner, int64_t lease_until, const char *actor,
	struct fault *fault);
/* Applies an event to a person who is in no job: loads, steps, stores. A lease is neither needed
 * nor ended. `policy` may be NULL for events that need none; the blocklist is read here. 1 stored,
 * 0 nothing to store (step->refusal may say why), -1. `step` may be NULL. */
int ledger_person_apply(struct ledger *l, const char *address, const struct person_event *event,
	const struct send_policy *policy, const char *actor, struct person_step *step,
	struct fault *fault);

/* ---- leases ---- */

/* Leases the people whose next attempt is due, who have no valid lease, and who are queued,
 * unconfirmed, invited, or sending (an intent whose process has died). By priority up to `last`,
 * then by the time of the next attempt. Their number or -1. A lease lasts at most a day: one that
 * ends later was written under a wrong clock and is void. */
int ledger_claim(struct ledger *l, int64_t now, enum priority last, const char *owner,
	int64_t lease_until, struct person *out, int max, struct fault *fault);
/* Leases one person: 1, 0 (not found, or leased by another owner), -1. */
int ledger_lease(struct ledger *l, const char *address, const char *owner, int64_t now,
	int64_t lease_until, struct person *out, struct fault *fault);
/* Whether ledger_lease would lease the person. Nothing is changed. */
int ledger_may_lease(struct ledger *l, const char *address, const char *owner, int64_t now,
	struct person *out, struct fault *fault);
/* Ends the lease of one address, or (NULL) all leases of the owner. The people are unchanged. */
bool ledger_release(struct ledger *l, const char *owner, const char *address, struct fault *fault);

/* ---- next attempts ---- */

/* When the next person can be claimed: at the next attempt, or at the end of the lease if that is
 * later. 0: never. */
bool ledger_next_due(struct ledger *l, int64_t *due, struct fault *fault);
/* The clock was set back, by `back` seconds or, if that is not known, 0: next attempts move back as
 * far, and one that is still further ahead than any wait can last is now. */
bool ledger_reschedule(struct ledger *l, int64_t now, int64_t back, struct fault *fault);
/* Only the last step, for attempts beyond every kind of wait. Cheap if there are none. */
bool ledger_clamp_schedule(struct ledger *l, int64_t now, struct fault *fault);
/* If more than `more_than` people are due who have never been checked, gives all of them the
 * priority PRIO_BACKGROUND and returns a number above more_than (not all are counted). Otherwise 0;
 * -1 on a fault. */
int64_t ledger_demote_backlog(
	struct ledger *l, int64_t now, int64_t more_than, struct fault *fault);

#endif
