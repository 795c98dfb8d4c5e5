/* SPDX-License-Identifier: Apache-2.0 */
/* A job that fails: later, of unknown effect, refused as a whole, rejected. */
#include "person_rows.h"

#include <string.h>

#include "base/str.h"

#define HOLDS(rows) person_rows_hold(rows, ARRAY_SIZE(rows))

#define SENDING "sending sending next=now-9 intent=now-9 date=google-9 mails=0 imails=0 "
#define UNCONFIRMED \
	"unconfirmed unconfirmed next=now intent=now-60 date=google-60 mails=0 imails=0 "

static void what_may_pass_is_tried_again_later(void **state)
{
	static const struct person_row rows[] = {
		{"a check", "queued first_check next=now priority=background",
			"failed kind=transient code=503 call=check",
			"queued retry next=now+24 attempts=1 priority=retry fault=503",
			"store audit=retry cause='check: text of 503'"},
		{"a get, after other failures", "queued retry next=now attempts=2 fault=slow",
			"failed kind=transient code=503 call=get",
			"queued retry next=now+96 attempts=3 priority=retry fault=503",
			"store audit=retry cause='get: text of 503'"},
		{"not before Google allows it", "queued retry next=now",
			"failed kind=transient code=503 call=check retry_after=600",
			"queued retry next=now+600 attempts=1 priority=retry fault=503",
			"store audit=retry cause='check: text of 503'"},
		{"a send that surely had no effect", SENDING "checked=now attempts=1 fault=slow",
			"failed kind=transient code=503 call=send | | queued first_check "
			"next=now-60 "
			"attempts=2 fault=slow mails=-1",
			"queued retry next=now+96 attempts=3 priority=retry fault=503 intent=0 "
			"date=0 "
			"imails=-1",
			"store outcome=refused audit=retry cause='send: text of 503'"},
		{"the look for a mail", UNCONFIRMED "attempts=1 fault=cut",
			"failed kind=transient code=503 call=get",
			"unconfirmed unconfirmed next=now+48 attempts=2 priority=retry fault=503",
			"store audit=retry cause='get: text of 503'"},
		{"a cancel", "invited account_removed next=now ours=1 mails=1",
			"failed kind=transient code=503 call=cancel",
			"invited account_removed next=now+24 attempts=1 priority=retry fault=503",
			"store audit=retry cause='cancel: text of 503'"},
		{"an ambiguous question", "queued first_check next=now",
			"failed kind=ambiguous code=cut call=check retry_after=100",
			"queued retry next=now+100 attempts=1 priority=retry fault=cut",
			"store audit=retry cause='check: text of cut'"},
		{"orphaned meanwhile", "queued first_check next=now orphaned=today orphan=unmapped",
			"failed kind=transient code=503 call=check",
			"gone unmapped next=0 attempts=1 priority=retry fault=503",
			"store audit=retry cause='check: text of 503'"},
		{"blocked meanwhile", "queued first_check next=now",
			"failed kind=transient code=503 call=check | blocked",
			"held blocked next=0 attempts=1 priority=retry fault=503",
			"store audit=retry cause='check: text of 503'"},
	};

	(void)state;
	HOLDS(rows);
}

