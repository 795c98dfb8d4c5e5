/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence: what Google shows of one person, and what it proves. A pure function: no ledger, no
 * clock, no network, so that every row of its table can be tested.
 *
 * Two facts make it careful. get and list lag by up to 48 h, so that only what cannot be old news
 * counts at once: INVITED or later, or a count of mails above the one noted; the absence of
 * something counts after 72 h, by Google's own clock. And the count of mails is everyone's, not
 * only ours.
 */
#ifndef CLOUDINVITE_INVITE_EVIDENCE_H
#define CLOUDINVITE_INVITE_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "google/api/google.h"
#include "ledger/ledger.h"

struct evidence {
	bool shown; /* false: get said 404. list says nothing of those whom it does not show */
	enum invitation_state state;
	int64_t mails;
	int64_t updated; /* since when it has been so, by Google's clock; 0: not said */
	int64_t date;	 /* Google's clock; 0: unknown */
	int64_t now;	 /* ours */
};

struct evidence_meaning {
	bool changed;	     /* the person is another one than before: to be put */
	const char *journal; /* "resolved_sent", "resolved_unsent" for ledger_send_end, or NULL */
	const char *event;   /* the word for the log, or NULL: nothing that somebody must know */
	char cause[160];     /* for history */
};

/* Changes `p` to what the evidence proves: state, reason, due, mails, intent. */
void evidence_apply(struct person *p, const struct evidence *e, struct evidence_meaning *out);

/* Whether it shows mails that this ledger has not sent and did not know of, and so young that
 * others like them may still be hidden. `before`: the person before evidence_apply. */
bool evidence_mailed_elsewhere(const struct person *before, const struct evidence *e);

/* When an unconfirmed person is looked at next: a minute after the intent, then ever less often
 * until the absence of a mail counts. */
int64_t evidence_settle_due(const struct person *p, int64_t now);

#endif
