/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/strbuf.h"
#include "collector_site.h"

#define HOUR INT64_C(3600)

/* The number of waiting arrivals. */
static int waiting(struct collector_site *s)
{
	struct spool_arrival *list = calloc(4096, sizeof(*list));
	int count;

	assert_non_null(list);
	count = spool_client_list(&s->c.spool, list, 4096, &s->site->fault);
	free(list);
	return count;
}

/* ---- which users count ---- */

static void every_trigger_is_reported_unchanged(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001 bob:1002 carol:1003");
	put_arrival(s, "alice", TRIGGER_LOGIN, 0);
	put_arrival(s, "bob", TRIGGER_CREATED, 0);
	put_arrival(s, "carol", TRIGGER_MANUAL, 0);
	takes(s);
	assert_int_equal(sightings(s, there("alice") " AND trigger = 'login'"), 1);
	assert_int_equal(sightings(s, there("bob") " AND trigger = 'created'"), 1);
	assert_int_equal(sightings(s, there("carol") " AND trigger = 'manual'"), 1);
	assert_int_equal(waiting(s), 0);
	assert_true(s->c.ledger_dirty);
}

static void a_known_user_is_not_reported_but_gets_a_mark(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001");
	put_arrival(s, "alice", TRIGGER_LOGIN, 0);
	takes(s);
	GOOD(s->site, spool_unmark(&s->boxes, "alice", &s->site->fault));
	s->c.ledger_dirty = false;
	put_arrival(s, "alice", TRIGGER_LOGIN, 0);
	takes(s);
	assert_false(s->c.ledger_dirty);
	assert_true(marked(s, "alice"));
	assert_int_equal(sightings(s, "1"), 1);
}

static void a_marker_with_a_later_state_stays(void **state)
{
	struct collector_site *s = *state;
	char word[SPOOL_WORD_MAX + 1];

	people(s, "alice:1001");
	GOOD(s->site, spool_mark(&s->boxes, "alice", "invited", &s->site->fault));
	put_arrival(s, "alice", TRIGGER_MANUAL, 0);
	takes(s);
	assert_true(spool_read_mark(s->boxes.seen_dir, "alice", word));
	assert_string_equal(word, "invited");
}

static void a_login_out_of_range_is_seen_and_marked(void **state)
{
	struct collector_site *s = *state;

	people(s, "backup:34");
	put_arrival(s, "backup", TRIGGER_LOGIN, 0);
	takes(s);
	assert_int_equal(sightings(s, there("backup")), 1);
	assert_true(marked(s, "backup"));
}

/* useradd --prefix /run/img alice, emit --trigger created alice: no account was created here. */
static void a_created_arrival_for_an_account_of_the_baseline_is_ignored(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001 bob:1002");
	compares(s);
	people(s, "alice:1001 bob:1009 carol:1003");
	put_arrival(s, "alice", TRIGGER_CREATED, HOUR);
	put_arrival(s, "bob", TRIGGER_CREATED, HOUR);
	put_arrival(s, "carol", TRIGGER_CREATED, HOUR);
	takes(s);
	assert_int_equal(sightings(s, "account = 'alice'"), 0);
	assert_false(marked(s, "alice"));
	assert_int_equal(sightings(s, there("bob") " AND trigger = 'created'"), 1);
	assert_int_equal(sightings(s, there("carol") " AND trigger = 'created'"), 1);
	assert_int_equal(waiting(s), 0);
	put_arrival(s, "alice", TRIGGER_LOGIN, 0);
	takes(s);
	assert_int_equal(sightings(s, there("alice") " AND trigger = 'login'"), 1);
}

static void a_system_account_that_was_created_does_not_count(void **state)
{
	struct collector_site *s = *state;

	people(s, "postgres:113");
	put_arrival(s, "postgres", TRIGGER_CREATED, 0);
	takes(s);
	assert_int_equal(sightings(s, "1"), 0);
	assert_false(marked(s, "postgres"));
	assert_int_equal(waiting(s), 0);
}

static void a_user_who_is_not_here_is_skipped_without_a_marker(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001");
	put_arrival(s, "mallory", TRIGGER_LOGIN, 0);
	put_arrival(s, "alice", TRIGGER_DELETED, 0);
	takes(s);
	assert_int_equal(sightings(s, "1"), 0);
	assert_false(marked(s, "mallory"));
	assert_int_equal(waiting(s), 0);
}

