/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I7, I8, I12 (docs/design.md, "Invariants"). */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#include "person/event.h"

#define HOUR INT64_C(3600)
#define NOW  INT64_C(1795392000)

/* What the step says beside the person. */
struct meaning {
	bool changed;
	const char *journal; /* NULL: nothing */
};

static struct meaning apply(struct person *p, const struct evidence *e)
{
	struct person_step step = {.next = *p};
	struct meaning meaning = {.changed = evidence_apply(&step, e)};

	if (step.outcome != SEND_NONE)
		meaning.journal = send_outcome_word(step.outcome);
	*p = step.next;
	return meaning;
}

/* Google shows a person in a state. */
static struct meaning see(struct person *p, enum invitation_state state, int64_t mails)
{
	const struct evidence e = {
		.shown = true, .state = state, .mails = mails, .date = NOW, .now = NOW};

	return apply(p, &e);
}

static struct person somebody(enum person_state state, int64_t mails)
{
	struct person p = {
		.state = state, .mails = mails, .intent_mails = -1, .changed = NOW - HOUR};

	p.reason = REASON_RETRY;
	return p;
}

/* An open intent of so many hours ago, by Google's clock and by ours. */
static struct person unconfirmed(int64_t mails, int64_t hours)
{
	struct person p = somebody(PERSON_UNCONFIRMED, mails);

	p.intent_at = NOW - hours * HOUR;
	p.intent_date = NOW - hours * HOUR;
	p.intent_mails = mails;
	return p;
}

static void what_google_shows_moves_each_state_as_far_as_it_proves(void **state)
{
	static const struct {
		enum person_state before;
		int64_t known;
		enum invitation_state shown;
		int64_t mails;
		enum person_state after;
	} rows[] = {
		/* No mail was sent yet: INVITED and later is the work of another sender. */
		{PERSON_QUEUED, -1, INVITATION_NOT_YET_SENT, 0, PERSON_QUEUED},
		{PERSON_QUEUED, -1, INVITATION_INVITED, 1, PERSON_INVITED},
		{PERSON_QUEUED, 0, INVITATION_ACCEPTED, 1, PERSON_ACCEPTED},
		{PERSON_QUEUED, 0, INVITATION_DECLINED, 1, PERSON_DECLINED},
		{PERSON_HELD, 0, INVITATION_INVITED, 1, PERSON_INVITED},
		{PERSON_FAILED, 0, INVITATION_INVITED, 1, PERSON_INVITED},
		{PERSON_NOT_INVITABLE, -1, INVITATION_ACCEPTED, 1, PERSON_ACCEPTED},
		/* Answers of the invited. */
		{PERSON_INVITED, 1, INVITATION_INVITED, 1, PERSON_INVITED},
		{PERSON_INVITED, 1, INVITATION_ACCEPTED, 1, PERSON_ACCEPTED},
		{PERSON_INVITED, 1, INVITATION_DECLINED, 1, PERSON_DECLINED},
		/* NOT_YET_SENT after the mail: cancelled elsewhere, if the reading is younger. */
		{PERSON_INVITED, 1, INVITATION_NOT_YET_SENT, 1, PERSON_CANCELLED},
		{PERSON_INVITED, 1, INVITATION_NOT_YET_SENT, 0, PERSON_INVITED},
		/* A final state stays, unless a mail came later. */
		{PERSON_ACCEPTED, 1, INVITATION_INVITED, 2, PERSON_ACCEPTED},
		{PERSON_ACCEPTED, 1, INVITATION_DECLINED, 1, PERSON_ACCEPTED},
		{PERSON_DECLINED, 1, INVITATION_INVITED, 1, PERSON_DECLINED},
		{PERSON_DECLINED, 1, INVITATION_INVITED, 2, PERSON_INVITED},
		{PERSON_DECLINED, 1, INVITATION_ACCEPTED, 1, PERSON_ACCEPTED},
		{PERSON_CANCELLED, 1, INVITATION_INVITED, 1, PERSON_CANCELLED},
		{PERSON_CANCELLED, 1, INVITATION_INVITED, 2, PERSON_INVITED},
		{PERSON_CANCELLED, 1, INVITATION_ACCEPTED, 1, PERSON_ACCEPTED},
		/* A state of a later version changes nothing. */
		{PERSON_INVITED, 1, INVITATION_OTHER, 1, PERSON_INVITED},
		{PERSON_QUEUED, 0, INVITATION_UNSPECIFIED, 0, PERSON_QUEUED},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct person p = somebody(rows[n].before, rows[n].known);
		struct meaning meaning = see(&p, rows[n].shown, rows[n].mails);

		if (p.state != rows[n].after)
			print_message("# row %zu: %s\n", n, person_state_word(p.state));
		assert_int_equal(p.state, rows[n].after);
		assert_true(meaning.changed || rows[n].before == rows[n].after);
		assert_null(meaning.journal);
		if (p.state != rows[n].before)
			assert_int_equal(p.next_attempt, 0);
	}
}

