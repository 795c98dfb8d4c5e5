/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy: whether a person who may be invited is mailed now, later, or only when an administrator
 * says so.
 */
#ifndef CLOUDINVITE_PERSON_POLICY_H
#define CLOUDINVITE_PERSON_POLICY_H

#include "person/person.h"

/* What becomes of people who were found by Google's list only ([invitations] discovered). */
enum discovery_policy { DISCOVERY_IGNORE, DISCOVERY_HOLD, DISCOVERY_SEND };

/* What the rules allow at this moment, copied out of settings and ledger. */
struct send_policy {
	/* settings */
	bool dry_run;
	bool cancel_on_delete;
	enum discovery_policy discovered;
	int64_t max_mails;
	int64_t daily_limit; /* mails of the whole ledger */
	/* the ledger, in the transaction in which the step is stored */
	bool blocked;
	bool reconciling;
	int64_t reconcile_until; /* when to try again while that lasts */
	int64_t sent_today;	 /* those under way included */
	/* clocks */
	int64_t window_opens; /* 0: the send window is open */
	int64_t day_ends;     /* when sent_today begins from zero */
};

enum policy_verdict {
	POLICY_SEND,
	POLICY_HOLD,  /* until an administrator approves */
	POLICY_DEFER, /* until `until` */
};
struct policy_decision {
	enum policy_verdict verdict;
	enum person_reason reason;
	int64_t until;
};

/* `manual`: an administrator sends to this very address: dry run, discovery, a change of the
 * address and the send window do not apply. */
struct policy_decision policy_decide(
	const struct person *p, const struct send_policy *policy, bool manual);

#endif
