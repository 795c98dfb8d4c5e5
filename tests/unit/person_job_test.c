/* SPDX-License-Identifier: Apache-2.0 */
/* A job that gets its answers: claimed, check, get, permit, send, cancel. */
#include "person_rows.h"

#define HOLDS(rows) person_rows_hold(rows, ARRAY_SIZE(rows))

static void what_a_claimed_person_needs_first_depends_on_the_state(void **state)
{
	static const struct person_row rows[] = {
		{"never checked", "queued first_check next=now", "claimed", "", "action=check"},
		{"checked just now", "queued retry next=now checked=now", "claimed", "",
			"action=send"},
		{"checked almost a day ago", "queued retry next=now checked=now-86399", "claimed",
			"", "action=send"},
		{"checked a day ago", "queued retry next=now checked=now-86400", "claimed", "",
			"action=check"},
		{"checked by a clock that was ahead", "queued retry next=now checked=now+1",
			"claimed", "", "action=check"},
		{"orphaned while another job had the person",
			"queued retry next=now orphaned=today-1d orphan=mapped", "claimed",
			"gone mapped next=0",
			"store audit=decision cause='the last account is gone'"},
		{"never had an account", "queued approved next=now orphaned=today-1d", "claimed",
			"", "action=check"},
		{"unconfirmed",
			"unconfirmed unconfirmed next=now intent=now-60 date=google-60 imails=0",
			"claimed", "", "action=get"},
		{"invited, to be looked at", "invited sent next=now date=google-1d", "claimed", "",
			"action=get"},
		{"the account was removed",
			"invited account_removed next=now ours=1 orphaned=today "
			"orphan=account_removed",
			"claimed | cancel_on_delete", "", "action=cancel"},
		{"the account was removed, and another one has come since",
			"invited account_removed next=now ours=1", "claimed | cancel_on_delete",
			"invited account_removed next=0", "store"},
		{"the account was removed, but others have mailed",
			"invited account_removed next=now orphaned=today orphan=account_removed",
			"claimed | cancel_on_delete", "invited account_removed next=0", "store"},
		{"the account was removed, but the settings keep the invitation",
			"invited account_removed next=now ours=1 orphaned=today "
			"orphan=account_removed",
			"claimed", "invited account_removed next=0", "store"},
		{"the program ended during the send",
			"sending sending next=now-1h intent=now-1h date=google-1h mails=0 imails=0 "
			"attempts=3",
			"claimed", "unconfirmed interrupted next=now+1h priority=retry",
			"store outcome=unconfirmed audit=unconfirmed "
			"cause='the program ended during the send'"},
	};

	(void)state;
	HOLDS(rows);
}

static void states_of_which_nothing_is_to_be_done_end_a_job_at_once(void **state)
{
	static const char *const people[] = {"not_invitable not_invitable", "accepted answered",
		"declined answered", "cancelled elsewhere", "held dry_run",
		"held unconfirmed intent=now-4d", "failed fault fault=bad",
		"gone excluded orphaned=today orphan=excluded", ""};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(people); n++)
		person_rows_hold(&(struct person_row){people[n], people[n], "claimed", "", ""}, 1);
}

/* Whatever the state is: it was asked for by name. */
static void an_administrators_job_begins_with_a_check(void **state)
{
	static const struct person_row rows[] = {
		{"held", "held dry_run", "claimed manual", "", "action=check"},
		{"queued and checked", "queued retry next=now checked=now", "claimed manual", "",
			"action=check"},
		{"invited", "invited sent ours=1", "claimed manual resend", "invited sent resend",
			"action=check"},
		{"a resend that was approved becomes a send", "queued approved next=now resend",
			"claimed manual", "queued approved resend=no", "action=check"},
		{"an orphan", "gone excluded orphaned=today orphan=excluded", "claimed manual", "",
			"action=check"},
	};

	(void)state;
	HOLDS(rows);
}

