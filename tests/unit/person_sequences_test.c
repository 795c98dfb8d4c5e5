/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I5, I6 (docs/design.md, "Invariants"). */
/*
 * All sequences of events, with a Google that shows what was so up to two days ago, and programs
 * that die at any point: no person gets more mails of ours than max_mails, resends and approvals of
 * sends that were never confirmed allow.
 *
 * A situation is what the ledger has, what a job has in memory, and what is true at Google.
 * Sequences that lead to the same situation are continued once, until no new situation comes: so
 * with one request of an administrator, and one act of another sender at Google, sequences of every
 * length have been tried. Times are counted in days, and it is not checked whether something is
 * due, so that every order is tried.
 */
#include "person_rows.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define DAY	  INT64_C(86400)
#define DAYS_MAX  5 /* an age that no rule tells from a higher one */
#define SHOWN_OLD 2 /* days: what Google shows is at most so old (docs/google.md) */
#define MAILS_MAX 4 /* in a situation */

/* ---- a situation ---- */

/* A person, as far as rules look at it. */
struct packed {
	uint8_t state, reason;
	uint8_t mails, ours, intent_mails; /* the first and the last plus one, for -1 */
	uint8_t intent_age, date_age;	   /* days; NEVER: not set */
	uint8_t flags, priority, orphan;
};
#define NEVER 255

enum { APPROVED = 1, RESEND = 2, DISCOVERED = 4, CHECKED = 8, DUE = 16 };

/* One of Google's invitations. */
struct invited {
	uint8_t state;
	uint8_t mails;
};

struct situation {
	struct packed stored;		      /* what the ledger has */
	struct packed person, claimed;	      /* what a job has */
	struct invited google[SHOWN_OLD + 1]; /* now, yesterday, … */
	uint8_t action; /* what a job waits for; ACTION_NONE: there is no job */
	uint8_t manual, blocked;
	uint8_t in_flight; /* the request of a send may have left */
	uint8_t sent;	   /* mails of ours */
	uint8_t allowed;   /* max_mails, resends, approvals of sends that were never confirmed */
	uint8_t requests, others; /* of an administrator, of others: so many are left */
};

static uint8_t age(int64_t now, int64_t at)
{
	int64_t days = (now - at) / DAY;

	if (at == 0)
		return NEVER;
	return (uint8_t)(days > DAYS_MAX ? DAYS_MAX : days);
}

static int64_t since(int64_t now, uint8_t days)
{
	return days == NEVER ? 0 : now - days * DAY;
}

static struct packed pack(const struct person *p)
{
	return (struct packed){.state = (uint8_t)p->state,
		.reason = (uint8_t)p->reason,
		.mails = (uint8_t)(p->mails + 1),
		.ours = (uint8_t)p->our_mails,
		.intent_mails = (uint8_t)(p->intent_mails + 1),
		.intent_age = age(ROW_NOW, p->intent_at),
		.date_age = age(ROW_GOOGLE, p->intent_date),
		.flags = (uint8_t)((p->approved ? APPROVED : 0) | (p->resend ? RESEND : 0) |
				   (p->discovered ? DISCOVERED : 0) |
				   (ROW_NOW - p->checked < DAY ? CHECKED : 0) |
				   (p->next_attempt != 0 ? DUE : 0)),
		.priority = (uint8_t)p->priority,
		.orphan = (uint8_t)p->orphan_reason};
}

static struct person unpack(const struct packed *x)
{
	struct person p = person_new("alice@example.com", ROW_TODAY);

	p.state = (enum person_state)x->state;
	p.reason = (enum person_reason)x->reason;
	p.mails = x->mails - 1;
	p.our_mails = x->ours;
	p.intent_mails = x->intent_mails - 1;
	p.intent_at = since(ROW_NOW, x->intent_age);
	p.intent_date = since(ROW_GOOGLE, x->date_age);
	p.approved = x->flags & APPROVED;
	p.resend = x->flags & RESEND;
	p.discovered = x->flags & DISCOVERED;
	p.checked = x->flags & CHECKED ? ROW_NOW : 0;
	p.next_attempt = x->flags & DUE ? ROW_NOW : 0;
	p.priority = (enum priority)x->priority;
	p.orphan_reason = (enum person_reason)x->orphan;
	p.orphaned_since = x->orphan != REASON_NONE ? ROW_TODAY : 0;
	if (p.state == PERSON_FAILED)
		str_copy(p.fault_code, sizeof(p.fault_code), "x");
	return p;
}

