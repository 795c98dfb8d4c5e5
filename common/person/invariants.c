/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What holds for every person that is stored (P1 to P8, README.md).
 */
#include "base/array.h"
#include "person/person.h"

#define BIT(n) (UINT64_C(1) << (n))

/* ---- states and reasons ---- */

static const uint64_t reasons_of[PERSON_STATES] = {
	[PERSON_QUEUED] = BIT(REASON_FIRST_CHECK) | BIT(REASON_APPROVED) | BIT(REASON_RETRIED) |
			  BIT(REASON_RETRY) | BIT(REASON_BREAKER) | BIT(REASON_SEND_WINDOW) |
			  BIT(REASON_DAILY_LIMIT) | BIT(REASON_RECONCILE) |
			  BIT(REASON_RESOLVED_UNSENT) | BIT(REASON_DISCOVERED),
	[PERSON_NOT_INVITABLE] = BIT(REASON_NOT_INVITABLE),
	[PERSON_SENDING] = BIT(REASON_SENDING),
	[PERSON_UNCONFIRMED] = BIT(REASON_UNCONFIRMED) | BIT(REASON_INTERRUPTED),
	[PERSON_INVITED] = BIT(REASON_SENT) | BIT(REASON_RESOLVED) | BIT(REASON_BY_OTHERS) |
			   BIT(REASON_ACCOUNT_REMOVED),
	[PERSON_ACCEPTED] = BIT(REASON_ANSWERED),
	[PERSON_DECLINED] = BIT(REASON_ANSWERED),
	[PERSON_CANCELLED] = BIT(REASON_ELSEWHERE) | BIT(REASON_DELETED) | BIT(REASON_BY_ADMIN),
	[PERSON_HELD] = BIT(REASON_DISCOVERED) | BIT(REASON_DRY_RUN) | BIT(REASON_MAX_MAILS) |
			BIT(REASON_COLLISION) | BIT(REASON_UNKNOWN_STATE) | BIT(REASON_MANUAL) |
			BIT(REASON_BLOCKED) | BIT(REASON_UNCONFIRMED),
	[PERSON_FAILED] = BIT(REASON_FAULT),
	[PERSON_GONE] = BIT(REASON_COLLISION) | BIT(REASON_ACCOUNT_REMOVED) |
			BIT(REASON_FORGOTTEN) | BIT(REASON_MAPPED) | BIT(REASON_UNMAPPED) |
			BIT(REASON_FOREIGN_DOMAIN) | BIT(REASON_EXCLUDED) | BIT(REASON_BLOCKED),
};

/* States of which something is always still to be done. */
static bool must_be_due(enum person_state state)
{
	return state == PERSON_QUEUED || state == PERSON_SENDING || state == PERSON_UNCONFIRMED;
}

static bool one_of(enum person_reason reason, uint64_t reasons)
{
	return (int)reason >= 0 && (int)reason < PERSON_REASONS && (reasons & BIT(reason)) != 0;
}

static const char *intent_invalid(const struct person *p)
{
	bool open = p->intent_at != 0;

	if (!open && p->state == PERSON_SENDING)
		return "P2: sending without an intent";
	if (!open && p->state == PERSON_UNCONFIRMED)
		return "P2: unconfirmed without an intent";
	if (!open && p->reason == REASON_UNCONFIRMED)
		return "P2: held as unconfirmed without an intent";
	if (open && p->state != PERSON_SENDING && p->state != PERSON_UNCONFIRMED &&
		p->reason != REASON_UNCONFIRMED)
		return "P3: an intent is open in a state that forgets it";
	if (!open && p->intent_mails != -1)
		return "P3: a count of mails is noted without an intent";
	if (p->intent_mails > p->mails)
		return "P3: more mails at the intent than now";
	if (!open && p->intent_date != 0 && p->state != PERSON_INVITED &&
		p->state != PERSON_CANCELLED)
		return "P3: a date of a mail that there was not";
	return NULL;
}

static const char *next_attempt_invalid(const struct person *p)
{
	if (must_be_due(p->state) && p->next_attempt == 0)
		return "P4: something is to be done, but never";
	if (!person_state_claimable(p->state) && p->next_attempt != 0)
		return "P4: nothing is to be done, but at a time";
	return NULL;
}

/* What a reason says must stand in the person, too. */
static const char *reason_invalid(const struct person *p)
{
	if (p->state == PERSON_FAILED && p->fault_code[0] == '\0')
		return "P6: failed without a fault";
	if (p->reason == REASON_APPROVED && !p->approved)
		return "P6: queued as approved, but not approved";
	if (p->reason == REASON_DISCOVERED && !p->discovered)
		return "P6: waits as discovered, but not discovered";
	if (p->approved && p->state == PERSON_HELD &&
		one_of(p->reason,
			BIT(REASON_DRY_RUN) | BIT(REASON_COLLISION) | BIT(REASON_UNKNOWN_STATE)))
		return "P6: held for what the approval has released";
	if (p->our_mails == 0 &&
		one_of(p->reason, BIT(REASON_SENT) | BIT(REASON_RESOLVED) | BIT(REASON_DELETED)))
		return "P6: a mail of ours that is not counted";
	return NULL;
}

static const char *orphan_invalid(const struct person *p)
{
	if (p->orphan_reason == REASON_NONE)
		return NULL;
	if (p->orphaned_since == 0)
		return "P7: no account leads here, but since no day";
	if (!one_of(p->orphan_reason, reasons_of[PERSON_GONE]))
		return "P7: no account leads here, for a reason that takes none away";
	return NULL;
}

static const char *numbers_invalid(const struct person *p)
{
	/* `mails` is not below intent_mails (P3). */
	if (p->our_mails < 0 || p->attempts < 0 || p->intent_mails < -1)
		return "P8: a number is below its range";
	if (p->next_attempt < 0 || p->intent_at < 0 || p->intent_date < 0 || p->checked < 0 ||
		p->changed < 0 || p->orphaned_since < 0)
		return "P8: a time is below zero";
	if ((int)p->priority < 0 || (int)p->priority >= PRIORITIES)
		return "P8: not a priority";
	return NULL;
}

const char *person_invalid(const struct person *p)
{
	static const char *(*const checks[])(const struct person *) = {intent_invalid,
		next_attempt_invalid, reason_invalid, orphan_invalid, numbers_invalid};
	const char *wrong = NULL;

	if ((int)p->state < 0 || (int)p->state >= PERSON_STATES)
		return "P1: not a state that can be stored";
	if (!one_of(p->reason, reasons_of[p->state]))
		return "P1: a reason that is none of the state's";
	if (p->resend && p->intent_at == 0 && p->state != PERSON_QUEUED)
		return "P5: a resend that is over";
	for (size_t n = 0; n < ARRAY_SIZE(checks) && !wrong; n++)
		wrong = checks[n](p);
	return wrong;
}
