/* SPDX-License-Identifier: Apache-2.0 */
#include "person_rows.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* ---- words ---- */

static const char *const kinds[] = {
	[FAULT_NONE] = "none",
	[FAULT_USAGE] = "usage",
	[FAULT_SETTINGS] = "settings",
	[FAULT_CREDENTIALS] = "credentials",
	[FAULT_STORAGE] = "storage",
	[FAULT_TRANSIENT] = "transient",
	[FAULT_SETUP] = "setup",
	[FAULT_REJECTED] = "rejected",
	[FAULT_AMBIGUOUS] = "ambiguous",
	[FAULT_POLICY] = "policy",
	[FAULT_STOPPED] = "stopped",
};
static const char *const scopes[] = {
	[SCOPE_PERSON] = "person", [SCOPE_SETUP] = "setup", [SCOPE_TRANSIENT] = "transient"};
static const char *const discoveries[] = {
	[DISCOVERY_IGNORE] = "ignore", [DISCOVERY_HOLD] = "hold", [DISCOVERY_SEND] = "send"};
static const char *const refusals[] = {
	[REFUSAL_NONE] = "",
	[REFUSAL_BUSY] = "busy",
	[REFUSAL_INVITED] = "invited",
	[REFUSAL_ACCEPTED] = "accepted",
	[REFUSAL_DECLINED] = "declined",
	[REFUSAL_CANCELLED] = "cancelled",
	[REFUSAL_UNCONFIRMED] = "unconfirmed",
	[REFUSAL_NEVER_CONFIRMED] = "never_confirmed",
	[REFUSAL_BLOCKED] = "blocked",
	[REFUSAL_DAILY_LIMIT] = "daily_limit",
	[REFUSAL_RECONCILE] = "reconcile",
	[REFUSAL_MAX_MAILS] = "max_mails",
	[REFUSAL_NOT_INVITABLE] = "not_invitable",
	[REFUSAL_NOT_HELD] = "not_held",
	[REFUSAL_NOT_FAILED] = "not_failed",
	[REFUSAL_RECENT_MAIL] = "recent_mail",
};
static const char *const outcomes[] = {
	[SEND_NONE] = "none",
	[SEND_BEGUN] = "begun",
	[SEND_SENT] = "sent",
	[SEND_REFUSED] = "refused",
	[SEND_UNCONFIRMED] = "unconfirmed",
	[SEND_RESOLVED_SENT] = "resolved_sent",
	[SEND_RESOLVED_UNSENT] = "resolved_unsent",
};

/* The place of `word` in `words`. */
static int find(const char *const *words, size_t count, const char *word)
{
	for (size_t n = 0; n < count; n++)
		if (strcmp(words[n], word) == 0)
			return (int)n;
	fail_msg("no such word: '%s'", word);
	return -1;
}
#define FIND(words, word) find(words, ARRAY_SIZE(words), word)

static enum person_event_kind event_kind(const char *word)
{
	for (int n = 0; n < PERSON_EVENTS; n++)
		if (strcmp(person_event_word((enum person_event_kind)n), word) == 0)
			return (enum person_event_kind)n;
	fail_msg("no such event: '%s'", word);
	return EVENT_SIGHTED;
}

static enum person_action action(const char *word)
{
	for (int n = ACTION_NONE; n <= ACTION_AWAIT_CONTROL; n++)
		if (strcmp(person_action_word((enum person_action)n), word) == 0)
			return (enum person_action)n;
	fail_msg("no such action: '%s'", word);
	return ACTION_NONE;
}

static enum audit_event audit(const char *word)
{
	for (int n = AUDIT_NONE; n <= AUDIT_FAILED; n++)
		if (strcmp(audit_event_word((enum audit_event)n), word) == 0)
			return (enum audit_event)n;
	fail_msg("no such audit event: '%s'", word);
	return AUDIT_NONE;
}

