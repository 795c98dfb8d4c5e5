/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of labels for states, reasons and verdicts, for what happens next to a person, and for the
 * commands that help. They are in one place, so that status, explain and the report agree.
 */
#include "cli/common/labels.h"

#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"

static const struct {
	const char *text;
	enum style style;
} states[PERSON_STATES] = {
	[PERSON_QUEUED] = {"queued", STYLE_PLAIN},
	[PERSON_NOT_INVITABLE] = {"not invitable", STYLE_DIM},
	[PERSON_SENDING] = {"sending", STYLE_PLAIN},
	[PERSON_UNCONFIRMED] = {"unconfirmed", STYLE_WARN},
	[PERSON_INVITED] = {"invited", STYLE_GOOD},
	[PERSON_ACCEPTED] = {"accepted", STYLE_GOOD},
	[PERSON_DECLINED] = {"declined", STYLE_WARN},
	[PERSON_CANCELLED] = {"cancelled", STYLE_DIM},
	[PERSON_HELD] = {"held", STYLE_WARN},
	[PERSON_FAILED] = {"failed", STYLE_BAD},
	[PERSON_GONE] = {"gone", STYLE_DIM},
};

const char *label_state(enum person_state state)
{
	return states[state].text;
}

enum style label_state_style(enum person_state state)
{
	return states[state].style;
}

enum style label_invitation_style(enum invitation_state state)
{
	if (state == INVITATION_INVITED || state == INVITATION_ACCEPTED)
		return STYLE_GOOD;
	return state == INVITATION_DECLINED ? STYLE_WARN : STYLE_PLAIN;
}

/* ---- reasons ---- */

static const struct {
	const char *word, *text;
} reasons[] = {
	{"first_check", "first check"},
	{"approved", "approved"},
	{"blocked", "blocked"},
	{"max_mails", "the person has reached the limit of mails (max_mails)"},
	{"account_removed", "the account is gone"},
	{"renamed", "the account has another name now"},
	{"deleted", "the account was deleted"},
	{"manual", "requested by an administrator"},
	{"unknown_state", "Google reports a state that this version does not know"},
	{"interrupted", "the program ended during a send"},
	{"not_invitable", "no unmanaged account"},
	{"by_others", "invited by someone else"},
	{"by_admin", "by an administrator"},
	{"elsewhere", "at Google, not by this ledger"},
	{"resolved", "confirmed at Google later"},
	{"sent", "the mail went out"},
	{"answered", "the person's own answer"},
	{"retry", "waiting for a retry"},
	{"retried", "retried by an administrator"},
	{"breaker", "queued again after the breaker tripped"},
	{"resolved_unsent", "the last send had no effect"},
	{"reconcile", "invitations may be out that the ledger does not know of"},
	{"daily_limit", "the daily limit is reached"},
	{"send_window", "outside the send window"},
	{"dry_run", "dry run: waiting for approve"},
	{"discovered", "found by a resync, not by a login"},
	{"address_changed", "the account led to another address before"},
	{"collision", "two accounts map to one address"},
	{"unconfirmed", "a send had no definite result"},
};

bool label_parse(char *out, size_t size, const char *typed)
{
	bool fits = str_copy(out, size, typed);

	str_lower(out);
	for (char *c = out; *c != '\0'; c++)
		if (*c == '-' || *c == ' ')
			*c = '_';
	return fits;
}

char *label_format(char *out, size_t size, const char *word)
{
	str_copy(out, size, word);
	for (char *c = out; *c != '\0'; c++)
		if (*c == '_')
			*c = ' ';
	return out;
}

char *label_reason(char *out, size_t size, const char *reason)
{
	label_format(out, size, reason[0] != '\0' ? reason : "no reason recorded");
	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (strcmp(reasons[i].word, reason) == 0)
			str_copy(out, size, reasons[i].text);
	return out;
}