static void a_check_leads_to_get_or_to_not_invitable(void **state)
{
	static const struct person_row rows[] = {
		{"invitable", "queued first_check next=now", "checked invitable", "", "action=get"},
		{"not", "queued retry next=now attempts=2 fault=slow mails=0", "checked",
			"not_invitable not_invitable next=0 attempts=0 fault= mails=-1",
			"store audit=decision cause='check: not invitable'"},
		{"not, but mailed by others", "queued first_check next=now mails=1", "checked",
			"not_invitable not_invitable next=0",
			"store audit=decision cause='check: not invitable'"},
		{"not, of an approved resend", "queued approved next=now mails=1 resend", "checked",
			"not_invitable not_invitable next=0 resend=no",
			"store audit=decision cause='check: not invitable'"},
		{"not, of a person sent to by name", "held manual", "checked manual",
			"not_invitable not_invitable",
			"store audit=decision cause='check: not invitable'"},
		{"not, of an administrator's resend: the record stays",
			"invited sent mails=1 ours=1 resend",
			"checked manual | | invited sent mails=1 ours=1", "invited sent resend=no",
			"refusal=not_invitable"},
	};

	(void)state;
	HOLDS(rows);
}

static void get_shows_that_a_person_may_be_invited(void **state)
{
	static const struct person_row rows[] = {
		{"not shown", "queued first_check next=now", "got",
			"queued first_check checked=now", "action=send"},
		{"not sent yet, after failures", "queued retry next=now attempts=4 fault=slow",
			"got shows=NOT_YET_SENT mails=0",
			"queued retry checked=now mails=0 attempts=0 fault=", "action=send"},
		{"not sent yet, mailed once and withdrawn", "queued retry next=now",
			"got shows=NOT_YET_SENT mails=1", "queued retry checked=now mails=1",
			"action=send"},
		{"a count that lags", "queued retry next=now mails=2",
			"got shows=NOT_YET_SENT mails=1", "queued retry checked=now",
			"action=send"},
		{"of a person who is held, by name", "held dry_run", "got manual",
			"held dry_run checked=now", "action=send"},
		{"a state of a later version", "queued first_check next=now",
			"got shows=SOMETHING mails=3", "held unknown_state next=0 mails=3",
			"store audit=held cause='get: a state that this version does not know'"},
		{"a state that is not said", "queued first_check next=now",
			"got shows=STATE_UNSPECIFIED mails=0", "held unknown_state next=0 mails=0",
			"store audit=held cause='get: a state that this version does not know'"},
		{"a state of a later version, approved", "queued approved next=now approved",
			"got shows=SOMETHING mails=0", "queued approved mails=0 checked=now",
			"action=send"},
		{"a state of a later version, by name", "held unknown_state mails=0",
			"got manual shows=SOMETHING mails=0", "held unknown_state checked=now",
			"action=send"},
		{"not shown, in a reply that holds a state", "queued first_check next=now",
			"got hides=SOMETHING", "queued first_check checked=now", "action=send"},
	};

	(void)state;
	HOLDS(rows);
}

static void get_shows_that_it_is_too_late(void **state)
{
	static const struct person_row rows[] = {
		{"declined", "queued first_check next=now fault=slow attempts=1",
			"got shows=DECLINED mails=1",
			"declined answered next=0 mails=1 fault= attempts=0",
			"store audit=declined cause='get: Google shows DECLINED, 1 mail'"},
		{"invited", "queued first_check next=now", "got shows=INVITED mails=1",
			"invited by_others next=0 mails=1 date=google",
			"store audit=decision cause='get: Google shows INVITED, 1 mail'"},
		{"invited, of an orphan who is sent to by name",
			"gone excluded orphaned=today orphan=excluded mails=0",
			"got manual shows=INVITED mails=1", "invited by_others mails=1 date=google",
			"store audit=decision cause='get: Google shows INVITED, 1 mail'"},
		{"declined, of an orphan who is sent to by name",
			"gone excluded orphaned=today orphan=excluded",
			"got manual shows=DECLINED mails=1", "declined answered mails=1",
			"store audit=declined cause='get: Google shows DECLINED, 1 mail'"},
		{"accepted", "queued first_check next=now", "got shows=ACCEPTED mails=2",
			"accepted answered next=0 mails=2",
			"store audit=accepted cause='get: Google shows ACCEPTED, 2 mails'"},
		{"invited, of a person sent to by name", "held manual",
			"got manual shows=DECLINED mails=0", "declined answered mails=0",
			"store audit=declined cause='get: Google shows DECLINED, 0 mails'"},
	};

	(void)state;
	HOLDS(rows);
}