static void an_administrators_failed_job_leaves_the_person_as_it_was(void **state)
{
	static const struct person_row rows[] = {
		{"before the send", "held dry_run mails=0 checked=now",
			"failed manual kind=transient code=503 call=get | | held dry_run",
			"held dry_run", ""},
		{"of a resend", "invited sent mails=2 resend",
			"failed manual kind=transient code=503 call=check | | invited sent mails=1 "
			"attempts=1 fault=old",
			"invited sent resend=no attempts=1 fault=old", ""},
		{"a send that surely had no effect", SENDING "checked=now",
			"failed manual kind=transient code=503 call=send | | held dry_run",
			"held dry_run next=0 intent=0 date=0 imails=-1",
			"store outcome=refused cause='send: certainly without effect'"},
		{"a send of a person who was known by name only", SENDING "discovered",
			"failed manual kind=transient code=503 call=send | | held manual "
			"discovered",
			"held manual discovered next=0 intent=0 date=0 imails=-1",
			"store outcome=refused cause='send: certainly without effect'"},
		{"known by name only, and the first account came meanwhile", SENDING,
			"failed manual kind=transient code=503 call=send | | held manual "
			"discovered priority=retry",
			"queued first_check next=now intent=0 date=0 imails=-1 priority=new",
			"store outcome=refused cause='send: certainly without effect'"},
		{"known by name only, the first account came meanwhile, and nothing is stored",
			"queued retry next=now",
			"failed manual kind=transient code=503 call=get | | held manual discovered",
			"held manual next=0", ""},
		{"held for the dry run, and the first account came meanwhile", SENDING,
			"failed manual kind=transient code=503 call=send | | held dry_run "
			"discovered",
			"held dry_run next=0 intent=0 date=0 imails=-1",
			"store outcome=refused cause='send: certainly without effect'"},
		{"held for a changed address, and the first account came meanwhile", SENDING,
			"failed manual kind=transient code=503 call=send | | held address_changed "
			"address_changed priority=retry",
			"queued first_check next=now intent=0 date=0 imails=-1 priority=new",
			"store outcome=refused cause='send: certainly without effect'"},
		{"held for a changed address", SENDING "address_changed",
			"failed manual kind=transient code=503 call=send | | held address_changed "
			"address_changed",
			"held address_changed next=0 intent=0 date=0 imails=-1",
			"store outcome=refused cause='send: certainly without effect'"},
		{"approved, and the approval ended with its account", SENDING,
			"failed kind=setup code=bad call=send | | queued approved approved "
			"next=now-9 "
			"priority=retry",
			"queued first_check next=now intent=0 date=0 imails=-1 priority=new",
			"store outcome=refused cause='send: certainly without effect'"},
		{"approved", SENDING "approved",
			"failed kind=setup code=bad call=send | | queued approved approved "
			"next=now-9",
			"queued approved next=now-9 intent=0 date=0 imails=-1",
			"store outcome=refused cause='send: certainly without effect'"},
		{"a person with accounts from the start", SENDING,
			"failed manual kind=transient code=503 call=send | | not_invitable "
			"not_invitable",
			"not_invitable not_invitable next=0 intent=0 date=0 imails=-1",
			"store outcome=refused cause='send: certainly without effect'"},
		{"discovered, to be sent to, and the first account came meanwhile", SENDING,
			"failed kind=setup code=bad call=send | | queued discovered next=now-9 "
			"discovered priority=background",
			"queued first_check next=now intent=0 date=0 imails=-1 priority=new",
			"store outcome=refused cause='send: certainly without effect'"},
		{"not invitable, and the first account came meanwhile", SENDING,
			"failed manual kind=transient code=503 call=send | | not_invitable "
			"not_invitable discovered",
			"queued first_check next=now intent=0 date=0 imails=-1",
			"store outcome=refused cause='send: certainly without effect'"},
		{"failed, and the first account came meanwhile", SENDING,
			"failed manual kind=transient code=503 call=send | | failed fault "
			"fault=bad "
			"discovered attempts=2",
			"queued first_check next=now intent=0 date=0 imails=-1 fault=bad "
			"attempts=2",
			"store outcome=refused cause='send: certainly without effect'"},
		{"a resend after an unconfirmed send",
			"sending sending next=now intent=now date=google mails=1 imails=1 resend",
			"failed manual kind=transient code=503 call=send | | " UNCONFIRMED,
			"unconfirmed unconfirmed intent=now-60 date=google-60 imails=0 resend=no",
			"store outcome=refused cause='send: certainly without effect'"},
		{"a send that may have had an effect", SENDING,
			"failed manual kind=ambiguous code=cut call=send | | held dry_run",
			"unconfirmed unconfirmed next=now+51 date=google priority=retry fault=cut",
			"store outcome=unconfirmed audit=unconfirmed cause='send: text of cut'"},
		{"a rejected check: the person fails", "held dry_run",
			"control manual scope=person code=bad call=check",
			"failed fault fault=bad attempts=1",
			"store audit=failed cause='check: text of bad'"},
		{"failed before, for another reason", "failed fault fault=old",
			"control manual scope=person code=bad call=check",
			"failed fault fault=bad attempts=1",
			"store audit=failed cause='check: text of bad'"},
		{"failed before, for the same reason", "failed fault fault=bad attempts=1",
			"control manual scope=person code=bad call=check",
			"failed fault attempts=2", "store audit=failed cause='check: text of bad'"},
		{"a rejected resend", "invited sent mails=1 resend",
			"control manual scope=person code=bad call=send | | invited sent",
			"invited sent resend=no", ""},
		{"a rejected send, without a code", SENDING,
			"control manual scope=person call=send | | held dry_run",
			"failed fault next=0 intent=0 date=0 imails=-1 attempts=1 fault=rejected "
			"fault_text='text of '",
			"store outcome=refused audit=failed cause='send: text of '"},
		{"later, says the control call", "held dry_run mails=0",
			"control manual scope=transient code=bad call=get | | held dry_run",
			"held dry_run", ""},
	};

	(void)state;
	HOLDS(rows);
}

