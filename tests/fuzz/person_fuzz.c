/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One person's life out of bytes: two bytes an event. Google shows what was so up to 48 hours ago;
 * a send may be lost, or have its effect without an answer; two programs work on the ledger, die,
 * and take each other for dead when the host's clock jumps. Whatever happens, what is stored keeps
 * the invariants, and no mail of ours is one too many.
 */
#include <string.h>

#include "person/event.h"
#include "tests/fuzz/fuzz.h"

#define HOUR	   INT64_C(3600)
#define DAY	   (24 * HOUR)
#define START	   INT64_C(1795392000)
#define LAG	   (48 * HOUR) /* docs/google.md */
#define LEASE	   900
#define BYTES_MAX  8000
#define CHANGES	   64 /* at Google, that are remembered */
#define OTHERS_MAX 3  /* mails of others */

/* ---- Google ---- */

struct change {
	int64_t at;
	enum invitation_state state;
	int64_t mails;
};

/* A program, with a job or without one. */
struct program {
	struct person person, claimed;
	enum person_action action;
	bool manual;
	bool in_flight;	 /* the request of a send has left */
	bool effect;	 /* and Google has mailed */
	bool heard;	 /* Google's clock, since the program was started */
	int64_t started; /* the job, by Google's clock */
};

struct life {
	const uint8_t *data;
	size_t size;
	int64_t now, google; /* the host's clock, Google's */
	struct change changes[CHANGES];
	int count;
	struct person stored;
	int64_t lease_until;
	int owner; /* a program, or -1 */
	struct program programs[2];
	struct send_policy policy;
	int64_t sent, allowed, others;
};

static const struct change *latest(const struct life *l)
{
	return &l->changes[l->count - 1];
}

static void change(struct life *l, enum invitation_state state, int64_t mails)
{
	if (l->count == CHANGES) {
		memmove(l->changes, l->changes + 1, (CHANGES - 1) * sizeof(l->changes[0]));
		l->count--;
	}
	l->changes[l->count++] = (struct change){l->google, state, mails};
}

/* What Google may show: `old` of 255 parts of the lag ago. */
static struct evidence shown(const struct life *l, uint8_t old)
{
	int64_t then = l->google - LAG * old / 255;
	int n = l->count - 1;

	while (n > 0 && l->changes[n].at > then)
		n--;
	return (struct evidence){/* Without a mail, 404 is another way to say NOT_YET_SENT. */
		.shown = l->changes[n].mails > 0 || old % 2 == 0,
		.state = l->changes[n].state,
		.mails = l->changes[n].mails,
		.updated = l->changes[n].at,
		.date = l->google,
		.now = l->now};
}

/* Our mail. */
static void mail(struct life *l, struct program *p)
{
	if (p->effect)
		return;
	p->effect = true;
	l->sent++;
	must(l->sent <= l->allowed, "no mail too many");
	change(l, INVITATION_INVITED, latest(l)->mails + 1);
}

/* ---- steps ---- */

static struct person_event event_of(const struct life *l, enum person_event_kind kind)
{
	return (struct person_event){.kind = kind,
		.now = l->now,
		.today = l->now - l->now % DAY,
		.google_now = l->google,
		.random = (uint32_t)l->google};
}

static struct person_step step(
	const struct life *l, const struct person *p, const struct person_event *e)
{
	struct person_step next = person_step(p, e, &l->policy);
	const char *wrong = next.store ? person_invalid(&next.next) : NULL;

	must(!wrong, wrong);
	must(!next.store || person_transition_allowed(p->state, e->kind, next.next.state),
		"the table allows what is stored");
	must(next.refusal == REFUSAL_NONE || e->manual || !next.store,
		"what is refused is not stored");
	must(next.action != ACTION_SEND || next.next.state == PERSON_SENDING || !next.store,
		"only with an intent is a send started");
	return next;
}

/* An event outside of a job. */
static struct person_step outside(struct life *l, const struct person_event *e)
{
	struct person_step next = step(l, &l->stored, e);

	if (next.store)
		l->stored = next.next;
	return next;
}

static bool leased(const struct life *l)
{
	return l->owner >= 0 && l->lease_until > l->now;
}

static void end_job(struct life *l, int n)
{
	bool heard = l->programs[n].heard;

	if (l->owner == n)
		l->owner = -1;
	l->programs[n] = (struct program){.action = ACTION_NONE, .heard = heard};
}

static void job_step(struct life *l, int n, struct person_event *e)
{
	struct program *p = &l->programs[n];
	struct person_step next;

	e->manual = p->manual;
	e->claimed = &p->claimed;
	if (!p->heard)
		e->google_now = 0;
	/* Another program has the lease, or has changed the person. */
	if ((l->owner != n && leased(l)) || !person_still_claimed(&p->person, &l->stored)) {
		end_job(l, n);
		return;
	}
	next = step(l, &p->person, e);
	if (next.store)
		l->stored = next.next;
	p->person = next.next;
	p->action = next.action;
	p->in_flight = next.outcome == SEND_BEGUN;
	if (next.action == ACTION_NONE)
		end_job(l, n);
}

