/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/str.h"
#include "engine_admin.h"

static const char alice[] = "alice@example.com";

static void a_first_login_costs_three_calls_and_mails_once(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_calls(1, 1, 1);
	assert_int_equal(account_of(alice)->sends, 1);
	assert_int_equal(person_of(&s, alice).mails, 1);
	run_for(&s, 5 * DAY);
	assert_int_equal(account_of(alice)->sends, 1);
	site_end(&s);
}

static void collectors_are_woken_for_the_result_of_a_send_not_for_its_intent(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	classify_all(&s);
	assert_true(engine_changed(s.engine));
	while (person_of(&s, alice).state != PERSON_SENDING)
		check(&s, engine_run(s.engine, NULL, 0, 0, &s.fault) && (pass(1), true));
	assert_false(engine_changed(s.engine));
	run_once(&s);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_true(engine_changed(s.engine));
	site_end(&s);
}

static void a_first_look_that_finds_nobody_costs_one_call(void **state)
{
	struct site s = site_new(*state, "", "");

	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	assert_person(&s, alice, PERSON_NOT_INVITABLE, "not_invitable");
	assert_calls(1, 0, 0);
	site_end(&s);
}

static void an_account_younger_than_the_lag_is_invited_all_the_same(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, HOUR);
	see_user(&s, "alice", TRIGGER_CREATED);
	run_once(&s);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_int_equal(account_of(alice)->sends, 1);
	site_end(&s);
}

static void a_sighting_that_is_no_trigger_asks_nobody(void **state)
{
	struct site s = site_new(*state, "", "triggers = login\nresync_interval = 0");
	struct person p;

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_CREATED);
	run_once(&s);
	assert_int_equal(ledger_person(s.ledger, alice, &p, &s.fault), 0);
	assert_calls(0, 0, 0);
	see_user(&s, "bob", TRIGGER_MANUAL);
	run_once(&s);
	assert_calls(1, 0, 0);
	site_end(&s);
}

static void whoever_was_invited_by_others_is_not_mailed(void **state)
{
	static const struct {
		enum invitation_state at_google;
		enum person_state becomes;
		const char *reason;
	} rows[] = {
		{INVITATION_INVITED, PERSON_INVITED, "by_others"},
		{INVITATION_ACCEPTED, PERSON_ACCEPTED, "answered"},
		{INVITATION_DECLINED, PERSON_DECLINED, "answered"},
	};

	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct site s = site_new(*state, "", "");

		change_state(open_account(alice, 30 * DAY), rows[n].at_google, 1);
		see_user(&s, "alice", TRIGGER_LOGIN);
		run_once(&s);
		assert_person(&s, alice, rows[n].becomes, rows[n].reason);
		assert_calls(1, 1, 0);
		site_end(&s);
	}
}

static void mails_of_others_count_for_max_mails(void **state)
{
	struct site s = site_new(*state, "", "");

	change_state(open_account(alice, 30 * DAY), INVITATION_NOT_YET_SENT, 1);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	assert_person(&s, alice, PERSON_HELD, "max_mails");
	assert_calls(1, 1, 0);
	site_end(&s);
}

static void a_state_that_nobody_knows_is_held(void **state)
{
	struct site s = site_new(*state, "", "");

	change_state(open_account(alice, 30 * DAY), INVITATION_OTHER, 0);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	assert_person(&s, alice, PERSON_HELD, "unknown_state");
	site_end(&s);
}

/* ---- dry run, window, cap ---- */

static void approve(struct site *s, const char *address)
{
	bool may_mail_again;

	admin_approve(s, address, &may_mail_again);
}