static void an_ambiguous_send_is_unconfirmed(void **state)
{
	static const struct person_row rows[] = {
		{"its time counts from its end, not from the intent: the host may have slept",
			"sending sending next=now-5d intent=now-5d date=google-5d mails=0 imails=0",
			"failed kind=ambiguous code=cut call=send",
			"unconfirmed unconfirmed next=now+6h date=google priority=retry fault=cut",
			"store outcome=unconfirmed audit=unconfirmed cause='send: text of cut'"},
		{"if Google's clock is not known then, from the first time that it is",
			"sending sending next=now-5d intent=now-5d date=google-5d mails=0 imails=0",
			"failed kind=ambiguous code=cut call=send google=0",
			"unconfirmed unconfirmed next=now+6h date=0 priority=retry fault=cut",
			"store outcome=unconfirmed audit=unconfirmed cause='send: text of cut'"},
		{"whatever was to happen next", SENDING "attempts=3 fault=slow resend",
			"failed kind=ambiguous code=cut call=send retry_after=5",
			"unconfirmed unconfirmed next=now+51 date=google attempts=0 priority=retry "
			"fault=cut",
			"store outcome=unconfirmed audit=unconfirmed cause='send: text of cut'"},
	};

	(void)state;
	HOLDS(rows);
}

/* The person is not charged; that check and get have been answered is kept. */
static void what_is_not_the_persons_fault_leads_back(void **state)
{
	static const char *const failures[] = {
		"failed kind=transient quota code=q call=get retry_after=60",
		"failed kind=stopped code=s call=get",
		"failed kind=setup code=s call=get",
		"failed kind=credentials code=s call=get",
		"failed kind=settings code=s call=get",
		"failed kind=storage code=s call=get",
		"failed kind=policy code=s call=get",
		"failed kind=none call=get",
		"control scope=setup code=s call=get",
		"released call=get",
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(failures); n++) {
		char event[256], manual[256];
		const struct person_row rows[] = {
			{"a person who was claimed a moment ago",
				"queued first_check next=now attempts=1 fault=slow", event, "", ""},
			{"an unconfirmed send", UNCONFIRMED, event, "", ""},
			{"what is known by now is kept",
				"queued retry next=now mails=3 checked=now approved "
				"first_day=today "
				"orphaned=0 orphan=",
				event, "queued first_check next=now-9 priority=background",
				"store"},
			{"not by an administrator's job", "held dry_run mails=3 checked=now",
				manual, "held dry_run", ""},
			{"a send", SENDING "checked=now approved", event,
				"queued first_check next=now-9 priority=background intent=0 date=0 "
				"imails=-1",
				"store outcome=refused cause='send: certainly without effect'"},
			{"orphaned meanwhile",
				SENDING "checked=now orphaned=today-1d orphan=mapped", event,
				"gone mapped next=0 priority=background intent=0 date=0 imails=-1",
				"store outcome=refused cause='send: certainly without effect'"},
		};

		str_format(event, sizeof(event), "%s", failures[n]);
		person_rows_hold(rows, 2);
		str_format(event, sizeof(event),
			"%s | | queued first_check next=now-9 priority=background", failures[n]);
		str_format(manual, sizeof(manual), "%s manual | | held dry_run", failures[n]);
		person_rows_hold(rows + 2, ARRAY_SIZE(rows) - 2);
	}
}

static void a_rejection_waits_for_the_control_call(void **state)
{
	static const struct person_row rows[] = {
		{"a check", "queued first_check next=now",
			"failed kind=rejected code=bad call=check", "", "action=await_control"},
		{"a send", SENDING, "failed kind=rejected code=bad call=send", "",
			"action=await_control"},
		{"an address that cannot be part of a request", "queued first_check next=now",
			"failed kind=usage code=bad call=check", "", "action=await_control"},
		{"a cancel, by name", "held dry_run",
			"failed manual kind=rejected code=bad call=check", "",
			"action=await_control"},
	};

	(void)state;
	HOLDS(rows);
}

