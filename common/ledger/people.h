/* SPDX-License-Identifier: Apache-2.0 */
/*
 * People: their states, leases and next attempts.
 */
#ifndef CLOUDINVITE_LEDGER_PEOPLE_H
#define CLOUDINVITE_LEDGER_PEOPLE_H

#include "ledger/handle.h"

enum person_state {
	PERSON_QUEUED,
	PERSON_NOT_INVITABLE,
	PERSON_SENDING,
	PERSON_UNCONFIRMED,
	PERSON_INVITED,
	PERSON_ACCEPTED,
	PERSON_DECLINED,
	PERSON_CANCELLED,
	PERSON_HELD,
	PERSON_FAILED,
	PERSON_GONE,
};
#define PERSON_STATES 11

enum priority { PRIO_NEW, PRIO_RETRY, PRIO_BACKGROUND };

struct person {
	char address[ADDRESS_MAX + 1];
	enum person_state state;
	char reason[48];      /* a stable word: "first_check", "daily_limit", "dry_run" … */
	int64_t next_attempt; /* seconds since the epoch; 0: none */
	enum priority priority;
	int attempts; /* failed ones in a row */
	char fault_code[48];
	char fault_text[320];
	int64_t mails;	   /* of all senders, as Google last reported; -1: unknown */
	int64_t our_mails; /* confirmed sends of this ledger */
	int64_t intent_at; /* when the intent was committed (our clock); 0: there is none */
	/* Google's Date of the last reply before the intent, or of a later one. For people who are
	 * invited: of the mail, or of a later reply. 0: unknown. */
	int64_t intent_date;
	int64_t intent_mails; /* `mails` at the time of the intent; -1: unknown */
	bool approved;	      /* not held for dry run, discovery or collision */
	bool resend;	      /* send --resend: one more mail than max_mails allows */
	bool discovered;      /* found unmanaged by a resync only */
	int64_t checked;      /* when check and get last permitted a send; 0: never */
	int64_t first_day;
	/* The ledger sets these: when state or reason changed, in seconds since the epoch; and
	 * since when no account is mapped to this address (0: one is). */
	int64_t changed;
	int64_t orphaned_since;
};

const char *person_state_word(enum person_state state);
bool person_state_parse(const char *word, enum person_state *out);
const char *priority_word(enum priority priority);

/* 1 found, 0 not found, -1. */
int ledger_person(struct ledger *l, const char *address, struct person *out, struct fault *fault);
/* People in order of address after `after` (NULL: from the start), at most `limit` (0: all), only
 * those in `state` (-1: any). */
bool ledger_each_person(struct ledger *l, int state, const char *after, int limit,
	bool (*each)(const struct person *p, void *ctx), void *ctx, struct fault *fault);

/* Inserts or replaces the person, ends the lease, and adds to the history if state or reason have
 * changed. `cause`: a stable word or a short sentence ("check: not invitable"); `actor`:
 * "dispatcher", "root". The stored person may differ from *p: a blocked person cannot be queued
 * without `resend`, but is held for "blocked", and a person whose last account was removed
 * meanwhile is gone. */
bool ledger_person_put(struct ledger *l, const struct person *p, const char *cause,
	const char *actor, struct fault *fault);
/* The same with a lease for `owner`: for an intent, whose result is still to come. */
bool ledger_person_put_leased(struct ledger *l, const struct person *p, const char *owner,
	int64_t lease_until, const char *cause, const char *actor, struct fault *fault);

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
