/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts that come, go and collide; the block list; Google's list. */
#include "person_rows.h"

#define HOLDS(rows) person_rows_hold(rows, ARRAY_SIZE(rows))

static void a_sighting_queues_a_new_person_and_some_others(void **state)
{
	static const struct person_row rows[] = {
		{"new", "", "sighted text='login of ann on web1'", "queued first_check next=now",
			"store cause='login of ann on web1'"},
		{"new, without a text", "", "sighted", "queued first_check next=now",
			"store cause='an account was seen'"},
		{"back", "gone account_removed orphaned=today-9d orphan=account_removed attempts=2",
			"sighted evaluated",
			"queued first_check next=now orphaned=0 orphan= attempts=0",
			"store cause='an account was seen'"},
		{"a collision that is over", "held collision priority=retry", "sighted evaluated",
			"queued first_check next=now priority=new",
			"store cause='an account was seen'"},
		{"only the list had shown the person",
			"held discovered discovered priority=background mails=0", "sighted",
			"queued first_check next=now discovered=no priority=new",
			"store cause='an account was seen'"},
		{"the list had shown the person, and an old account is evaluated again",
			"held discovered discovered priority=background", "sighted evaluated", "",
			""},
		{"a send by name came to nothing", "held manual discovered", "sighted",
			"queued first_check next=now discovered=no",
			"store cause='an account was seen'"},
		{"a send by name came to nothing, and the account was evaluated before",
			"held manual", "sighted evaluated", "queued first_check next=now",
			"store cause='an account was seen'"},
		{"a send by name found no account",
			"not_invitable not_invitable discovered attempts=1", "sighted",
			"queued first_check next=now discovered=no attempts=0",
			"store cause='an account was seen'"},
		{"a send by name found no account, and an old account is evaluated again",
			"not_invitable not_invitable discovered", "sighted evaluated", "", ""},
		{"a send by name was rejected", "failed fault discovered fault=bad", "sighted",
			"queued first_check next=now discovered=no",
			"store cause='an account was seen'"},
		{"a send by name is under way",
			"sending sending next=now intent=now mails=0 discovered", "sighted",
			"sending sending discovered=no", "store"},
		{"a send by name is unclear",
			"unconfirmed unconfirmed next=now intent=now discovered", "sighted",
			"unconfirmed unconfirmed discovered=no", "store"},
		{"a send by name is unclear, and an old account is evaluated again",
			"unconfirmed unconfirmed next=now intent=now discovered",
			"sighted evaluated", "", ""},
		{"a send by name was done", "invited sent ours=1 discovered", "sighted", "", ""},
		{"a discovered person who is queued",
			"queued discovered next=now discovered priority=background", "sighted", "",
			""},
		{"a discovered person who was held for the dry run", "held dry_run discovered",
			"sighted", "", ""},
		{"new, but blocked", "", "sighted | blocked", "held blocked next=0",
			"store cause='an account was seen'"},
	};

	(void)state;
	HOLDS(rows);
}

static void a_sighting_leaves_all_others_alone(void **state)
{
	static const char *const people[] = {"queued retry next=now", "not_invitable not_invitable",
		"sending sending next=now intent=now",
		"unconfirmed unconfirmed next=now intent=now", "invited sent", "accepted answered",
		"declined answered", "cancelled by_admin", "held dry_run", "held max_mails",
		"held unknown_state", "held blocked", "held unconfirmed intent=now",
		"failed fault fault=bad"};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(people); n++)
		person_rows_hold(&(struct person_row){people[n], people[n], "sighted", "", ""}, 1);
}