const char *label_verdict(enum verdict_kind verdict)
{
	static const char *const texts[] = {
		[VERDICT_NONE] = "not evaluated yet",
		[VERDICT_MAPPED] = "mapped",
		[VERDICT_UNMAPPED] = "unmapped",
		[VERDICT_FOREIGN_DOMAIN] = "foreign domain",
		[VERDICT_EXCLUDED] = "excluded",
		[VERDICT_BLOCKED] = "blocked",
		[VERDICT_COLLISION] = "collision",
	};

	return texts[verdict];
}

/* ---- what happens next ---- */

static void next_step_queued(
	char *out, size_t size, const struct person *p, const struct service_state *service)
{
	char when[CLOCK_TEXT_SIZE] = "when the rate limit permits", reason[96];

	if (service->paused) {
		str_copy(out, size, "Waiting for the pause to end.");
		return;
	}
	if (!service->dispatcher.alive) {
		str_copy(out, size, "Waiting for the dispatcher, which is not running.");
		return;
	}
	if (p->next_attempt > service->at)
		clock_relative(p->next_attempt, service->at, when);
	if (p->reason == REASON_DAILY_LIMIT || p->reason == REASON_SEND_WINDOW ||
		p->reason == REASON_RECONCILE)
		str_format(out, size, "The invitation will be sent %s: %s.", when,
			label_reason(reason, sizeof(reason), person_reason_word(p)));
	else if (p->attempts > 0)
		str_format(out, size, "Will be tried again %s, after %d failed attempt%s.", when,
			p->attempts, p->attempts == 1 ? "" : "s");
	else
		str_format(out, size, "Google will be asked %s whether the account is unmanaged.",
			when);
}

static const char *next_step_dry_run(const struct person *p, const struct service_state *service)
{
	if (!service->dry_run)
		return "Held since the dry run. Waiting for `approve`.";
	return p->approved ? "Approved. Will be invited when `enable` starts sending."
			   : "Would be invited, but nothing is sent in dry run.";
}

static const char *next_step_held(const struct person *p, const struct service_state *service)
{
	if (p->reason == REASON_DRY_RUN)
		return next_step_dry_run(p, service);
	if (p->reason == REASON_DISCOVERED)
		return "The account is unmanaged, but its owner has not logged in since. Waiting "
		       "for `approve`.";
	if (p->reason == REASON_ADDRESS_CHANGED)
		return "The account that maps to this address mapped to another one before. "
		       "Waiting for `approve`.";
	if (p->reason == REASON_COLLISION)
		return "Two accounts map to this address, and its owner is unknown. Waiting for "
		       "`approve`.";
	if (p->reason == REASON_BLOCKED)
		return "Nothing: blocked by an administrator.";
	if (p->reason == REASON_MAX_MAILS)
		return "Nothing: the person has received as many mails as max_mails allows.";
	if (p->reason == REASON_UNCONFIRMED)
		return "It is not known whether a mail went out. `approve` may send a second one.";
	return "Nothing until you decide.";
}

static const char *next_step_other(const struct person *p)
{
	static const char *const texts[PERSON_STATES] = {
		[PERSON_NOT_INVITABLE] =
			"Nothing: there is no unmanaged account. A resync will find a new one.",
		[PERSON_SENDING] = "The invitation is being sent now.",
		[PERSON_UNCONFIRMED] =
			"Nothing is sent until Google shows the last result (up to 72 hours).",
		[PERSON_INVITED] = "The person decides. The next resync reads the answer.",
		[PERSON_ACCEPTED] = "Nothing: the account is managed now.",
		[PERSON_DECLINED] = "Nothing: people who declined are not invited again.",
		[PERSON_CANCELLED] = "Nothing: the invitation was cancelled.",
		[PERSON_FAILED] =
			"Tried again when Google lists the account, ever less often; or `retry`.",
		[PERSON_GONE] = "Nothing: the accounts that mapped to this address are gone.",
	};

	if (p->state == PERSON_INVITED && p->reason == REASON_RENAMED)
		return "The account has another name now, but Google's invitation stays open. The "
		       "next resync reads the answer.";
	return texts[p->state];
}

