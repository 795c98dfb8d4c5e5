/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/str.h"
#include "fake_google.h"

static const char alice[] = "alice@example.com";

static void invite_people(struct site *s, int count)
{
	char user[16], address[32];

	for (int n = 0; n < count; n++) {
		str_format(user, sizeof(user), "person%d", n);
		str_format(address, sizeof(address), "%s@example.com", user);
		open_account(address, 30 * DAY);
		see_user(s, user, TRIGGER_LOGIN);
	}
	run_once(s);
}

static void forget_calls(void)
{
	memset(fake_google.counts, 0, sizeof(fake_google.counts));
}

static void the_first_resync_comes_after_a_whole_period(void **state)
{
	struct site s = site_new(*state, "", "");

	invite_people(&s, 5);
	run_for(&s, DAY - HOUR);
	assert_int_equal(fake_google.counts[GOOGLE_LIST], 0);
	run_for(&s, 2 * HOUR);
	assert_true(fake_google.counts[GOOGLE_LIST] > 0);
	site_end(&s);
}

static void a_resync_shows_what_became_of_invited_people(void **state)
{
	struct site s = site_new(*state, "", "");

	invite_people(&s, 5);
	change_state(&fake_google.accounts[0], INVITATION_ACCEPTED, 1);
	change_state(&fake_google.accounts[1], INVITATION_DECLINED, 1);
	change_state(&fake_google.accounts[2], INVITATION_NOT_YET_SENT, 1);
	change_state(&fake_google.accounts[3], INVITATION_INVITED, 2);
	run_for(&s, DAY + HOUR);
	assert_person(&s, "person0@example.com", PERSON_ACCEPTED, "answered");
	assert_person(&s, "person1@example.com", PERSON_DECLINED, "answered");
	assert_person(&s, "person2@example.com", PERSON_CANCELLED, "elsewhere");
	assert_person(&s, "person3@example.com", PERSON_INVITED, "sent");
	assert_int_equal(person_of(&s, "person3@example.com").mails, 2);
	assert_person(&s, "person4@example.com", PERSON_INVITED, "sent");
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 5);
	site_end(&s);
}

static void a_resync_costs_its_pages_and_no_polling(void **state)
{
	struct site s = site_new(*state, "", "");

	/* Two on each page here: 40 people are 20 pages. */
	invite_people(&s, 40);
	forget_calls();
	run_for(&s, DAY + HOUR);
	assert_int_equal(fake_google.counts[GOOGLE_LIST], 20);
	assert_calls(0, 0, 0);
	site_end(&s);
}

static void where_few_are_open_each_is_asked_about_instead(void **state)
{
	struct site s = site_new(*state, "", "");

	invite_people(&s, 40);
	for (int n = 3; n < 40; n++)
		change_state(&fake_google.accounts[n], INVITATION_ACCEPTED, 1);
	run_for(&s, DAY + HOUR); /* learns the number of pages */
	forget_calls();
	run_for(&s, DAY);
	assert_calls(0, 3, 0);
	assert_int_equal(fake_google.counts[GOOGLE_LIST], 0);
	site_end(&s);
}

static void with_no_open_person_google_is_not_asked(void **state)
{
	struct site s = site_new(*state, "", "");

	run_once(&s);
	run_for(&s, 10 * DAY);
	for (int method = 0; method < GOOGLE_METHODS; method++)
		assert_int_equal(fake_google.counts[method], 0);
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

	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct site s = site_new(*state, "", rows[n].settings);

		see_user(&s, "alice", TRIGGER_LOGIN);
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

	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	open_account(alice, 30 * DAY);
	run_for(&s, DAY + HOUR);
	assert_person(&s, alice, PERSON_HELD, "discovered");
	/* Evaluating the same sighting again is not an arrival. */
	map_free(s.map);
	s.map = map_parse("bob bob@example.com\n", 20, "map", &s.fault);
	run_once(&s);
	assert_person(&s, alice, PERSON_HELD, "discovered");
	/* A login on another host is one. */
	struct sighting seen = {.host = "there", .user = "alice", .uid = 1001, .local = true};

	str_copy(seen.shell, sizeof(seen.shell), "/bin/bash");
	check(&s, ledger_account_seen(s.ledger, &seen, &s.fault) > 0);
	run_once(&s);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	site_end(&s);
}