static void one_day_later(struct packed *x)
{
	if (x->intent_age < DAYS_MAX)
		x->intent_age++;
	if (x->date_age < DAYS_MAX)
		x->date_age++;
	x->flags &= (uint8_t)~CHECKED;
}

/* ---- situations that are known, and how each was reached first ---- */

struct known {
	struct situation situation;
	int32_t from;
	const char *event;
};

#define KNOWN_MAX  400000
#define TABLE_SIZE (1 << 20)

static struct known *known;
static int32_t known_count;
static int32_t *table; /* of places in `known`, -1: free */

static uint32_t hash(const struct situation *s)
{
	const uint8_t *bytes = (const uint8_t *)s;
	uint32_t h = 2166136261U;

	for (size_t n = 0; n < sizeof(*s); n++)
		h = (h ^ bytes[n]) * 16777619U;
	return h ^ (h >> 15);
}

static int32_t *place_of(const struct situation *s)
{
	uint32_t n = hash(s) % TABLE_SIZE;

	while (table[n] >= 0 && memcmp(&known[table[n]].situation, s, sizeof(*s)) != 0)
		n = (n + 1) % TABLE_SIZE;
	return &table[n];
}

static void reach(const struct situation *s, int32_t from, const char *event)
{
	int32_t *place = place_of(s);

	if (*place >= 0)
		return;
	assert_true(known_count < KNOWN_MAX);
	*place = known_count;
	known[known_count++] = (struct known){*s, from, event};
}

static void print_way(int32_t to)
{
	struct person p = unpack(&known[to].situation.stored);
	char text[1024];

	if (known[to].from >= 0)
		print_way(known[to].from);
	row_describe(&p, text, sizeof(text));
	print_message("# %s -> %s\n", known[to].event, text);
}

/* ---- one step ---- */

static int32_t at; /* the situation that is continued */
static int64_t max_mails;
static int64_t steps;

static void violated(const char *what, const char *event)
{
	print_way(at);
	fail_msg("%s: %s", event, what);
}

static struct person_step step(const struct situation *s, const struct person *p,
	const struct person_event *e, const char *event)
{
	struct send_policy policy = row_policy("discovered=send cancel_on_delete");
	struct person_step step;

	policy.max_mails = max_mails;
	policy.blocked = s->blocked;
	step = person_step(p, e, &policy);
	steps++;
	if (!step.store)
		return step;
	if (person_invalid(&step.next))
		violated(person_invalid(&step.next), event);
	if (!person_transition_allowed(p->state, e->kind, step.next.state))
		violated("the table does not allow it", event);
	return step;
}

/* An event outside of a job. */
static void outside(struct situation s, const char *event)
{
	struct person stored = unpack(&s.stored);
	struct person_event e = row_event(event, NULL);
	struct person_step next = step(&s, &stored, &e, event);

	if (!next.store)
		return;
	if (e.kind == EVENT_APPROVED && stored.intent_at != 0)
		s.allowed++;
	s.stored = pack(&next.next);
	reach(&s, at, event);
}

static void end_job(struct situation *s)
{
	s->action = ACTION_NONE;
	s->manual = s->in_flight = 0;
	s->person = s->claimed = (struct packed){.state = 0};
}

static void mail(struct situation *s, const char *event)
{
	if (!s->in_flight || s->stored.state != PERSON_SENDING)
		violated("a mail without an intent in the ledger", event);
	if (s->sent == s->allowed)
		violated("a mail too many", event);
	s->sent++;
	s->google[0].state = INVITATION_INVITED;
	s->google[0].mails++;
	assert_true(s->google[0].mails <= MAILS_MAX);
}

