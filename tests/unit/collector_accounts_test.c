/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/strbuf.h"
#include "collector_site.h"

static void settles(struct collector_site *s)
{
	s->site->settings.creation_delay = 120;
}

/* Everything that waits has waited long enough: its time becomes a distant one. */
static void time_passes(struct collector_site *s)
{
	char *text = folder_read(s->site->folder, "state/collector/host"), *save = NULL;
	struct strbuf out = {.max = 0};

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (str_starts(line, "new ") || str_starts(line, "absent "))
			strbuf_addf(&out, "%.*s 1000\n", (int)(strrchr(line, ' ') - line), line);
		else
			strbuf_addf(&out, "%s\n", line);
	}
	folder_write(s->site->folder, "state/collector/host", out.data ? out.data : "");
	assert_int_equal(chmod(folder_path(s->site->folder, "state/collector/host"), 0600), 0);
	strbuf_free(&out);
	free(text);
}

static void logs_in(struct collector_site *s, const char *user)
{
	put_arrival(s, user, TRIGGER_LOGIN, 0);
	takes(s);
	assert_true(marked(s, user));
}

/* ---- the baseline ---- */

static void the_first_compare_is_the_baseline(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001 bob:1002");
	compares(s);
	compares(s);
	assert_int_equal(sightings(s, "1"), 0);
	assert_false(s->c.ledger_dirty);
	assert_int_equal(s->c.accounts_due, 0);
}