static enum person_reason reason(const char *word)
{
	enum person_reason found = REASON_FAULT;

	if (strcmp(word, "fault") != 0 && !reason_parse(word, &found))
		fail_msg("no such reason: '%s'", word);
	return found;
}

/* ---- tokens ---- */

/* One word of a text: `key=value` or `key`. A value in quotes may hold blanks. */
struct token {
	char key[32];
	char value[256];
};

static bool next_token(const char **at, struct token *t)
{
	size_t key, value;

	*at += strspn(*at, " ");
	*t = (struct token){.key = ""};
	if (**at == '\0')
		return false;
	key = strcspn(*at, " =");
	assert_true(key > 0 && key < sizeof(t->key));
	memcpy(t->key, *at, key);
	*at += key;
	if (**at != '=')
		return true;
	(*at)++;
	if (**at == '\'') {
		(*at)++;
		value = strcspn(*at, "'");
	} else {
		value = strcspn(*at, " ");
	}
	assert_true(value < sizeof(t->value));
	memcpy(t->value, *at, value);
	*at += value;
	*at += **at == '\'';
	return true;
}

static int64_t unit(char c)
{
	switch (c) {
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	default:
		return 1;
	}
}

static int64_t number(const struct token *t)
{
	static const struct {
		const char *word;
		int64_t time;
	} bases[] = {{"now", ROW_NOW}, {"google", ROW_GOOGLE}, {"today", ROW_TODAY}};
	const char *s = t->value;
	int64_t base = 0, n = 0;
	char *end;

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
		if (str_starts(s, bases[i].word)) {
			base = bases[i].time;
			s += strlen(bases[i].word);
			if (*s == '\0')
				return base;
		}
	n = strtoll(s, &end, 10);
	if (end == s || (end[0] != '\0' && end[1] != '\0'))
		fail_msg("%s=%s is not a number", t->key, t->value);
	return base + n * unit(*end);
}

static bool is(const struct token *t, const char *key)
{
	return strcmp(t->key, key) == 0;
}

/* `key` alone is yes; key=no is no. */
static bool flag(const struct token *t)
{
	return strcmp(t->value, "no") != 0;
}

/* ---- people ---- */

static void set_fault(struct person *p, const char *code)
{
	str_copy(p->fault_code, sizeof(p->fault_code), code);
	str_format(p->fault_text, sizeof(p->fault_text), "%s%s", code[0] != '\0' ? "text of " : "",
		code);
}

static void set_number(struct person *p, const struct token *t)
{
	const struct {
		const char *key;
		int64_t *member;
	} members[] = {
		{"next", &p->next_attempt},
		{"mails", &p->mails},
		{"ours", &p->our_mails},
		{"intent", &p->intent_at},
		{"date", &p->intent_date},
		{"imails", &p->intent_mails},
		{"checked", &p->checked},
		{"first_day", &p->first_day},
		{"changed", &p->changed},
		{"orphaned", &p->orphaned_since},
	};

	for (size_t n = 0; n < ARRAY_SIZE(members); n++)
		if (is(t, members[n].key)) {
			*members[n].member = number(t);
			return;
		}
	fail_msg("a person has no '%s'", t->key);
}

static void set_member(struct person *p, const struct token *t)
{
	if (is(t, "attempts"))
		p->attempts = (int)number(t);
	else if (is(t, "priority"))
		assert_true(priority_parse(t->value, &p->priority));
	else if (is(t, "fault"))
		set_fault(p, t->value);
	else if (is(t, "fault_text"))
		str_copy(p->fault_text, sizeof(p->fault_text), t->value);
	else if (is(t, "approved"))
		p->approved = flag(t);
	else if (is(t, "resend"))
		p->resend = flag(t);
	else if (is(t, "discovered"))
		p->discovered = flag(t);
	else if (is(t, "address_changed"))
		p->address_changed = flag(t);
	else if (is(t, "orphan"))
		p->orphan_reason = reason(t->value);
	else
		set_number(p, t);
}

