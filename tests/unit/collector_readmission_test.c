/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accounts that were excluded and are not any more: they wait, and many at once trip the change
 * guard.
 */
#include "tests/unit/collector_site.h"

#include "base/array.h"

#define DELAY	120
#define EXCLUDE "root:x:0:\nno-cloudinvite:x:500:"

static int new_site(void **state)
{
	struct collector_site *s;

	assert_int_equal(collector_new(state), 0);
	s = *state;
	s->site->settings.creation_delay = DELAY;
	people(s, "a:1001 b:1002 c:1003 d:1004 e:1005");
	compares(s);
	folder_write(s->site->folder, "group", EXCLUDE "a,b,c,d\n");
	for (const char *user = "abcde"; *user; user++)
		put_arrival(s, (char[]){*user, '\0'}, TRIGGER_LOGIN, 0);
	takes(s);
	return 0;
}

static void group_is(struct collector_site *s, const char *text)
{
	folder_write(s->site->folder, "group", text);
}

static void looks(struct collector_site *s)
{
	assert_true(step(s, facts_refresh));
}

/* All that is waiting has begun to wait so many seconds earlier. */
static void time_passes(struct collector_site *s, int64_t seconds)
{
	for (size_t i = 0; i < s->c.readmissions.count; i++)
		s->c.readmissions.list[i].since -= seconds;
	for (size_t i = 0; i < s->c.refreshed_count; i++)
		s->c.refreshed[i].at_ms -= 3600000;
}

static int64_t excluded(struct collector_site *s)
{
	return sightings(s, "member_of = 'no-cloudinvite'");
}

static bool is_paused(struct collector_site *s)
{
	struct ledger_pause p;

	return ledger_paused(s->c.ledger, &p, &s->site->fault) == 1 &&
	       strcmp(p.kind, "account_changes") == 0;
}

static void a_group_file_that_is_not_whole_releases_no_account(void **state)
{
	static const char *const torn[] = {"", "\n", "root:x:0:\nno-cloudinvite:x:500:a",
		"root:x:0:\nno-cloudinvite:x:5", "no-cloudinvite:x:500:a\n", "users:x:100:\n",
		"root:x:0:", "# only a comment\n"};
	struct collector_site *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(torn); i++) {
		group_is(s, torn[i]);
		looks(s);
		time_passes(s, DELAY + 1);
		looks(s);
		assert_int_equal(excluded(s), 4);
		assert_int_equal(s->c.readmissions.count, 0);
		assert_true(s->c.warned_groups);
	}
	assert_false(is_paused(s));
	group_is(s, EXCLUDE "a,b,c,d\n");
	looks(s);
	assert_false(s->c.warned_groups);
}

static void a_new_user_under_a_torn_group_file_counts_as_excluded(void **state)
{
	struct collector_site *s = *state;

	people(s, "a:1001 b:1002 c:1003 d:1004 e:1005 f:1006");
	group_is(s, "root:x:0:\nno-cloudinvite:x:500:a");
	put_arrival(s, "f", TRIGGER_LOGIN, 0);
	takes(s);
	assert_int_equal(sightings(s, "account = 'f' AND member_of = '?'"), 1);
	group_is(s, EXCLUDE "a,b,c,d\n");
	looks(s);
	time_passes(s, DELAY);
	looks(s);
	assert_int_equal(sightings(s, "account = 'f' AND member_of = ''"), 1);
	assert_false(is_paused(s));
}

static void an_exclusion_in_a_torn_group_file_counts_at_once(void **state)
{
	struct collector_site *s = *state;

	group_is(s, "no-cloudinvite:x:500:e\n");
	looks(s);
	assert_int_equal(excluded(s), 5);
}

static void who_is_not_excluded_any_more_waits_for_the_delay_and_a_second_look(void **state)
{
	struct collector_site *s = *state;

	group_is(s, EXCLUDE "a,b,c\n");
	looks(s);
	assert_int_equal(excluded(s), 4);
	assert_in_range(s->c.facts_due - clock_wall(), DELAY - 5, DELAY);
	looks(s);
	assert_int_equal(excluded(s), 4);
	time_passes(s, DELAY);
	looks(s);
	assert_int_equal(excluded(s), 3);
	looks(s);
	assert_int_equal(s->c.readmissions.count, 0);
}