static void an_account_that_led_elsewhere_before_needs_an_approval(void **state)
{
	static const struct person_row rows[] = {
		{"to an unknown person", "", "sighted evaluated changed text='another address'",
			"queued first_check next=now address_changed priority=background",
			"store cause='another address'"},
		{"to a person who was gone, and approved then",
			"gone mapped orphaned=today-9d orphan=mapped approved",
			"sighted evaluated changed",
			"queued first_check next=now orphaned=0 orphan= approved=no "
			"address_changed "
			"priority=background",
			"store cause='an account was seen'"},
		{"over a collision", "held collision", "sighted evaluated changed",
			"queued first_check next=now address_changed priority=background",
			"store cause='an account was seen'"},
		{"to a person known by name only", "held manual discovered",
			"sighted evaluated changed",
			"queued first_check next=now discovered=no address_changed "
			"priority=background",
			"store cause='an account was seen'"},
		{"to a person found by the list", "held discovered discovered",
			"sighted evaluated changed", "", ""},
		{"to a person without an account at Google",
			"not_invitable not_invitable discovered", "sighted evaluated changed", "",
			""},
		{"to a person with accounts", "queued retry next=now", "sighted evaluated changed",
			"", ""},
		{"to an invited person", "invited sent ours=1", "sighted evaluated changed", "",
			""},
		{"evaluated again", "held address_changed address_changed", "sighted evaluated", "",
			""},
		{"gone and evaluated again",
			"gone unmapped orphaned=today orphan=unmapped address_changed",
			"sighted evaluated",
			"queued first_check next=now orphaned=0 orphan= priority=background",
			"store cause='an account was seen'"},
		{"gone, and the first account comes",
			"gone unmapped orphaned=today orphan=unmapped address_changed", "sighted",
			"queued first_check next=now orphaned=0 orphan= address_changed=no",
			"store cause='an account was seen'"},
		{"held, and the first account comes",
			"held address_changed address_changed priority=background", "sighted",
			"queued first_check next=now address_changed=no priority=new",
			"store cause='an account was seen'"},
		{"queued, and the first account comes",
			"queued first_check next=now address_changed priority=background",
			"sighted", "queued first_check address_changed=no", "store"},
		{"queued in the hands of a job, and another account comes",
			"queued first_check next=now address_changed orphaned=today orphan=mapped",
			"sighted",
			"queued first_check address_changed=no orphaned=0 orphan=", "store"},
		{"queued and evaluated again",
			"queued first_check next=now address_changed priority=background",
			"sighted evaluated", "", ""},
		{"a send under way, and the first account comes",
			"sending sending next=now intent=now mails=0 address_changed", "sighted",
			"sending sending address_changed=no", "store"},
	};

	(void)state;
	HOLDS(rows);
}

static void an_approval_ends_with_the_last_account(void **state)
{
	static const struct person_row rows[] = {
		{"queued", "queued approved approved next=now", "unlinked reason=mapped",
			"gone mapped next=0 approved=no orphaned=today orphan=mapped",
			"store cause='no account leads here any more'"},
		{"queued, in a job's hands", "queued approved approved next=now",
			"unlinked reason=mapped leased",
			"queued approved orphaned=today orphan=mapped", "store"},
		{"not invitable", "not_invitable not_invitable approved",
			"unlinked reason=account_removed",
			"not_invitable not_invitable approved=no orphaned=today "
			"orphan=account_removed",
			"store cause='no account leads here any more'"},
		{"a person who was approved without an account",
			"not_invitable not_invitable approved orphaned=today-1d mails=0",
			"observed shows=NOT_YET_SENT mails=1 | discovered=ignore",
			"not_invitable not_invitable mails=1", "store"},
		{"a person who keeps an account", "held max_mails approved mails=0",
			"observed shows=NOT_YET_SENT mails=1", "held max_mails mails=1", "store"},
	};

	(void)state;
	HOLDS(rows);
}

