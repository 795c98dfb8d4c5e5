/* SPDX-License-Identifier: Apache-2.0 */
/* The administrator's events, and what the rules refuse. */
#include "person_rows.h"

#define HOLDS(rows) person_rows_hold(rows, ARRAY_SIZE(rows))

static void approve_queues_the_held(void **state)
{
	static const struct person_row rows[] = {
		{"dry run", "held dry_run attempts=2 priority=retry checked=now-1h mails=0",
			"approved", "queued approved next=now approved attempts=0 priority=new",
			"store cause=approved"},
		{"approved before", "held blocked approved", "approved", "queued approved next=now",
			"store cause=approved"},
		{"never confirmed: the whole way again",
			"held unconfirmed intent=now-4d date=google-4d imails=0 mails=0 "
			"checked=now-1h "
			"fault=cut",
			"approved",
			"queued approved next=now approved intent=0 date=0 imails=-1 checked=0",
			"store cause=approved"},
		{"a resend that was never confirmed",
			"held unconfirmed intent=now-4d date=google-4d imails=1 mails=1 ours=1 "
			"resend",
			"approved", "queued approved next=now approved intent=0 date=0 imails=-1",
			"store cause=approved"},
		{"approved in dry run", "held dry_run approved", "approved text='in dry run'",
			"queued approved next=now", "store cause='in dry run'"},
		{"blocked", "held dry_run", "approved | blocked", "held blocked approved",
			"store cause=approved"},
		{"never confirmed, and orphaned meanwhile",
			"held unconfirmed intent=now-4d date=google-4d orphaned=today "
			"orphan=mapped",
			"approved", "gone mapped intent=0 date=0", "store cause=approved"},
		{"a resend that was never confirmed, and orphaned meanwhile",
			"held unconfirmed intent=now-4d orphaned=today orphan=mapped resend",
			"approved", "gone mapped intent=0 resend=no", "store cause=approved"},
		{"the limit of mails", "held max_mails mails=1", "approved", "",
			"refusal=max_mails"},
		{"not held", "queued retry next=now", "approved", "", "refusal=not_held"},
		{"invited", "invited sent", "approved", "", "refusal=not_held"},
		{"unknown", "", "approved", "", "refusal=not_held"},
	};

	(void)state;
	HOLDS(rows);
}

static void retry_queues_the_failed_and_the_not_invitable(void **state)
{
	static const struct person_row rows[] = {
		{"failed", "failed fault fault=bad attempts=2 checked=now", "retried",
			"queued retried next=now fault= attempts=0 checked=0 priority=retry",
			"store cause='queued again'"},
		{"not invitable", "not_invitable not_invitable", "retried",
			"queued retried next=now priority=retry", "store cause='queued again'"},
		{"queued", "queued retry next=now+1h attempts=5 fault=slow", "retried",
			"queued retried next=now fault= attempts=0 priority=retry",
			"store cause='queued again'"},
		{"failed, and blocked", "failed fault fault=bad", "retried | blocked",
			"held blocked fault= priority=retry", "store cause='queued again'"},
		{"failed, and orphaned", "failed fault fault=bad orphaned=today orphan=mapped",
			"retried", "gone mapped fault= priority=retry",
			"store cause='queued again'"},
		{"held", "held dry_run", "retried", "", "refusal=not_failed"},
		{"invited", "invited sent", "retried", "", "refusal=not_failed"},
		{"unknown", "", "retried", "", "refusal=not_failed"},
	};

	(void)state;
	HOLDS(rows);
}

