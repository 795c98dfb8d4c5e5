/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an event may make of a person who is stored. person_step() does not use this table: it is
 * what a reader wants to see at once, what the tests hold each step against (in both directions:
 * tests/unit/person_transitions_test.c), and what README.md and docs/design.md show.
 */
#include "base/array.h"
#include "person/event.h"

#define BIT(state) (1U << (state))

#define UNKNOWN	      BIT(PERSON_STATES)
#define QUEUED	      BIT(PERSON_QUEUED)
#define NOT_INVITABLE BIT(PERSON_NOT_INVITABLE)
#define SENDING	      BIT(PERSON_SENDING)
#define UNCONFIRMED   BIT(PERSON_UNCONFIRMED)
#define INVITED	      BIT(PERSON_INVITED)
#define ACCEPTED      BIT(PERSON_ACCEPTED)
#define DECLINED      BIT(PERSON_DECLINED)
#define CANCELLED     BIT(PERSON_CANCELLED)
#define HELD	      BIT(PERSON_HELD)
#define FAILED	      BIT(PERSON_FAILED)
#define GONE	      BIT(PERSON_GONE)

#define SAME  BIT(PERSON_STATES + 1) /* stored, in the state that it has */
#define KNOWN (UNKNOWN - 1)	     /* any state of the ledger */
/* Queued, unless the block list or a lost account makes it one of the others. */
#define WAITS (QUEUED | HELD | GONE)

static const struct {
	enum person_event_kind event;
	unsigned from, to;
} transitions[] = {
	{EVENT_SIGHTED, UNKNOWN | NOT_INVITABLE | HELD | FAILED | GONE, QUEUED | HELD},
	{EVENT_SIGHTED, SENDING | UNCONFIRMED, SAME},
	{EVENT_LINKED, KNOWN, SAME},
	{EVENT_UNLINKED, KNOWN, SAME},
	{EVENT_UNLINKED, QUEUED | HELD, GONE},
	{EVENT_COLLISION, QUEUED, HELD | GONE},
	{EVENT_BLOCKED, QUEUED, HELD | GONE},
	{EVENT_UNBLOCKED, HELD, WAITS},
	{EVENT_OBSERVED, UNKNOWN, QUEUED | HELD},
	{EVENT_OBSERVED, QUEUED | NOT_INVITABLE, WAITS | SAME | INVITED | ACCEPTED | DECLINED},
	{EVENT_OBSERVED, SENDING | UNCONFIRMED,
		WAITS | SAME | INVITED | ACCEPTED | DECLINED | CANCELLED},
	{EVENT_OBSERVED, INVITED, SAME | ACCEPTED | DECLINED | CANCELLED},
	{EVENT_OBSERVED, DECLINED, SAME | INVITED | ACCEPTED},
	{EVENT_OBSERVED, CANCELLED, SAME | INVITED | ACCEPTED | DECLINED},
	{EVENT_OBSERVED, FAILED, SAME | QUEUED | HELD | INVITED | ACCEPTED | DECLINED},
	{EVENT_OBSERVED, HELD, SAME | INVITED | ACCEPTED | DECLINED | CANCELLED | GONE},
	{EVENT_OBSERVED, ACCEPTED | GONE, SAME},

	{EVENT_CLAIMED, QUEUED, GONE},
	{EVENT_CLAIMED, SENDING, UNCONFIRMED},
	{EVENT_CLAIMED, INVITED, SAME},
	{EVENT_CHECKED, QUEUED | HELD | NOT_INVITABLE | FAILED | GONE, NOT_INVITABLE},
	{EVENT_GOT, QUEUED, INVITED | ACCEPTED | DECLINED | HELD | GONE},
	{EVENT_GOT, HELD | NOT_INVITABLE | FAILED | GONE, INVITED | ACCEPTED | DECLINED},
	{EVENT_GOT, UNCONFIRMED, WAITS | SAME | INVITED | ACCEPTED | DECLINED | CANCELLED},
	{EVENT_GOT, INVITED, SAME | ACCEPTED | DECLINED | CANCELLED},
	{EVENT_GOT, ACCEPTED | DECLINED | CANCELLED, ACCEPTED},
	{EVENT_PERMIT, QUEUED, WAITS},
	{EVENT_PERMIT, KNOWN & ~SENDING, SENDING},
	{EVENT_SENT, SENDING, INVITED | UNCONFIRMED},
	{EVENT_CANCELLED, INVITED, CANCELLED},
	{EVENT_FAILED, QUEUED, WAITS},
	{EVENT_FAILED, SENDING, KNOWN & ~SENDING}, /* back to how the person was claimed */
	{EVENT_FAILED, UNCONFIRMED | INVITED, SAME},
	{EVENT_CONTROL, QUEUED, WAITS | FAILED},
	{EVENT_CONTROL, SENDING, KNOWN & ~SENDING},
	{EVENT_CONTROL, UNCONFIRMED, SAME | HELD},
	{EVENT_CONTROL, INVITED, SAME},
	{EVENT_CONTROL, HELD | NOT_INVITABLE | FAILED | GONE, FAILED},
	{EVENT_RELEASED, QUEUED, WAITS},
	{EVENT_RELEASED, SENDING, KNOWN & ~SENDING},
	{EVENT_BREAKER, FAILED, WAITS},

	{EVENT_APPROVED, HELD, WAITS},
	{EVENT_RETRIED, QUEUED | NOT_INVITABLE | FAILED, WAITS},
	{EVENT_SEND_REQUESTED, UNKNOWN, HELD},
	{EVENT_CANCELLED_BY_ADMIN, KNOWN & ~SENDING, CANCELLED},
};

bool person_transition_allowed(
	enum person_state from, enum person_event_kind e, enum person_state to)
{
	for (size_t n = 0; n < ARRAY_SIZE(transitions); n++) {
		unsigned next = transitions[n].to;

		if (transitions[n].event != e || !(transitions[n].from & BIT(from)))
			continue;
		if ((next & BIT(to)) || ((next & SAME) && from == to))
			return true;
	}
	return false;
}
