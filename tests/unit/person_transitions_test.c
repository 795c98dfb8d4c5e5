/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of every person: each valid person (a product of the members that rules look at) meets
 * each event that can come, under each kind of policy. What is stored keeps the invariants, so they
 * hold for ever; and the table of transitions allows what is reached, and nothing else.
 */
#include "person_rows.h"

#include <stdio.h>
#include <string.h>

#define HOUR INT64_C(3600)

static bool reached[PERSON_STATES + 1][PERSON_EVENTS][PERSON_STATES];
static int64_t steps;

/* ---- people ---- */

/* Who must be named where a person may be claimed from: one of each kind. */
static const char *const claimed_texts[] = {
	"queued retry next=now",
	"queued approved approved resend next=now",
	"not_invitable not_invitable",
	"unconfirmed unconfirmed next=now intent=now-1h",
	"invited by_others",
	"accepted answered",
	"declined answered",
	"cancelled by_admin",
	"held dry_run",
	"held manual discovered",
	"held unconfirmed intent=now-90h",
	"failed fault fault=old",
	"gone mapped orphaned=today orphan=mapped",
};

struct product {
	enum person_state state;
	enum person_reason reason;
	int mails, ours, intent, intent_mails, flags, orphan;
};

static void set_intent(struct person *p, int which, int64_t mails)
{
	static const struct {
		int64_t hours;
		bool dated;
	} intents[] = {{0, false}, {0, true}, {1, true}, {73, true}, {73, false}};

	if (which >= 2 || (which == 0 && p->state == PERSON_SENDING))
		p->intent_at = ROW_NOW - intents[which].hours * HOUR;
	if (intents[which].dated)
		p->intent_date = ROW_GOOGLE - intents[which].hours * HOUR;
	p->intent_mails = mails;
}

/* Whether the product makes a valid person. */
static bool make(const struct product *x, struct person *p)
{
	static const enum person_reason orphans[] = {
		REASON_NONE, REASON_MAPPED, REASON_ACCOUNT_REMOVED};

	*p = row_person("queued first_check");
	p->state = x->state;
	p->reason = x->reason;
	p->mails = x->mails;
	p->our_mails = x->ours;
	set_intent(p, x->intent, x->intent_mails);
	p->approved = x->flags & 1;
	p->resend = x->flags & 2;
	p->discovered = x->flags & 4;
	p->address_changed = x->flags & 8;
	p->orphan_reason = orphans[x->orphan];
	p->orphaned_since = x->orphan > 0 ? ROW_TODAY : 0;
	if (person_state_claimable(p->state))
		p->next_attempt = ROW_NOW;
	if (p->state == PERSON_FAILED)
		memcpy(p->fault_code, "bad", sizeof("bad"));
	if (p->state == PERSON_FAILED)
		p->changed = ROW_NOW - 6 * HOUR; /* long enough to be tried again */
	if (p->reason == REASON_FIRST_CHECK && !p->discovered)
		p->priority = PRIO_BACKGROUND;
	return !person_invalid(p);
}

static bool next_product(struct product *x)
{
	if (++x->orphan < 3)
		return true;
	x->orphan = 0;
	if (++x->flags < 16)
		return true;
	x->flags = 0;
	if (++x->intent_mails < 1)
		return true;
	x->intent_mails = -1;
	if (++x->intent < 5)
		return true;
	x->intent = 0;
	if (++x->ours < 2)
		return true;
	x->ours = 0;
	if (++x->mails < 2)
		return true;
	x->mails = -1;
	if ((int)++x->reason < PERSON_REASONS)
		return true;
	x->reason = REASON_FIRST_CHECK;
	return (int)++x->state < PERSON_STATES;
}

/* ---- steps ---- */