static void apply_person(struct person *p, const char *text)
{
	struct token t;

	if (!next_token(&text, &t))
		return;
	if (!person_state_parse(t.key, &p->state))
		fail_msg("no such state: '%s'", t.key);
	assert_true(next_token(&text, &t));
	p->reason = reason(t.key);
	while (next_token(&text, &t))
		set_member(p, &t);
}

struct person row_person(const char *text)
{
	struct person p = person_new("alice@example.com", ROW_TODAY - INT64_C(259200));

	if (text[0] != '\0')
		p.changed = ROW_NOW - 3600;
	apply_person(&p, text);
	return p;
}

void row_describe(const struct person *p, char *out, size_t size)
{
	str_format(out, size,
		"%s %s %s next=%" PRId64 " priority=%s attempts=%d fault=%s/%s mails=%" PRId64
		" ours=%" PRId64 " intent=%" PRId64 " date=%" PRId64 " imails=%" PRId64
		"%s%s%s%s checked=%" PRId64 " first_day=%" PRId64 " changed=%" PRId64
		" orphaned=%" PRId64 " orphan=%s",
		p->address, person_state_word(p->state), reason_word(p->reason), p->next_attempt,
		priority_word(p->priority), p->attempts, p->fault_code, p->fault_text, p->mails,
		p->our_mails, p->intent_at, p->intent_date, p->intent_mails,
		p->approved ? " approved" : "", p->resend ? " resend" : "",
		p->discovered ? " discovered" : "", p->address_changed ? " address_changed" : "",
		p->checked, p->first_day, p->changed, p->orphaned_since,
		reason_word(p->orphan_reason));
}

/* ---- policies ---- */

struct send_policy row_policy(const char *text)
{
	struct send_policy policy = {.discovered = DISCOVERY_HOLD,
		.max_mails = 1,
		.daily_limit = 50,
		.reconcile_until = ROW_NOW + 1800,
		.day_ends = ROW_NOW + 57600};
	struct token t;

	while (next_token(&text, &t)) {
		if (is(&t, "dry_run"))
			policy.dry_run = true;
		else if (is(&t, "cancel_on_delete"))
			policy.cancel_on_delete = true;
		else if (is(&t, "discovered"))
			policy.discovered = (enum discovery_policy)FIND(discoveries, t.value);
		else if (is(&t, "max_mails"))
			policy.max_mails = number(&t);
		else if (is(&t, "daily_limit"))
			policy.daily_limit = number(&t);
		else if (is(&t, "blocked"))
			policy.blocked = true;
		else if (is(&t, "reconciling"))
			policy.reconciling = true;
		else if (is(&t, "sent_today"))
			policy.sent_today = number(&t);
		else if (is(&t, "window_opens"))
			policy.window_opens = number(&t);
		else
			fail_msg("a policy has no '%s'", t.key);
	}
	return policy;
}

/* ---- events ---- */

/* All that may be said of an event; event_of() takes what belongs to its kind. */
struct words {
	char text[256], code[PERSON_CODE_SIZE];
	struct fault fault;
	struct evidence evidence;
	enum person_reason reason;
	enum error_scope scope;
	int64_t mails, mailed, date, retry_after;
	bool evaluated, changed, leased, invitable, granted, confirmed, quota, breaker, resend;
};

static bool set_flag(struct words *w, const struct token *t)
{
	const struct {
		const char *key;
		bool *member;
	} flags[] = {
		{"evaluated", &w->evaluated},
		{"changed", &w->changed},
		{"leased", &w->leased},
		{"invitable", &w->invitable},
		{"granted", &w->granted},
		{"confirmed", &w->confirmed},
		{"quota", &w->quota},
		{"breaker", &w->breaker},
		{"resend", &w->resend},
	};

	for (size_t n = 0; n < ARRAY_SIZE(flags); n++)
		if (is(t, flags[n].key)) {
			*flags[n].member = flag(t);
			return true;
		}
	return false;
}

