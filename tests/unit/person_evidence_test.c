/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I7, I8, I12 (docs/design.md, "Invariants"). */
/* What Google shows, and what it proves. */
#include "person_rows.h"

#define HOLDS(rows) person_rows_hold(rows, ARRAY_SIZE(rows))
#define HOUR	    INT64_C(3600)

#define SHOWN(what) "store audit=" what

static void what_google_shows_makes_of_each_state_what_it_can_prove(void **state)
{
	static const struct person_row rows[] = {
		/* No mail of ours yet: INVITED and later is the work of others. */
		{"queued, not sent", "queued retry next=now", "observed shows=NOT_YET_SENT mails=0",
			"queued retry mails=0", "store"},
		{"queued, of an unknown state", "queued retry next=now mails=0",
			"observed shows=SOMETHING mails=0", "", ""},
		{"queued, of an unsaid state", "queued retry next=now mails=0",
			"observed shows=STATE_UNSPECIFIED mails=0", "", ""},
		{"queued, invited", "queued retry next=now", "observed shows=INVITED mails=1",
			"invited by_others next=0 mails=1 date=google",
			SHOWN("decision cause='Google shows INVITED, 1 mail'")},
		{"queued, accepted", "queued retry next=now mails=0",
			"observed shows=ACCEPTED mails=2", "accepted answered next=0 mails=2",
			SHOWN("accepted cause='Google shows ACCEPTED, 2 mails'")},
		{"queued, declined", "queued retry next=now mails=0 attempts=1 fault=slow",
			"observed shows=DECLINED mails=1",
			"declined answered next=0 mails=1 attempts=0 fault=",
			SHOWN("declined cause='Google shows DECLINED, 1 mail'")},
		{"queued to be sent to again, invited",
			"queued approved approved next=now mails=1 resend",
			"observed shows=INVITED mails=1",
			"invited by_others next=0 date=google resend=no",
			SHOWN("decision cause='Google shows INVITED, 1 mail'")},
		{"held, invited", "held dry_run mails=0", "observed shows=INVITED mails=1",
			"invited by_others mails=1 date=google",
			SHOWN("decision cause='Google shows INVITED, 1 mail'")},
		{"held, declined", "held max_mails mails=1", "observed shows=DECLINED mails=1",
			"declined answered",
			SHOWN("declined cause='Google shows DECLINED, 1 mail'")},
		{"failed, invited", "failed fault fault=bad mails=0",
			"observed shows=INVITED mails=1",
			"invited by_others mails=1 date=google fault=",
			SHOWN("decision cause='Google shows INVITED, 1 mail'")},
		{"not invitable, accepted", "not_invitable not_invitable",
			"observed shows=ACCEPTED mails=1", "accepted answered mails=1",
			SHOWN("accepted cause='Google shows ACCEPTED, 1 mail'")},
		/* What became of the invited. */
		{"invited, accepted", "invited sent mails=1 date=google-1d",
			"observed shows=ACCEPTED mails=1", "accepted answered date=0",
			SHOWN("accepted cause='Google shows ACCEPTED, 1 mail'")},
		{"invited, declined", "invited account_removed next=now mails=1 date=google-1d",
			"observed shows=DECLINED mails=1", "declined answered next=0 date=0",
			SHOWN("declined cause='Google shows DECLINED, 1 mail'")},
		{"invited, another mail", "invited sent mails=1 ours=1",
			"observed shows=INVITED mails=2", "invited sent mails=2", "store"},
		{"invited, a lower count", "invited sent mails=2", "observed shows=INVITED mails=1",
			"", ""},
		/* What is final stays, unless a mail came later. */
		{"accepted, declined", "accepted answered mails=1",
			"observed shows=DECLINED mails=1", "", ""},
		{"accepted, invited again", "accepted answered mails=1",
			"observed shows=INVITED mails=2", "accepted answered mails=2", "store"},
		{"declined, invited as before", "declined answered mails=1",
			"observed shows=INVITED mails=1", "", ""},
		{"declined, invited again", "declined answered mails=1",
			"observed shows=INVITED mails=2", "invited by_others mails=2 date=google",
			SHOWN("decision cause='Google shows INVITED, 2 mails'")},
		{"declined, with a count that was never known", "declined answered",
			"observed shows=INVITED mails=1", "declined answered mails=1", "store"},
		{"declined at a count of none, invited", "declined answered mails=0",
			"observed shows=INVITED mails=1", "invited by_others mails=1 date=google",
			SHOWN("decision cause='Google shows INVITED, 1 mail'")},
		{"declined, declined", "declined answered mails=1",
			"observed shows=DECLINED mails=1", "", ""},
		{"declined, accepted", "declined answered mails=1",
			"observed shows=ACCEPTED mails=1", "accepted answered",
			SHOWN("accepted cause='Google shows ACCEPTED, 1 mail'")},
		{"cancelled, invited as before", "cancelled elsewhere mails=1",
			"observed shows=INVITED mails=1", "", ""},
		{"cancelled, invited again", "cancelled elsewhere mails=1 date=google-9d",
			"observed shows=INVITED mails=2", "invited by_others mails=2 date=google",
			SHOWN("decision cause='Google shows INVITED, 2 mails'")},
		{"cancelled, declined", "cancelled by_admin mails=1",
			"observed shows=DECLINED mails=1", "declined answered",
			SHOWN("declined cause='Google shows DECLINED, 1 mail'")},
	};

	(void)state;
	HOLDS(rows);
}