static void step(const struct person *p, const struct person_event *e, const char *event,
	const struct send_policy *policy)
{
	struct person_step step = person_step(p, e, policy);
	const char *wrong = step.store ? person_invalid(&step.next) : NULL;
	char before[1024], after[1024];

	steps++;
	if (step.store && step.next.state != PERSON_UNKNOWN)
		reached[p->state][e->kind][step.next.state] = true;
	if (wrong) {
		row_describe(p, before, sizeof(before));
		row_describe(&step.next, after, sizeof(after));
		fail_msg("%s\nperson: %s\nevent: %s\nnext: %s", wrong, before, event, after);
	}
}

static const char *const policies[] = {"", "discovered=send",
	"blocked discovered=send cancel_on_delete", "dry_run max_mails=2 discovered=ignore",
	"sent_today=50", "blocked dry_run"};

static void step_under_policies(
	const struct person *p, const struct person_event *e, const char *event)
{
	for (size_t n = 0; n < ARRAY_SIZE(policies); n++) {
		struct send_policy policy = row_policy(policies[n]);

		step(p, e, event, &policy);
	}
}

/* ---- events ---- */

static const char *const outside[] = {"sighted", "sighted evaluated", "sighted evaluated changed",
	"linked", "unlinked reason=mapped", "unlinked reason=account_removed",
	"unlinked reason=account_removed leased", "unlinked reason=renamed", "collision", "blocked",
	"unblocked", "observed shows=NOT_YET_SENT mails=0", "observed shows=NOT_YET_SENT mails=1",
	"observed shows=NOT_YET_SENT mails=2 date=0", "observed shows=INVITED mails=1",
	"observed shows=INVITED mails=2", "observed shows=ACCEPTED mails=1",
	"observed shows=DECLINED mails=1", "observed shows=SOMETHING mails=1", "observed",
	"breaker code=bad", "breaker code=other", "approved", "retried", "send_requested",
	"send_requested resend", "cancelled_by_admin"};

/* Of a job that has not sent. */
static const char *const before_send[] = {"checked", "checked invitable", "permit",
	"permit granted", "got", "got shows=NOT_YET_SENT mails=0", "got shows=NOT_YET_SENT mails=1",
	"got shows=INVITED mails=1", "got shows=ACCEPTED mails=1", "got shows=DECLINED mails=1",
	"got shows=SOMETHING mails=0"};
/* Of a job that looks for the mail, or cancels. */
static const char *const after_mail[] = {"got", "got shows=NOT_YET_SENT mails=0",
	"got shows=NOT_YET_SENT mails=1", "got shows=INVITED mails=1", "got shows=INVITED mails=2",
	"got shows=ACCEPTED mails=1", "got shows=DECLINED mails=1", "got shows=SOMETHING mails=0"};
static const char *const sent[] = {"sent", "sent confirmed mails=1", "sent confirmed date=0"};
static const char *const failures[] = {"failed kind=transient code=x call=check",
	"failed kind=transient quota code=x call=check", "failed kind=ambiguous code=x call=send",
	"failed kind=rejected code=x call=get", "failed kind=setup code=x call=check",
	"control scope=person code=x call=check", "control scope=person code=x call=check breaker",
	"control scope=setup code=x call=check", "control scope=transient code=x call=check",
	"released"};

static void each_event(const struct person *p, const char *const *events, size_t count,
	const struct person *claimed, bool manual)
{
	for (size_t n = 0; n < count; n++) {
		struct person_event e = row_event(events[n], claimed);

		e.manual = manual;
		step_under_policies(p, &e, events[n]);
	}
}
#define EACH(p, events, claimed, manual) each_event(p, events, ARRAY_SIZE(events), claimed, manual)

/* ---- jobs ---- */

static void automatic_job(const struct person *p)
{
	struct person claimed = *p;

	if (p->state == PERSON_QUEUED)
		claimed.checked = ROW_NOW - 25 * HOUR; /* the job is beyond check and get */
	EACH(p, ((const char *const[]){"claimed"}), p, false);
	if (p->state == PERSON_QUEUED)
		EACH(p, before_send, p, false);
	if (p->state == PERSON_UNCONFIRMED || p->state == PERSON_INVITED)
		EACH(p, after_mail, p, false);
	if (p->state == PERSON_INVITED && p->our_mails > 0 &&
		(p->reason == REASON_ACCOUNT_REMOVED || p->reason == REASON_RENAMED))
		EACH(p, ((const char *const[]){"cancelled"}), p, false);
	if (p->state != PERSON_SENDING && person_state_claimable(p->state))
		EACH(p, failures, &claimed, false);
}

