/* SPDX-License-Identifier: Apache-2.0 */
/*
 * History: what a user can add to it at will is bounded, and nothing else is lost because of that.
 */
#include "base/str.h"
#include "ledger_site.h"

#include "ledger/history.h"

#define MANY (3 * HISTORY_AT_WILL)

static void has_the_shell(struct site *site, int number)
{
	struct sighting s = account("web1", "alice");

	str_format(s.shell, sizeof(s.shell), "/bin/shell%d", number);
	GOOD(site, ledger_account_seen(site->ledger, &s, &site->fault) == 2);
}

static int64_t lines(struct site *site, const char *what)
{
	char sql[128];

	str_format(sql, sizeof(sql), "SELECT count(*) FROM history WHERE event = '%s'", what);
	return site_number(site, sql);
}

static void the_same_verdict_on_other_facts_adds_no_line(void **state)
{
	struct verdict v = {.kind = VERDICT_MAPPED, .from_template = true};
	struct site *site = *state;

	arrive(site, "web1", "alice", "alice@example.com");
	assert_int_equal(lines(site, "evaluated"), 1);
	has_the_shell(site, 1);
	str_copy(v.address, sizeof(v.address), "alice@example.com");
	classify_as(site, "web1", "alice", v, RULES);
	assert_int_equal(lines(site, "evaluated"), 1);
	classify(site, "web1", "alice", "alice.b@example.com", RULES + 1);
	assert_int_equal(lines(site, "evaluated"), 2);
	classify(site, "web1", "alice", "", RULES + 2);
	assert_int_equal(lines(site, "evaluated"), 3);
	classify(site, "web1", "alice", "alice@example.com", RULES + 3);
	assert_int_equal(lines(site, "evaluated"), 4);
}

static void changes_of_one_account_are_kept_up_to_a_number(void **state)
{
	struct site *site = *state;

	arrive(site, "web1", "alice", "alice@example.com");
	saw(site, "web1", "bob");
	for (int n = 0; n < MANY; n++) {
		has_the_shell(site, n);
		classify(site, "web1", "alice", n % 2 ? "" : "alice@example.com", RULES);
	}
	assert_in_range(lines(site, "changed") + lines(site, "evaluated"), HISTORY_AT_WILL,
		HISTORY_AT_WILL + 1);
	assert_int_equal(lines(site, "seen"), 2);
}

static void a_person_who_comes_and_goes_keeps_mails_and_decisions(void **state)
{
	struct site *site = *state;
	struct person p;

	arrive(site, "web1", "alice", "alice@example.com");
	p = somebody("alice@example.com", PERSON_INVITED);
	GOOD(site, ledger_person_put(site->ledger, &p, "sent", "dispatcher", &site->fault));
	GOOD(site, ledger_block(site->ledger, "alice@example.com", "left", "root", &site->fault));
	GOOD(site, ledger_unblock(site->ledger, "alice@example.com", "root", &site->fault) >= 0);
	for (int n = 0; n < MANY; n++) {
		p = somebody("alice@example.com", PERSON_QUEUED);
		has_the_shell(site, n);
		classify(site, "web1", "alice", "alice@example.com", RULES);
		GOOD(site,
			ledger_person_put(site->ledger, &p, "login", "dispatcher", &site->fault));
		has_the_shell(site, MANY + n);
		classify(site, "web1", "alice", "", RULES);
	}
	assert_int_equal(lines(site, "invited"), 1);
	assert_int_equal(lines(site, "blocked"), 1);
	assert_int_equal(lines(site, "unblocked"), 1);
	assert_true(lines(site, "gone") > 10);
	assert_in_range(site_number(site, "SELECT count(*) FROM history"), HISTORY_AT_WILL,
		2 * HISTORY_AT_WILL + 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			the_same_verdict_on_other_facts_adds_no_line, site_new, site_free),
		cmocka_unit_test_setup_teardown(
			changes_of_one_account_are_kept_up_to_a_number, site_new, site_free),
		cmocka_unit_test_setup_teardown(
			a_person_who_comes_and_goes_keeps_mails_and_decisions, site_new, site_free),
	};

	return cmocka_run_group_tests_name("ledger: history", tests, NULL, NULL);
}