static void a_cancelled_invitation_shows_by_its_age_when_its_count_lags(void **state)
{
	struct person p = somebody(PERSON_INVITED, 1);

	(void)state;
	p.intent_date = NOW - 71 * HOUR;
	see(&p, INVITATION_NOT_YET_SENT, 0);
	assert_int_equal(p.state, PERSON_INVITED);
	p.intent_date = NOW - 72 * HOUR;
	see(&p, INVITATION_NOT_YET_SENT, 0);
	assert_int_equal(p.state, PERSON_CANCELLED);
	assert_string_equal(person_reason_word(&p), "elsewhere");
}

static void only_invited_or_a_higher_count_resolves_an_intent_early(void **state)
{
	struct person p = unconfirmed(0, 1);
	struct meaning meaning = see(&p, INVITATION_INVITED, 1);

	(void)state;
	assert_int_equal(p.state, PERSON_INVITED);
	assert_string_equal(meaning.journal, "resolved_sent");
	assert_int_equal(p.our_mails, 1);
	assert_int_equal(p.intent_at, 0);

	p = unconfirmed(0, 1);
	meaning = see(&p, INVITATION_NOT_YET_SENT, 0);
	assert_int_equal(p.state, PERSON_UNCONFIRMED);
	assert_null(meaning.journal);
	assert_int_equal(p.next_attempt, NOW + HOUR);

	p = unconfirmed(-1, 1);
	see(&p, INVITATION_NOT_YET_SENT, 1);
	assert_int_equal(p.state, PERSON_UNCONFIRMED);
}

static void a_higher_count_resolves_even_what_was_cancelled_meanwhile(void **state)
{
	struct person p = unconfirmed(1, 1);
	struct meaning meaning = see(&p, INVITATION_NOT_YET_SENT, 2);

	(void)state;
	assert_int_equal(p.state, PERSON_CANCELLED);
	assert_int_equal(p.our_mails, 1);
	assert_string_equal(meaning.journal, "resolved_sent");
}

static void after_72_hours_an_unchanged_known_count_frees_the_person(void **state)
{
	struct person p = unconfirmed(0, 71);
	struct meaning meaning;

	(void)state;
	see(&p, INVITATION_NOT_YET_SENT, 0);
	assert_int_equal(p.state, PERSON_UNCONFIRMED);
	p = unconfirmed(0, 72);
	meaning = see(&p, INVITATION_NOT_YET_SENT, 0);
	assert_int_equal(p.state, PERSON_QUEUED);
	assert_int_equal(p.next_attempt, NOW);
	assert_int_equal(p.intent_at, 0);
	assert_string_equal(meaning.journal, "resolved_unsent");
}

