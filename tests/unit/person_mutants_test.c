/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that the other tables lacked, as `make mutants` has shown: each kills a change of the code.
 */
#include "person_rows.h"

#include "base/str.h"

#define HOLDS(rows) person_rows_hold(rows, ARRAY_SIZE(rows))

/* ---- evidence ---- */

#define UNCONFIRMED "unconfirmed unconfirmed intent=now-60 "

static void a_state_proves_a_send_where_no_count_does(void **state)
{
	static const struct person_row rows[] = {
		{"invited, and the count at the intent is not known",
			UNCONFIRMED "next=now date=google-60", "got shows=INVITED mails=1",
			"invited resolved next=0 intent=0 mails=1 ours=1",
			"store outcome=resolved_sent audit=resolved "
			"cause='get: Google shows INVITED, 1 mail'"},
		{"invited, and the count lags",
			UNCONFIRMED "next=now date=google-60 imails=0 mails=0",
			"got shows=INVITED mails=0",
			"invited resolved next=0 intent=0 imails=-1 ours=1",
			"store outcome=resolved_sent audit=resolved "
			"cause='get: Google shows INVITED, 0 mails'"},
		{"declined", UNCONFIRMED "next=now date=google-60", "got shows=DECLINED mails=1",
			"declined answered next=0 intent=0 date=0 mails=1 ours=1",
			"store outcome=resolved_sent audit=declined "
			"cause='get: Google shows DECLINED, 1 mail'"},
	};

	(void)state;
	HOLDS(rows);
}

static void times_that_go_back_are_stored(void **state)
{
	static const struct person_row rows[] = {
		{"the next look comes sooner than planned",
			UNCONFIRMED "next=now+12h date=google-60 imails=0 mails=0",
			"observed shows=NOT_YET_SENT mails=0 date=google",
			"unconfirmed unconfirmed next=now+14m", "store"},
		{"Google's clock was ahead at the intent",
			UNCONFIRMED "next=now+14m date=google imails=0 mails=0",
			"observed shows=NOT_YET_SENT mails=0 date=google-1h",
			"unconfirmed unconfirmed date=google-1h", "store"},
		{"Google's clock begins at its epoch",
			UNCONFIRMED "next=now date=1 imails=0 mails=0",
			"got shows=NOT_YET_SENT mails=0 date=73h",
			"queued resolved_unsent intent=0 date=0 imails=-1 priority=retry",
			"store outcome=resolved_unsent audit=resolved "
			"cause='get: Google shows NOT_YET_SENT, 0 mails'"},
	};

	(void)state;
	HOLDS(rows);
}

static void what_is_not_shown_has_no_state(void **state)
{
	struct person_step step = {.next = row_person("queued first_check next=now")};
	const struct evidence e = {.state = INVITATION_DECLINED, .mails = 1, .now = ROW_NOW};

	(void)state;
	assert_false(evidence_apply(&step, &e));
	assert_int_equal(step.next.state, PERSON_QUEUED);
}

static void an_invitation_without_a_mail_was_not_mailed_elsewhere(void **state)
{
	const struct evidence e = {.shown = true,
		.state = INVITATION_INVITED,
		.mails = 0,
		.updated = ROW_GOOGLE - 60,
		.date = ROW_GOOGLE,
		.now = ROW_NOW};
	struct person p = row_person("queued first_check next=now");

	(void)state;
	assert_false(evidence_mailed_elsewhere(&p, &e));
}

/* ---- a job ---- */

static void a_job_that_ends_takes_back_what_it_had_cleared(void **state)
{
	static const struct person_row rows[] = {
		{"the rules refuse", "held dry_run checked=now mails=1",
			"permit manual | | held dry_run attempts=2 fault=slow",
			"held dry_run attempts=2 fault=slow", "refusal=max_mails"},
		{"the block list refuses", "held dry_run checked=now mails=0",
			"permit granted manual | blocked | held dry_run attempts=2 fault=slow",
			"held dry_run attempts=2 fault=slow", "refusal=blocked"},
		{"the host's clock was ahead when the person was checked last",
			"queued retry next=now checked=now",
			"released | | queued retry next=now checked=now+1h", "", "store"},
		{"a failure before the send counts from what the job has cleared",
			"queued retry next=now checked=now",
			"failed kind=transient call=get code=slow | | queued retry next=now "
			"attempts=3",
			"queued retry next=now+24 attempts=1 fault=slow priority=retry",
			"store audit=retry cause='get: text of slow'"},
	};

	(void)state;
	HOLDS(rows);
}

