/* SPDX-License-Identifier: Apache-2.0 */
#include "invite/inside.h"

#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"

/* ---- before ---- */

static int64_t window_opens(struct invite *i)
{
	if (i->now < i->window_from || i->now >= i->window_until) {
		bool open = window_open(i->settings->send_window, i->now, &i->window_until);

		i->window_from = i->now;
		i->window_opens = open ? 0 : i->window_until;
	}
	return i->window_opens;
}

/* The moment that tells the day: a clock of ours that has jumped ahead gives no second day's mails.
 */
static int64_t of_the_day(const struct invite *i)
{
	int64_t google = invite_google_now(i);

	return google != 0 && google < i->now ? google : i->now;
}

/* Once a round. */
static bool count_sends(struct invite *i, struct fault *fault)
{
	if (i->sends_today >= 0)
		return true;
	if (!reconcile_still_whole(i, fault))
		return false;
	i->sends_today = ledger_sends_since(i->ledger, clock_midnight(of_the_day(i), 0), fault);
	return i->sends_today >= 0;
}

static bool not_by_name(struct course *c, const struct ruling *ruling, struct fault *fault)
{
	static const struct {
		const char *reason, *what, *remedy;
	} texts[] = {
		{"daily_limit",
			"today's limit of invitations is reached ([invitations] sends_per_day)",
			"Try again tomorrow, or raise sends_per_day."},
		{"reconcile", "a mail may be out that this ledger does not know of (reconcile)",
			"See: cloudinvite status. To send anyway: --resend --reason TEXT."},
		{"max_mails", "the person has already received as many mails as max_mails permits",
			"To send one more: --resend --reason TEXT."},
	};
	size_t n = 0;

	while (n + 1 < ARRAY_SIZE(texts) && strcmp(texts[n].reason, ruling->reason) != 0)
		n++;
	fault_set(&c->fault, FAULT_POLICY, ruling->reason, "%s", texts[n].what);
	fault_remedy(&c->fault, "%s", texts[n].remedy);
	return ending_back(c, fault);
}

bool mailing_cleared(struct course *c, struct fault *fault)
{
	struct invite *i = c->invite;
	struct policy_facts facts = {.settings = i->settings,
		.person = &c->after,
		.now = of_the_day(i),
		.window_opens = window_opens(i),
		.by_name = c->by_name};
	struct ruling ruling;

	if (!count_sends(i, fault))
		return false;
	facts.sends_today = i->sends_today;
	ruling = policy_rule(&facts);
	if (strcmp(ruling.reason, "daily_limit") == 0) /* by our clock again */
		ruling.due += i->now - facts.now;
	if (ruling.kind == RULING_SEND && i->reconciling && !c->after.resend)
		ruling = (struct ruling){RULING_WAIT, "reconcile", reconcile_due(i)};
	if (ruling.kind == RULING_SEND)
		return true;
	if (c->by_name)
		return not_by_name(c, &ruling, fault);
	ending_state(c, ruling.kind == RULING_HOLD ? PERSON_HELD : PERSON_QUEUED, ruling.reason,
		ruling.due);
	str_format(c->cause, sizeof(c->cause), "may be invited; %s: %s",
		ruling.kind == RULING_HOLD ? "held" : "waits", ruling.reason);
	return ending_put(c, ruling.kind == RULING_HOLD ? "held" : "decision", fault);
}

/* An administrator's `send --resend` is stronger than a block. */
static bool blocked_meanwhile(struct course *c, bool *blocked, struct fault *fault)
{
	int found = c->after.resend
			    ? 0
			    : ledger_blocked(c->invite->ledger, c->person.address, NULL, 0, fault);

	*blocked = found > 0;
	return found >= 0;
}

static bool end_blocked(struct course *c, struct fault *fault)
{
	fault_set(&c->fault, FAULT_POLICY, "blocked", "the address is blocked");
	if (c->by_name)
		return ending_back(c, fault);
	ending_state(c, PERSON_HELD, "blocked", 0);
	str_copy(c->cause, sizeof(c->cause), "blocked before the send");
	return ending_put(c, "held", fault);
}