static void a_dry_run_asks_everything_and_mails_nobody_before_it_ends(void **state)
{
	struct site s = site_new(*state, "", "mode = dry-run");

	open_account(alice, 30 * DAY);
	open_account("bob@example.com", 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	see_user(&s, "bob", TRIGGER_LOGIN);
	run_once(&s);
	assert_person(&s, alice, PERSON_HELD, "dry_run");
	assert_calls(2, 2, 0);
	approve(&s, alice);
	run_once(&s);
	assert_person(&s, alice, PERSON_HELD, "dry_run");
	assert_true(person_of(&s, alice).approved);
	assert_calls(2, 2, 0);
	/* Sending begins: only for the person who was approved. */
	s.settings->mode = MODE_SEND;
	site_close(&s);
	site_open(&s);
	run_once(&s);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_person(&s, "bob@example.com", PERSON_HELD, "dry_run");
	/* Asked again: what an earlier process has heard clears no mail. */
	assert_calls(3, 3, 1);
	site_end(&s);
}

static void what_was_asked_more_than_a_day_ago_is_asked_again(void **state)
{
	struct site s = site_new(*state, "", "mode = dry-run\nresync_interval = 0");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	run_for(&s, 2 * DAY);
	change_state(account_of(alice), INVITATION_INVITED, 1);
	approve(&s, alice);
	run_once(&s);
	assert_person(&s, alice, PERSON_INVITED, "by_others");
	assert_calls(2, 2, 0);
	site_end(&s);
}

static void outside_the_window_people_wait_for_it(void **state)
{
	struct site s = site_new(*state, "", "send_window = 08:00-18:00 UTC\nresync_interval = 0");

	/* The fake clock begins at midnight. */
	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	assert_person(&s, alice, PERSON_QUEUED, "send_window");
	run_for(&s, 8 * HOUR - 60);
	assert_calls(1, 1, 0);
	run_for(&s, 120);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_calls(1, 1, 1);
	site_end(&s);
}

static void the_daily_limit_holds_and_the_rest_goes_tomorrow(void **state)
{
	struct site s = site_new(*state, "", "sends_per_day = 2\nresync_interval = 0");
	char user[16], address[32];

	for (int n = 0; n < 5; n++) {
		str_format(user, sizeof(user), "person%d", n);
		str_format(address, sizeof(address), "%s@example.com", user);
		open_account(address, 30 * DAY);
		see_user(&s, user, TRIGGER_LOGIN);
	}
	run_once(&s);
	assert_calls(5, 5, 2);
	run_for(&s, DAY + HOUR);
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 4);
	run_for(&s, DAY);
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 5);
	for (int n = 0; n < 5; n++)
		assert_int_equal(fake_google.accounts[n].sends, 1);
	site_end(&s);
}

/* ---- faults ---- */

static enum google_method fails;
static struct outcome failing;
static int failures; /* how many more */

static void fail_some(struct call_at_google *c, struct outcome *o)
{
	if (c->call.method != fails || failures == 0)
		return;
	failures--;
	*o = failing;
	o->latency_ms = 10;
}

static void let_fail(enum google_method method, int times, struct outcome outcome)
{
	fails = method;
	failures = times;
	failing = outcome;
	fake_google.decide = fail_some;
}

static void what_may_work_later_is_tried_again_and_charged_to_nobody_for_good(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	let_fail(GOOGLE_CHECK, 3, (struct outcome){.kind = FAULT_TRANSIENT, .code = "503"});
	run_once(&s);
	assert_person(&s, alice, PERSON_QUEUED, "retry");
	assert_int_equal(person_of(&s, alice).attempts, 1);
	run_for(&s, 600);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_int_equal(person_of(&s, alice).attempts, 0);
	assert_calls(4, 1, 1);
	site_end(&s);
}

static void a_retry_after_is_waited_for(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	let_fail(GOOGLE_CHECK, 1,
		(struct outcome){.kind = FAULT_TRANSIENT, .code = "503", .retry_after = 900});
	run_once(&s);
	run_for(&s, 890);
	assert_calls(1, 0, 0);
	run_for(&s, 20);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	site_end(&s);
}

static void a_send_that_surely_had_no_effect_is_repeated(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	let_fail(GOOGLE_SEND, 1,
		(struct outcome){.kind = FAULT_TRANSIENT, .code = "network_connect"});
	run_once(&s);
	assert_person(&s, alice, PERSON_QUEUED, "retry");
	assert_int_equal(person_of(&s, alice).intent_at, 0);
	run_for(&s, 120);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_int_equal(account_of(alice)->sends, 1);
	/* Checked a moment before, so only the send is repeated. */
	assert_calls(1, 1, 2);
	assert_int_equal(ledger_sends_between(s.ledger, 0, INT64_MAX, &s.fault), 1);
	site_end(&s);
}

static void a_send_whose_effect_is_unknown_is_resolved_by_what_google_shows(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	let_fail(GOOGLE_SEND, 1,
		(struct outcome){.kind = FAULT_AMBIGUOUS, .code = "cut", .effect = true});
	run_once(&s);
	assert_person(&s, alice, PERSON_UNCONFIRMED, "unconfirmed");
	run_for(&s, 120);
	assert_person(&s, alice, PERSON_INVITED, "resolved");
	assert_int_equal(person_of(&s, alice).our_mails, 1);
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 1);
	site_end(&s);
}

static void a_send_without_effect_is_repeated_only_after_72_hours(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	let_fail(GOOGLE_SEND, 1, (struct outcome){.kind = FAULT_AMBIGUOUS, .code = "cut"});
	run_once(&s);
	run_for(&s, 72 * HOUR - 60);
	assert_person(&s, alice, PERSON_UNCONFIRMED, "unconfirmed");
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 1);
	run_for(&s, HOUR);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_int_equal(account_of(alice)->sends, 1);
	site_end(&s);
}

