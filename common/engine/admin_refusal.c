/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an administrator is told when the rules refuse a command.
 */
#include "engine/engine_internal.h"

#include "base/str.h"

#define SEND_ANYWAY "To send anyway: --resend --reason TEXT."

static const struct {
	enum fault_kind kind;
	bool about_person; /* the text follows the address */
	const char *code, *text;
	const char *remedy; /* or NULL */
} refusals[] = {
	[REFUSAL_BUSY] = {FAULT_TRANSIENT, true, "leased", "is in use by another process",
		"Try again in a moment."},
	[REFUSAL_INVITED] = {FAULT_POLICY, true, "invited", "has already been invited",
		SEND_ANYWAY},
	[REFUSAL_ACCEPTED] = {FAULT_POLICY, true, "accepted", "has already accepted", SEND_ANYWAY},
	[REFUSAL_DECLINED] = {FAULT_POLICY, true, "declined", "has declined", SEND_ANYWAY},
	[REFUSAL_CANCELLED] = {FAULT_POLICY, true, "cancelled",
		"was invited, and the invitation was cancelled", SEND_ANYWAY},
	[REFUSAL_UNCONFIRMED] = {FAULT_POLICY, true, "unconfirmed",
		"may already have received a mail: this is not confirmed yet", SEND_ANYWAY},
	[REFUSAL_NEVER_CONFIRMED] = {FAULT_POLICY, true, "unconfirmed",
		"may already have received a mail: this was never confirmed", SEND_ANYWAY},
	[REFUSAL_BLOCKED] = {FAULT_POLICY, true, "blocked", "is blocked", SEND_ANYWAY},
	[REFUSAL_DAILY_LIMIT] = {FAULT_POLICY, false, "daily_limit",
		"today's limit of invitations is reached ([invitations] sends_per_day)",
		"Try again tomorrow, or raise sends_per_day."},
	[REFUSAL_RECONCILE] = {FAULT_POLICY, false, "reconcile", "no invitations are sent for now",
		"This ends automatically; see: cloudinvite status. " SEND_ANYWAY},
	[REFUSAL_MAX_MAILS] = {FAULT_POLICY, false, "max_mails",
		"the person has already reached the limit of mails (max_mails)",
		"To send one more: --resend --reason TEXT."},
	[REFUSAL_NOT_INVITABLE] = {FAULT_POLICY, false, "not_invitable",
		"there is no unmanaged account with that address (or it no longer exists)", NULL},
};

void admin_refuse(
	struct engine *e, enum person_refusal refusal, const char *address, struct fault *fault)
{
	bool about_person = refusals[refusal].about_person;
	const char *text = refusals[refusal].text, *remedy = refusals[refusal].remedy;
	char more[sizeof(e->reconcile.text)] = "";

	if (refusal == REFUSAL_BLOCKED)
		(void)ledger_blocked(e->ledger, address, more, sizeof(more), NULL);
	else if (refusal == REFUSAL_RECONCILE)
		str_copy(more, sizeof(more), e->reconcile.text);
	fault_set(fault, refusals[refusal].kind, refusals[refusal].code, "%.200s%s%s%s%.200s",
		about_person ? address : "", about_person ? " " : "", text,
		more[0] != '\0' ? ": " : "", more);
	if (remedy)
		fault_remedy(fault, "%s", remedy);
}

/* A setup pause does not hold back an administrator who is about to correct the setup. */
bool admin_pause_allows(struct engine *e, struct fault *refusal)
{
	if (!e->paused || gate_is_setup_pause(e))
		return true;
	fault_set(refusal, FAULT_POLICY, "paused", "sending is paused (%s): %.200s", e->pause.kind,
		e->pause.text);
	return fault_remedy(refusal, "To end the pause: cloudinvite resume.");
}