static void a_resend_counts_the_mails_and_goes_on(void **state)
{
	static const struct person_row rows[] = {
		{"invited as before", "invited sent mails=1 ours=1 date=google-9d resend",
			"got manual shows=INVITED mails=3", "invited sent mails=3 checked=now",
			"action=send"},
		{"declined as before", "declined answered mails=2 resend",
			"got manual shows=DECLINED mails=1", "declined answered checked=now",
			"action=send"},
		{"not shown", "cancelled elsewhere mails=1 resend",
			"got manual hides=ACCEPTED mails=9", "cancelled elsewhere checked=now",
			"action=send"},
		{"approved after it was never confirmed",
			"queued approved approved next=now mails=1 resend",
			"got shows=INVITED mails=1", "queued approved checked=now", "action=send"},
		{"unconfirmed before",
			"unconfirmed unconfirmed next=now intent=now-1h date=google-1h mails=0 "
			"imails=0 resend",
			"got manual shows=NOT_YET_SENT mails=0",
			"unconfirmed unconfirmed checked=now", "action=send"},
		{"unconfirmed before, and accepted by now",
			"unconfirmed unconfirmed next=now intent=now-1h date=google-1h mails=0 "
			"imails=0 resend",
			"got manual shows=ACCEPTED mails=1",
			"accepted answered next=0 intent=0 date=0 imails=-1 mails=1 ours=1 "
			"resend=no",
			"store outcome=resolved_sent audit=accepted "
			"cause='get: Google shows ACCEPTED, 1 mail'"},
		{"managed by now", "invited sent mails=1 ours=1 resend",
			"got manual shows=ACCEPTED mails=1", "accepted answered resend=no",
			"store audit=accepted cause='get: Google shows ACCEPTED, 1 mail'"},
		{"managed by now, and an earlier send was never confirmed",
			"unconfirmed unconfirmed next=now intent=now-1d date=google-1d mails=1 "
			"imails=1 ours=1 resend",
			"got manual shows=ACCEPTED mails=1 | | unconfirmed unconfirmed next=now "
			"intent=now-1d date=google-1d mails=1 imails=1 ours=1",
			"accepted answered next=0 intent=0 date=0 imails=-1 ours=2 resend=no",
			"store outcome=resolved_sent audit=accepted cause='get: Google shows "
			"ACCEPTED, 1 mail'"},
		{"managed by now, and an earlier resend was never confirmed",
			"unconfirmed unconfirmed next=now intent=now-1d date=google-1d mails=1 "
			"imails=1 ours=1 resend",
			"got manual shows=ACCEPTED mails=1",
			"accepted answered next=0 intent=0 date=0 imails=-1 resend=no",
			"store audit=accepted cause='get: Google shows ACCEPTED, 1 mail'"},
		{"managed by now, and the count confirms the earlier resend",
			"unconfirmed unconfirmed next=now intent=now-1d date=google-1d mails=1 "
			"imails=1 ours=1 resend",
			"got manual shows=ACCEPTED mails=2",
			"accepted answered next=0 intent=0 date=0 mails=2 imails=-1 ours=2 "
			"resend=no",
			"store outcome=resolved_sent audit=accepted cause='get: Google shows "
			"ACCEPTED, 2 mails'"},
		{"managed by now, and the count at the earlier resend is not known",
			"unconfirmed unconfirmed next=now intent=now-1d date=google-1d mails=1 "
			"imails=-1 ours=1 resend",
			"got manual shows=ACCEPTED mails=2",
			"accepted answered next=0 intent=0 date=0 mails=2 resend=no",
			"store audit=accepted cause='get: Google shows ACCEPTED, 2 mails'"},
		{"managed by now, as it was known", "accepted answered mails=1 resend",
			"got manual shows=ACCEPTED mails=1", "accepted answered resend=no",
			"store cause='get'"},
	};

	(void)state;
	HOLDS(rows);
}

