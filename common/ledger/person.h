/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the room: a person's row, and the changes that the ledger itself makes to people. All but
 * the reading stand between txn_begin and txn_end.
 */
#ifndef CLOUDINVITE_LEDGER_PERSON_H
#define CLOUDINVITE_LEDGER_PERSON_H

#include "ledger/sqlite.h"

#define PERSON_COLUMNS                                                                             \
	"address, state, reason, next_attempt, priority, attempts, fault_code, fault_text, "       \
	"mails, our_mails, "                                                                       \
	"intent_at, intent_date, intent_mails, approved, resend, discovered, checked, first_day, " \
	"changed, orphaned_since, orphan_reason"
/* Who may be claimed when due. */
#define PERSON_CLAIMABLE "('queued', 'unconfirmed', 'sending', 'invited')"

/* Reads PERSON_COLUMNS; false with the fault when they hold an unknown word. */
bool person_row(struct query *q, struct person *out);
/* ledger_person_apply, within a transaction. */
int person_apply(struct ledger *l, const char *address, const struct person_event *event,
	const struct send_policy *policy, const char *actor, struct person_step *step,
	struct fault *fault);
/* ledger_send_begin and ledger_send_end, within a transaction. */
int64_t send_begin(
	struct ledger *l, const char *address, int64_t now, const char *actor, struct fault *fault);
bool send_end(
	struct ledger *l, const char *address, enum send_outcome outcome, struct fault *fault);

/* *has: whether an account that is there leads to this address. */
bool person_has_account(struct ledger *l, const char *address, int64_t *has, struct fault *fault);
/* A sighting leads to this address (again). */
bool person_link(struct ledger *l, const char *address, struct fault *fault);
/* A sighting does not lead to this address any more. If no other does: the consequences. */
bool person_unlink(struct ledger *l, const char *address, enum person_reason why, const char *cause,
	struct fault *fault);
/* Two accounts of one host claim this address: who is queued waits for the administrator, unless
 * some other account leads to it for certain. */
bool person_collided(struct ledger *l, const char *address, const char *cause, struct fault *fault);

#endif