static void unknown_users_are_logged_once_an_hour(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001");
	put_arrival(s, "ghost1", TRIGGER_LOGIN, 0);
	put_arrival(s, "ghost2", TRIGGER_LOGIN, 0);
	put_arrival(s, "ghost3", TRIGGER_LOGIN, 0);
	takes(s);
	assert_int_equal(waiting(s), 0);
	assert_int_equal(s->c.skipped, 2); /* without a log line of their own */
	s->c.skipped_logged_ms -= 3600000;
	put_arrival(s, "ghost1", TRIGGER_LOGIN, 0);
	takes(s);
	assert_int_equal(s->c.skipped, 0);
}

static void while_passwd_is_incomplete_an_unknown_user_waits(void **state)
{
	struct collector_site *s = *state;

	folder_write(s->site->folder, "passwd",
		"root:x:0:0::/:/bin/sh\nbob:x:1002:100::/:/bin/sh\nalice:x:1001");
	put_arrival(s, "alice", TRIGGER_LOGIN, 0);
	put_arrival(s, "bob", TRIGGER_LOGIN, 0);
	takes(s);
	assert_int_equal(sightings(s, there("bob")), 1);
	assert_int_equal(waiting(s), 1);
	people(s, "alice:1001 bob:1002");
	takes(s);
	assert_int_equal(sightings(s, there("alice")), 1);
	assert_int_equal(waiting(s), 0);
}

/* ---- the creation delay ---- */

static void a_creation_waits_for_creation_delay_and_a_login_does_not(void **state)
{
	struct collector_site *s = *state;

	s->site->settings.creation_delay = 120;
	people(s, "alice:1001 bob:1002");
	put_arrival(s, "alice", TRIGGER_CREATED, 20);
	put_arrival(s, "bob", TRIGGER_LOGIN, 20);
	takes(s);
	assert_int_equal(sightings(s, there("alice")), 0);
	assert_int_equal(sightings(s, there("bob")), 1);
	assert_int_equal(waiting(s), 1);
	assert_in_range(s->c.arrivals_due, clock_wall() + 98, clock_wall() + 100);
}

static void a_creation_that_has_settled_is_seen(void **state)
{
	struct collector_site *s = *state;

	s->site->settings.creation_delay = 120;
	people(s, "alice:1001");
	put_arrival(s, "alice", TRIGGER_CREATED, 121);
	put_arrival(s, "bob", TRIGGER_CREATED, 121);
	takes(s);
	assert_int_equal(sightings(s, there("alice") " AND trigger = 'created'"), 1);
	assert_int_equal(sightings(s, "1"), 1);
	assert_int_equal(waiting(s), 0);
	assert_int_equal(s->c.arrivals_due, 0);
}

static void a_time_from_the_future_delays_no_arrival(void **state)
{
	struct collector_site *s = *state;

	s->site->settings.creation_delay = 120;
	people(s, "alice:1001");
	put_arrival(s, "alice", TRIGGER_CREATED, -HOUR);
	takes(s);
	assert_int_equal(sightings(s, there("alice")), 1);
}

static void waiting_arrivals_do_not_hide_later_ones(void **state)
{
	struct collector_site *s = *state;
	struct strbuf names = {.max = 0};

	s->site->settings.creation_delay = 120;
	for (int i = 0; i < 9000; i++) {
		char user[16];

		str_format(user, sizeof(user), "u%d", i);
		assert_int_equal(spool_put(s->boxes.new_dir, user, TRIGGER_CREATED, false), 1);
		strbuf_addf(&names, "%s:%d ", user, 2000 + i);
	}
	strbuf_add(&names, "alice:1001");
	people(s, names.data);
	strbuf_free(&names);
	put_arrival(s, "alice", TRIGGER_LOGIN, 0);
	takes(s);
	assert_int_equal(sightings(s, there("alice")), 1);
	assert_int_equal(sightings(s, "1"), 1);
}

/* ---- network users ---- */

/* Users that NSS knows but our passwd file does not: this host's real users. */
static void with_network_users(struct collector_site *s)
{
	s->site->settings.network_users = true;
	people(s, "alice:1001");
}

static void a_network_user_is_found_by_nss(void **state)
{
	struct collector_site *s = *state;

	with_network_users(s);
	put_arrival(s, "daemon", TRIGGER_LOGIN, 0);
	takes(s);
	assert_int_equal(sightings(s, there("daemon") " AND local = 0 AND uid = 1"), 1);
	assert_true(marked(s, "daemon"));
}

