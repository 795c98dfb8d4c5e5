/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person: one mail address, and what is known of its invitation.
 *
 * This folder is pure: no I/O, clock, random numbers, log or settings. Everything that it looks at
 * is handed to it, so that every rule can be tested in three lines. What a person becomes is
 * decided in one place, person_step() (person/event.h). README.md has the states, the events, the
 * table of transitions and the invariants.
 */
#ifndef CLOUDINVITE_PERSON_PERSON_H
#define CLOUDINVITE_PERSON_PERSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/* The states' words are contracts: they stand in the ledger, in --json and in the markers. */
enum person_state {
	PERSON_QUEUED,	      /* to be checked, and invited if the account is unmanaged */
	PERSON_NOT_INVITABLE, /* Google knows no unmanaged account of that address */
	PERSON_SENDING,	      /* the intent is committed, the request may be under way */
	PERSON_UNCONFIRMED,   /* the mail may be out: only evidence or an administrator goes on */
	PERSON_INVITED,	      /* the mail is out, ours or another sender's */
	PERSON_ACCEPTED,
	PERSON_DECLINED,
	PERSON_CANCELLED,
	PERSON_HELD,   /* an administrator decides */
	PERSON_FAILED, /* Google rejects this person */
	PERSON_GONE,   /* no account leads here, and no mail was sent */
};
#define PERSON_STATES 11
/* Not in the ledger. Where the next state is this one, there is nothing to store. */
#define PERSON_UNKNOWN ((enum person_state)PERSON_STATES)

/* Why the person is in that state. The words stand in the ledger, in --json and in the report. */
enum person_reason {
	REASON_NONE, /* "" */
	/* queued */
	REASON_FIRST_CHECK,
	REASON_APPROVED,
	REASON_RETRIED, /* by an administrator */
	REASON_RETRY,	/* after a failure that may pass */
	REASON_BREAKER,
	REASON_SEND_WINDOW,
	REASON_DAILY_LIMIT,
	REASON_RECONCILE,
	REASON_RESOLVED_UNSENT,
	/* queued or held */
	REASON_DISCOVERED, /* found unmanaged in Google's list, not by a trigger */
	/* held */
	REASON_ADDRESS_CHANGED, /* the account that leads here led to another address before */
	REASON_DRY_RUN,
	REASON_MAX_MAILS,
	REASON_UNKNOWN_STATE, /* Google shows a state that this version does not know */
	REASON_MANUAL,	      /* known only because an administrator named the address */
	/* held or gone */
	REASON_BLOCKED,
	REASON_COLLISION,
	/* held or unconfirmed */
	REASON_UNCONFIRMED,
	/* unconfirmed: the program ended between the intent and the result */
	REASON_INTERRUPTED,
	/* sending, not invitable */
	REASON_SENDING,
	REASON_NOT_INVITABLE,
	/* invited */
	REASON_SENT,
	REASON_RESOLVED,
	REASON_BY_OTHERS,
	/* invited or gone */
	REASON_ACCOUNT_REMOVED,
	/* invited, cancelled or gone */
	REASON_RENAMED, /* the account has another name now, and with it another address */
	/* accepted, declined */
	REASON_ANSWERED,
	/* cancelled */
	REASON_ELSEWHERE,
	REASON_DELETED, /* by the dispatcher, because the account was deleted */
	REASON_BY_ADMIN,
	/* gone: what the last account that led here is now */
	REASON_FORGOTTEN,
	REASON_MAPPED, /* to another address */
	REASON_UNMAPPED,
	REASON_FOREIGN_DOMAIN,
	REASON_EXCLUDED,
	/* failed: the word is the code of the fault */
	REASON_FAULT,
};
#define PERSON_REASONS (REASON_FAULT + 1)

/* The order in which people are served. */
enum priority { PRIO_NEW, PRIO_RETRY, PRIO_BACKGROUND };
#define PRIORITIES 3

#define PERSON_CODE_SIZE 48
#define PERSON_TEXT_SIZE 320

/* Times are seconds since the epoch: by the host's clock, or by Google's where that is said. */
struct person {
	char address[ADDRESS_MAX + 1];
	enum person_state state;
	enum person_reason reason;
	int64_t next_attempt; /* when something is to be done; 0: nothing is */
	enum priority priority;
	int attempts; /* failed ones in a row */
	char fault_code[PERSON_CODE_SIZE];
	char fault_text[PERSON_TEXT_SIZE];
	int64_t mails; /* everybody's mails, as Google said last; -1: never asked or not shown */
	int64_t our_mails; /* our sends that are confirmed */
	int64_t intent_at; /* when the intent was committed; 0: none is open */
	/* Google's clock at the intent, or later; of an unconfirmed person: when the send ended, or
	 * later; of an invited person: at the mail, or later; 0: unknown. */
	int64_t intent_date;
	int64_t intent_mails; /* `mails` at the intent; -1: unknown */
	bool approved; /* by an administrator: discovery, a changed address and a collision hold no
			  more; the dry run does until it ends */
	bool resend;   /* an administrator's further mail, beyond max_mails */
	bool discovered; /* only Google's list, or an administrator's send, led to this person */
	bool address_changed; /* only accounts led to this person that had led to another one */
	/* Google's clock when check and get last cleared the way for a mail; 0: never, or unknown.
	 */
	int64_t checked;
	int64_t first_day;
	int64_t changed;	/* of state or reason */
	int64_t orphaned_since; /* the day since when no account leads here; 0: one does */
	enum person_reason orphan_reason; /* why none does; NONE: one does, or none ever did */
};

/* A person who is not in the ledger yet. */
struct person person_new(const char *address, int64_t today);

const char *person_state_word(enum person_state state);
bool person_state_parse(const char *word, enum person_state *out);
const char *priority_word(enum priority priority);
bool priority_parse(const char *word, enum priority *out);
/* The word of the reason; of a failed person the code of the fault. Valid as long as `p`. */
const char *person_reason_word(const struct person *p);
/* The word of a reason that is not REASON_FAULT. */
const char *reason_word(enum person_reason reason);
/* False where `word` is none of the words; a failed person has REASON_FAULT instead. */
bool reason_parse(const char *word, enum person_reason *out);

/* NULL, or the invariant that is violated ("sending without an intent"): for tests, fuzzing,
 * and the program that stores a person. */
const char *person_invalid(const struct person *p);

/* Whether anything is to be done for people in this state, at their time. */
bool person_state_claimable(enum person_state state);

#endif