static void the_control_call_tells_what_a_rejection_is_about(void **state)
{
	static const struct person_row rows[] = {
		{"the person", "queued first_check next=now attempts=2",
			"control scope=person code=bad call=check",
			"failed fault next=0 fault=bad attempts=3",
			"store audit=failed cause='check: text of bad'"},
		{"the person, at the send", SENDING "checked=now",
			"control scope=person code=bad call=send",
			"failed fault next=0 fault=bad attempts=1 intent=0 date=0 imails=-1",
			"store outcome=refused audit=failed cause='send: text of bad'"},
		{"the person, in an approved resend",
			"queued approved next=now approved resend mails=1",
			"control scope=person code=bad call=check",
			"failed fault next=0 fault=bad attempts=1 resend=no",
			"store audit=failed cause='check: text of bad'"},
		{"a rejection without a code", "queued first_check next=now",
			"control scope=person call=check",
			"failed fault next=0 attempts=1 fault=rejected fault_text='text of '",
			"store audit=failed cause='check: text of '"},
		{"the fifth of its kind", "queued first_check next=now mails=0 checked=now",
			"control scope=person code=bad call=send breaker | | queued first_check "
			"next=now",
			"queued first_check", "store"},
		{"the fifth of its kind, at the send", SENDING "checked=now",
			"control scope=person code=bad call=send breaker | | queued first_check "
			"next=now",
			"queued first_check next=now intent=0 date=0 imails=-1",
			"store outcome=refused cause='send: certainly without effect'"},
		{"later", "queued first_check next=now",
			"control scope=transient code=bad call=get",
			"queued retry next=now+24 attempts=1 priority=retry fault=bad",
			"store audit=retry cause='get: text of bad'"},
		{"later, not before Google allows it", "queued first_check next=now",
			"control scope=transient code=bad call=get retry_after=77",
			"queued retry next=now+77 attempts=1 priority=retry fault=bad",
			"store audit=retry cause='get: text of bad'"},
	};

	(void)state;
	HOLDS(rows);
}

static void a_rejected_question_about_the_mailed_leaves_them_as_they_are(void **state)
{
	static const struct person_row rows[] = {
		{"invited", "invited sent next=now mails=1 ours=1 attempts=1",
			"control scope=person code=bad call=get", "invited sent next=0 fault=bad",
			"store cause='get: text of bad'"},
		{"a cancel", "invited account_removed next=now mails=1 ours=1",
			"control scope=person code=bad call=cancel breaker",
			"invited account_removed next=0 fault=bad",
			"store cause='cancel: text of bad'"},
		{"unconfirmed", UNCONFIRMED, "control scope=person code=bad call=get",
			"unconfirmed unconfirmed next=now+14m fault=bad",
			"store cause='get: text of bad'"},
		{"unconfirmed for too long",
			"unconfirmed unconfirmed next=now intent=now-72h date=google-72h mails=0 "
			"imails=0",
			"control scope=person code=bad call=get",
			"held unconfirmed next=0 fault=bad",
			"store audit=held cause='get: text of bad'"},
		{"unconfirmed, by Google's clock not yet",
			"unconfirmed unconfirmed next=now intent=now-72h date=google-71h mails=0 "
			"imails=0",
			"control scope=person code=bad call=get",
			"unconfirmed unconfirmed next=now+5m fault=bad",
			"store cause='get: text of bad'"},
		{"a later date of Google's counts",
			"unconfirmed unconfirmed next=now intent=now-9 mails=0 imails=0",
			"control scope=person code=bad call=get date=google-1",
			"unconfirmed unconfirmed next=now+51 date=google fault=bad",
			"store cause='get: text of bad'"},
		{"when Google's clock is doubtful, the later one",
			"unconfirmed unconfirmed next=now intent=now-9 mails=0 imails=0",
			"control scope=person code=bad call=get date=google-4d google=google+1h",
			"unconfirmed unconfirmed next=now+51 date=google+1h fault=bad",
			"store cause='get: text of bad'"},
	};

	(void)state;
	HOLDS(rows);
}