static void a_sighting_that_did_not_trigger_is_discovered_by_the_resync(void **state)
{
	struct site s = site_new(*state, "", "triggers = login");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_CREATED);
	see_user(&s, "bob", TRIGGER_LOGIN); /* so that there is a reason for a resync */
	run_once(&s);
	run_for(&s, DAY + HOUR);
	assert_person(&s, alice, PERSON_HELD, "discovered");
	/* The same account is reported for a reason that counts. */
	check(&s, ledger_account_trigger(
			  s.ledger, "here", "alice", TRIGGER_LOGIN, true, &s.fault) == 1);
	run_once(&s);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	site_end(&s);
}

static void a_scan_does_not_approve_who_was_discovered(void **state)
{
	struct site s = site_new(*state, "", "");

	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	open_account(alice, 30 * DAY);
	run_for(&s, DAY + HOUR);
	check(&s, ledger_account_trigger(
			  s.ledger, "here", "alice", TRIGGER_MANUAL, false, &s.fault) == 1);
	run_once(&s);
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
	assert_true(fake_google.counts[GOOGLE_LIST] > 0);
	assert_int_equal(ledger_person(s.ledger, "stranger@example.com", &p, &s.fault), 0);
	site_end(&s);
}

static int broken_lists;

static void break_lists(struct call_at_google *c, struct outcome *o)
{
	if (c->call.method != GOOGLE_LIST || broken_lists == 0)
		return;
	broken_lists--;
	o->kind = broken_lists % 2 ? FAULT_TRANSIENT : FAULT_REJECTED;
	o->code = "broken";
}

static void a_resync_that_breaks_off_is_resumed(void **state)
{
	struct site s = site_new(*state, "", "");

	invite_people(&s, 40);
	change_state(&fake_google.accounts[39], INVITATION_ACCEPTED, 1);
	run_for(&s, DAY - HOUR);
	broken_lists = 4;
	fake_google.decide = break_lists;
	run_for(&s, 3 * HOUR);
	assert_person(&s, "person39@example.com", PERSON_ACCEPTED, "answered");
	site_end(&s);
}

static void a_resync_goes_last(void **state)
{
	struct site s = site_new(
		*state, "requests_per_minute = 10\nparallel = 1\n", "resync_interval = 1h");

	fake_google.seen = NULL;
	invite_people(&s, 20);
	run_for(&s, HOUR - 60);
	open_account(alice, 30 * DAY);
	run_for(&s, 120); /* the resync is running, one page at a time */
	see_user(&s, "alice", TRIGGER_LOGIN);
	classify_all(&s);
	run_for(&s, 60);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	site_end(&s);
}

/* ---- pages ---- */

static struct {
	int seen;	/* pages asked for */
	int fault_at;	/* which of them fails; 0: none, … */
	bool quota;	/* … and how */
	int64_t asked;	/* Retry-After */
	int64_t at[64]; /* when */
} pages;

static void watch_pages(struct call_at_google *c, struct outcome *o)
{
	if (c->call.method != GOOGLE_LIST || c->call.list_page_size == 1)
		return;
	o->latency_ms = 1500;
	if (pages.seen < 64)
		pages.at[pages.seen] = fake_google.boot_ms / 1000;
	if (++pages.seen != pages.fault_at)
		return;
	o->kind = pages.asked > 0 ? FAULT_TRANSIENT : FAULT_SETUP;
	o->code = "broken";
	o->quota = pages.quota;
	o->retry_after = pages.asked;
}

static void watch(void)
{
	memset(&pages, 0, sizeof(pages));
	fake_google.decide = watch_pages;
}

static void an_old_page_token_begins_the_list_again(void **state)
{
	struct site s = site_new(*state, "", "");

	invite_people(&s, 10);
	change_state(&fake_google.accounts[9], INVITATION_DECLINED, 1);
	watch();
	pages.fault_at = 3;
	run_for(&s, DAY + HOUR);
	assert_person(&s, "person9@example.com", PERSON_DECLINED, "answered");
	assert_int_equal(pages.seen, 3 + 5);
	site_end(&s);
}

static void a_resync_waits_as_long_as_google_asks_for(void **state)
{
	struct site s = site_new(*state, "requests_per_minute = 600\n", "");

	invite_people(&s, 10);
	run_for(&s, HOUR);
	watch();
	pages.fault_at = 2;
	pages.quota = true;
	pages.asked = 1800;
	run_for(&s, DAY + HOUR);
	assert_int_equal(pages.seen, 1 + 5);
	assert_in_range(pages.at[2] - pages.at[1], 1800, 1860);
	site_end(&s);
}