static bool set_common(struct person_event *e, struct words *w, const struct token *t)
{
	if (is(t, "manual")) {
		e->manual = true;
	} else if (is(t, "call")) {
		e->call = action(t->value);
	} else if (is(t, "google")) {
		e->google_now = number(t);
	} else if (is(t, "random")) {
		e->random = (uint32_t)number(t);
	} else if (is(t, "text")) {
		str_copy(w->text, sizeof(w->text), t->value);
		e->text = w->text;
	} else {
		return false;
	}
	return true;
}

static void set_data(struct words *w, const struct token *t)
{
	if (is(t, "shows")) {
		w->evidence.shown = true;
		w->evidence.state = invitation_state_parse(t->value);
	} else if (is(t, "hides")) { /* what a reply without the person may hold */
		w->evidence.state = invitation_state_parse(t->value);
	} else if (is(t, "updated")) {
		w->evidence.updated = number(t);
	} else if (is(t, "at")) {
		w->evidence.now = number(t);
	} else if (is(t, "mails")) {
		w->mails = w->evidence.mails = number(t);
	} else if (is(t, "mailed")) {
		w->mailed = number(t);
	} else if (is(t, "date")) {
		w->date = w->evidence.date = number(t);
	} else if (is(t, "reason")) {
		w->reason = reason(t->value);
	} else if (is(t, "kind")) {
		w->fault.kind = (enum fault_kind)FIND(kinds, t->value);
	} else if (is(t, "scope")) {
		w->scope = (enum error_scope)FIND(scopes, t->value);
	} else if (is(t, "retry_after")) {
		w->retry_after = number(t);
	} else if (is(t, "code")) {
		str_copy(w->code, sizeof(w->code), t->value);
	} else {
		fail_msg("an event has no '%s'", t->key);
	}
}

static void fill(struct person_event *e, struct words *w)
{
	switch (e->kind) {
	case EVENT_SIGHTED:
		e->evaluated_before = w->evaluated;
		e->address_changed = w->changed;
		break;
	case EVENT_UNBLOCKED:
		e->mailed = w->mailed;
		break;
	case EVENT_UNLINKED:
		e->unlinked.reason = w->reason;
		e->unlinked.leased = w->leased;
		break;
	case EVENT_OBSERVED:
	case EVENT_GOT:
		e->evidence = w->evidence;
		break;
	case EVENT_CHECKED:
		e->invitable = w->invitable;
		break;
	case EVENT_PERMIT:
		e->granted = w->granted;
		break;
	case EVENT_SENT:
		e->sent.confirmed = w->confirmed;
		e->sent.mails = w->mails;
		e->sent.date = w->date;
		break;
	case EVENT_FAILED:
		e->failed.fault = &w->fault;
		e->failed.quota = w->quota;
		e->failed.retry_after = w->retry_after;
		break;
	case EVENT_CONTROL:
		e->control.fault = &w->fault;
		e->control.scope = w->scope;
		e->control.retry_after = w->retry_after;
		e->control.date = w->date;
		e->control.breaker = w->breaker;
		break;
	case EVENT_BREAKER:
		e->code = w->code;
		break;
	case EVENT_CLAIMED:
	case EVENT_SEND_REQUESTED:
		e->resend = w->resend;
		break;
	case EVENT_LINKED:
	case EVENT_COLLISION:
	case EVENT_BLOCKED:
	case EVENT_CANCELLED:
	case EVENT_RELEASED:
	case EVENT_APPROVED:
	case EVENT_RETRIED:
	case EVENT_CANCELLED_BY_ADMIN:
		break;
	}
}

struct person_event row_event(const char *text, const struct person *claimed)
{
	static struct words w;
	struct person_event e = {
		.now = ROW_NOW, .today = ROW_TODAY, .google_now = ROW_GOOGLE, .claimed = claimed};
	struct token t;