static void an_invitation_is_withdrawn_if_the_reading_is_younger_than_the_mail(void **state)
{
	static const struct person_row rows[] = {
		{"it counts the mail", "invited sent next=now mails=1 date=google-1m",
			"observed shows=NOT_YET_SENT mails=1", "cancelled elsewhere next=0",
			SHOWN("cancelled cause='Google shows NOT_YET_SENT, 1 mail'")},
		{"it counts more", "invited sent mails=1 date=google-1m",
			"observed shows=NOT_YET_SENT mails=2", "cancelled elsewhere mails=2",
			SHOWN("cancelled cause='Google shows NOT_YET_SENT, 2 mails'")},
		{"it counts less", "invited sent mails=2 date=google-1m",
			"observed shows=NOT_YET_SENT mails=1", "", ""},
		{"it counts none, of none", "invited by_others mails=0 date=google-1m",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"almost 72 hours", "invited sent mails=1 date=google-259199",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"72 hours by Google's clock", "invited sent mails=1 date=google-72h",
			"observed shows=NOT_YET_SENT mails=0", "cancelled elsewhere",
			SHOWN("cancelled cause='Google shows NOT_YET_SENT, 0 mails'")},
		{"the time of the mail is not known", "invited sent mails=1",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"Google's clock is not known", "invited sent mails=1 date=google-72h",
			"observed shows=NOT_YET_SENT mails=0 date=0", "", ""},
	};

	(void)state;
	HOLDS(rows);
}

#define UNCONFIRMED "unconfirmed unconfirmed next=now attempts=1 fault=cut "
#define RESOLVED    "intent=0 imails=-1 attempts=0 fault= "