static void after_72_hours_anything_else_is_held(void **state)
{
	static const struct {
		int64_t noted;
		bool shown;
		enum invitation_state state;
		int64_t mails;
	} rows[] = {
		{-1, true, INVITATION_NOT_YET_SENT, 0},
		{0, false, INVITATION_UNSPECIFIED, 0},
		{1, true, INVITATION_NOT_YET_SENT, 0},
		{0, true, INVITATION_OTHER, 0},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct person p = unconfirmed(rows[n].noted, 80);
		const struct evidence e = {.shown = rows[n].shown,
			.state = rows[n].state,
			.mails = rows[n].mails,
			.date = NOW,
			.now = NOW};

		struct meaning meaning = apply(&p, &e);

		assert_int_equal(p.state, PERSON_HELD);
		assert_string_equal(person_reason_word(&p), "unconfirmed");
		assert_null(meaning.journal);
		/* Held, but a mail that is shown still resolves it. */
		meaning = see(&p, INVITATION_INVITED, 1);
		assert_int_equal(p.state, PERSON_INVITED);
		assert_string_equal(meaning.journal, "resolved_sent");
	}
}

static void without_googles_clock_no_person_is_queued_again(void **state)
{
	struct person p = unconfirmed(0, 80);
	const struct evidence e = {
		.shown = true, .state = INVITATION_NOT_YET_SENT, .date = 0, .now = NOW};

	(void)state;
	(void)apply(&p, &e);
	assert_int_equal(p.state, PERSON_HELD);
}

static void our_clock_does_not_count_where_googles_is_known(void **state)
{
	struct person p = unconfirmed(0, 1);

	(void)state;
	p.intent_at = NOW - 1000 * HOUR;
	see(&p, INVITATION_NOT_YET_SENT, 0);
	assert_int_equal(p.state, PERSON_UNCONFIRMED);
	assert_true(p.next_attempt > NOW);
}

static void a_host_clock_that_has_jumped_cancels_nobody(void **state)
{
	struct person p = somebody(PERSON_INVITED, 1);

	(void)state;
	p.intent_date = NOW - HOUR;
	p.changed = NOW - HOUR * 24 * 365 * 10;
	see(&p, INVITATION_NOT_YET_SENT, 0);
	assert_int_equal(p.state, PERSON_INVITED);
}

static void where_googles_clock_was_not_known_the_time_begins_with_its_first_word(void **state)
{
	struct person p = unconfirmed(0, 1000);

	(void)state;
	p.intent_date = 0;
	see(&p, INVITATION_NOT_YET_SENT, 0);
	assert_int_equal(p.state, PERSON_UNCONFIRMED);
	assert_int_equal(p.intent_date, NOW);
	p.intent_date = NOW + 1000 * HOUR; /* from another clock */
	see(&p, INVITATION_NOT_YET_SENT, 0);
	assert_int_equal(p.intent_date, NOW);
	p.intent_date = NOW - 72 * HOUR;
	see(&p, INVITATION_NOT_YET_SENT, 0);
	assert_int_equal(p.state, PERSON_QUEUED);
}

static void an_unconfirmed_person_is_looked_at_soon_whatever_our_clock_has_done(void **state)
{
	static const int64_t jumps[] = {
		-HOUR * 24 * 365 * 10, -HOUR * 24, -60, 0, 60, HOUR * 24, HOUR * 24 * 365 * 10};
	struct person p = unconfirmed(0, 0);

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(jumps); n++) {
		int64_t due = evidence_next_check(&p, NOW + jumps[n]);

		assert_true(due > NOW + jumps[n]);
		assert_true(due <= NOW + jumps[n] + 25 * HOUR);
	}
}