static void our_own_clock_does_not_shorten_the_72_hours(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	let_fail(GOOGLE_SEND, 1, (struct outcome){.kind = FAULT_AMBIGUOUS, .code = "cut"});
	run_once(&s);
	/* Google's Date is wall_ms here, so it must be the intent's that is far off: as if
	 * our clock had jumped ahead when the intent was noted. */
	struct person p = person_of(&s, alice);

	p.intent_at -= 80 * HOUR;
	p.next_attempt = clock_wall();
	check(&s, ledger_person_put(s.ledger, &p, "test", "test", &s.fault));
	run_for(&s, 12 * HOUR);
	assert_person(&s, alice, PERSON_UNCONFIRMED, "unconfirmed");
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 1);
	site_end(&s);
}

static void an_unknown_count_is_never_taken_for_no_mail(void **state)
{
	struct site s = site_new(*state, "", "");

	/* Too recent to be shown: the count before the send is unknown. */
	open_account(alice, HOUR);
	see_user(&s, "alice", TRIGGER_LOGIN);
	let_fail(GOOGLE_SEND, 1, (struct outcome){.kind = FAULT_AMBIGUOUS, .code = "cut"});
	run_once(&s);
	run_for(&s, 100 * HOUR);
	assert_person(&s, alice, PERSON_HELD, "unconfirmed");
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 1);
	approve(&s, alice);
	run_once(&s);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_int_equal(account_of(alice)->sends, 1);
	site_end(&s);
}

static void an_operation_that_is_not_done_is_not_taken_for_a_mail(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	let_fail(GOOGLE_SEND, 1, (struct outcome){.effect = true, .unclear = true});
	run_once(&s);
	assert_person(&s, alice, PERSON_UNCONFIRMED, "unconfirmed");
	run_for(&s, 120);
	assert_person(&s, alice, PERSON_INVITED, "resolved");
	assert_int_equal(account_of(alice)->sends, 1);
	site_end(&s);
}

static void a_crash_in_the_middle_of_a_send_mails_nobody_twice(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	classify_all(&s);
	while (fake_google.call_count == 0 || fake_google.calls[0].call.method != GOOGLE_SEND) {
		fake_google.crashed = fake_google.call_count > 0 &&
				      fake_google.calls[0].call.method == GOOGLE_SEND;
		check(&s, engine_run(s.engine, NULL, 0, 5, &s.fault));
	}
	assert_person(&s, alice, PERSON_SENDING, "sending");
	mail(account_of(alice));
	fake_google.call_count = 0;
	site_crash(&s);
	run_once(&s);
	assert_person(&s, alice, PERSON_UNCONFIRMED, "interrupted");
	run_for(&s, 5 * DAY);
	assert_person(&s, alice, PERSON_INVITED, "resolved");
	assert_int_equal(account_of(alice)->sends, 1);
	site_end(&s);
}

static void a_failing_ledger_sends_nothing_and_loses_no_answer(void **state)
{
	struct site s = site_new(*state, "", "");
	struct ledger *other;

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	classify_all(&s);
	check(&s, engine_run(s.engine, NULL, 0, 5, &s.fault)); /* the check is under way */
	other = ledger_open(s.settings, LEDGER_WRITE, &s.fault);
	check(&s, other && ledger_begin(other, &s.fault)); /* holds the lock */
	while (engine_run(s.engine, NULL, 0, 5, &s.fault))
		pass(1000);
	assert_int_equal(s.fault.kind, FAULT_STORAGE);
	ledger_rollback(other);
	ledger_close(other);
	run_for(&s, 120);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_calls(1, 1, 1);
	site_end(&s);
}

/* ---- decisions meanwhile ---- */

static void somebody_blocked_in_the_last_moment_is_not_mailed(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	classify_all(&s);
	while (fake_google.counts[GOOGLE_CHECK] == 0)
		check(&s, engine_run(s.engine, NULL, 0, 5, &s.fault));
	check(&s, ledger_block(s.ledger, alice, "left", "root", &s.fault));
	run_for(&s, 60);
	assert_person(&s, alice, PERSON_HELD, "blocked");
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 0);
	site_end(&s);
}

static void somebody_whose_account_goes_meanwhile_is_not_mailed(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	classify_all(&s);
	while (fake_google.counts[GOOGLE_CHECK] == 0)
		check(&s, engine_run(s.engine, NULL, 0, 5, &s.fault));
	assert_int_equal(ledger_account_removed(s.ledger, "here", "alice", &s.fault), 1);
	run_for(&s, 60);
	assert_int_equal(person_of(&s, alice).state, PERSON_GONE);
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 0);
	/* The account is back, so the person is checked again. */
	see_user(&s, "alice", TRIGGER_CREATED);
	run_once(&s);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	site_end(&s);
}