/* An event of the job. `effect`: whether a mail has gone out. */
static void job_event(struct situation s, const char *event, bool effect)
{
	struct person p = unpack(&s.person), claimed = unpack(&s.claimed),
		      stored = unpack(&s.stored);
	struct person_event e = row_event(event, &claimed);
	struct person_step next;

	if (effect)
		mail(&s, event);
	e.manual = s.manual;
	if (!person_still_claimed(&p, &stored)) {
		end_job(&s);
		reach(&s, at, event);
		return;
	}
	next = step(&s, &p, &e, event);
	if (next.store)
		s.stored = pack(&next.next);
	if (next.outcome == SEND_BEGUN)
		s.in_flight = 1;
	s.person = pack(&next.next);
	s.action = (uint8_t)next.action;
	if (next.action == ACTION_NONE)
		end_job(&s);
	reach(&s, at, event);
}

/* A job of the dispatcher, or of an administrator's send. */
static void claim(struct situation s, const char *request, const char *event)
{
	struct person stored = unpack(&s.stored);
	struct person_event e;

	if (request) {
		struct person_step next;

		e = row_event(request, NULL);
		next = step(&s, &stored, &e, request);
		if (next.refusal != REFUSAL_NONE)
			return;
		stored = next.next;
		s.stored = pack(&stored);
		s.requests--;
		s.allowed = (uint8_t)(s.allowed + e.resend);
		s.manual = 1;
	} else if (!person_state_claimable(stored.state) || stored.next_attempt == 0) {
		return;
	}
	s.claimed = s.person = pack(&stored);
	job_event(s, event, false);
}

/* The job's program dies. */
static void crash(struct situation s, bool effect)
{
	const char *event = effect ? "crash after the request" : "crash";

	if (effect)
		mail(&s, event);
	end_job(&s);
	reach(&s, at, event);
}

/* ---- what can come next ---- */

static const char *shown_text(bool job, struct invited invited)
{
	static char texts[2][INVITATION_OTHER][MAILS_MAX + 1][48];
	char *text = texts[job][invited.state][invited.mails];

	if (text[0] == '\0')
		str_format(text, sizeof(texts[0][0][0]), "%s shows=%s mails=%d",
			job ? "got" : "observed",
			invitation_state_word((enum invitation_state)invited.state), invited.mails);
	return text;
}

/* What Google shows: as it is, or as it was. */
static void shown(const struct situation *s, bool job)
{
	for (int n = 0; n <= SHOWN_OLD; n++) {
		const char *event = shown_text(job, s->google[n]);

		if (!job)
			outside(*s, event);
		else
			job_event(*s, event, false);
		if (job && s->google[n].state == INVITATION_NOT_YET_SENT)
			job_event(*s, "got", false);
	}
}

static void a_day_passes(struct situation s)
{
	for (int n = SHOWN_OLD; n > 0; n--)
		s.google[n] = s.google[n - 1];
	if (s.stored.state != PERSON_STATES)
		one_day_later(&s.stored);
	end_job(&s); /* a job lasts minutes */
	reach(&s, at, "a day passes");
}

static void at_google(struct situation s)
{
	if (s.others == 0)
		return;
	s.others--;
	if (s.google[0].mails > 0) {
		s.google[0].state = INVITATION_DECLINED;
		reach(&s, at, "declined");
		s.google[0].state = INVITATION_NOT_YET_SENT;
		reach(&s, at, "withdrawn");
	}
	s.google[0].state = INVITATION_INVITED;
	s.google[0].mails++;
	reach(&s, at, "mailed by others");
}

static void without_a_job(const struct situation *s)
{
	shown(s, false);
	outside(*s, "unlinked reason=account_removed");
	outside(*s, "cancelled_by_admin");
	claim(*s, NULL, "claimed");
	if (s->requests > 0) {
		struct situation used = *s;

		used.requests--;
		outside(used, "approved");
		outside(used, "retried");
		claim(*s, "send_requested", "claimed");
		claim(*s, "send_requested resend", "claimed resend");
	}
}