static void without_network_users_nss_is_not_asked(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001");
	put_arrival(s, "daemon", TRIGGER_LOGIN, 0);
	takes(s);
	assert_int_equal(sightings(s, "1"), 0);
}

static void a_person_who_is_not_found_is_tried_again_for_a_day(void **state)
{
	struct collector_site *s = *state;

	with_network_users(s);
	put_arrival(s, "nobody-knows-me", TRIGGER_LOGIN, 23 * HOUR);
	takes(s);
	assert_int_equal(waiting(s), 1);
	assert_in_range(s->c.arrivals_due, clock_wall() + 290, clock_wall() + 300);
	put_arrival(s, "nor-me", TRIGGER_LOGIN, 25 * HOUR);
	s->c.network_at = 0;
	takes(s);
	assert_int_equal(waiting(s), 1);
}

static void a_newcomer_does_not_wait_for_those_who_are_tried_again(void **state)
{
	struct collector_site *s = *state;

	with_network_users(s);
	put_arrival(s, "nobody-knows-me", TRIGGER_LOGIN, HOUR);
	takes(s);
	put_arrival(s, "daemon", TRIGGER_LOGIN, -1);
	takes(s);
	assert_int_equal(sightings(s, there("daemon")), 1);
	assert_int_equal(waiting(s), 1);
}

static void a_clock_that_was_set_back_by_a_day_holds_up_no_network_user(void **state)
{
	struct collector_site *s = *state;

	with_network_users(s);
	s->c.network_at = clock_wall() + DAY; /* the last lookup, by the old clock */
	put_arrival(s, "daemon", TRIGGER_LOGIN, HOUR);
	takes(s);
	assert_int_equal(sightings(s, there("daemon")), 1);
	assert_true(s->c.network_at <= clock_wall());
}

static void the_marks_of_network_users_last_a_month(void **state)
{
	struct collector_site *s = *state;
	const struct timespec old[2] = {{.tv_sec = (time_t)(clock_wall() - 31 * DAY)},
		{.tv_sec = (time_t)(clock_wall() - 31 * DAY)}};
	struct account_snapshot snapshot;

	people(s, "alice:1001");
	GOOD(s->site, spool_mark(&s->boxes, "alice", "seen", &s->site->fault));
	GOOD(s->site, spool_mark(&s->boxes, "remote", "seen", &s->site->fault));
	GOOD(s->site, spool_mark(&s->boxes, "recent", "seen", &s->site->fault));
	assert_int_equal(utimensat(s->boxes.seen_dir, "alice", old, 0), 0);
	assert_int_equal(utimensat(s->boxes.seen_dir, "remote", old, 0), 0);
	GOOD(s->site, snapshot_take(&snapshot, &s->site->settings, &s->site->fault));
	GOOD(s->site, marks_drop_network(&s->c, &snapshot, 30 * DAY, &s->site->fault));
	snapshot_free(&snapshot);
	assert_true(marked(s, "alice"));
	assert_true(marked(s, "recent"));
	assert_false(marked(s, "remote"));
}

/* ---- markers ---- */

static void evaluated(struct collector_site *s, const char *user, const char *address)
{
	struct ledger_sighting found[8];
	int n = ledger_unclassified(s->c.ledger, RULES, found, 8, &s->site->fault);

	assert_in_range(n, 1, 8);
	for (int i = 0; i < n; i++) {
		struct verdict v = {.kind = VERDICT_MAPPED};

		if (strcmp(found[i].seen.user, user) != 0)
			continue;
		str_copy(v.address, sizeof(v.address), address);
		GOOD(s->site,
			ledger_set_verdict(s->c.ledger, found[i].id, RULES, &v, &s->site->fault));
	}
}

static const char *word_of(struct collector_site *s, const char *user)
{
	static char word[SPOOL_WORD_MAX + 1];

	return spool_read_mark(s->boxes.seen_dir, user, word) ? word : "";
}

static void a_marker_has_the_state_of_the_person(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001");
	put_arrival(s, "alice", TRIGGER_LOGIN, 0);
	takes(s);
	assert_string_equal(word_of(s, "alice"), "seen");
	evaluated(s, "alice", "alice@example.com");
	GOOD(s->site, marks_update(&s->c, &s->site->fault));
	assert_string_equal(word_of(s, "alice"), "mapped");
	put_new(s->site, "alice@example.com", PERSON_INVITED);
	GOOD(s->site, marks_update(&s->c, &s->site->fault));
	assert_string_equal(word_of(s, "alice"), "invited");
}