static void an_invitation_is_called_back_with_its_account_only_if_the_settings_say_so(void **state)
{
	for (int back = 0; back < 2; back++) {
		struct site s = site_new(*state, "",
			back ? "cancel_on_delete = yes\nresync_interval = 0"
			     : "resync_interval = 0");

		open_account(alice, 30 * DAY);
		see_user(&s, "alice", TRIGGER_LOGIN);
		run_once(&s);
		assert_int_equal(ledger_account_removed(s.ledger, "here", "alice", &s.fault), 1);
		run_once(&s);
		assert_int_equal(fake_google.counts[GOOGLE_CANCEL], back);
		assert_int_equal(
			person_of(&s, alice).state, back ? PERSON_CANCELLED : PERSON_INVITED);
		assert_int_equal(person_of(&s, alice).next_attempt, 0);
		site_end(&s);
	}
}

static void a_drain_starts_nothing_new_and_gives_everything_back(void **state)
{
	struct site s = site_new(*state, "", "");
	struct person p;

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	classify_all(&s);
	check(&s, engine_run(s.engine, NULL, 0, 5, &s.fault));
	engine_drain(s.engine);
	while (!engine_idle(s.engine))
		check(&s, engine_run(s.engine, NULL, 0, 50, &s.fault));
	assert_calls(1, 0, 0);
	assert_person(&s, alice, PERSON_QUEUED, "first_check");
	assert_int_equal(ledger_claim(s.ledger, clock_wall(), PRIO_BACKGROUND, "other",
				 clock_wall() + 60, &p, 1, &s.fault),
		1);
	site_end(&s);
}

static void memory_is_given_back_when_nothing_is_under_way_and_not_before(void **state)
{
	struct site s = site_new(*state, "", "");

	assert_int_equal(s.engine->used, 0); /* nothing is touched before it is needed */
	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	classify_all(&s);
	check(&s, engine_run(s.engine, NULL, 0, 5, &s.fault)); /* the check is under way */
	engine_release_memory(s.engine);
	assert_int_equal(s.engine->used, 1);
	run_for(&s, 60);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	engine_release_memory(s.engine);
	assert_int_equal(s.engine->used, 0);
	open_account("bob@example.com", 30 * DAY);
	see_user(&s, "bob", TRIGGER_LOGIN);
	classify_all(&s);
	run_for(&s, 60);
	assert_person(&s, "bob@example.com", PERSON_INVITED, "sent");
	site_end(&s);
}

#define PROMISE(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_free)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PROMISE(a_first_login_costs_three_calls_and_mails_once),
		PROMISE(collectors_are_woken_for_the_result_of_a_send_not_for_its_intent),
		PROMISE(a_first_look_that_finds_nobody_costs_one_call),
		PROMISE(an_account_younger_than_the_lag_is_invited_all_the_same),
		PROMISE(a_sighting_that_is_no_trigger_asks_nobody),
		PROMISE(whoever_was_invited_by_others_is_not_mailed),
		PROMISE(mails_of_others_count_for_max_mails),
		PROMISE(a_state_that_nobody_knows_is_held),
		PROMISE(a_dry_run_asks_everything_and_mails_nobody_before_it_ends),
		PROMISE(what_was_asked_more_than_a_day_ago_is_asked_again),
		PROMISE(outside_the_window_people_wait_for_it),
		PROMISE(the_daily_limit_holds_and_the_rest_goes_tomorrow),
		PROMISE(what_may_work_later_is_tried_again_and_charged_to_nobody_for_good),
		PROMISE(a_retry_after_is_waited_for),
		PROMISE(a_send_that_surely_had_no_effect_is_repeated),
		PROMISE(a_send_whose_effect_is_unknown_is_resolved_by_what_google_shows),
		PROMISE(a_send_without_effect_is_repeated_only_after_72_hours),
		PROMISE(our_own_clock_does_not_shorten_the_72_hours),
		PROMISE(an_unknown_count_is_never_taken_for_no_mail),
		PROMISE(an_operation_that_is_not_done_is_not_taken_for_a_mail),
		PROMISE(a_crash_in_the_middle_of_a_send_mails_nobody_twice),
		PROMISE(memory_is_given_back_when_nothing_is_under_way_and_not_before),
		PROMISE(a_failing_ledger_sends_nothing_and_loses_no_answer),
		PROMISE(somebody_blocked_in_the_last_moment_is_not_mailed),
		PROMISE(somebody_whose_account_goes_meanwhile_is_not_mailed),
		PROMISE(an_invitation_is_called_back_with_its_account_only_if_the_settings_say_so),
		PROMISE(a_drain_starts_nothing_new_and_gives_everything_back),
	};

	return cmocka_run_group_tests_name("invite", tests, NULL, NULL);
}
