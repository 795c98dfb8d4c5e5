/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events: everything that can happen to one person, and what follows from it.
 *
 * A person who is to be asked about or sent to has a job in the engine. The job steps
 * through the events of the dispatcher's side: EVENT_CLAIMED first, then one event for each answer,
 * until a step's action is ACTION_NONE. The events of the host and of the administrator come to
 * people outside of a job.
 *
 *	step = person_step(&person, &event, &policy);
 *	if (step.store) commit(step.next);
 *	start(step.action);
 */
#ifndef CLOUDINVITE_PERSON_EVENT_H
#define CLOUDINVITE_PERSON_EVENT_H

#include "base/fault.h"
#include "person/evidence.h"
#include "person/policy.h"

enum person_event_kind {
	/* the host's side */
	EVENT_SIGHTED,	 /* an account that counts maps to this address */
	EVENT_LINKED,	 /* an account leads here, whether it counts or not */
	EVENT_UNLINKED,	 /* the last account that led here does not any more: `unlinked` */
	EVENT_COLLISION, /* two accounts of one host claim the address */
	EVENT_BLOCKED,
	EVENT_UNBLOCKED,
	EVENT_OBSERVED, /* Google's list, or a get that no job waits for, shows the person:
			   `evidence` */

	/* the dispatcher's side: events of a job */
	EVENT_CLAIMED,
	EVENT_CHECKED, /* check has answered: `invitable` */
	EVENT_GOT,     /* get has answered: `evidence` */
	EVENT_PERMIT,  /* the rate limit permits the send; before that, may it be waited for?
			  `granted` */
	EVENT_SENT,    /* send has answered: `sent` */
	EVENT_CANCELLED,
	EVENT_FAILED,	/* the call has failed: `failed` */
	EVENT_CONTROL,	/* the control call tells what a rejection is about: `control` */
	EVENT_RELEASED, /* the job ends before its time: a pause, no permit, the end of the program
			 */
	EVENT_BREAKER,	/* five people were rejected alike: it is not this person's fault; `code` */

	/* the administrator's side */
	EVENT_APPROVED,
	EVENT_RETRIED,
	EVENT_SEND_REQUESTED, /* send, or send --resend: `resend` */
	EVENT_CANCELLED_BY_ADMIN,
};
#define PERSON_EVENTS (EVENT_CANCELLED_BY_ADMIN + 1)

/* What to ask Google next. */
enum person_action {
	ACTION_NONE, /* the job is over */
	ACTION_CHECK,
	ACTION_GET,
	ACTION_SEND, /* before the intent: wait for a permit; after it: the request itself */
	ACTION_CANCEL,
	ACTION_AWAIT_CONTROL, /* the control call, which concerns no person */
};

/* What a rejection is about, as the control call tells. */
enum error_scope { SCOPE_PERSON, SCOPE_SETUP, SCOPE_TRANSIENT };

/* How a send ended, for the journal of sends. */
enum send_outcome {
	SEND_NONE, /* nothing to record */
	SEND_BEGUN,
	SEND_SENT,
	SEND_REFUSED, /* surely no mail */
	SEND_UNCONFIRMED,
	SEND_RESOLVED_SENT,
	SEND_RESOLVED_UNSENT,
};

/* What is worth a line in the log. */
enum audit_event {
	AUDIT_NONE,
	AUDIT_DECISION,
	AUDIT_HELD,
	AUDIT_RETRY,
	AUDIT_INVITED,
	AUDIT_UNCONFIRMED,
	AUDIT_RESOLVED,
	AUDIT_ACCEPTED,
	AUDIT_DECLINED,
	AUDIT_CANCELLED,
	AUDIT_FAILED,
};

/* Why the rules refuse what an administrator asks for. */
enum person_refusal {
	REFUSAL_NONE,
	REFUSAL_BUSY, /* a send is under way */
	REFUSAL_INVITED,
	REFUSAL_ACCEPTED,
	REFUSAL_DECLINED,
	REFUSAL_CANCELLED,
	REFUSAL_UNCONFIRMED, /* may have been mailed: not confirmed yet */
	REFUSAL_NEVER_CONFIRMED,
	REFUSAL_BLOCKED,
	REFUSAL_DAILY_LIMIT,
	REFUSAL_RECONCILE,
	REFUSAL_MAX_MAILS,
	REFUSAL_NOT_INVITABLE,
	REFUSAL_NOT_HELD,   /* approve */
	REFUSAL_NOT_FAILED, /* retry */
};

struct person_event {
	enum person_event_kind kind;
	int64_t now;		 /* the host's clock */
	int64_t today;		 /* the start of its day */
	int64_t google_now;	 /* Google's clock; 0: never heard */
	uint32_t random;	 /* for delays */
	enum person_action call; /* a job's: the call that was answered or that has failed */
	bool manual;		 /* a job's: an administrator waits for its end */
	/* A job's: the person as it was claimed, to which a call without effect leads back. */
	const struct person *claimed;
	const char *text; /* who or what, for the history: "login of ann on web1"; may be NULL */
	union {
		bool evaluated_before; /* SIGHTED: the same account led somewhere before */
		struct {
			enum person_reason reason;
			bool leased; /* a job has the person: it will hear of it when it stores */
		} unlinked;
		struct evidence evidence;
		bool invitable;
		bool granted;
		struct {
			bool confirmed;
			int64_t mails; /* as the reply counts them; -1: it does not */
			int64_t date;  /* Google's clock at the reply; 0: unknown */
		} sent;
		struct {
			const struct fault *fault;
			bool quota;
			int64_t retry_after; /* seconds; -1: not said */
		} failed;
		struct {
			enum error_scope scope;
			const struct fault
				*fault;	     /* of the rejected call, not of the control call */
			int64_t retry_after; /* as said with it */
			int64_t date;
			bool breaker; /* that was the fifth of this kind */
		} control;
		const char *code;
		bool resend;
	};
};

struct person_step {
	struct person next;
	enum person_action action;
	bool store; /* `next` must be committed before the action is started */
	enum send_outcome outcome;
	enum audit_event event;
	enum person_refusal refusal;
	char cause[200]; /* for the history, one sentence */
};

/* The whole of the rules. Pure: the same arguments give the same step. An event of a job must
 * answer the action of the job's last step. Any other event may come at any time: if it means
 * nothing in the person's state, the person is unchanged, and there is nothing to store.
 * policy->blocked is the block list after the event. */
struct person_step person_step(
	const struct person *p, const struct person_event *e, const struct send_policy *policy);

/* Whether `e` may lead from `from` to `to`: the table in README.md. */
bool person_transition_allowed(
	enum person_state from, enum person_event_kind e, enum person_state to);

/* Whether the stored person is still that of the job, `p`: no other program has taken over. If so,
 * takes over into `p` what others may set meanwhile. Between two steps that are stored, a job
 * changes neither the state of its person nor the intent. */
bool person_still_claimed(struct person *p, const struct person *stored);

const char *person_event_word(enum person_event_kind kind);
const char *person_action_word(enum person_action action);
const char *send_outcome_word(enum send_outcome outcome);
const char *audit_event_word(enum audit_event event);

#endif
