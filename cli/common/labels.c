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
	{"max_mails", "the person has received as many mails as max_mails permits"},
	{"account_removed", "the account is gone"},
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
	{"breaker", "queued again: not at fault for the breaker"},
	{"resolved_unsent", "the last send had no effect"},
	{"reconcile", "invitations may be out that the ledger does not know of"},
	{"daily_limit", "the daily limit is reached"},
	{"send_window", "outside the send window"},
	{"dry_run", "dry run: waiting for approve"},
	{"discovered", "found by a resync, not by a login"},
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
	if (strcmp(p->reason, "daily_limit") == 0 || strcmp(p->reason, "send_window") == 0 ||
		strcmp(p->reason, "reconcile") == 0)
		str_format(out, size, "The invitation will be sent %s: %s.", when,
			label_reason(reason, sizeof(reason), p->reason));
	else if (p->attempts > 0)
		str_format(out, size, "Will be tried again %s, after %d failed attempt%s.", when,
			p->attempts, p->attempts == 1 ? "" : "s");
	else
		str_format(out, size, "Google will be asked %s whether the account is unmanaged.",
			when);
}

static const char *next_step_held(const struct person *p)
{
	if (strcmp(p->reason, "dry_run") == 0)
		return "Held since the dry run. Waiting for `approve`.";
	if (strcmp(p->reason, "discovered") == 0)
		return "The account is unmanaged, but its owner has not logged in since. Waiting "
		       "for `approve`.";
	if (strcmp(p->reason, "collision") == 0)
		return "Two accounts map to this address, and its owner is unknown. Waiting for "
		       "`approve`.";
	if (strcmp(p->reason, "blocked") == 0)
		return "Nothing: blocked by an administrator.";
	if (strcmp(p->reason, "max_mails") == 0)
		return "Nothing: the person has received as many mails as max_mails allows.";
	if (strcmp(p->reason, "unconfirmed") == 0)
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
		[PERSON_FAILED] = "Nothing until you have removed the cause and run `retry`.",
		[PERSON_GONE] = "Nothing: the accounts that mapped to this address are gone.",
	};

	return texts[p->state];
}

char *label_next_step(
	char *out, size_t size, const struct person *p, const struct service_state *service)
{
	if (p->state == PERSON_QUEUED)
		next_step_queued(out, size, p, service);
	else
		str_copy(out, size,
			p->state == PERSON_HELD ? next_step_held(p) : next_step_other(p));
	return out;
}

/* ---- possible actions ---- */

static const struct {
	enum person_state state;
	const char *reason;  /* NULL: any */
	const char *command; /* the address follows if it ends with a blank */
	const char *summary;
} remedies[] = {
	{PERSON_QUEUED, NULL, "send ", "invite now"},
	{PERSON_QUEUED, NULL, "block --reason TEXT ", "never invite"},
	{PERSON_NOT_INVITABLE, NULL, "check ", "ask Google now"},
	{PERSON_NOT_INVITABLE, NULL, "retry ", "start over"},
	{PERSON_SENDING, NULL, "get ", "show what Google has"},
	{PERSON_UNCONFIRMED, NULL, "get ", "show what Google has"},
	{PERSON_INVITED, NULL, "get ", "show what Google has"},
	{PERSON_INVITED, NULL, "cancel ", "cancel the invitation"},
	{PERSON_INVITED, NULL, "send --resend --reason TEXT ", "send one more mail"},
	{PERSON_DECLINED, NULL, "send --resend --reason TEXT ", "invite once more"},
	{PERSON_CANCELLED, NULL, "send --resend --reason TEXT ", "invite anyway"},
	{PERSON_HELD, "dry_run", "enable", "start sending"},
	{PERSON_HELD, "manual", "send ", "invite now"},
	{PERSON_HELD, "unconfirmed", "get ", "show what Google has"},
	{PERSON_HELD, "blocked", "unblock ", "remove the block"},
	{PERSON_HELD, "max_mails", "send --resend --reason TEXT ", "send one more mail"},
	{PERSON_HELD, "dry_run", "approve ", "invite, even in dry run"},
	{PERSON_HELD, "discovered", "approve ", "invite"},
	{PERSON_HELD, "collision", "approve ", "invite"},
	{PERSON_HELD, "unconfirmed", "approve ", "start over; may send a second mail"},
	{PERSON_HELD, "dry_run", "block --reason TEXT ", "never invite"},
	{PERSON_HELD, "discovered", "block --reason TEXT ", "never invite"},
	{PERSON_HELD, "collision", "block --reason TEXT ", "never invite"},
	{PERSON_HELD, "unconfirmed", "block --reason TEXT ", "never invite"},
	{PERSON_FAILED, NULL, "retry ", "start over"},
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
			(remedies[i].reason && strcmp(remedies[i].reason, p->reason) != 0))
			continue;
		str_format(command, sizeof(command), "cloudinvite %s%s", remedies[i].command,
			str_ends(remedies[i].command, " ") ? p->address : "");
		each(command, remedies[i].summary, ctx);
	}
}