/* ---- jobs ---- */

static void begin_job(struct life *l, int n, struct person_event *e)
{
	struct program *p = &l->programs[n];

	p->person = p->claimed = l->stored;
	p->started = l->google;
	p->manual = e->manual;
	p->in_flight = p->effect = false;
	l->owner = n;
	l->lease_until = l->now + LEASE;
	job_step(l, n, e);
}

static bool is_free(const struct life *l, int n)
{
	return l->programs[n].action == ACTION_NONE && !leased(l);
}

static void claim(struct life *l, int n)
{
	struct person_event e = event_of(l, EVENT_CLAIMED);

	if (is_free(l, n) && person_state_claimable(l->stored.state) &&
		l->stored.next_attempt != 0 && l->stored.next_attempt <= l->now)
		begin_job(l, n, &e);
}

static void send_by_name(struct life *l, int n, bool resend)
{
	struct person_event e = event_of(l, EVENT_SEND_REQUESTED);

	if (!is_free(l, n))
		return;
	e.manual = true;
	e.resend = resend;
	if (outside(l, &e).refusal != REFUSAL_NONE)
		return;
	l->allowed += resend;
	e.kind = EVENT_CLAIMED;
	begin_job(l, n, &e);
}

static void fail(struct life *l, int n, uint8_t how)
{
	static const enum fault_kind kinds[] = {FAULT_TRANSIENT, FAULT_AMBIGUOUS, FAULT_REJECTED,
		FAULT_SETUP, FAULT_STOPPED, FAULT_NONE, FAULT_STORAGE};
	struct fault fault = {.kind = kinds[how % 7], .code = "x", .what = "y"};
	struct program *p = &l->programs[n];
	struct person_event e = event_of(l, EVENT_FAILED);

	if (p->action == ACTION_NONE)
		return;
	/* Only where the effect is unknown may there have been one. */
	if (p->effect)
		fault.kind = FAULT_AMBIGUOUS;
	e.call = p->action;
	e.failed.fault = &fault;
	e.failed.quota = how & 64;
	e.failed.retry_after = how & 128 ? INT64_MAX : -1;
	job_step(l, n, &e);
	if (p->action != ACTION_AWAIT_CONTROL)
		return;
	e = event_of(l, EVENT_CONTROL);
	e.control.fault = &fault;
	e.control.scope = (enum error_scope)(how / 8 % 3);
	e.control.retry_after = -1;
	e.control.date = l->google;
	e.control.breaker = how & 32;
	job_step(l, n, &e);
}

static void answer_send(struct life *l, int n, uint8_t how)
{
	struct program *p = &l->programs[n];
	struct person_event e = event_of(l, EVENT_PERMIT);

	if (!p->in_flight) {
		e.granted = how % 4 > 0;
		job_step(l, n, &e);
		return;
	}
	if (how % 3 > 0)
		mail(l, p);
	if (how % 5 == 0) {
		fail(l, n, how / 5);
		return;
	}
	mail(l, p);
	e.kind = EVENT_SENT;
	e.sent.confirmed = how % 7 > 0;
	e.sent.mails = how % 2 ? latest(l)->mails : -1;
	e.sent.date = how % 11 ? l->google : 0;
	job_step(l, n, &e);
}

static void answer(struct life *l, int n, uint8_t how)
{
	struct program *p = &l->programs[n];
	struct person_event e = event_of(l, EVENT_RELEASED);

	p->heard = true;
	switch (p->action) {
	case ACTION_CHECK:
		e.kind = EVENT_CHECKED;
		e.invitable = how % 8 > 0;
		break;
	case ACTION_GET:
		e.kind = EVENT_GOT;
		e.evidence = shown(l, how);
		break;
	case ACTION_CANCEL:
		e.kind = EVENT_CANCELLED;
		change(l, INVITATION_NOT_YET_SENT, latest(l)->mails);
		break;
	case ACTION_SEND:
		answer_send(l, n, how);
		return;
	case ACTION_NONE:
	case ACTION_AWAIT_CONTROL:
		return;
	}
	job_step(l, n, &e);
}

/* The lease stays until it is over. A request that had left may have its effect. */
static void crash(struct life *l, int n, uint8_t how)
{
	struct program *p = &l->programs[n];

	if (p->in_flight && how % 2)
		mail(l, p);
	*p = (struct program){.action = ACTION_NONE};
}

/* A job that waits for its permit goes back. */
static void release(struct life *l, int n)
{
	struct person_event e = event_of(l, EVENT_RELEASED);

	if (l->programs[n].action != ACTION_NONE && !l->programs[n].in_flight)
		job_step(l, n, &e);
}

/* ---- everything else ---- */