static void a_send_by_name_is_refused_to_the_mailed(void **state)
{
	static const struct person_row rows[] = {
		{"unknown", "", "send_requested", "held manual discovered",
			"store cause='send: requested by an administrator'"},
		{"queued", "queued retry next=now", "send_requested", "", ""},
		{"held", "held dry_run", "send_requested", "", ""},
		{"not invitable", "not_invitable not_invitable", "send_requested", "", ""},
		{"failed", "failed fault fault=bad", "send_requested", "", ""},
		{"gone", "gone mapped orphaned=today orphan=mapped", "send_requested", "", ""},
		{"a send is under way", "sending sending next=now intent=now", "send_requested", "",
			"refusal=busy"},
		{"unconfirmed", "unconfirmed unconfirmed next=now intent=now", "send_requested", "",
			"refusal=unconfirmed"},
		{"never confirmed", "held unconfirmed intent=now-4d", "send_requested", "",
			"refusal=never_confirmed"},
		{"invited", "invited sent", "send_requested", "", "refusal=invited"},
		{"accepted", "accepted answered", "send_requested", "", "refusal=accepted"},
		{"declined", "declined answered", "send_requested", "", "refusal=declined"},
		{"cancelled", "cancelled elsewhere", "send_requested", "", "refusal=cancelled"},
		{"blocked", "", "send_requested | blocked", "", "refusal=blocked"},
		{"blocked and invited", "invited sent", "send_requested | blocked", "",
			"refusal=blocked"},
		{"blocked in the middle of a send", "sending sending next=now intent=now",
			"send_requested | blocked", "", "refusal=blocked"},
		{"reconcile in the middle of a send", "sending sending next=now intent=now",
			"send_requested | reconciling", "", "refusal=reconcile"},
		{"reconcile comes first", "invited sent", "send_requested | blocked reconciling",
			"", "refusal=reconcile"},
	};

	(void)state;
	HOLDS(rows);
}

static void a_resend_is_refused_only_while_a_send_is_under_way(void **state)
{
	static const char *const people[] = {"queued retry next=now", "not_invitable not_invitable",
		"unconfirmed unconfirmed next=now intent=now", "invited sent", "accepted answered",
		"declined answered", "cancelled by_admin", "held max_mails",
		"held unconfirmed intent=now", "failed fault fault=bad",
		"gone mapped orphaned=today orphan=mapped"};
	static const struct person_row rows[] = {
		{"a send is under way", "sending sending next=now intent=now",
			"send_requested resend", "", "refusal=busy"},
		{"unknown", "", "send_requested resend | blocked reconciling",
			"held manual discovered",
			"store cause='send: requested by an administrator'"},
	};

	(void)state;
	HOLDS(rows);
	for (size_t n = 0; n < ARRAY_SIZE(people); n++)
		person_rows_hold(&(struct person_row){people[n], people[n],
					 "send_requested resend | blocked reconciling", "", ""},
			1);
}

static void a_cancelled_invitation_is_over(void **state)
{
	static const struct person_row rows[] = {
		{"invited", "invited sent mails=1 ours=1 date=google-1d",
			"cancelled_by_admin text=left", "cancelled by_admin date=0",
			"store audit=cancelled cause='cancel: left'"},
		{"without a text", "queued retry next=now", "cancelled_by_admin",
			"cancelled by_admin next=0", "store audit=cancelled cause=cancel"},
		{"with an empty text", "queued retry next=now", "cancelled_by_admin text=",
			"cancelled by_admin next=0", "store audit=cancelled cause=cancel"},
		{"an unconfirmed resend",
			"unconfirmed unconfirmed next=now intent=now date=google imails=1 mails=1 "
			"resend",
			"cancelled_by_admin text=left",
			"cancelled by_admin next=0 intent=0 date=0 imails=-1 resend=no",
			"store audit=cancelled cause='cancel: left'"},
		{"a send is under way", "sending sending next=now intent=now", "cancelled_by_admin",
			"", "refusal=busy"},
		{"unknown", "", "cancelled_by_admin", "", ""},
	};

	(void)state;
	HOLDS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(approve_queues_the_held),
		cmocka_unit_test(retry_queues_the_failed_and_the_not_invitable),
		cmocka_unit_test(a_send_by_name_is_refused_to_the_mailed),
		cmocka_unit_test(a_resend_is_refused_only_while_a_send_is_under_way),
		cmocka_unit_test(a_cancelled_invitation_is_over),
	};

	return cmocka_run_group_tests_name("person: administrator", tests, NULL, NULL);
}