static void get_tells_what_became_of_a_mail(void **state)
{
	static const struct person_row rows[] = {
		{"a resolved send",
			"unconfirmed unconfirmed next=now intent=now-60 date=google-60 "
			"imails=0 mails=0 attempts=1 fault=cut",
			"got shows=INVITED mails=1",
			"invited resolved next=0 intent=0 imails=-1 mails=1 ours=1 attempts=0 "
			"fault=",
			"store outcome=resolved_sent audit=resolved "
			"cause='get: Google shows INVITED, 1 mail'"},
		{"nothing new",
			"unconfirmed unconfirmed next=now intent=now-60 date=google-60 imails=0 "
			"mails=0 attempts=1 fault=cut",
			"got", "unconfirmed unconfirmed next=now+14m attempts=0 fault=",
			"store cause='get'"},
		{"the invited: as before",
			"invited sent next=now mails=1 ours=1 attempts=2 fault=slow",
			"got shows=INVITED mails=1",
			"invited sent next=0 attempts=0 fault=", "store cause='get'"},
		{"the invited: declined", "invited sent next=now mails=1 ours=1 date=google-1d",
			"got shows=DECLINED mails=1", "declined answered next=0 date=0",
			"store audit=declined cause='get: Google shows DECLINED, 1 mail'"},
	};

	(void)state;
	HOLDS(rows);
}

/* ---- permit ---- */

static void without_a_permit_the_rules_say_whether_it_is_waited_for(void **state)
{
	static const struct person_row rows[] = {
		{"yes", "queued first_check next=now mails=0 checked=now", "permit", "",
			"action=send"},
		{"held", "queued first_check next=now mails=0 checked=now", "permit | dry_run",
			"held dry_run next=0",
			"store audit=held cause='may be invited; held: dry_run'"},
		{"deferred", "queued first_check next=now mails=0 checked=now",
			"permit | window_opens=now+5h", "queued send_window next=now+5h",
			"store audit=decision cause='may be invited; waits: send_window'"},
		{"the block list is asked with the permit", "queued first_check next=now",
			"permit | blocked", "", "action=send"},
		{"deferred and blocked", "queued first_check next=now mails=0 checked=now",
			"permit | blocked sent_today=50", "held blocked next=0",
			"store audit=decision cause='may be invited; waits: daily_limit'"},
		{"an administrator is told: the count", "held max_mails mails=1 checked=now",
			"permit manual | | held max_mails", "held max_mails", "refusal=max_mails"},
		{"an administrator is told: the day", "held dry_run checked=now",
			"permit manual | sent_today=50 | held dry_run", "held dry_run",
			"refusal=daily_limit"},
		{"an administrator is told: reconcile", "held dry_run checked=now",
			"permit manual | reconciling | held dry_run", "held dry_run",
			"refusal=reconcile"},
		{"an administrator waits for it, too", "held dry_run checked=now", "permit manual",
			"", "action=send"},
	};

	(void)state;
	HOLDS(rows);
}

