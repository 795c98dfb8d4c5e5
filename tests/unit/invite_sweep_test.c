/* SPDX-License-Identifier: Apache-2.0 */
#include "invite_world.h"

static const char alice[] = "alice@example.com";

static void invite_people(struct site *s, int count)
{
	char user[16], address[32];

	for (int n = 0; n < count; n++) {
		text_format(user, sizeof(user), "person%d", n);
		text_format(address, sizeof(address), "%s@example.com", user);
		open_account(address, 30 * DAY);
		see_user(s, user, SEEN_LOGIN);
	}
	run_once(s);
}

static void forget_calls(void)
{
	memset(world.counts, 0, sizeof(world.counts));
}

static void the_first_sweep_comes_after_a_whole_period(void **state)
{
	struct site s = site_new(*state, "", "");

	invite_people(&s, 5);
	run_for(&s, DAY - HOUR);
	assert_int_equal(world.counts[GOOGLE_LIST], 0);
	run_for(&s, 2 * HOUR);
	assert_true(world.counts[GOOGLE_LIST] > 0);
	site_end(&s);
}

static void a_sweep_tells_what_became_of_the_invited(void **state)
{
	struct site s = site_new(*state, "", "");

	invite_people(&s, 5);
	change_state(&world.accounts[0], INVITATION_ACCEPTED, 1);
	change_state(&world.accounts[1], INVITATION_DECLINED, 1);
	change_state(&world.accounts[2], INVITATION_NOT_YET_SENT, 1);
	change_state(&world.accounts[3], INVITATION_INVITED, 2);
	run_for(&s, DAY + HOUR);
	assert_person(&s, "person0@example.com", PERSON_ACCEPTED, "answered");
	assert_person(&s, "person1@example.com", PERSON_DECLINED, "answered");
	assert_person(&s, "person2@example.com", PERSON_CANCELLED, "elsewhere");
	assert_person(&s, "person3@example.com", PERSON_INVITED, "sent");
	assert_int_equal(person_of(&s, "person3@example.com").mails, 2);
	assert_person(&s, "person4@example.com", PERSON_INVITED, "sent");
	assert_int_equal(world.counts[GOOGLE_SEND], 5);
	site_end(&s);
}

static void a_sweep_costs_its_pages_and_no_polling(void **state)
{
	struct site s = site_new(*state, "", "");

	/* Two a page in this world: 40 people are 20 pages. */
	invite_people(&s, 40);
	forget_calls();
	run_for(&s, DAY + HOUR);
	assert_int_equal(world.counts[GOOGLE_LIST], 20);
	assert_calls(0, 0, 0);
	site_end(&s);
}

static void where_few_are_open_each_is_asked_about_instead(void **state)
{
	struct site s = site_new(*state, "", "");

	invite_people(&s, 40);
	for (int n = 3; n < 40; n++)
		change_state(&world.accounts[n], INVITATION_ACCEPTED, 1);
	run_for(&s, DAY + HOUR); /* learns the number of pages */
	forget_calls();
	run_for(&s, DAY);
	assert_calls(0, 3, 0);
	assert_int_equal(world.counts[GOOGLE_LIST], 0);
	site_end(&s);
}

static void with_nobody_open_nobody_is_asked(void **state)
{
	struct site s = site_new(*state, "", "");

	run_once(&s);
	run_for(&s, 10 * DAY);
	for (int method = 0; method < GOOGLE_METHODS; method++)
		assert_int_equal(world.counts[method], 0);
	site_end(&s);
}

static void who_turns_up_unmanaged_is_held_invited_or_ignored_as_the_settings_say(void **state)
{
	static const struct {
		const char *settings;
		enum person_state state;
		const char *reason;
		int sends;
	} rows[] = {
		{"discovered = hold", PERSON_HELD, "discovered", 0},
		{"discovered = send", PERSON_INVITED, "sent", 1},
		{"discovered = ignore", PERSON_NOT_INVITABLE, "not_invitable", 0},
	};

	for (size_t n = 0; n < sizeof(rows) / sizeof(rows[0]); n++) {
		struct site s = site_new(*state, "", rows[n].settings);

		see_user(&s, "alice", SEEN_LOGIN);
		run_once(&s);
		assert_person(&s, alice, PERSON_NOT_INVITABLE, "not_invitable");
		open_account(alice, 30 * DAY);
		run_for(&s, DAY + HOUR);
		assert_person(&s, alice, rows[n].state, rows[n].reason);
		assert_int_equal(account_of(alice)->sends, rows[n].sends);
		site_end(&s);
	}
}

