/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence: what Google shows of one person, and what it proves.
 *
 * Two facts make it careful. get and list lag by up to 48 hours: only what cannot be old counts at
 * once, which is INVITED or later, or a count of mails above the one that was noted. The absence of
 * something counts after GOOGLE_LAG_S, by Google's own clock. And the count of mails is
 * everybody's, not only ours.
 */
#ifndef CLOUDINVITE_PERSON_EVIDENCE_H
#define CLOUDINVITE_PERSON_EVIDENCE_H

#include "google/types.h"
#include "person/person.h"

struct person_step;

struct evidence {
	bool shown; /* false: get said 404. The list has no such rows */
	enum invitation_state state;
	int64_t mails;
	int64_t updated; /* since when it has been so, by Google's clock; 0: not said */
	int64_t date;	 /* Google's clock at the reply, or earlier; 0: unknown */
	int64_t latest;	 /* the same, or later: the two differ while Google's clock is doubtful */
	int64_t now;	 /* the host's clock */
};

/* Changes step->next to what the evidence proves, and sets the step's outcome, audit event and
 * cause. Returns whether anything has changed that must be stored. */
bool evidence_apply(struct person_step *step, const struct evidence *e);

/* Only the count of mails. Returns whether it is higher than the one that was known. */
bool evidence_count(struct person *p, const struct evidence *e);

/* Whether it shows mails that this ledger has not sent and did not know of, so young that others
 * like them may still be hidden. `before`: the person before evidence_apply. */
bool evidence_mailed_elsewhere(const struct person *before, const struct evidence *e);

/* When an unconfirmed person is checked next: a minute after the intent, then ever less often until
 * the absence of a mail counts. */
int64_t evidence_next_check(const struct person *p, int64_t now);

#endif