static void an_unchanged_host_writes_nothing(void **state)
{
	struct collector_site *s = *state;
	struct stat before, after;

	people(s, "alice:1001");
	compares(s);
	assert_int_equal(stat(folder_path(s->site->folder, "state/collector/host"), &before), 0);
	compares(s);
	assert_int_equal(stat(folder_path(s->site->folder, "state/collector/host"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void an_account_that_was_deleted_while_the_baseline_was_lost_is_reported(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001 bob:1002");
	compares(s);
	logs_in(s, "alice");
	assert_int_equal(unlink(folder_path(s->site->folder, "state/collector/host")), 0);
	people(s, "bob:1002");
	compares(s);
	compares(s);
	compares(s);
	assert_int_equal(sightings(s, gone("alice")), 1);
	assert_false(marked(s, "alice"));
}

static void a_passwd_that_is_not_whole_is_not_compared(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001");
	compares(s);
	folder_write(s->site->folder, "passwd", "bob:x:1002:100::/:/bin/sh\n");
	compares(s);
	folder_write(s->site->folder, "passwd", "root:x:0:0::/:/bin/sh\nbob:x:1002\n");
	compares(s);
	people(s, "alice:1001");
	compares(s);
	assert_int_equal(sightings(s, "1"), 0);
}

/* ---- changes that are applied ---- */

static void a_created_account_becomes_a_sighting_and_a_mark(void **state)
{
	struct collector_site *s = *state;

	settles(s);
	people(s, "alice:1001");
	compares(s);
	people(s, "alice:1001 bob:1002");
	compares(s);
	assert_int_equal(sightings(s, "1"), 0);
	assert_in_range(s->c.accounts_due, clock_wall() + 100, clock_wall() + 120);
	time_passes(s);
	compares(s);
	assert_int_equal(sightings(s, there("bob") " AND trigger = 'created' AND uid = 1002"), 1);
	assert_true(marked(s, "bob"));
	assert_true(s->c.ledger_dirty);
	assert_int_equal(s->c.accounts_due, 0);
}

static void a_deleted_account_is_gone_and_its_mark_too(void **state)
{
	struct collector_site *s = *state;

	settles(s);
	people(s, "alice:1001 bob:1002");
	compares(s);
	logs_in(s, "alice");
	people(s, "bob:1002");
	compares(s);
	compares(s);
	assert_int_equal(sightings(s, there("alice")), 1);
	assert_true(marked(s, "alice"));
	time_passes(s);
	compares(s);
	assert_int_equal(sightings(s, gone("alice")), 1);
	assert_false(marked(s, "alice"));
}

static void a_renamed_account_keeps_its_story(void **state)
{
	struct collector_site *s = *state;

	settles(s);
	people(s, "alice:1001");
	compares(s);
	logs_in(s, "alice");
	people(s, "alicia:1001");
	compares(s);
	time_passes(s);
	compares(s);
	assert_int_equal(sightings(s, there("alicia") " AND trigger = 'login'"), 1);
	assert_int_equal(sightings(s, "1"), 1);
	assert_false(marked(s, "alice"));
}

static void a_renamed_account_that_was_never_seen_is_not_reported(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001");
	compares(s);
	people(s, "alicia:1001");
	compares(s);
	compares(s);
	assert_int_equal(sightings(s, "1"), 0);
	assert_false(marked(s, "alicia"));
}

static void the_uid_of_a_removed_account_makes_no_other_account_known(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001");
	compares(s);
	logs_in(s, "alice");
	people(s, "");
	compares(s);
	compares(s);
	people(s, "bob:1001");
	compares(s);
	assert_int_equal(sightings(s, gone("alice")), 1);
	assert_int_equal(sightings(s, there("bob") " AND trigger = 'created'"), 1);
}

static void the_name_of_a_removed_account_is_new_under_another_uid(void **state)
{
	struct collector_site *s = *state;

	settles(s);
	people(s, "alice:1001");
	compares(s);
	logs_in(s, "alice");
	people(s, "alice:1005");
	compares(s);
	assert_int_equal(sightings(s, there("alice") " AND trigger = 'created' AND uid = 1005"), 1);
	assert_true(marked(s, "alice"));
}

static void what_a_crash_repeats_is_not_reported_again(void **state)
{
	struct collector_site *s = *state;
	char *before;

	people(s, "alice:1001 zoe:1003");
	compares(s);
	logs_in(s, "zoe");
	people(s, "alice:1001 bob:1002");
	compares(s);
	before = folder_read(s->site->folder, "state/collector/host");
	compares(s);
	s->c.ledger_dirty = false;
	/* Ledger and markers were written, the baseline was not. */
	folder_write(s->site->folder, "state/collector/host", before);
	assert_int_equal(chmod(folder_path(s->site->folder, "state/collector/host"), 0600), 0);
	compares(s);
	assert_false(s->c.ledger_dirty);
	assert_int_equal(sightings(s, there("bob")), 1);
	assert_int_equal(sightings(s, gone("zoe")), 1);
	assert_int_equal(
		site_number(s->site, "SELECT count(*) FROM history WHERE event = 'gone'"), 1);
	free(before);
}

static void an_account_that_is_deleted_before_the_baseline_knew_it_is_reported(void **state)
{
	struct collector_site *s = *state;
	char *before;

	people(s, "alice:1001");
	compares(s);
	people(s, "alice:1001 bob:1002");
	before = folder_read(s->site->folder, "state/collector/host");
	compares(s);
	assert_int_equal(sightings(s, there("bob")), 1);
	/* Ledger and marker were written, the baseline was not; then bob was deleted. */
	folder_write(s->site->folder, "state/collector/host", before);
	assert_int_equal(chmod(folder_path(s->site->folder, "state/collector/host"), 0600), 0);
	people(s, "alice:1001");
	compares(s);
	assert_int_equal(
		sightings(s, there("bob")), 1); /* an account that was missing once is not gone */
	compares(s);
	compares(s);
	assert_int_equal(sightings(s, gone("bob")), 1);
	assert_false(marked(s, "bob"));
	free(before);
}

static void an_account_with_a_login_that_is_deleted_before_it_settled_is_reported(void **state)
{
	struct collector_site *s = *state;

	settles(s);
	people(s, "alice:1001");
	compares(s);
	people(s, "alice:1001 bob:1002");
	compares(s);
	logs_in(s, "bob");
	people(s, "alice:1001");
	compares(s);
	time_passes(s);
	compares(s);
	time_passes(s);
	compares(s);
	assert_int_equal(sightings(s, gone("bob")), 1);
	assert_false(marked(s, "bob"));
}

/* ---- another machine, another name ---- */

static void a_copy_of_the_machine_begins_again(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001");
	compares(s);
	logs_in(s, "alice");
	folder_write(s->site->folder, "state/collector/host",
		"cloudinvite-host 1\nname " HOST "\nmachine another\nknown 1001 alice\nend 1\n");
	assert_int_equal(chmod(folder_path(s->site->folder, "state/collector/host"), 0600), 0);
	compares(s);
	assert_int_equal(sightings(s, "1"), 0);
	assert_false(marked(s, "alice"));
	people(s, "alice:1001 bob:1002");
	compares(s);
	assert_int_equal(sightings(s, there("bob")), 1);
}

static void under_another_host_name_the_accounts_are_still_known(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001 bob:1002");
	compares(s);
	logs_in(s, "alice");
	str_copy(s->c.host, sizeof(s->c.host), "web2");
	compares(s);
	assert_int_equal(
		sightings(s, there("alice") " AND host = 'web2' AND trigger = 'login'"), 1);
	assert_int_equal(sightings(s, "host = '" HOST "'"), 0);
	assert_true(marked(s, "alice"));
	people(s, "bob:1002");
	compares(s);
	compares(s);
	assert_int_equal(sightings(s, gone("alice")), 1);
	assert_int_equal(sightings(s, there("bob")), 0);
}

/* ---- facts ---- */

static void a_new_group_is_reported(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001 bob:1002");
	compares(s);
	logs_in(s, "alice");
	logs_in(s, "bob");
	s->c.ledger_dirty = false;
	assert_true(step(s, facts_refresh));
	assert_false(s->c.ledger_dirty);
	folder_write(s->site->folder, "group", "root:x:0:\nno-cloudinvite:x:500:alice\n");
	assert_true(step(s, facts_refresh));
	assert_true(s->c.ledger_dirty);
	assert_int_equal(sightings(s, "member_of = 'no-cloudinvite'"), 1);
}

static void more_changed_facts_than_fit_into_one_commit_are_all_reported(void **state)
{
	struct collector_site *s = *state;
	struct strbuf names = {.max = 0};

	for (int i = 0; i < 1200; i++)
		strbuf_addf(&names, "u%d:%d ", i, 2000 + i);
	people(s, names.data);
	strbuf_free(&names);
	compares(s);
	for (int i = 0; i < 1200; i++) {
		char user[16];

		str_format(user, sizeof(user), "u%d", i);
		put_arrival(s, user, TRIGGER_LOGIN, 0);
	}
	takes(s);
	folder_write(s->site->folder, "group", "no-cloudinvite:x:100:\n");
	assert_true(step(s, facts_refresh));
	assert_int_equal(sightings(s, "member_of = 'no-cloudinvite'"), 1200);
}

static void alice_has_the_shell(struct collector_site *s, const char *shell)
{
	char lines[256];

	str_format(lines, sizeof(lines),
		"root:x:0:0:root:/root:/bin/bash\nalice:x:1001:100::/home/alice:%s\n", shell);
	folder_write(s->site->folder, "passwd", lines);
	assert_true(step(s, facts_refresh));
}

static bool alice_is_known_with(struct collector_site *s, const char *shell)
{
	return strcmp(seen(s->site, HOST, "alice").seen.shell, shell) == 0;
}

static void alice_is_known(struct collector_site *s)
{
	people(s, "alice:1001");
	compares(s);
	logs_in(s, "alice");
}

static void an_hour_passes(struct collector_site *s)
{
	for (size_t i = 0; i < s->c.refreshed_count; i++)
		s->c.refreshed[i].at_ms -= 3600000;
}

static void facts_of_an_account_count_once_an_hour_and_the_last_ones_stay(void **state)
{
	struct collector_site *s = *state;

	alice_is_known(s);
	alice_has_the_shell(s, "/bin/ksh");
	assert_true(alice_is_known_with(s, "/bin/ksh")); /* the first change: at once */
	assert_int_equal(s->c.facts_due, 0);
	s->c.ledger_dirty = false;
	for (int i = 0; i < 100; i++)
		alice_has_the_shell(s, i % 2 == 0 ? "/bin/dash" : "/bin/zsh");
	assert_true(alice_is_known_with(s, "/bin/ksh"));
	assert_false(s->c.ledger_dirty);
	assert_in_range(s->c.facts_due - clock_wall(), 3500, 3601);
	an_hour_passes(s);
	assert_true(step(s, facts_refresh));
	assert_true(alice_is_known_with(s, "/bin/zsh"));
	assert_int_equal(s->c.facts_due, 0);
}

static void an_account_that_becomes_excluded_does_not_wait_and_the_reverse_does(void **state)
{
	struct collector_site *s = *state;

	alice_is_known(s);
	alice_has_the_shell(s, "/bin/ksh");
	alice_has_the_shell(s, "/usr/sbin/nologin");
	assert_true(alice_is_known_with(s, "/usr/sbin/nologin"));
	for (int i = 0; i < 100; i++)
		alice_has_the_shell(s, i % 2 == 0 ? "/bin/sh" : "/bin/false");
	assert_true(alice_is_known_with(s, "/usr/sbin/nologin"));
	assert_int_equal(
		site_number(s->site, "SELECT count(*) FROM history WHERE event = 'changed'"), 2);
}

static void what_waits_is_not_lost_with_the_process(void **state)
{
	struct collector_site *s = *state;

	alice_is_known(s);
	alice_has_the_shell(s, "/bin/ksh");
	alice_has_the_shell(s, "/bin/zsh");
	assert_true(alice_is_known_with(s, "/bin/ksh"));
	facts_refresh_forget(&s->c);
	assert_true(step(s, facts_refresh));
	assert_true(alice_is_known_with(s, "/bin/zsh"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, collector_new, collector_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_compare_is_the_baseline),
		TEST(an_unchanged_host_writes_nothing),
		TEST(an_account_that_was_deleted_while_the_baseline_was_lost_is_reported),
		TEST(a_passwd_that_is_not_whole_is_not_compared),
		TEST(a_created_account_becomes_a_sighting_and_a_mark),
		TEST(a_deleted_account_is_gone_and_its_mark_too),
		TEST(a_renamed_account_keeps_its_story),
		TEST(a_renamed_account_that_was_never_seen_is_not_reported),
		TEST(the_uid_of_a_removed_account_makes_no_other_account_known),
		TEST(the_name_of_a_removed_account_is_new_under_another_uid),
		TEST(what_a_crash_repeats_is_not_reported_again),
		TEST(an_account_that_is_deleted_before_the_baseline_knew_it_is_reported),
		TEST(an_account_with_a_login_that_is_deleted_before_it_settled_is_reported),
		TEST(a_copy_of_the_machine_begins_again),
		TEST(under_another_host_name_the_accounts_are_still_known),
		TEST(a_new_group_is_reported),
		TEST(facts_of_an_account_count_once_an_hour_and_the_last_ones_stay),
		TEST(an_account_that_becomes_excluded_does_not_wait_and_the_reverse_does),
		TEST(what_waits_is_not_lost_with_the_process),
		TEST(more_changed_facts_than_fit_into_one_commit_are_all_reported),
	};

	return cmocka_run_group_tests_name("collector: accounts", tests, NULL, NULL);
}