/* By name: each person that the rules do not refuse. */
static bool may_be_sent_to(const struct person *stored, bool resend)
{
	struct person_event e =
		row_event(resend ? "send_requested resend" : "send_requested", NULL);
	struct send_policy policy = row_policy("");

	return person_step(stored, &e, &policy).refusal == REFUSAL_NONE;
}

static void manual_job(const struct person *stored, bool resend)
{
	struct person p = *stored;

	if (!may_be_sent_to(stored, resend))
		return;
	p.resend = resend;
	EACH(&p, before_send, stored, true);
	EACH(&p, failures, stored, true);
}

/* A send under way, of a person who was claimed in whatever state. */
static void sending_job(const struct person *p)
{
	for (size_t n = 0; n < ARRAY_SIZE(claimed_texts); n++) {
		struct person claimed = row_person(claimed_texts[n]);

		claimed.our_mails = p->our_mails;
		claimed.approved = p->approved;
		if (person_invalid(&claimed))
			continue;
		if (claimed.state == PERSON_QUEUED && claimed.resend == p->resend) {
			EACH(p, sent, &claimed, false);
			EACH(p, failures, &claimed, false);
		}
		if (may_be_sent_to(&claimed, p->resend)) {
			EACH(p, sent, &claimed, true);
			EACH(p, failures, &claimed, true);
		}
	}
}

static void every_step_keeps_the_invariants(void **state)
{
	struct product x = {PERSON_QUEUED, REASON_FIRST_CHECK, -1, 0, 0, -1, 0, 0};
	struct person p = row_person("");
	int64_t people = 0;

	(void)state;
	EACH(&p, outside, &p, false);
	do {
		if (!make(&x, &p))
			continue;
		people++;
		EACH(&p, outside, &p, false);
		automatic_job(&p);
		manual_job(&p, false);
		manual_job(&p, true);
		if (p.state == PERSON_SENDING)
			sending_job(&p);
	} while (next_product(&x));
	print_message("# %lld people, %lld steps\n", (long long)people, (long long)steps);
	assert_true(people > 1000);
}

/* ---- the table ---- */

static void the_table_allows_what_is_reached_and_nothing_else(void **state)
{
	(void)state;
	for (int e = 0; e < PERSON_EVENTS; e++)
		for (int from = 0; from <= PERSON_STATES; from++)
			for (int to = 0; to < PERSON_STATES; to++) {
				bool allowed = person_transition_allowed((enum person_state)from,
					(enum person_event_kind)e, (enum person_state)to);

				if (allowed != reached[from][e][to])
					fail_msg("%s, %s, %s is %s",
						person_state_word((enum person_state)from),
						person_event_word((enum person_event_kind)e),
						person_state_word((enum person_state)to),
						allowed ? "allowed, but never reached"
							: "reached, but not allowed");
			}
}

/* For tests/e2e/test_documents.py. */
static int print_table(void)
{
	for (int e = 0; e < PERSON_EVENTS; e++)
		for (int from = 0; from <= PERSON_STATES; from++)
			for (int to = 0; to < PERSON_STATES; to++)
				if (person_transition_allowed((enum person_state)from,
					    (enum person_event_kind)e, (enum person_state)to))
					printf("%s %s %s\n",
						person_event_word((enum person_event_kind)e),
						person_state_word((enum person_state)from),
						person_state_word((enum person_state)to));
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_step_keeps_the_invariants),
		cmocka_unit_test(the_table_allows_what_is_reached_and_nothing_else),
	};

	if (argc > 1 && strcmp(argv[1], "--print") == 0)
		return print_table();
	return cmocka_run_group_tests_name("person: transitions", tests, NULL, NULL);
}