	w = (struct words){.evidence = {.date = ROW_GOOGLE, .now = ROW_NOW},
		.mails = -1,
		.date = ROW_GOOGLE,
		.retry_after = -1};
	assert_true(next_token(&text, &t));
	e.kind = event_kind(t.key);
	while (next_token(&text, &t))
		if (!set_common(&e, &w, &t) && !set_flag(&w, &t))
			set_data(&w, &t);
	str_copy(w.fault.code, sizeof(w.fault.code), w.code);
	str_format(w.fault.what, sizeof(w.fault.what), "text of %s", w.code);
	fill(&e, &w);
	return e;
}

/* ---- rows ---- */

static struct person_step expected(const struct person_row *row, const struct person *before)
{
	struct person_step step = {.next = *before};
	const char *text = row->step;
	struct token t;

	apply_person(&step.next, row->after);
	while (next_token(&text, &t)) {
		if (is(&t, "store"))
			step.store = true;
		else if (is(&t, "action"))
			step.action = action(t.value);
		else if (is(&t, "outcome"))
			step.outcome = (enum send_outcome)FIND(outcomes, t.value);
		else if (is(&t, "audit"))
			step.event = audit(t.value);
		else if (is(&t, "refusal"))
			step.refusal = (enum person_refusal)FIND(refusals, t.value);
		else if (is(&t, "cause"))
			str_copy(step.cause, sizeof(step.cause), t.value);
		else
			fail_msg("a step has no '%s'", t.key);
	}
	if (step.store &&
		(step.next.state != before->state ||
			strcmp(person_reason_word(&step.next), person_reason_word(before)) != 0))
		step.next.changed = ROW_NOW;
	return step;
}

static void describe_step(const struct person_step *step, char *out, size_t size)
{
	char person[1024];

	row_describe(&step->next, person, sizeof(person));
	str_format(out, size, "%s |%s action=%s outcome=%s audit=%s refusal=%s cause='%s'", person,
		step->store ? " store" : "", person_action_word(step->action),
		outcomes[step->outcome], audit_event_word(step->event), refusals[step->refusal],
		step->cause);
}

/* Copies the part of "event | policy | claimed" with that number; "" if there is none. */
static void part(const char *text, int n, char *out, size_t size)
{
	size_t length;

	while (n-- > 0) {
		text += strcspn(text, "|");
		text += *text == '|';
	}
	length = strcspn(text, "|");
	assert_true(length < size);
	memcpy(out, text, length);
	out[length] = '\0';
}

static void row_holds(const struct person_row *row)
{
	char words[3][256];
	struct person before = row_person(row->before), claimed = before;
	struct person_event event;
	struct send_policy policy;
	struct person_step wanted = expected(row, &before), got;
	char wanted_text[2048], got_text[2048];
	const char *invalid;

	for (int n = 0; n < 3; n++)
		part(row->event, n, words[n], sizeof(words[n]));
	event = row_event(words[0], &claimed);
	policy = row_policy(words[1]);
	if (words[2][strspn(words[2], " ")] != '\0')
		claimed = row_person(words[2]);
	got = person_step(&before, &event, &policy);
	invalid = got.store ? person_invalid(&got.next) : NULL;
	describe_step(&wanted, wanted_text, sizeof(wanted_text));
	describe_step(&got, got_text, sizeof(got_text));
	if (strcmp(wanted_text, got_text) != 0)
		fail_msg("%s\nexpected: %s\ngot:      %s", row->what, wanted_text, got_text);
	if (invalid)
		fail_msg("%s: %s", row->what, invalid);
	if (got.store && !person_transition_allowed(before.state, event.kind, got.next.state))
		fail_msg("%s: the table does not allow this transition", row->what);
}

void person_rows_hold(const struct person_row *rows, size_t count)
{
	for (size_t n = 0; n < count; n++)
		row_holds(&rows[n]);
}