static void who_was_discovered_and_then_comes_by_himself_is_invited(void **state)
{
	struct site s = site_new(*state, "", "");

	see_user(&s, "alice", SEEN_LOGIN);
	run_once(&s);
	open_account(alice, 30 * DAY);
	run_for(&s, DAY + HOUR);
	assert_person(&s, alice, PERSON_HELD, "discovered");
	/* The same sighting judged anew is no arrival. */
	map_free(s.map);
	s.map = map_parse("bob bob@example.com\n", 20, "map", &s.fault);
	run_once(&s);
	assert_person(&s, alice, PERSON_HELD, "discovered");
	/* A login on another host is one. */
	struct sighting seen = {.host = "there", .user = "alice", .uid = 1001, .local = true};

	text_copy(seen.shell, sizeof(seen.shell), "/bin/bash");
	check(&s, ledger_saw(s.ledger, &seen, &s.fault) > 0);
	run_once(&s);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	site_end(&s);
}

static void a_sighting_that_was_no_trigger_is_discovered_by_the_sweep(void **state)
{
	struct site s = site_new(*state, "", "triggers = login");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", SEEN_CREATED);
	see_user(&s, "bob", SEEN_LOGIN); /* somebody to sweep for */
	run_once(&s);
	run_for(&s, DAY + HOUR);
	assert_person(&s, alice, PERSON_HELD, "discovered");
	site_end(&s);
}

static void rows_of_people_whom_nobody_has_seen_are_not_kept(void **state)
{
	struct site s = site_new(*state, "", "");
	struct person p;

	invite_people(&s, 3);
	open_account("stranger@example.com", 30 * DAY);
	run_for(&s, DAY + HOUR);
	assert_true(world.counts[GOOGLE_LIST] > 0);
	assert_int_equal(ledger_person(s.ledger, "stranger@example.com", &p, &s.fault), 0);
	site_end(&s);
}

static int broken_lists;

static void break_lists(struct call_at_google *c, struct outcome *o)
{
	if (c->call.method != GOOGLE_LIST || broken_lists == 0)
		return;
	broken_lists--;
	o->kind = broken_lists % 2 ? FAULT_LATER : FAULT_PERSON;
	o->code = "broken";
}

static void a_sweep_that_breaks_off_is_taken_up_again(void **state)
{
	struct site s = site_new(*state, "", "");

	invite_people(&s, 40);
	change_state(&world.accounts[39], INVITATION_ACCEPTED, 1);
	run_for(&s, DAY - HOUR);
	broken_lists = 4;
	world.decide = break_lists;
	run_for(&s, 3 * HOUR);
	assert_person(&s, "person39@example.com", PERSON_ACCEPTED, "answered");
	site_end(&s);
}

static void a_sweep_goes_last(void **state)
{
	struct site s =
		site_new(*state, "requests_per_minute = 10\nparallel = 1\n", "sweep_every = 1h");

	world.seen = NULL;
	invite_people(&s, 20);
	run_for(&s, HOUR - 60);
	open_account(alice, 30 * DAY);
	run_for(&s, 120); /* the sweep is under way, a page at a time */
	see_user(&s, "alice", SEEN_LOGIN);
	judge_all(&s);
	run_for(&s, 60);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	site_end(&s);
}

#define PROMISE(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_free)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PROMISE(the_first_sweep_comes_after_a_whole_period),
		PROMISE(a_sweep_tells_what_became_of_the_invited),
		PROMISE(a_sweep_costs_its_pages_and_no_polling),
		PROMISE(where_few_are_open_each_is_asked_about_instead),
		PROMISE(with_nobody_open_nobody_is_asked),
		PROMISE(who_turns_up_unmanaged_is_held_invited_or_ignored_as_the_settings_say),
		PROMISE(who_was_discovered_and_then_comes_by_himself_is_invited),
		PROMISE(a_sighting_that_was_no_trigger_is_discovered_by_the_sweep),
		PROMISE(rows_of_people_whom_nobody_has_seen_are_not_kept),
		PROMISE(a_sweep_that_breaks_off_is_taken_up_again),
		PROMISE(a_sweep_goes_last),
	};

	return cmocka_run_group_tests_name("invite", tests, NULL, NULL);
}