/* A job is over within an hour, with or without an answer. */
static void time_passes(struct life *l, uint8_t how)
{
	int64_t seconds = how < 128 ? INT64_C(10) * how : HOUR * (how - 127);

	l->now += seconds;
	l->google += seconds;
	for (int n = 0; n < 2; n++) {
		struct program *p = &l->programs[n];

		if (p->action == ACTION_NONE || l->google - p->started < HOUR)
			continue;
		if (p->in_flight)
			fail(l, n, 1);
		else
			release(l, n);
	}
}

static void at_google(struct life *l, uint8_t how)
{
	const struct change *now = latest(l);

	if (how % 4 == 0 && l->others < OTHERS_MAX) {
		l->others++;
		change(l, INVITATION_INVITED, now->mails + 1);
	} else if (now->mails > 0) {
		static const enum invitation_state states[] = {INVITATION_OTHER,
			INVITATION_ACCEPTED, INVITATION_DECLINED, INVITATION_NOT_YET_SENT};

		change(l, states[how % 4], now->mails);
	}
}

static void administrator(struct life *l, enum person_event_kind kind)
{
	struct person_event e = event_of(l, kind);
	bool never_confirmed = l->stored.intent_at != 0;

	e.text = "reason";
	if (!leased(l) && outside(l, &e).store && kind == EVENT_APPROVED)
		l->allowed += never_confirmed;
}

static void host(struct life *l, uint8_t how)
{
	static const enum person_reason reasons[] = {
		REASON_ACCOUNT_REMOVED, REASON_MAPPED, REASON_COLLISION, REASON_BLOCKED};
	static const enum person_event_kind kinds[] = {EVENT_SIGHTED, EVENT_SIGHTED, EVENT_LINKED,
		EVENT_UNLINKED, EVENT_COLLISION, EVENT_BLOCKED, EVENT_UNBLOCKED, EVENT_BREAKER};
	struct person_event e = event_of(l, kinds[how % 8]);

	if (e.kind == EVENT_SIGHTED) {
		e.evaluated_before = how & 8;
	} else if (e.kind == EVENT_UNLINKED) {
		e.unlinked.reason = reasons[how / 8 % 4];
		e.unlinked.leased = leased(l);
	} else if (e.kind == EVENT_BREAKER) {
		e.code = "x";
	} else if (e.kind == EVENT_BLOCKED || e.kind == EVENT_UNBLOCKED) {
		l->policy.blocked = e.kind == EVENT_BLOCKED;
	}
	if (e.kind != EVENT_BREAKER || !leased(l))
		(void)outside(l, &e);
}

static void observe(struct life *l, uint8_t how)
{
	struct person_event e = event_of(l, EVENT_OBSERVED);

	e.evidence = shown(l, how);
	if (e.evidence.shown && !leased(l))
		(void)outside(l, &e);
}

static void rules_change(struct life *l, uint8_t how)
{
	l->policy.dry_run = how & 1;
	l->policy.cancel_on_delete = how & 2;
	l->policy.reconciling = how & 4;
	l->policy.reconcile_until = l->now + HOUR;
	l->policy.window_opens = how & 8 ? l->now + HOUR : 0;
	l->policy.sent_today = how & 16 ? l->policy.daily_limit : 0;
	l->policy.day_ends = l->now + DAY;
	l->policy.discovered = (enum discovery_policy)(how / 32 % 3);
}

static void clock_jumps(struct life *l, uint8_t how)
{
	l->now += (how % 2 ? HOUR : -HOUR) * (how / 2);
	if (l->now < DAY)
		l->now = DAY;
}

static void one_event(struct life *l, uint8_t what, uint8_t how)
{
	int n = what >> 7;

	switch (what & 15) {
	case 0:
		host(l, how);
		break;
	case 1:
		observe(l, how);
		break;
	case 2:
	case 3:
		claim(l, n);
		break;
	case 4:
	case 5:
	case 6:
		answer(l, n, how);
		break;
	case 7:
		fail(l, n, how);
		break;
	case 8:
		crash(l, n, how);
		break;
	case 9:
		release(l, n);
		break;
	case 10:
		time_passes(l, how);
		break;
	case 11:
		clock_jumps(l, how);
		break;
	case 12:
		send_by_name(l, n, how % 2);
		break;
	case 13:
		administrator(l, how % 8 == 0	? EVENT_CANCELLED_BY_ADMIN
				 : how % 2 == 0 ? EVENT_APPROVED
						: EVENT_RETRIED);
		break;
	case 14:
		at_google(l, how);
		break;
	default:
		rules_change(l, how);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct life l;

	if (size == 0)
		return 0;
	l = (struct life){.now = START, .google = START + 7, .owner = -1};
	l.stored = person_new("alice@example.com", START - START % DAY);
	l.policy = (struct send_policy){.max_mails = 1 + data[0] % 3, .daily_limit = 50};
	l.allowed = l.policy.max_mails;
	rules_change(&l, 64);
	change(&l, INVITATION_NOT_YET_SENT, 0);
	for (size_t n = 1; n + 1 < size && n < BYTES_MAX; n += 2)
		one_event(&l, data[n], data[n + 1]);
	return 0;
}