static void a_linked_person_is_not_an_orphan(void **state)
{
	static const struct person_row rows[] = {
		{"the account is back",
			"accepted answered orphaned=today-1d orphan=account_removed", "linked",
			"accepted answered orphaned=0 orphan=", "store"},
		{"the account of an invited person is back",
			"invited account_removed next=now ours=1 orphaned=today "
			"orphan=account_removed",
			"linked", "invited sent next=0 orphaned=0 orphan=", "store"},
		{"the name is back, of a person who was invited by others",
			"invited renamed next=now orphaned=today orphan=renamed", "linked",
			"invited by_others next=0 orphaned=0 orphan=", "store"},
		{"an invited person who was asked about is back",
			"invited resolved next=now+9 ours=1 orphaned=today orphan=mapped", "linked",
			"invited resolved orphaned=0 orphan=", "store"},
		{"a cancelled person whose name is back",
			"cancelled renamed ours=1 orphaned=today orphan=renamed", "linked",
			"cancelled renamed orphaned=0 orphan=", "store"},
		{"the first account of a person known by name", "held manual orphaned=today-1d",
			"linked", "held manual orphaned=0", "store"},
		{"queued, in a job's hands, and blocked",
			"queued retry next=now orphaned=today orphan=mapped", "linked | blocked",
			"queued retry orphaned=0 orphan=", "store"},
		{"linked already", "queued retry next=now", "linked", "", ""},
		{"unknown", "", "linked", "", ""},
	};

	(void)state;
	HOLDS(rows);
}

static void without_its_last_account_a_person_who_waits_is_gone(void **state)
{
	static const struct person_row rows[] = {
		{"queued", "queued retry next=now",
			"unlinked reason=unmapped text='no longer there'",
			"gone unmapped next=0 orphaned=today orphan=unmapped",
			"store cause='no longer there'"},
		{"queued, without a text", "queued retry next=now", "unlinked reason=excluded",
			"gone excluded next=0 orphaned=today orphan=excluded",
			"store cause='no account leads here any more'"},
		{"queued for a resend that was approved",
			"queued approved approved next=now mails=1 resend",
			"unlinked reason=mapped",
			"gone mapped next=0 approved=no resend=no orphaned=today orphan=mapped",
			"store cause='no account leads here any more'"},
		{"held", "held dry_run orphaned=today-1d", "unlinked reason=forgotten",
			"gone forgotten orphan=forgotten",
			"store cause='no account leads here any more'"},
		{"blocked", "held blocked", "unlinked reason=blocked",
			"gone blocked orphaned=today orphan=blocked",
			"store cause='no account leads here any more'"},
		{"in a job's hands", "queued retry next=now", "unlinked reason=mapped leased",
			"queued retry orphaned=today orphan=mapped", "store"},
		{"may have been mailed", "held unconfirmed intent=now-4d date=google-4d",
			"unlinked reason=mapped", "held unconfirmed orphaned=today orphan=mapped",
			"store"},
		{"a send is under way", "sending sending next=now intent=now",
			"unlinked reason=mapped", "sending sending orphaned=today orphan=mapped",
			"store"},
		{"unconfirmed", "unconfirmed unconfirmed next=now intent=now",
			"unlinked reason=account_removed",
			"unconfirmed unconfirmed orphaned=today orphan=account_removed", "store"},
		{"invited", "invited sent ours=1", "unlinked reason=excluded",
			"invited sent orphaned=today orphan=excluded",
			"store cause='no account leads here any more'"},
		{"invited, and the account was removed", "invited sent ours=1",
			"unlinked reason=account_removed",
			"invited account_removed next=now orphaned=today orphan=account_removed",
			"store cause='no account leads here any more'"},
		{"invited, and the account was renamed", "invited resolved ours=1",
			"unlinked reason=renamed",
			"invited renamed next=now orphaned=today orphan=renamed",
			"store cause='no account leads here any more'"},
		{"queued, and the account was renamed", "queued retry next=now",
			"unlinked reason=renamed",
			"gone renamed next=0 orphaned=today orphan=renamed",
			"store cause='no account leads here any more'"},
		{"in a cancelling job's hands", "invited sent ours=1",
			"unlinked reason=account_removed leased",
			"invited sent orphaned=today orphan=account_removed", "store"},
		{"accepted", "accepted answered", "unlinked reason=account_removed",
			"accepted answered orphaned=today orphan=account_removed",
			"store cause='no account leads here any more'"},
		{"gone already", "gone excluded orphaned=today-9d orphan=excluded",
			"unlinked reason=forgotten", "gone excluded orphan=forgotten",
			"store cause='no account leads here any more'"},
		{"unknown", "", "unlinked reason=mapped", "", ""},
	};

	(void)state;
	HOLDS(rows);
}