static void with_a_permit_the_intent_is_committed_before_the_send(void **state)
{
	static const struct person_row rows[] = {
		{"queued", "queued first_check next=now-5 mails=0 checked=now", "permit granted",
			"sending sending next=now intent=now date=google imails=0",
			"action=send store outcome=begun cause='send: begun'"},
		{"Google's clock was never heard", "queued first_check next=now checked=now",
			"permit granted google=0", "sending sending intent=now imails=-1",
			"action=send store outcome=begun cause='send: begun'"},
		{"by name, for a reason", "held dry_run checked=now mails=0",
			"permit granted manual text='new hire'",
			"sending sending next=now intent=now date=google imails=0",
			"action=send store outcome=begun cause='send: begun: new hire'"},
		{"a resend", "invited sent mails=2 ours=1 date=google-9d checked=now resend",
			"permit granted manual text=lost",
			"sending sending next=now intent=now date=google imails=2",
			"action=send store outcome=begun cause='send: begun: lost'"},
		{"a resend after an unconfirmed send",
			"unconfirmed unconfirmed next=now+1h intent=now-1h date=google-1h mails=1 "
			"imails=0 checked=now resend",
			"permit granted manual",
			"sending sending next=now intent=now date=google imails=1",
			"action=send store outcome=begun cause='send: begun'"},
		{"a resend is stronger than the block list", "declined answered mails=1 resend",
			"permit granted manual | blocked",
			"sending sending next=now intent=now date=google imails=1",
			"action=send store outcome=begun cause='send: begun'"},
		{"an approved resend is so, too",
			"queued approved approved next=now mails=1 resend",
			"permit granted | blocked",
			"sending sending intent=now date=google imails=1",
			"action=send store outcome=begun cause='send: begun'"},
		{"no longer permitted", "queued first_check next=now checked=now mails=0",
			"permit granted | sent_today=50", "queued daily_limit next=now+16h",
			"store audit=decision cause='may be invited; waits: daily_limit'"},
		{"blocked meanwhile", "queued first_check next=now checked=now",
			"permit granted | blocked", "held blocked next=0",
			"store audit=held cause='blocked before the send'"},
		{"blocked meanwhile, by name", "held dry_run checked=now mails=0",
			"permit granted manual | blocked | held dry_run mails=-1", "held dry_run",
			"refusal=blocked"},
		{"orphaned meanwhile",
			"queued first_check next=now checked=now orphaned=today orphan=excluded",
			"permit granted", "gone excluded next=0",
			"store audit=decision cause='the last account is gone'"},
		{"orphaned before an approved resend",
			"queued approved approved next=now resend orphaned=today orphan=mapped",
			"permit granted", "gone mapped next=0 resend=no",
			"store audit=decision cause='the last account is gone'"},
		{"orphaned, by name", "gone excluded checked=now orphaned=today orphan=excluded",
			"permit granted manual",
			"sending sending next=now intent=now date=google imails=-1",
			"action=send store outcome=begun cause='send: begun'"},
	};

	(void)state;
	HOLDS(rows);
}

/* ---- send, cancel ---- */

#define SENDING "sending sending next=now intent=now-9 date=google-9 "

static void a_send_is_confirmed_or_not(void **state)
{
	static const struct person_row rows[] = {
		{"done, without a count", SENDING "imails=-1 attempts=2 fault=slow",
			"sent confirmed date=google",
			"invited sent next=0 intent=0 date=google attempts=0 fault= mails=1 ours=1",
			"store outcome=sent audit=invited cause='send: done'"},
		{"done, the second mail of all", SENDING "imails=1 mails=1",
			"sent confirmed mails=2",
			"invited sent next=0 intent=0 date=google imails=-1 mails=2 ours=1",
			"store outcome=sent audit=invited cause='send: done'"},
		{"done, and others mailed", SENDING "imails=0 mails=0", "sent confirmed mails=3",
			"invited sent next=0 intent=0 date=google imails=-1 mails=3 ours=1",
			"store outcome=sent audit=invited cause='send: done'"},
		{"done, with a count that lags", SENDING "imails=2 mails=2",
			"sent confirmed mails=2",
			"invited sent next=0 intent=0 date=google imails=-1 mails=3 ours=1",
			"store outcome=sent audit=invited cause='send: done'"},
		{"done, at a time that is not said", SENDING "imails=0 mails=0",
			"sent confirmed date=0",
			"invited sent next=0 intent=0 imails=-1 mails=1 ours=1",
			"store outcome=sent audit=invited cause='send: done'"},
		{"a resend is done", SENDING "imails=1 mails=1 ours=1 resend",
			"sent confirmed mails=2",
			"invited sent next=0 intent=0 date=google imails=-1 mails=2 ours=2 "
			"resend=no",
			"store outcome=sent audit=invited cause='send: done'"},
		{"accepted, but not confirmed", SENDING "imails=0 mails=0 attempts=2",
			"sent mails=1",
			"unconfirmed unconfirmed next=now+51 attempts=0 fault=not_done "
			"fault_text='Google accepted the invitation, but did not confirm that it "
			"was sent' "
			"priority=retry",
			"store outcome=unconfirmed audit=unconfirmed cause='send: Google accepted "
			"the "
			"invitation, but did not confirm that it was sent'"},
	};

	(void)state;
	HOLDS(rows);
}