static void mails_of_others_are_told_from_ours_and_from_old_ones(void **state)
{
	static const struct {
		int64_t known, intent_at;
		enum invitation_state shown;
		int64_t mails, hours; /* since `updated`; -1: unknown */
		bool elsewhere;
	} rows[] = {
		{-1, 0, INVITATION_INVITED, 1, 1, true},
		{-1, 0, INVITATION_INVITED, 1, 73, false}, /* others like it would be shown */
		{-1, 0, INVITATION_INVITED, 1, -1, false},
		{-1, 0, INVITATION_ACCEPTED, 1, 1, false}, /* the mail may be years old */
		{-1, 0, INVITATION_NOT_YET_SENT, 0, 1, false},
		{0, 0, INVITATION_INVITED, 1, 1, true}, {0, 0, INVITATION_INVITED, 1, -1, true},
		{0, 0, INVITATION_ACCEPTED, 1, 1, true},
		{1, 0, INVITATION_INVITED, 1, 1, false}, /* ours */
		{1, 0, INVITATION_INVITED, 2, 1, true},
		{0, NOW - HOUR, INVITATION_INVITED, 1, 1, false}, /* an open intent's */
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct person p = somebody(PERSON_QUEUED, rows[n].known);
		const struct evidence e = {.shown = true,
			.state = rows[n].shown,
			.mails = rows[n].mails,
			.updated = rows[n].hours < 0 ? 0 : NOW - rows[n].hours * HOUR,
			.date = NOW,
			.now = NOW};

		p.intent_at = rows[n].intent_at;
		if (evidence_mailed_elsewhere(&p, &e) != rows[n].elsewhere)
			print_message("# row %zu\n", n);
		assert_int_equal(evidence_mailed_elsewhere(&p, &e), rows[n].elsewhere);
	}
}

static void a_resend_is_resolved_by_the_count_alone(void **state)
{
	struct person p = unconfirmed(1, 1);

	(void)state;
	p.resend = true;
	see(&p, INVITATION_DECLINED, 1);
	assert_int_equal(p.state, PERSON_UNCONFIRMED);
	see(&p, INVITATION_INVITED, 2);
	assert_int_equal(p.state, PERSON_INVITED);
	assert_int_equal(p.our_mails, 1);
	assert_false(p.resend);
}

static void an_unconfirmed_person_is_looked_at_ever_less_often(void **state)
{
	struct person p = unconfirmed(0, 0);
	int64_t now = NOW, last = 0;
	int looks = 0;

	(void)state;
	for (; now < NOW + 72 * HOUR; looks++) {
		int64_t due = evidence_next_check(&p, now);

		assert_true(due > now);
		assert_true(due - now >= last || looks == 0);
		last = due - now < 12 * HOUR ? due - now : 12 * HOUR;
		now = due;
	}
	assert_in_range(looks, 5, 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_google_shows_moves_each_state_as_far_as_it_proves),
		cmocka_unit_test(a_cancelled_invitation_shows_by_its_age_when_its_count_lags),
		cmocka_unit_test(only_invited_or_a_higher_count_resolves_an_intent_early),
		cmocka_unit_test(a_higher_count_resolves_even_what_was_cancelled_meanwhile),
		cmocka_unit_test(after_72_hours_an_unchanged_known_count_frees_the_person),
		cmocka_unit_test(after_72_hours_anything_else_is_held),
		cmocka_unit_test(without_googles_clock_no_person_is_queued_again),
		cmocka_unit_test(our_clock_does_not_count_where_googles_is_known),
		cmocka_unit_test(a_host_clock_that_has_jumped_cancels_nobody),
		cmocka_unit_test(
			where_googles_clock_was_not_known_the_time_begins_with_its_first_word),
		cmocka_unit_test(
			an_unconfirmed_person_is_looked_at_soon_whatever_our_clock_has_done),
		cmocka_unit_test(mails_of_others_are_told_from_ours_and_from_old_ones),
		cmocka_unit_test(a_resend_is_resolved_by_the_count_alone),
		cmocka_unit_test(an_unconfirmed_person_is_looked_at_ever_less_often),
	};

	return cmocka_run_group_tests_name("invite", tests, NULL, NULL);
}