/* The last account went while we asked: the ledger makes `gone` of whoever is put as queued then.
 */
static bool end_gone(struct course *c, struct fault *fault)
{
	str_copy(c->cause, sizeof(c->cause), "the last account is gone");
	return ending_put(c, "decision", fault);
}

static bool commit_intent(struct course *c, struct fault *fault)
{
	struct invite *i = c->invite;

	ending_state(c, PERSON_SENDING, "sending", i->now);
	c->after.intent_at = i->now;
	c->after.intent_date = invite_google_now(i);
	c->after.intent_mails = c->after.mails;
	i->sends_today++;
	i->intents++;
	str_format(c->cause, sizeof(c->cause), "send: begun%s%.150s", c->why ? ": " : "",
		c->why ? c->why : "");
	/* Whoever finds `sending` without a lease takes us for dead. */
	return ledger_person_put_leased(i->ledger, &c->after, i->owner, i->now + LEASE_S, c->cause,
		       i->actor, fault) &&
	       ledger_send_begin(i->ledger, c->after.address, i->now, i->actor, fault) >= 0;
}

bool mailing_intend(struct course *c, struct fault *fault)
{
	bool ours, blocked;

	/* Those who went before it in this round count for the cap, too. */
	if (!mailing_cleared(c, fault))
		return false;
	if (c->next == NEXT_END)
		return true;
	if (!blocked_meanwhile(c, &blocked, fault))
		return false;
	if (blocked)
		return end_blocked(c, fault);
	if (!ending_still_ours(c, &ours, fault))
		return false;
	if (!ours) {
		c->next = NEXT_END;
		return true;
	}
	if (!c->by_name && c->before.orphaned_since == 0 && c->after.orphaned_since != 0)
		return end_gone(c, fault);
	return commit_intent(c, fault);
}

/* ---- after ---- */

bool mailing_unclear(struct course *c, struct fault *fault)
{
	struct fault unclear = c->answer.fault;

	if (unclear.kind == FAULT_NONE)
		fault_set(&unclear, FAULT_AMBIGUOUS, "not_done",
			"Google accepted the invitation, but did not confirm that it was sent");
	ending_state(c, PERSON_UNCONFIRMED, "unconfirmed", 0);
	c->after.next_attempt = evidence_settle_due(&c->after, c->invite->now);
	c->after.priority = PRIO_RETRY;
	c->after.attempts = 0;
	ending_note_fault(&c->after, &unclear);
	c->fault = unclear;
	c->invite->counts.unconfirmed++;
	str_format(c->cause, sizeof(c->cause), "send: %.150s", unclear.what);
	return ending_send(c, "unconfirmed", "unconfirmed", fault);
}

bool mailing_answered(struct course *c, struct fault *fault)
{
	const struct google_reply *a = &c->answer;

	if (!a->confirmed)
		return mailing_unclear(c, fault);
	ending_state(c, PERSON_INVITED, "sent", 0);
	ending_clear_intent(&c->after);
	c->after.intent_date = a->date != 0 ? a->date : c->person.intent_date;
	ending_clear_fault(&c->after);
	c->after.mails = (c->after.mails > 0 ? c->after.mails : 0) + 1;
	if (a->has_invitation && a->invitation.mails > c->after.mails)
		c->after.mails = a->invitation.mails;
	c->after.our_mails++;
	c->after.resend = false;
	c->invite->counts.invited++;
	str_copy(c->cause, sizeof(c->cause), "send: done");
	return ending_send(c, "sent", "invited", fault);
}

/* Its process died between intent and result: the mail may be out. */
bool mailing_interrupted(struct course *c, struct fault *fault)
{
	ending_state(c, PERSON_UNCONFIRMED, "interrupted", 0);
	c->after.next_attempt = evidence_settle_due(&c->after, c->invite->now);
	c->after.priority = PRIO_RETRY;
	str_copy(c->cause, sizeof(c->cause), "the program ended during the send");
	c->invite->counts.unconfirmed++;
	return ending_send(c, "unconfirmed", "unconfirmed", fault);
}