static void counts_and_short_texts_are_recorded(void **state)
{
	static const struct person_row rows[] = {
		{"the second mail, without a count",
			"sending sending next=now intent=now-9 date=google-9 imails=1 mails=1",
			"sent confirmed",
			"invited sent next=0 intent=0 date=google imails=-1 mails=2 ours=1",
			"store outcome=sent audit=invited cause='send: done'"},
		{"a code of one letter", "queued first_check next=now",
			"control scope=person call=check code=x", "failed fault next=0 fault=x",
			"store audit=failed cause='check: text of x'"},
		{"a note of one letter", "queued first_check next=now", "blocked text=x",
			"held blocked next=0", "store cause=x"},
		{"a reason of one letter", "invited sent ours=1", "cancelled_by_admin text=x",
			"cancelled by_admin", "store audit=cancelled cause='cancel: x'"},
	};

	(void)state;
	HOLDS(rows);
}

static void the_block_list_does_not_hold_an_approved_resend(void **state)
{
	static const struct person_row rows[] = {
		{"after a failure", "queued approved approved next=now mails=1 resend",
			"failed kind=transient call=check code=slow | blocked",
			"queued retry next=now+24 attempts=1 fault=slow priority=retry",
			"store audit=retry cause='check: text of slow'"},
	};

	(void)state;
	HOLDS(rows);
}

/* `checked` is 0 for a person who never was. */
static void a_clock_at_its_epoch_makes_nobody_checked(void **state)
{
	struct person p = row_person("queued first_check next=1");
	struct person_event e = row_event("claimed", &p);
	struct send_policy policy = row_policy("");

	(void)state;
	e.now = 3600;
	assert_int_equal(person_step(&p, &e, &policy).action, ACTION_CHECK);
	p.checked = 1;
	assert_int_equal(person_step(&p, &e, &policy).action, ACTION_SEND);
}

static void a_person_with_an_older_intent_is_not_the_jobs(void **state)
{
	struct person p = row_person("sending sending intent=5");
	struct person stored = row_person("sending sending intent=4");

	(void)state;
	assert_false(person_still_claimed(&p, &stored));
}

/* ---- what can be stored ---- */

static void a_person_may_never_have_changed(void **state)
{
	struct person p = row_person("queued first_check next=now changed=0");

	(void)state;
	assert_null(person_invalid(&p));
}

/* Numbers that a set of bits would take for another reason, or for nothing that C defines. */
static void a_reason_outside_of_the_list_is_invalid(void **state)
{
	static const int reasons[] = {
		64 + REASON_FIRST_CHECK, REASON_FIRST_CHECK - 64, -1, PERSON_REASONS};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(reasons); n++) {
		struct person p = row_person("queued first_check next=now");

		p.reason = (enum person_reason)reasons[n];
		assert_non_null(person_invalid(&p));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_state_proves_a_send_where_no_count_does),
		cmocka_unit_test(times_that_go_back_are_stored),
		cmocka_unit_test(what_is_not_shown_has_no_state),
		cmocka_unit_test(an_invitation_without_a_mail_was_not_mailed_elsewhere),
		cmocka_unit_test(a_job_that_ends_takes_back_what_it_had_cleared),
		cmocka_unit_test(counts_and_short_texts_are_recorded),
		cmocka_unit_test(the_block_list_does_not_hold_an_approved_resend),
		cmocka_unit_test(a_clock_at_its_epoch_makes_nobody_checked),
		cmocka_unit_test(a_person_with_an_older_intent_is_not_the_jobs),
		cmocka_unit_test(a_person_may_never_have_changed),
		cmocka_unit_test(a_reason_outside_of_the_list_is_invalid),
	};

	return cmocka_run_group_tests_name("person: what mutants asked for", tests, NULL, NULL);
}