static void a_tripped_breaker_takes_the_charge_back(void **state)
{
	static const struct person_row rows[] = {
		{"of the same rejection", "failed fault fault=bad attempts=2 checked=now-1h",
			"breaker code=bad",
			"queued breaker next=now fault= attempts=0 priority=retry",
			"store cause='breaker: the same rejection for five people'"},
		{"not of another one", "failed fault fault=other", "breaker code=bad", "", ""},
		{"who has not failed", "queued retry next=now fault=bad", "breaker code=bad", "",
			""},
		{"whose last account is gone",
			"failed fault fault=bad orphaned=today orphan=excluded", "breaker code=bad",
			"gone excluded fault= priority=retry",
			"store cause='breaker: the same rejection for five people'"},
		{"who is blocked", "failed fault fault=bad", "breaker code=bad | blocked",
			"held blocked fault= priority=retry",
			"store cause='breaker: the same rejection for five people'"},
	};

	(void)state;
	HOLDS(rows);
}

/* ---- how long ---- */

static int64_t wait_after(int attempts, uint32_t random, int64_t retry_after)
{
	const struct fault fault = {.kind = FAULT_TRANSIENT, .code = "503"};
	struct person p = row_person("queued retry next=now");
	struct person_event e = {.kind = EVENT_FAILED,
		.now = ROW_NOW,
		.random = random,
		.call = ACTION_CHECK,
		.claimed = &p,
		.failed = {.fault = &fault, .retry_after = retry_after}};
	struct send_policy policy = row_policy("");

	p.attempts = attempts;
	return person_step(&p, &e, &policy).next.next_attempt - ROW_NOW;
}

static void failures_in_a_row_wait_ever_longer_up_to_an_hour(void **state)
{
	static const int64_t waits[] = {30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600};

	(void)state;
	for (int n = 0; n < (int)ARRAY_SIZE(waits); n++) {
		int64_t least = waits[n] - waits[n] / 5, most = least + 2 * waits[n] / 5;

		assert_int_equal(wait_after(n, 0, -1), least);
		assert_int_equal(wait_after(n, (uint32_t)(2 * waits[n] / 5), -1), most);
		assert_int_equal(wait_after(n, (uint32_t)(2 * waits[n] / 5) + 1, -1), least);
		assert_in_range(wait_after(n, UINT32_MAX, -1), least, most);
	}
	assert_int_equal(wait_after(100000, 0, -1), 2880);
}

static void retry_after_counts_if_it_is_longer_and_for_a_day_at_most(void **state)
{
	(void)state;
	assert_int_equal(wait_after(0, 0, 0), 24);
	assert_int_equal(wait_after(0, 0, 23), 24);
	assert_int_equal(wait_after(0, 0, 24), 24);
	assert_int_equal(wait_after(0, 0, 25), 25);
	assert_int_equal(wait_after(0, 0, 86399), 86399);
	assert_int_equal(wait_after(0, 0, 86400), 86400);
	assert_int_equal(wait_after(0, 0, 86401), 86400);
	assert_int_equal(wait_after(0, 0, INT64_MAX), 86400);
}

static void texts_that_are_too_long_are_cut(void **state)
{
	struct person p = row_person("queued retry next=now");
	struct person_event e = row_event("control scope=person code=bad call=check", &p);
	struct send_policy policy = row_policy("");
	struct fault fault = *e.control.fault;
	struct person_step step;

	(void)state;
	memset(fault.what, 'x', sizeof(fault.what) - 1);
	e.control.fault = &fault;
	step = person_step(&p, &e, &policy);
	assert_int_equal(strlen(step.cause), strlen("check: ") + 150);
	assert_int_equal(strlen(step.next.fault_text), sizeof(step.next.fault_text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_pass_is_tried_again_later),
		cmocka_unit_test(an_administrators_failed_job_leaves_the_person_as_it_was),
		cmocka_unit_test(an_ambiguous_send_is_unconfirmed),
		cmocka_unit_test(what_is_not_the_persons_fault_leads_back),
		cmocka_unit_test(a_rejection_waits_for_the_control_call),
		cmocka_unit_test(the_control_call_tells_what_a_rejection_is_about),
		cmocka_unit_test(a_rejected_question_about_the_mailed_leaves_them_as_they_are),
		cmocka_unit_test(a_tripped_breaker_takes_the_charge_back),
		cmocka_unit_test(failures_in_a_row_wait_ever_longer_up_to_an_hour),
		cmocka_unit_test(retry_after_counts_if_it_is_longer_and_for_a_day_at_most),
		cmocka_unit_test(texts_that_are_too_long_are_cut),
	};

	return cmocka_run_group_tests_name("person: failures", tests, NULL, NULL);
}
