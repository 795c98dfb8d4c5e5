/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of states, reasons, priorities, events and outcomes. They stand in the ledger, in
 * --json and in the log: a word that is changed here needs a migration of the ledger.
 */
#include "base/str.h"
#include "person/event.h"

static const char *const state_words[PERSON_STATES + 1] = {
	[PERSON_QUEUED] = "queued",
	[PERSON_NOT_INVITABLE] = "not_invitable",
	[PERSON_SENDING] = "sending",
	[PERSON_UNCONFIRMED] = "unconfirmed",
	[PERSON_INVITED] = "invited",
	[PERSON_ACCEPTED] = "accepted",
	[PERSON_DECLINED] = "declined",
	[PERSON_CANCELLED] = "cancelled",
	[PERSON_HELD] = "held",
	[PERSON_FAILED] = "failed",
	[PERSON_GONE] = "gone",
	[PERSON_STATES] = "unknown",
};

static const char *const reason_words[PERSON_REASONS] = {
	[REASON_NONE] = "",
	[REASON_FIRST_CHECK] = "first_check",
	[REASON_APPROVED] = "approved",
	[REASON_RETRIED] = "retried",
	[REASON_RETRY] = "retry",
	[REASON_BREAKER] = "breaker",
	[REASON_SEND_WINDOW] = "send_window",
	[REASON_DAILY_LIMIT] = "daily_limit",
	[REASON_RECONCILE] = "reconcile",
	[REASON_RESOLVED_UNSENT] = "resolved_unsent",
	[REASON_DISCOVERED] = "discovered",
	[REASON_DRY_RUN] = "dry_run",
	[REASON_MAX_MAILS] = "max_mails",
	[REASON_UNKNOWN_STATE] = "unknown_state",
	[REASON_MANUAL] = "manual",
	[REASON_BLOCKED] = "blocked",
	[REASON_COLLISION] = "collision",
	[REASON_UNCONFIRMED] = "unconfirmed",
	[REASON_INTERRUPTED] = "interrupted",
	[REASON_SENDING] = "sending",
	[REASON_NOT_INVITABLE] = "not_invitable",
	[REASON_SENT] = "sent",
	[REASON_RESOLVED] = "resolved",
	[REASON_BY_OTHERS] = "by_others",
	[REASON_ACCOUNT_REMOVED] = "account_removed",
	[REASON_ANSWERED] = "answered",
	[REASON_ELSEWHERE] = "elsewhere",
	[REASON_DELETED] = "deleted",
	[REASON_BY_ADMIN] = "by_admin",
	[REASON_FORGOTTEN] = "forgotten",
	[REASON_MAPPED] = "mapped",
	[REASON_UNMAPPED] = "unmapped",
	[REASON_FOREIGN_DOMAIN] = "foreign_domain",
	[REASON_EXCLUDED] = "excluded",
	[REASON_FAULT] = "fault",
};

static const char *const priority_words[PRIORITIES] = {
	[PRIO_NEW] = "new",
	[PRIO_RETRY] = "retry",
	[PRIO_BACKGROUND] = "background",
};

static const char *const event_words[PERSON_EVENTS] = {
	[EVENT_SIGHTED] = "sighted",
	[EVENT_LINKED] = "linked",
	[EVENT_UNLINKED] = "unlinked",
	[EVENT_COLLISION] = "collision",
	[EVENT_BLOCKED] = "blocked",
	[EVENT_UNBLOCKED] = "unblocked",
	[EVENT_OBSERVED] = "observed",
	[EVENT_CLAIMED] = "claimed",
	[EVENT_CHECKED] = "checked",
	[EVENT_GOT] = "got",
	[EVENT_PERMIT] = "permit",
	[EVENT_SENT] = "sent",
	[EVENT_CANCELLED] = "cancelled",
	[EVENT_FAILED] = "failed",
	[EVENT_CONTROL] = "control",
	[EVENT_RELEASED] = "released",
	[EVENT_BREAKER] = "breaker",
	[EVENT_APPROVED] = "approved",
	[EVENT_RETRIED] = "retried",
	[EVENT_SEND_REQUESTED] = "send_requested",
	[EVENT_CANCELLED_BY_ADMIN] = "cancelled_by_admin",
};

static const char *const action_words[] = {
	[ACTION_NONE] = "none",
	[ACTION_CHECK] = "check",
	[ACTION_GET] = "get",
	[ACTION_SEND] = "send",
	[ACTION_CANCEL] = "cancel",
	[ACTION_AWAIT_CONTROL] = "await_control",
};

static const char *const outcome_words[] = {
	[SEND_NONE] = "",
	[SEND_BEGUN] = "open",
	[SEND_SENT] = "sent",
	[SEND_REFUSED] = "refused",
	[SEND_UNCONFIRMED] = "unconfirmed",
	[SEND_RESOLVED_SENT] = "resolved_sent",
	[SEND_RESOLVED_UNSENT] = "resolved_unsent",
};

static const char *const audit_words[] = {
	[AUDIT_NONE] = "",
	[AUDIT_DECISION] = "decision",
	[AUDIT_HELD] = "held",
	[AUDIT_RETRY] = "retry",
	[AUDIT_INVITED] = "invited",
	[AUDIT_UNCONFIRMED] = "unconfirmed",
	[AUDIT_RESOLVED] = "resolved",
	[AUDIT_ACCEPTED] = "accepted",
	[AUDIT_DECLINED] = "declined",
	[AUDIT_CANCELLED] = "cancelled",
	[AUDIT_FAILED] = "failed",
};

const char *person_state_word(enum person_state state)
{
	return state_words[state];
}

bool person_state_parse(const char *word, enum person_state *out)
{
	int at = str_index(state_words, PERSON_STATES, word);

	if (at >= 0)
		*out = (enum person_state)at;
	return at >= 0;
}

const char *priority_word(enum priority priority)
{
	return priority_words[priority];
}

bool priority_parse(const char *word, enum priority *out)
{
	int at = str_index(priority_words, PRIORITIES, word);

	if (at >= 0)
		*out = (enum priority)at;
	return at >= 0;
}

const char *reason_word(enum person_reason reason)
{
	return reason_words[reason];
}

const char *person_reason_word(const struct person *p)
{
	return p->reason == REASON_FAULT ? p->fault_code : reason_words[p->reason];
}

bool reason_parse(const char *word, enum person_reason *out)
{
	int at = str_index(reason_words, REASON_FAULT, word);

	if (at >= 0)
		*out = (enum person_reason)at;
	return at >= 0;
}

const char *person_event_word(enum person_event_kind kind)
{
	return event_words[kind];
}

const char *person_action_word(enum person_action action)
{
	return action_words[action];
}

const char *send_outcome_word(enum send_outcome outcome)
{
	return outcome_words[outcome];
}

const char *audit_event_word(enum audit_event event)
{
	return audit_words[event];
}