static void a_collision_holds_the_queued_who_are_not_approved(void **state)
{
	static const struct person_row rows[] = {
		{"queued", "queued retry next=now attempts=1", "collision text='ann and ann2'",
			"held collision next=0", "store cause='ann and ann2'"},
		{"queued, without a text", "queued retry next=now", "collision",
			"held collision next=0", "store cause=collision"},
		{"approved", "queued approved next=now approved", "collision", "", ""},
		{"held", "held dry_run", "collision", "", ""},
		{"invited", "invited sent", "collision", "", ""},
		{"unknown", "", "collision", "", ""},
	};

	(void)state;
	HOLDS(rows);
}

static void a_block_holds_the_queued(void **state)
{
	static const struct person_row rows[] = {
		{"queued", "queued retry next=now attempts=1", "blocked text='has left'",
			"held blocked next=0", "store cause='has left'"},
		{"queued, without a text", "queued retry next=now", "blocked",
			"held blocked next=0", "store cause=blocked"},
		{"an approved resend", "queued approved approved next=now mails=1 resend",
			"blocked", "held blocked next=0 resend=no", "store cause=blocked"},
		{"queued, with an empty text", "queued retry next=now",
			"blocked text=", "held blocked next=0", "store cause=blocked"},
		{"held for something else", "held unconfirmed intent=now-4d", "blocked", "", ""},
		{"a send under way", "sending sending next=now intent=now", "blocked", "", ""},
		{"invited", "invited sent", "blocked", "", ""},
		{"unknown", "", "blocked", "", ""},
	};

	(void)state;
	HOLDS(rows);
}

static void an_unblocked_person_is_queued_again(void **state)
{
	static const struct person_row rows[] = {
		{"held for that", "held blocked attempts=1", "unblocked",
			"queued first_check next=now", "store cause=unblocked"},
		{"with a mail that Google may not show yet", "", "unblocked mailed=now-259199", "",
			"refusal=recent_mail"},
		{"held, with such a mail", "held blocked", "unblocked mailed=now-1", "",
			"refusal=recent_mail"},
		{"with a mail that Google must show by now", "held blocked",
			"unblocked mailed=now-72h", "queued first_check next=now",
			"store cause=unblocked"},
		{"orphaned while blocked", "held blocked orphaned=today orphan=mapped", "unblocked",
			"gone mapped", "store cause=unblocked"},
		{"held for something else", "held dry_run", "unblocked", "", ""},
		{"gone", "gone blocked orphaned=today orphan=blocked", "unblocked", "", ""},
		{"unknown", "", "unblocked", "", ""},
	};

	(void)state;
	HOLDS(rows);
}

/* ---- Google's list ---- */

static void the_list_shows_a_person_who_was_not_asked_about(void **state)
{
	static const struct person_row rows[] = {
		{"unmanaged", "", "observed shows=NOT_YET_SENT mails=0",
			"held discovered discovered priority=background mails=0",
			"store cause='resync: an unmanaged account was found'"},
		{"unmanaged, to be sent to", "",
			"observed shows=NOT_YET_SENT mails=2 | discovered=send",
			"queued discovered discovered next=now priority=background mails=2",
			"store cause='resync: an unmanaged account was found'"},
		{"unmanaged, but blocked", "",
			"observed shows=NOT_YET_SENT mails=0 | discovered=send blocked",
			"held blocked discovered priority=background mails=0",
			"store cause='resync: an unmanaged account was found'"},
		{"unmanaged, to be ignored", "",
			"observed shows=NOT_YET_SENT mails=0 | discovered=ignore", "", ""},
		{"invited", "", "observed shows=INVITED mails=1", "", ""},
		{"not shown", "", "observed hides=NOT_YET_SENT", "", ""},
		{"had no account", "not_invitable not_invitable checked=now-1h attempts=1",
			"observed shows=NOT_YET_SENT mails=3",
			"held discovered discovered priority=background",
			"store audit=decision cause='an unmanaged account was found'"},
		{"had no account, to be sent to", "not_invitable not_invitable",
			"observed shows=NOT_YET_SENT mails=0 | discovered=send",
			"queued discovered next=now discovered priority=background",
			"store audit=decision cause='an unmanaged account was found'"},
		{"had no account, and none leads here now",
			"not_invitable not_invitable orphaned=today-1d orphan=excluded",
			"observed shows=NOT_YET_SENT mails=0",
			"gone excluded discovered priority=background",
			"store audit=decision cause='an unmanaged account was found'"},
		{"had no account, to be ignored", "not_invitable not_invitable mails=1",
			"observed shows=NOT_YET_SENT mails=1 | discovered=ignore", "", ""},
		{"had no account, and is invited now", "not_invitable not_invitable",
			"observed shows=INVITED mails=1", "invited by_others mails=1 date=google",
			"store audit=decision cause='Google shows INVITED, 1 mail'"},
		{"had no account, and is not shown", "not_invitable not_invitable",
			"observed hides=NOT_YET_SENT", "", ""},
	};

	(void)state;
	HOLDS(rows);
}

