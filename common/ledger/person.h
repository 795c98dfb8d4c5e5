/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row of a person, and the changes that the ledger itself makes to people. The functions that
 * write are called between txn_begin and txn_end.
 */
#ifndef CLOUDINVITE_LEDGER_PERSON_H
#define CLOUDINVITE_LEDGER_PERSON_H

#include "ledger/sqlite.h"

#define PERSON_COLUMNS                                                                           \
	"address, state, reason, next_attempt, priority, attempts, fault_code, fault_text, "     \
	"mails, our_mails, intent_at, intent_date, intent_mails, approved, resend, discovered, " \
	"checked, first_day, "                                                                   \
	"changed, orphaned_since, orphan_reason, address_changed"
/* The states in which a person may be claimed. */
#define PERSON_CLAIMABLE "('queued', 'unconfirmed', 'sending', 'invited')"

/* Reads PERSON_COLUMNS; false with a fault if they contain an unknown word. */
bool person_row(struct query *q, struct person *out);
/* ledger_person_apply, within a transaction. */
int person_apply(struct ledger *l, const char *address, const struct person_event *event,
	const struct send_policy *policy, const char *actor, struct person_step *step,
	struct fault *fault);
/* ledger_block without the copy of the block list, within a transaction. */
bool person_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault);
/* Replaces the copy of the block list that lies beside the ledger, within the transaction that
 * changes the list. */
bool block_copy_write(struct ledger *l, struct fault *fault);
/* Adds the blocks that only the copy has. */
bool block_copy_read(struct ledger *l, struct fault *fault);

/* ledger_send_begin and ledger_send_end, within a transaction. */
int64_t send_begin(
	struct ledger *l, const char *address, int64_t now, const char *actor, struct fault *fault);
bool send_end(
	struct ledger *l, const char *address, enum send_outcome outcome, struct fault *fault);

/* Whether a program works on this person: 1, 0, -1. */
int person_is_leased(struct ledger *l, const char *address, struct fault *fault);
/* *has: whether an account that exists is mapped to this address. */
bool person_has_account(struct ledger *l, const char *address, int64_t *has, struct fault *fault);
/* A sighting is mapped to this address (again). */
bool person_link(struct ledger *l, const char *address, struct fault *fault);
/* A sighting is no longer mapped to this address, because of "account_removed" or of a verdict,
 * whose word is the reason. Without another one, the person is orphaned. */
bool person_unlink(struct ledger *l, const char *address, enum person_reason why, const char *cause,
	struct fault *fault);
/* Two accounts of one host are mapped to this address: a person who is queued is held, unless
 * another account is certainly theirs. */
bool person_collided(struct ledger *l, const char *address, const char *cause, struct fault *fault);

#endif
