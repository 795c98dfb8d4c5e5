/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the administrator is told when the rules refuse a command (enum person_refusal).
 */
#include "engine/admin_internal.h"

static const struct {
	enum fault_kind kind;
	const char *code, *text; /* after the address */
	const char *remedy;	 /* NULL: to send anyway */
} refusals[] = {
	[REFUSAL_BUSY] = {FAULT_TRANSIENT, "leased", "is in use by another process",
		"Try again in a moment."},
	[REFUSAL_INVITED] = {FAULT_POLICY, "invited", "has already been invited", NULL},
	[REFUSAL_ACCEPTED] = {FAULT_POLICY, "accepted", "has already accepted", NULL},
	[REFUSAL_DECLINED] = {FAULT_POLICY, "declined", "has declined", NULL},
	[REFUSAL_CANCELLED] = {FAULT_POLICY, "cancelled",
		"was invited, and the invitation was cancelled", NULL},
	[REFUSAL_UNCONFIRMED] = {FAULT_POLICY, "unconfirmed",
		"may already have received a mail: this is not confirmed yet", NULL},
	[REFUSAL_NEVER_CONFIRMED] = {FAULT_POLICY, "unconfirmed",
		"may already have received a mail: this was never confirmed", NULL},
	[REFUSAL_BLOCKED] = {FAULT_POLICY, "blocked", "is blocked", NULL},
};

static bool is_about_person(enum person_refusal refusal)
{
	return refusal >= REFUSAL_BUSY && refusal <= REFUSAL_BLOCKED;
}

void admin_set_refusal(
	struct engine *e, enum person_refusal refusal, const char *address, struct fault *fault)
{
	char text[200] = "";

	if (refusal == REFUSAL_DAILY_LIMIT) {
		fault_set(fault, FAULT_POLICY, "daily_limit",
			"today's limit of invitations is reached ([invitations] sends_per_day)");
		fault_remedy(fault, "Try again tomorrow, or raise sends_per_day.");
	} else if (refusal == REFUSAL_MAX_MAILS) {
		fault_set(fault, FAULT_POLICY, "max_mails",
			"the person has already received as many mails as max_mails permits");
		fault_remedy(fault, "To send one more: --resend --reason TEXT.");
	} else if (refusal == REFUSAL_NOT_INVITABLE) {
		fault_set(fault, FAULT_POLICY, "not_invitable",
			"there is no unmanaged account with that address (or it no longer exists)");
	} else if (refusal == REFUSAL_RECONCILE) {
		/* Google hides for two days what the lost part of the ledger may have done: asking
		 * would not help. */
		fault_set(fault, FAULT_POLICY, "reconcile", "no invitations are sent for now: %s",
			e->reconcile.text);
		fault_remedy(fault, "This ends automatically; see: cloudinvite status. To send "
				    "anyway: --resend --reason TEXT.");
	} else if (is_about_person(refusal)) {
		if (refusal == REFUSAL_BLOCKED)
			(void)ledger_blocked(e->ledger, address, text, sizeof(text), NULL);
		fault_set(fault, refusals[refusal].kind, refusals[refusal].code, "%.200s %s%s%s",
			address, refusals[refusal].text, text[0] != '\0' ? ": " : "", text);
		fault_remedy(fault, "%s",
			refusals[refusal].remedy ? refusals[refusal].remedy
						 : "To send anyway: --resend --reason TEXT.");
	}
}