static void only_invited_or_a_higher_count_resolves_an_intent_early(void **state)
{
	static const struct person_row rows[] = {
		{"invited", UNCONFIRMED "intent=now-1h date=google-1h mails=0 imails=0",
			"observed shows=INVITED mails=1",
			"invited resolved next=0 mails=1 ours=1 " RESOLVED,
			"store outcome=resolved_sent audit=resolved "
			"cause='Google shows INVITED, 1 mail'"},
		{"a count is enough, and withdrawn since",
			UNCONFIRMED "intent=now-1h date=google-1h mails=1 imails=1",
			"observed shows=NOT_YET_SENT mails=2",
			"cancelled elsewhere next=0 mails=2 ours=1 " RESOLVED,
			"store outcome=resolved_sent audit=cancelled "
			"cause='Google shows NOT_YET_SENT, 2 mails'"},
		{"accepted", UNCONFIRMED "intent=now-1h date=google-1h mails=0 imails=0",
			"observed shows=ACCEPTED mails=0",
			"accepted answered next=0 date=0 ours=1 " RESOLVED,
			"store outcome=resolved_sent audit=accepted "
			"cause='Google shows ACCEPTED, 0 mails'"},
		{"declined", UNCONFIRMED "intent=now-1h date=google-1h mails=0 imails=0",
			"observed shows=DECLINED mails=1",
			"declined answered next=0 date=0 mails=1 ours=1 " RESOLVED,
			"store outcome=resolved_sent audit=declined "
			"cause='Google shows DECLINED, 1 mail'"},
		{"found in the middle of the send",
			"sending sending next=now intent=now-1h date=google-1h mails=0 imails=0",
			"observed shows=INVITED mails=1",
			"invited resolved next=0 mails=1 ours=1 intent=0 imails=-1",
			"store outcome=resolved_sent audit=resolved "
			"cause='Google shows INVITED, 1 mail'"},
		{"a request that may still leave proves nothing unsent",
			"sending sending next=now intent=now-90h date=google-90h mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"held as never confirmed",
			"held unconfirmed intent=now-90h date=google-90h mails=0 imails=0",
			"observed shows=INVITED mails=1",
			"invited resolved mails=1 ours=1 intent=0 imails=-1",
			"store outcome=resolved_sent audit=resolved "
			"cause='Google shows INVITED, 1 mail'"},
		{"the same count", UNCONFIRMED "intent=now-1h date=google-1h mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"unconfirmed unconfirmed next=now+1h", "store"},
		{"a count where none was known", UNCONFIRMED "intent=now-1h date=google-1h",
			"observed shows=NOT_YET_SENT mails=1",
			"unconfirmed unconfirmed next=now+1h mails=1", "store"},
		{"the same count of none where none was noted",
			UNCONFIRMED "intent=now-1h date=google-1h mails=1 imails=0",
			"observed shows=NOT_YET_SENT mails=1",
			"cancelled elsewhere next=0 ours=1 " RESOLVED,
			"store outcome=resolved_sent audit=cancelled "
			"cause='Google shows NOT_YET_SENT, 1 mail'"},
		{"not shown, in a reply that holds a state",
			UNCONFIRMED "intent=now-1h date=google-1h mails=0 imails=0",
			"observed hides=INVITED mails=1", "unconfirmed unconfirmed next=now+1h",
			"store"},
	};

	(void)state;
	HOLDS(rows);
}

static void at_a_resend_only_the_count_resolves(void **state)
{
	static const struct person_row rows[] = {
		{"declined, as before",
			UNCONFIRMED "intent=now-1h date=google-1h mails=1 imails=1 resend",
			"observed shows=DECLINED mails=1", "unconfirmed unconfirmed next=now+1h",
			"store"},
		{"invited, as before",
			UNCONFIRMED "intent=now-1h date=google-1h mails=1 imails=1 resend",
			"observed shows=INVITED mails=1", "unconfirmed unconfirmed next=now+1h",
			"store"},
		{"a higher count",
			UNCONFIRMED "intent=now-1h date=google-1h mails=1 imails=1 resend",
			"observed shows=DECLINED mails=2",
			"declined answered next=0 date=0 mails=2 ours=1 resend=no " RESOLVED,
			"store outcome=resolved_sent audit=declined "
			"cause='Google shows DECLINED, 2 mails'"},
		{"held", "held unconfirmed intent=now-90h date=google-90h mails=1 imails=1 resend",
			"observed shows=DECLINED mails=1", "", ""},
		{"unsent", UNCONFIRMED "intent=now-72h date=google-72h mails=0 imails=0 resend",
			"observed shows=NOT_YET_SENT mails=0",
			"queued resolved_unsent date=0 priority=retry resend=no " RESOLVED,
			"store outcome=resolved_unsent audit=resolved "
			"cause='Google shows NOT_YET_SENT, 0 mails'"},
	};

	(void)state;
	HOLDS(rows);
}

static void after_72_hours_of_google_an_unchanged_known_count_queues_the_person(void **state)
{
	static const struct person_row rows[] = {
		{"72 hours", UNCONFIRMED "intent=now-72h date=google-72h mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0 at=now+3",
			"queued resolved_unsent next=now+3 date=0 priority=retry " RESOLVED,
			"store outcome=resolved_unsent audit=resolved "
			"cause='Google shows NOT_YET_SENT, 0 mails'"},
		{"a second less",
			UNCONFIRMED "intent=now-1000h date=google-259199 mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"unconfirmed unconfirmed next=now+6h", "store"},
		{"the host's clock does not count",
			UNCONFIRMED "intent=now-1h date=google-72h mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"queued resolved_unsent date=0 priority=retry " RESOLVED,
			"store outcome=resolved_unsent audit=resolved "
			"cause='Google shows NOT_YET_SENT, 0 mails'"},
	};

	(void)state;
	HOLDS(rows);
}

static void after_72_hours_anything_else_is_held(void **state)
{
	static const struct person_row rows[] = {
		{"no count was noted", UNCONFIRMED "intent=now-72h date=google-72h mails=0",
			"observed shows=NOT_YET_SENT mails=0", "held unconfirmed next=0",
			"store audit=held cause='Google shows NOT_YET_SENT, 0 mails'"},
		{"not shown", UNCONFIRMED "intent=now-72h date=google-72h mails=0 imails=0",
			"observed hides=NOT_YET_SENT mails=0", "held unconfirmed next=0",
			"store audit=held cause='Google does not show the person'"},
		{"a lower count", UNCONFIRMED "intent=now-72h date=google-72h mails=1 imails=1",
			"observed shows=NOT_YET_SENT mails=0", "held unconfirmed next=0",
			"store audit=held cause='Google shows NOT_YET_SENT, 0 mails'"},
		{"an unknown state", UNCONFIRMED "intent=now-72h date=google-72h mails=0 imails=0",
			"observed shows=SOMETHING mails=0", "held unconfirmed next=0",
			"store audit=held cause='Google shows OTHER, 0 mails'"},
		{"Google's clock is not known: 72 hours of the host's",
			UNCONFIRMED "intent=now-72h mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0 date=0", "held unconfirmed next=0",
			"store audit=held cause='Google shows NOT_YET_SENT, 0 mails'"},
		{"Google's clock was known at the intent only",
			UNCONFIRMED "intent=now-72h date=google-72h mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0 date=0", "held unconfirmed next=0",
			"store audit=held cause='Google shows NOT_YET_SENT, 0 mails'"},
		{"a second less of the host's", UNCONFIRMED "intent=now-259199 mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0 date=0",
			"unconfirmed unconfirmed next=now+301", "store"},
	};

	(void)state;
	HOLDS(rows);
}

static void an_intent_takes_the_first_date_of_google(void **state)
{
	static const struct person_row rows[] = {
		{"none was known", UNCONFIRMED "intent=now-1000h mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"unconfirmed unconfirmed next=now+6h date=google", "store"},
		{"another clock was ahead",
			UNCONFIRMED "intent=now-1h date=google+1 mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"unconfirmed unconfirmed next=now+1h date=google", "store"},
		{"the same", UNCONFIRMED "intent=now-1h date=google mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"unconfirmed unconfirmed next=now+1h", "store"},
		{"held", "held unconfirmed intent=now-90h mails=0 imails=0",
			"observed shows=NOT_YET_SENT mails=0", "held unconfirmed date=google",
			"store"},
		{"of a mail that is proved", UNCONFIRMED "intent=now-1h mails=0 imails=0",
			"observed shows=INVITED mails=1",
			"invited resolved next=0 mails=1 ours=1 date=google " RESOLVED,
			"store outcome=resolved_sent audit=resolved "
			"cause='Google shows INVITED, 1 mail'"},
	};

	(void)state;
	HOLDS(rows);
}

/* ---- mails of others ---- */

static void mails_of_others_are_told_from_ours_and_from_old_ones(void **state)
{
	static const struct {
		const char *before, *event;
		bool elsewhere;
	} rows[] = {
		{"queued retry", "observed shows=INVITED mails=1 updated=google-1h", true},
		{"queued retry", "observed shows=INVITED mails=1 updated=google-259199", true},
		{"queued retry", "observed shows=INVITED mails=1 updated=google-72h", false},
		{"queued retry", "observed shows=INVITED mails=1", false},
		{"queued retry", "observed shows=ACCEPTED mails=1 updated=google-1h", false},
		{"queued retry", "observed shows=NOT_YET_SENT mails=0 updated=google-1h", false},
		{"queued retry mails=0", "observed shows=INVITED mails=1 updated=google-1h", true},
		{"queued retry mails=0", "observed shows=INVITED mails=1", true},
		{"queued retry mails=0", "observed shows=ACCEPTED mails=1 updated=google-1h", true},
		{"queued retry mails=0", "observed shows=ACCEPTED mails=1 updated=google-72h",
			false},
		{"queued retry mails=0", "observed shows=NOT_YET_SENT mails=0", false},
		{"invited sent mails=1", "observed shows=INVITED mails=1 updated=google-1h", false},
		{"invited sent mails=1", "observed shows=INVITED mails=2 updated=google-1h", true},
		{"queued retry mails=0", "observed shows=INVITED mails=1 date=0", false},
		{"queued retry mails=0", "observed hides=INVITED mails=1", false},
		{"unconfirmed unconfirmed mails=0 intent=now-1h",
			"observed shows=INVITED mails=1 updated=google-1h", false},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct person p = row_person(rows[n].before);
		struct person_event e = row_event(rows[n].event, &p);

		if (evidence_mailed_elsewhere(&p, &e.evidence) != rows[n].elsewhere)
			fail_msg("row %zu: %s, %s", n, rows[n].before, rows[n].event);
	}
}

/* ---- when it is looked at ---- */

static void an_unconfirmed_person_is_checked_ever_less_often(void **state)
{
	static const int64_t checks[] = {60, HOUR / 4, 2 * HOUR, 12 * HOUR, 24 * HOUR, 48 * HOUR,
		72 * HOUR + 300, 78 * HOUR + 300, 84 * HOUR + 300};
	struct person p = row_person("unconfirmed unconfirmed intent=now");
	int64_t now = ROW_NOW;

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(checks); n++) {
		int64_t next = ROW_NOW + checks[n];

		assert_int_equal(evidence_next_check(&p, now), next);
		if (checks[n] <= 72 * HOUR + 300)
			assert_int_equal(evidence_next_check(&p, next - 1), next);
		now = next;
	}
}

static void a_clock_that_was_ahead_does_not_delay_a_check_for_long(void **state)
{
	struct person p = row_person("unconfirmed unconfirmed intent=now+1");

	(void)state;
	assert_int_equal(evidence_next_check(&p, ROW_NOW), ROW_NOW + 2 * HOUR);
	assert_int_equal(evidence_next_check(&p, ROW_NOW - 90000 * HOUR), ROW_NOW - 89998 * HOUR);
	assert_int_equal(evidence_next_check(&p, ROW_NOW + 1), ROW_NOW + 61);
	assert_int_equal(evidence_next_check(&p, ROW_NOW + 90000 * HOUR), ROW_NOW + 90006 * HOUR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_google_shows_makes_of_each_state_what_it_can_prove),
		cmocka_unit_test(
			an_invitation_is_withdrawn_if_the_reading_is_younger_than_the_mail),
		cmocka_unit_test(only_invited_or_a_higher_count_resolves_an_intent_early),
		cmocka_unit_test(at_a_resend_only_the_count_resolves),
		cmocka_unit_test(
			after_72_hours_of_google_an_unchanged_known_count_queues_the_person),
		cmocka_unit_test(after_72_hours_anything_else_is_held),
		cmocka_unit_test(an_intent_takes_the_first_date_of_google),
		cmocka_unit_test(mails_of_others_are_told_from_ours_and_from_old_ones),
		cmocka_unit_test(an_unconfirmed_person_is_checked_ever_less_often),
		cmocka_unit_test(a_clock_that_was_ahead_does_not_delay_a_check_for_long),
	};

	return cmocka_run_group_tests_name("person: evidence", tests, NULL, NULL);
}