static void who_is_excluded_again_meanwhile_begins_to_wait_again(void **state)
{
	struct collector_site *s = *state;

	group_is(s, EXCLUDE "a,b,c\n");
	looks(s);
	group_is(s, EXCLUDE "a,b,c,d\n");
	looks(s);
	assert_int_equal(s->c.readmissions.count, 0);
	group_is(s, EXCLUDE "a,b,c\n");
	looks(s);
	time_passes(s, DELAY - 10);
	looks(s);
	assert_int_equal(excluded(s), 4);
}

static void without_a_delay_it_still_takes_two_looks(void **state)
{
	struct collector_site *s = *state;

	s->site->settings.creation_delay = 0;
	group_is(s, EXCLUDE "a,b,c\n");
	looks(s);
	looks(s);
	assert_int_equal(excluded(s), 4);
	time_passes(s, 1);
	looks(s);
	assert_int_equal(excluded(s), 3);
}

/* Neither does a scan, which reports every account. */
static void an_arrival_does_not_shorten_the_wait(void **state)
{
	struct collector_site *s = *state;

	group_is(s, EXCLUDE "a,b,c\n");
	put_arrival(s, "d", TRIGGER_MANUAL, 0);
	takes(s);
	assert_int_equal(excluded(s), 4);
	assert_int_equal(sightings(s, "account = 'd' AND trigger = 'manual'"), 1);
	assert_true(s->c.facts_due != 0);
}

static void another_shell_waits_as_another_group_does(void **state)
{
	struct collector_site *s = *state;

	folder_write(s->site->folder, "passwd",
		"root:x:0:0::/:/bin/sh\ne:x:1005:100::/home/e:/usr/sbin/nologin\n");
	looks(s);
	assert_int_equal(sightings(s, "account = 'e' AND shell = '/usr/sbin/nologin'"), 1);
	time_passes(s, 0);
	folder_write(s->site->folder, "passwd",
		"root:x:0:0::/:/bin/sh\ne:x:1005:100::/home/e:/bin/sh\n");
	looks(s);
	assert_int_equal(sightings(s, "account = 'e' AND shell = '/usr/sbin/nologin'"), 1);
	time_passes(s, DELAY);
	looks(s);
	assert_int_equal(sightings(s, "account = 'e' AND shell = '/bin/sh'"), 1);
}

static void the_wait_survives_the_process(void **state)
{
	struct collector_site *s = *state;

	group_is(s, EXCLUDE "a,b,c\n");
	looks(s);
	time_passes(s, DELAY);
	s->c.readmissions.changed = true;
	GOOD(s->site, readmissions_save(&s->c.readmissions, s->paths[1], &s->site->fault));
	readmissions_free(&s->c.readmissions);
	looks(s);
	assert_int_equal(excluded(s), 3);
}

static void a_broken_file_begins_the_wait_again(void **state)
{
	static const char *const broken[] = {"x\n", "cloudinvite-readmitted 1\n",
		"cloudinvite-readmitted 1\n0 d\nend 2\n", "cloudinvite-readmitted 1\nx d\nend 1\n",
		"cloudinvite-readmitted 1\n0 d\n0 d\nend 2\n",
		"cloudinvite-readmitted 1\nguard open\nend 0\n",
		"cloudinvite-readmitted 1\n0 d\nend 1\nmore\n"};
	struct collector_site *s = *state;

	group_is(s, EXCLUDE "a,b,c\n");
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		folder_write(s->site->folder, "state/collector/readmitted", broken[i]);
		assert_int_equal(
			chmod(folder_path(s->site->folder, "state/collector/readmitted"), 0600), 0);
		readmissions_free(&s->c.readmissions);
		looks(s);
		assert_int_equal(excluded(s), 4);
		assert_int_equal(s->c.readmissions.count, 1);
	}
	folder_write(s->site->folder, "state/collector/readmitted",
		"cloudinvite-readmitted 1\n0 d\nend 1\n");
	readmissions_free(&s->c.readmissions);
	looks(s);
	assert_int_equal(excluded(s), 3);
}