/* Google answers each page with the token that led to it. */
static void loop_pages(struct call_at_google *c, struct outcome *o)
{
	(void)o;
	if (c->call.method == GOOGLE_LIST && c->call.list_page_size != 1) {
		pages.seen++;
		str_copy(c->token, sizeof(c->token), "2");
	}
}

static void a_list_that_goes_in_circles_is_broken_off_for_that_day(void **state)
{
	struct site s = site_new(*state, "", "");

	invite_people(&s, 10);
	watch();
	fake_google.decide = loop_pages;
	run_for(&s, DAY + HOUR);
	assert_int_equal(pages.seen, 2);
	run_for(&s, DAY);
	assert_int_equal(pages.seen, 4);
	site_end(&s);
}

static void a_program_that_dies_during_a_resync_starts_it_again(void **state)
{
	struct site s = site_new(*state, "requests_per_minute = 30\n", "");

	invite_people(&s, 6);
	run_for(&s, HOUR);
	for (int n = 0; n < 100; n++) {
		char address[32];

		str_format(address, sizeof(address), "a%d@example.com", n);
		open_account(address, 30 * DAY);
	}
	change_state(&fake_google.accounts[5], INVITATION_DECLINED, 1);
	/* It moves behind the page that is being read. */
	watch();
	while (pages.seen < 30)
		run_for(&s, 1);
	site_crash(&s);
	run_for(&s, HOUR);
	assert_person(&s, "person5@example.com", PERSON_DECLINED, "answered");
	assert_in_range(pages.seen, 30 + 53, 31 + 53);
	site_end(&s);
}

/* ---- a backlog ---- */

#define BACKLOG 240

/* Every eighth has an unmanaged account; half of these were invited by another sender. */
static void arrive_as_backlog(struct site *s)
{
	char user[16], address[32];

	for (int n = 0; n < BACKLOG; n++) {
		str_format(user, sizeof(user), "person%d", n);
		str_format(address, sizeof(address), "%s@example.com", user);
		if (n % 8 == 7) {
			open_account(address, 30 * DAY);
			if (n % 16 == 7)
				change_state(account_of(address), INVITATION_INVITED, 1);
			state_of(account_of(address))->at -= 7 * DAY;
		}
		see_user(s, user, TRIGGER_LOGIN);
	}
}

static void assert_backlog_is_over(struct site *s)
{
	struct ledger_summary summary;

	check(s, ledger_summarise(s->ledger, clock_wall(), &summary, &s->fault));
	assert_int_equal(summary.people[PERSON_INVITED], BACKLOG / 8);
	assert_int_equal(summary.people[PERSON_NOT_INVITABLE], BACKLOG - BACKLOG / 8);
}

static void a_backlog_reads_the_list_first_and_checks_the_others_last(void **state)
{
	struct site s = site_new(*state, "requests_per_minute = 30\n", "");

	arrive_as_backlog(&s);
	classify_all(&s);
	/* 15 pages, then 15 people with 3 calls each: 60 calls, 27 a minute. */
	run_for(&s, 180);
	for (int n = 15; n < BACKLOG; n += 16)
		assert_int_equal(fake_google.accounts[n / 8].sends, 1);
	assert_true(fake_google.counts[GOOGLE_CHECK] < 60);
	run_for(&s, HOUR);
	assert_backlog_is_over(&s);
	/* Three calls for each who is invited, one for each without an account, none for those
	 * that the list shows as invited. */
	assert_int_equal(fake_google.counts[GOOGLE_LIST], 15);
	assert_calls(BACKLOG - BACKLOG / 16, BACKLOG / 16, BACKLOG / 16);
	/* The list counts as the resync of the day. */
	run_for(&s, 22 * HOUR);
	assert_int_equal(fake_google.counts[GOOGLE_LIST], 15);
	run_for(&s, 2 * HOUR);
	assert_true(fake_google.counts[GOOGLE_LIST] > 15);
	site_end(&s);
}

static void a_young_account_that_the_list_hides_is_invited_all_the_same(void **state)
{
	struct site s = site_new(*state, "", "");

	arrive_as_backlog(&s);
	open_account("person0@example.com", HOUR);
	run_once(&s);
	run_for(&s, HOUR);
	assert_person(&s, "person0@example.com", PERSON_INVITED, "sent");
	site_end(&s);
}