static void of_a_job(const struct situation *s)
{
	outside(*s, "unlinked reason=account_removed leased");
	crash(*s, false);
	switch ((enum person_action)s->action) {
	case ACTION_CHECK:
		job_event(*s, "checked", false);
		job_event(*s, "checked invitable", false);
		job_event(*s, "failed kind=transient code=x call=check", false);
		break;
	case ACTION_GET:
		shown(s, true);
		job_event(*s, "control scope=person code=x call=get", false);
		break;
	case ACTION_CANCEL:
		job_event(*s, "cancelled", false);
		break;
	case ACTION_SEND:
		if (!s->in_flight) {
			job_event(*s, "permit granted", false);
			job_event(*s, "released", false);
			break;
		}
		crash(*s, true);
		job_event(*s, "sent confirmed", true);
		job_event(*s, "sent", true);
		job_event(*s, "failed kind=ambiguous code=x call=send", true);
		job_event(*s, "failed kind=ambiguous code=x call=send", false);
		job_event(*s, "failed kind=transient code=x call=send", false);
		job_event(*s, "control scope=person code=x call=send", false);
		break;
	case ACTION_NONE:
	case ACTION_AWAIT_CONTROL:
		break;
	}
}

static void continue_from(int32_t n)
{
	struct situation s = known[n].situation, other = s;

	at = n;
	outside(s, "sighted");
	other.blocked = 1;
	if (!s.blocked)
		outside(other, "blocked");
	other.blocked = 0;
	if (s.blocked)
		outside(other, "unblocked");
	a_day_passes(s);
	at_google(s);
	if (s.action == ACTION_NONE)
		without_a_job(&s);
	else
		of_a_job(&s);
}

/* False: there are longer sequences than `depth`. */
static bool explore(int64_t allowed, int requests, int depth)
{
	struct person nobody = row_person("");
	struct situation start = {.stored = pack(&nobody),
		.allowed = (uint8_t)allowed,
		.requests = (uint8_t)requests,
		.others = 1};
	int32_t done = 0, end;
	int length = 0;

	for (int n = 0; n <= SHOWN_OLD; n++)
		start.google[n].state = INVITATION_NOT_YET_SENT;
	max_mails = allowed;
	steps = 0;
	known_count = 0;
	memset(table, 0xff, TABLE_SIZE * sizeof(*table));
	reach(&start, -1, "start");
	for (; length < depth && done < known_count; length++)
		for (end = known_count; done < end; done++)
			continue_from(done);
	print_message("# max_mails %lld, %d requests: %d situations, %lld steps, length %d\n",
		(long long)allowed, requests, (int)known_count, (long long)steps, length);
	return done == known_count;
}

/* valgrind is fifty times as slow. */
static bool is_slow(void)
{
	return getenv("CLOUDINVITE_VALGRIND");
}

static void no_sequence_of_whatever_length_mails_more_often_than_is_allowed(void **state)
{
	(void)state;
	if (is_slow())
		explore(1, 1, 8);
	else
		assert_true(explore(1, 1, INT_MAX) && explore(2, 1, INT_MAX));
}

static void no_sequence_with_two_requests_does_so_in_ten_events(void **state)
{
	(void)state;
	assert_false(explore(1, 2, is_slow() ? 6 : 10));
	assert_false(explore(2, 2, is_slow() ? 6 : 10));
}

static int allocate(void **state)
{
	(void)state;
	known = calloc(KNOWN_MAX, sizeof(*known));
	table = calloc(TABLE_SIZE, sizeof(*table));
	return known && table ? 0 : -1;
}

static int free_all(void **state)
{
	(void)state;
	free(known);
	free(table);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_sequence_of_whatever_length_mails_more_often_than_is_allowed),
		cmocka_unit_test(no_sequence_with_two_requests_does_so_in_ten_events),
	};

	return cmocka_run_group_tests_name("person: sequences", tests, allocate, free_all);
}