static void a_start_brings_marks_up_to_date_and_makes_none(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001 bob:1002");
	put_arrival(s, "alice", TRIGGER_LOGIN, 0);
	put_arrival(s, "bob", TRIGGER_LOGIN, 0);
	takes(s);
	evaluated(s, "alice", "alice@example.com");
	evaluated(s, "bob", "bob@example.com");
	GOOD(s->site, spool_unmark(&s->boxes, "bob", &s->site->fault));
	s->c.change = 0;
	GOOD(s->site, marks_update(&s->c, &s->site->fault));
	assert_string_equal(word_of(s, "alice"), "mapped");
	assert_false(marked(s, "bob"));
}

/* ---- failures ---- */

static void without_a_commit_nothing_is_marked_and_nothing_removed(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001");
	put_arrival(s, "alice", TRIGGER_LOGIN, 0);
	/* There is no number for another sighting: a fault without waiting for a lock. */
	site_sql(s->site, "INSERT INTO sqlite_sequence VALUES ('sighting', 9223372036854775807)");
	assert_false(step(s, arrivals_process));
	assert_int_equal(s->site->fault.kind, FAULT_STORAGE);
	assert_int_equal(waiting(s), 1);
	assert_false(marked(s, "alice"));
	site_sql(s->site, "DELETE FROM sqlite_sequence");
	takes(s);
	assert_int_equal(sightings(s, there("alice")), 1);
	assert_int_equal(waiting(s), 0);
}

static void without_a_mark_the_arrival_stays(void **state)
{
	struct collector_site *s = *state;

	people(s, "alice:1001");
	put_arrival(s, "alice", TRIGGER_LOGIN, 0);
	assert_int_equal(fchmod(s->boxes.seen_dir, 0500), 0);
	assert_false(step(s, arrivals_process));
	assert_non_null(strstr(s->site->fault.what, "seen/"));
	assert_int_equal(fchmod(s->boxes.seen_dir, 0700), 0);
	assert_int_equal(waiting(s), 1);
	takes(s);
	assert_true(marked(s, "alice"));
	assert_int_equal(waiting(s), 0);
	assert_int_equal(sightings(s, "1"), 1);
}

static void more_than_a_list_holds_is_taken_in_turns(void **state)
{
	struct collector_site *s = *state;
	int turns = 0;

	people(s, "");
	for (int i = 0; i < 8200; i++) {
		char user[16];

		str_format(user, sizeof(user), "u%d", i);
		assert_int_equal(spool_put(s->boxes.new_dir, user, TRIGGER_DELETED, false), 1);
	}
	do {
		takes(s);
		turns++;
	} while (s->c.pending);
	assert_int_equal(turns, 2);
	assert_int_equal(waiting(s), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, collector_new, collector_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_trigger_is_reported_unchanged),
		TEST(a_known_user_is_not_reported_but_gets_a_mark),
		TEST(a_marker_with_a_later_state_stays),
		TEST(a_login_out_of_range_is_seen_and_marked),
		TEST(a_created_arrival_for_an_account_of_the_baseline_is_ignored),
		TEST(a_system_account_that_was_created_does_not_count),
		TEST(a_user_who_is_not_here_is_skipped_without_a_marker),
		TEST(unknown_users_are_logged_once_an_hour),
		TEST(while_passwd_is_incomplete_an_unknown_user_waits),
		TEST(a_creation_waits_for_creation_delay_and_a_login_does_not),
		TEST(a_creation_that_has_settled_is_seen),
		TEST(a_time_from_the_future_delays_no_arrival),
		TEST(waiting_arrivals_do_not_hide_later_ones),
		TEST(a_network_user_is_found_by_nss),
		TEST(without_network_users_nss_is_not_asked),
		TEST(a_person_who_is_not_found_is_tried_again_for_a_day),
		TEST(a_newcomer_does_not_wait_for_those_who_are_tried_again),
		TEST(a_clock_that_was_set_back_by_a_day_holds_up_no_network_user),
		TEST(the_marks_of_network_users_last_a_month),
		TEST(a_marker_has_the_state_of_the_person),
		TEST(a_start_brings_marks_up_to_date_and_makes_none),
		TEST(without_a_commit_nothing_is_marked_and_nothing_removed),
		TEST(without_a_mark_the_arrival_stays),
		TEST(more_than_a_list_holds_is_taken_in_turns),
	};

	return cmocka_run_group_tests_name("collector: arrivals", tests, NULL, NULL);
}