static void many_at_once_trip_the_guard_and_resume_lets_them_pass(void **state)
{
	struct collector_site *s = *state;

	group_is(s, "root:x:0:\n");
	looks(s);
	assert_true(s->c.readmissions.tripped);
	assert_true(is_paused(s));
	time_passes(s, DELAY);
	looks(s);
	assert_int_equal(excluded(s), 4);
	assert_int_equal(s->c.facts_due, 0); /* or the loop would never sleep */
	assert_int_equal(ledger_resume(s->c.ledger, NULL, "root", &s->site->fault), 1);
	readmissions_free(&s->c.readmissions); /* the next process */
	looks(s);
	assert_true(s->c.readmissions.passed || s->c.readmissions.count == 0);
	time_passes(s, DELAY);
	looks(s);
	assert_int_equal(excluded(s), 0);
	looks(s);
	assert_false(is_paused(s));
	assert_false(s->c.readmissions.passed);
}

static void if_the_file_is_corrected_resume_releases_no_account(void **state)
{
	struct collector_site *s = *state;

	group_is(s, "root:x:0:\n");
	looks(s);
	group_is(s, EXCLUDE "a,b,c,d\n");
	looks(s);
	assert_false(s->c.readmissions.tripped);
	assert_true(is_paused(s)); /* an administrator is to hear of it */
	assert_int_equal(ledger_resume(s->c.ledger, NULL, "root", &s->site->fault), 1);
	group_is(s, "root:x:0:\n");
	looks(s);
	assert_true(is_paused(s));
	assert_int_equal(excluded(s), 4);
}

static void the_end_of_an_operators_pause_releases_no_account(void **state)
{
	struct collector_site *s = *state;
	struct ledger_pause p = {.kind = "operator", .actor = "root", .text = "lunch"};

	GOOD(s->site, ledger_pause(s->c.ledger, &p, &s->site->fault));
	group_is(s, "root:x:0:\n");
	looks(s);
	assert_false(s->c.readmissions.tripped);
	assert_int_equal(ledger_resume(s->c.ledger, NULL, "root", &s->site->fault), 1);
	time_passes(s, DELAY);
	looks(s);
	assert_true(is_paused(s));
	assert_int_equal(excluded(s), 4);
}

static void a_clock_that_was_set_back_makes_no_account_wait_for_longer(void **state)
{
	struct collector_site *s = *state;

	group_is(s, EXCLUDE "a,b,c\n");
	looks(s);
	time_passes(s, -86400);
	looks(s);
	assert_in_range(s->c.facts_due - clock_wall(), DELAY - 5, DELAY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, new_site, collector_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_group_file_that_is_not_whole_releases_no_account),
		TEST(a_new_user_under_a_torn_group_file_counts_as_excluded),
		TEST(an_exclusion_in_a_torn_group_file_counts_at_once),
		TEST(who_is_not_excluded_any_more_waits_for_the_delay_and_a_second_look),
		TEST(who_is_excluded_again_meanwhile_begins_to_wait_again),
		TEST(without_a_delay_it_still_takes_two_looks),
		TEST(an_arrival_does_not_shorten_the_wait),
		TEST(another_shell_waits_as_another_group_does),
		TEST(the_wait_survives_the_process),
		TEST(a_broken_file_begins_the_wait_again),
		TEST(many_at_once_trip_the_guard_and_resume_lets_them_pass),
		TEST(if_the_file_is_corrected_resume_releases_no_account),
		TEST(the_end_of_an_operators_pause_releases_no_account),
		TEST(a_clock_that_was_set_back_makes_no_account_wait_for_longer),
	};

	return cmocka_run_group_tests_name("collector: readmission", tests, NULL, NULL);
}