static void a_cancelled_invitation_is_noted(void **state)
{
	static const struct person_row rows[] = {
		{"cancelled",
			"invited account_removed next=now mails=1 ours=1 attempts=1 fault=slow",
			"cancelled | cancel_on_delete",
			"cancelled deleted next=0 attempts=0 fault=",
			"store audit=cancelled cause='cancel: the account is gone'"},
	};

	(void)state;
	HOLDS(rows);
}

/* ---- whether it is still the job's ---- */

static void a_job_keeps_a_person_that_no_other_program_has_taken_over(void **state)
{
	static const struct {
		const char *job, *stored;
		bool same;
		const char *taken_over;
	} rows[] = {
		{"queued retry next=1", "queued retry next=1", true, ""},
		{"queued retry", "queued approved approved", true, "queued retry approved"},
		{"queued retry approved", "queued retry", true, ""},
		{"queued retry", "queued retry first_day=5 orphaned=today orphan=mapped", true,
			"queued retry first_day=5 orphaned=today orphan=mapped"},
		{"queued retry orphaned=today orphan=mapped", "queued retry", true,
			"queued retry orphaned=0 orphan="},
		{"queued retry", "queued retry mails=5 attempts=3 checked=now resend", true, ""},
		{"sending sending intent=5", "sending sending intent=5", true, ""},
		{"sending sending intent=5", "unconfirmed interrupted intent=5", true, ""},
		{"unconfirmed interrupted intent=5", "sending sending intent=5", false, ""},
		{"sending sending intent=5", "sending sending intent=6", false, ""},
		{"sending sending intent=5", "invited resolved", false, ""},
		{"sending sending intent=5", "held unconfirmed intent=5", false, ""},
		{"queued retry", "held blocked", false, ""},
		{"queued retry", "unconfirmed unconfirmed", false, ""},
		{"invited sent", "unconfirmed unconfirmed", false, ""},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct person p = row_person(rows[n].job), stored = row_person(rows[n].stored),
			      wanted = row_person(
				      rows[n].taken_over[0] ? rows[n].taken_over : rows[n].job);
		char got_text[1024], wanted_text[1024];

		if (person_still_claimed(&p, &stored) != rows[n].same)
			fail_msg("row %zu: %s", n, rows[n].job);
		row_describe(&p, got_text, sizeof(got_text));
		row_describe(&wanted, wanted_text, sizeof(wanted_text));
		assert_string_equal(got_text, wanted_text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_claimed_person_needs_first_depends_on_the_state),
		cmocka_unit_test(states_of_which_nothing_is_to_be_done_end_a_job_at_once),
		cmocka_unit_test(an_administrators_job_begins_with_a_check),
		cmocka_unit_test(a_check_leads_to_get_or_to_not_invitable),
		cmocka_unit_test(get_shows_that_a_person_may_be_invited),
		cmocka_unit_test(get_shows_that_it_is_too_late),
		cmocka_unit_test(a_resend_counts_the_mails_and_goes_on),
		cmocka_unit_test(get_tells_what_became_of_a_mail),
		cmocka_unit_test(without_a_permit_the_rules_say_whether_it_is_waited_for),
		cmocka_unit_test(with_a_permit_the_intent_is_committed_before_the_send),
		cmocka_unit_test(a_send_is_confirmed_or_not),
		cmocka_unit_test(a_cancelled_invitation_is_noted),
		cmocka_unit_test(a_job_keeps_a_person_that_no_other_program_has_taken_over),
	};

	return cmocka_run_group_tests_name("person: jobs", tests, NULL, NULL);
}