char *label_next_step(
	char *out, size_t size, const struct person *p, const struct service_state *service)
{
	if (p->state == PERSON_QUEUED)
		next_step_queued(out, size, p, service);
	else
		str_copy(out, size,
			p->state == PERSON_HELD ? next_step_held(p, service) : next_step_other(p));
	return out;
}

/* ---- possible actions ---- */

static const struct {
	enum person_state state;
	enum person_reason reason; /* NONE: any */
	const char *command;	   /* followed by the address where it ends with a blank */
	const char *summary;
} remedies[] = {
	{PERSON_QUEUED, REASON_NONE, "send ", "invite now"},
	{PERSON_QUEUED, REASON_NONE, "block --reason TEXT ", "never invite"},
	{PERSON_NOT_INVITABLE, REASON_NONE, "check ", "ask Google now"},
	{PERSON_NOT_INVITABLE, REASON_NONE, "retry ", "start over"},
	{PERSON_SENDING, REASON_NONE, "get ", "show what Google has"},
	{PERSON_UNCONFIRMED, REASON_NONE, "get ", "show what Google has"},
	{PERSON_INVITED, REASON_NONE, "get ", "show what Google has"},
	{PERSON_INVITED, REASON_NONE, "cancel ", "cancel the invitation"},
	{PERSON_INVITED, REASON_NONE, "send --resend --reason TEXT ", "send one more mail"},
	{PERSON_DECLINED, REASON_NONE, "send --resend --reason TEXT ", "invite once more"},
	{PERSON_CANCELLED, REASON_NONE, "send --resend --reason TEXT ", "invite anyway"},
	{PERSON_HELD, REASON_DRY_RUN, "enable", "start sending"},
	{PERSON_HELD, REASON_MANUAL, "send ", "invite now"},
	{PERSON_HELD, REASON_UNCONFIRMED, "get ", "show what Google has"},
	{PERSON_HELD, REASON_BLOCKED, "unblock ", "remove the block"},
	{PERSON_HELD, REASON_MAX_MAILS, "send --resend --reason TEXT ", "send one more mail"},
	{PERSON_HELD, REASON_DRY_RUN, "approve ", "invite, once sending is on"},
	{PERSON_HELD, REASON_DISCOVERED, "approve ", "invite"},
	{PERSON_HELD, REASON_ADDRESS_CHANGED, "approve ", "invite"},
	{PERSON_HELD, REASON_COLLISION, "approve ", "invite"},
	{PERSON_HELD, REASON_UNCONFIRMED, "approve ", "start over; may send a second mail"},
	{PERSON_HELD, REASON_DRY_RUN, "block --reason TEXT ", "never invite"},
	{PERSON_HELD, REASON_DISCOVERED, "block --reason TEXT ", "never invite"},
	{PERSON_HELD, REASON_ADDRESS_CHANGED, "block --reason TEXT ", "never invite"},
	{PERSON_HELD, REASON_COLLISION, "block --reason TEXT ", "never invite"},
	{PERSON_HELD, REASON_UNCONFIRMED, "block --reason TEXT ", "never invite"},
	{PERSON_FAILED, REASON_NONE, "retry ", "start over"},
};

void label_commands(const struct person *p, const struct service_state *service,
	void (*each)(const char *command, const char *summary, void *ctx), void *ctx)
{
	char command[ADDRESS_MAX + 64];

	if (p->state == PERSON_QUEUED && service->paused)
		each("cloudinvite resume", "end the pause", ctx);
	else if (p->state == PERSON_QUEUED && service->reconciling)
		each("cloudinvite resume", "send at once; some people may get a second mail", ctx);
	for (size_t i = 0; i < ARRAY_SIZE(remedies); i++) {
		if (remedies[i].state != p->state ||
			(remedies[i].reason != REASON_NONE && remedies[i].reason != p->reason) ||
			(strcmp(remedies[i].command, "enable") == 0 && !service->dry_run))
			continue;
		str_format(command, sizeof(command), "cloudinvite %s%s", remedies[i].command,
			str_ends(remedies[i].command, " ") ? p->address : "");
		each(command, remedies[i].summary, ctx);
	}
}