static void the_list_promotes_a_person_of_a_backlog(void **state)
{
	static const struct person_row rows[] = {
		{"who can be invited", "queued first_check next=now-60 priority=background",
			"observed shows=NOT_YET_SENT mails=0 at=now+1",
			"queued first_check next=now+1 priority=new mails=0", "store"},
		{"with a known count", "queued first_check next=now-60 priority=background mails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"queued first_check next=now priority=new", "store"},
		{"not one of the new", "queued first_check next=now-60 mails=0",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"not one who was found by the list",
			"queued first_check next=now-60 priority=background mails=0 discovered",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"not one who was checked", "queued retry next=now-60 priority=background mails=0",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"not one who is held", "held blocked priority=background mails=0",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"not one of an unknown state",
			"queued first_check next=now-60 priority=background",
			"observed shows=SOMETHING mails=0", "queued first_check mails=0", "store"},
		{"not one who is not shown", "queued first_check next=now-60 priority=background",
			"observed hides=NOT_YET_SENT", "", ""},
		{"whatever becomes of the discovered",
			"queued first_check next=now-60 priority=background mails=0",
			"observed shows=NOT_YET_SENT mails=0 | discovered=ignore",
			"queued first_check next=now priority=new", "store"},
	};

	(void)state;
	HOLDS(rows);
}

static void the_list_contradicts_a_rejection(void **state)
{
	static const struct person_row rows[] = {
		{"once, and long enough ago",
			"failed fault fault=bad attempts=1 changed=now-6h checked=now-7h mails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"queued retry next=now checked=0 priority=retry",
			"store cause='rejected before, but the list shows an unmanaged account'"},
		{"of an older version, which did not count",
			"failed fault fault=bad changed=now-6h mails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"queued retry next=now priority=retry",
			"store cause='rejected before, but the list shows an unmanaged account'"},
		{"not long enough ago",
			"failed fault fault=bad attempts=1 changed=now-21599 mails=0",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"a second time: twice as long",
			"failed fault fault=bad attempts=2 changed=now-12h mails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"queued retry next=now priority=retry",
			"store cause='rejected before, but the list shows an unmanaged account'"},
		{"a second time, not long enough ago",
			"failed fault fault=bad attempts=2 changed=now-43199 mails=0",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"often: after a month",
			"failed fault fault=bad attempts=99 changed=now-30d mails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"queued retry next=now priority=retry",
			"store cause='rejected before, but the list shows an unmanaged account'"},
		{"often, not a month ago",
			"failed fault fault=bad attempts=99 changed=now-2591999 mails=0",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"when the host's clock was ahead",
			"failed fault fault=bad attempts=1 changed=now+1 mails=0",
			"observed shows=NOT_YET_SENT mails=0",
			"queued retry next=now priority=retry",
			"store cause='rejected before, but the list shows an unmanaged account'"},
		{"in the second of the rejection",
			"failed fault fault=bad attempts=1 changed=now mails=0",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"with a count", "failed fault fault=bad attempts=1 changed=now-6h mails=0",
			"observed shows=NOT_YET_SENT mails=1",
			"queued retry next=now priority=retry mails=1",
			"store cause='rejected before, but the list shows an unmanaged account'"},
		{"of a person who is blocked", "failed fault fault=bad changed=now-6h mails=0",
			"observed shows=NOT_YET_SENT mails=0 | blocked",
			"held blocked priority=retry",
			"store cause='rejected before, but the list shows an unmanaged account'"},
		{"of a person without an account",
			"failed fault fault=bad changed=now-6h mails=0 orphaned=today "
			"orphan=account_removed",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"not of a person who is held", "held dry_run changed=now-40d mails=0",
			"observed shows=NOT_YET_SENT mails=0", "", ""},
		{"not by not showing the person", "failed fault fault=bad changed=now-6h mails=0",
			"observed hides=NOT_YET_SENT", "", ""},
		{"not by an unknown state", "failed fault fault=bad changed=now-6h mails=0",
			"observed shows=SOMETHING mails=0", "", ""},
	};

	(void)state;
	HOLDS(rows);
}

static void the_list_shows_what_became_of_the_others(void **state)
{
	static const struct person_row rows[] = {
		{"queued: invited by others",
			"queued retry next=now priority=retry attempts=1 fault=slow",
			"observed shows=INVITED mails=1",
			"invited by_others next=0 mails=1 date=google attempts=0 fault=",
			"store audit=decision cause='Google shows INVITED, 1 mail'"},
		{"invited: accepted", "invited sent mails=1 ours=1 date=google-1d",
			"observed shows=ACCEPTED mails=1", "accepted answered date=0",
			"store audit=accepted cause='Google shows ACCEPTED, 1 mail'"},
		{"held: a count", "held dry_run mails=0", "observed shows=NOT_YET_SENT mails=1",
			"held dry_run mails=1", "store"},
		{"a resolved send",
			"unconfirmed unconfirmed next=now intent=now-60 date=google-60 "
			"imails=0 mails=0",
			"observed shows=INVITED mails=1",
			"invited resolved next=0 intent=0 imails=-1 mails=1 ours=1",
			"store outcome=resolved_sent audit=resolved "
			"cause='Google shows INVITED, 1 mail'"},
		{"an unsent one of a person who is an orphan by now",
			"unconfirmed unconfirmed next=now intent=now-72h date=google-72h imails=0 "
			"mails=0 "
			"orphaned=today orphan=mapped",
			"observed shows=NOT_YET_SENT mails=0",
			"gone mapped next=0 intent=0 date=0 imails=-1 priority=retry",
			"store outcome=resolved_unsent audit=resolved "
			"cause='Google shows NOT_YET_SENT, 0 mails'"},
		{"gone: only the count", "gone excluded orphaned=today orphan=excluded mails=0",
			"observed shows=INVITED mails=1", "gone excluded mails=1", "store"},
		{"gone: nothing new", "gone excluded orphaned=today orphan=excluded mails=1",
			"observed shows=DECLINED mails=1", "", ""},
		{"nothing new", "invited sent mails=1 ours=1", "observed shows=INVITED mails=1", "",
			""},
	};

	(void)state;
	HOLDS(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sighting_queues_a_new_person_and_some_others),
		cmocka_unit_test(a_sighting_leaves_all_others_alone),
		cmocka_unit_test(an_account_that_led_elsewhere_before_needs_an_approval),
		cmocka_unit_test(an_approval_ends_with_the_last_account),
		cmocka_unit_test(a_linked_person_is_not_an_orphan),
		cmocka_unit_test(without_its_last_account_a_person_who_waits_is_gone),
		cmocka_unit_test(a_collision_holds_the_queued_who_are_not_approved),
		cmocka_unit_test(a_block_holds_the_queued),
		cmocka_unit_test(an_unblocked_person_is_queued_again),
		cmocka_unit_test(the_list_shows_a_person_who_was_not_asked_about),
		cmocka_unit_test(the_list_promotes_a_person_of_a_backlog),
		cmocka_unit_test(the_list_contradicts_a_rejection),
		cmocka_unit_test(the_list_shows_what_became_of_the_others),
	};

	return cmocka_run_group_tests_name("person: accounts, block list, list", tests, NULL, NULL);
}