static void a_list_that_cannot_be_read_keeps_nobody_waiting(void **state)
{
	struct site s = site_new(*state, "", "");

	arrive_as_backlog(&s);
	broken_lists = 1000000;
	fake_google.decide = break_lists;
	run_for(&s, 1);
	classify_all(&s);
	run_for(&s, 300);
	assert_int_equal(fake_google.counts[GOOGLE_SEND], BACKLOG / 16);
	assert_backlog_is_over(&s);
	site_end(&s);
}

static void a_new_person_goes_before_a_backlog(void **state)
{
	struct site s = site_new(*state, "requests_per_minute = 30\n", "");

	arrive_as_backlog(&s);
	classify_all(&s);
	run_for(&s, 200);
	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	classify_all(&s);
	run_for(&s, 120);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_true(fake_google.counts[GOOGLE_CHECK] < BACKLOG / 2);
	site_end(&s);
}

static void a_backlog_that_breaks_off_is_begun_again(void **state)
{
	struct site s = site_new(*state, "requests_per_minute = 30\n", "");

	arrive_as_backlog(&s);
	classify_all(&s);
	run_for(&s, 1);
	site_crash(&s);
	classify_all(&s);
	run_for(&s, HOUR);
	assert_backlog_is_over(&s);
	assert_in_range(fake_google.counts[GOOGLE_LIST], 15, 30);
	/* The calls that were in flight are repeated. */
	assert_in_range(fake_google.counts[GOOGLE_CHECK], BACKLOG - BACKLOG / 16,
		BACKLOG - BACKLOG / 16 + 16);
	assert_int_equal(fake_google.counts[GOOGLE_SEND], BACKLOG / 16);
	site_end(&s);
}

static void a_list_longer_than_the_queue_keeps_nobody_waiting(void **state)
{
	struct site s = site_new(*state, "requests_per_minute = 60\n", "");
	char address[32];

	/* The ledger knows from the last resync that it is not worth it. */
	check(&s, ledger_set(s.ledger, "resync_pages", "500", &s.fault));
	for (int n = 0; n < 200; n++) {
		str_format(address, sizeof(address), "stranger%d@example.com", n);
		open_account(address, 30 * DAY);
	}
	arrive_as_backlog(&s);
	classify_all(&s);
	run_for(&s, HOUR);
	assert_int_equal(fake_google.counts[GOOGLE_LIST], 0);
	assert_backlog_is_over(&s);
	site_end(&s);
}

#define PROMISE(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_free)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PROMISE(the_first_resync_comes_after_a_whole_period),
		PROMISE(a_resync_shows_what_became_of_invited_people),
		PROMISE(a_resync_costs_its_pages_and_no_polling),
		PROMISE(where_few_are_open_each_is_asked_about_instead),
		PROMISE(with_no_open_person_google_is_not_asked),
		PROMISE(who_turns_up_unmanaged_is_held_invited_or_ignored_as_the_settings_say),
		PROMISE(who_was_discovered_and_then_comes_by_himself_is_invited),
		PROMISE(a_sighting_that_did_not_trigger_is_discovered_by_the_resync),
		PROMISE(a_scan_does_not_approve_who_was_discovered),
		PROMISE(rows_of_people_whom_nobody_has_seen_are_not_kept),
		PROMISE(a_resync_that_breaks_off_is_resumed),
		PROMISE(a_resync_goes_last),
		PROMISE(an_old_page_token_begins_the_list_again),
		PROMISE(a_resync_waits_as_long_as_google_asks_for),
		PROMISE(a_list_that_goes_in_circles_is_broken_off_for_that_day),
		PROMISE(a_program_that_dies_during_a_resync_starts_it_again),
		PROMISE(a_backlog_reads_the_list_first_and_checks_the_others_last),
		PROMISE(a_young_account_that_the_list_hides_is_invited_all_the_same),
		PROMISE(a_list_that_cannot_be_read_keeps_nobody_waiting),
		PROMISE(a_new_person_goes_before_a_backlog),
		PROMISE(a_backlog_that_breaks_off_is_begun_again),
		PROMISE(a_list_longer_than_the_queue_keeps_nobody_waiting),
	};

	return cmocka_run_group_tests_name("invite", tests, NULL, NULL);
}
