/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_release_memory: what a program that waits does not keep.
 */
#include "base/str.h"
#include "ledger_site.h"

#include "ledger/sqlite.h"

static void a_resting_ledger_keeps_no_statement_and_works_on(void **state)
{
	struct site *site = *state;

	arrive(site, "host", "alice", "alice@example.com");
	assert_non_null(sqlite3_next_stmt(site->ledger->db, NULL));
	ledger_release_memory(site->ledger);
	assert_null(sqlite3_next_stmt(site->ledger->db, NULL));
	arrive(site, "host", "bob", "bob@example.com");
}

static bool rest_and_count(const struct ledger_sighting *s, void *ctx)
{
	struct site *site = ctx;

	(void)s;
	ledger_release_memory(site->ledger);
	site->settings.requests_per_minute++;
	return true;
}

static void a_ledger_that_rests_while_it_is_read_is_read_to_the_end(void **state)
{
	struct site *site = *state;

	saw(site, "host", "alice");
	saw(site, "host", "bob");
	site->settings.requests_per_minute = 0;
	GOOD(site, ledger_each_sighting(
			   site->ledger, NULL, NULL, NULL, rest_and_count, site, &site->fault));
	assert_int_equal(site->settings.requests_per_minute, 2);
}

static void a_resting_ledger_keeps_no_page_of_its_cache(void **state)
{
	struct site *site = *state;
	int before, after, peak;

	for (int n = 0; n < 50; n++) {
		char user[16];

		str_format(user, sizeof(user), "user%d", n);
		saw(site, "host", user);
	}
	sqlite3_db_status(site->ledger->db, SQLITE_DBSTATUS_CACHE_USED, &before, &peak, 0);
	ledger_release_memory(site->ledger);
	sqlite3_db_status(site->ledger->db, SQLITE_DBSTATUS_CACHE_USED, &after, &peak, 0);
	assert_true(before >= 8 * 4096);
	assert_true(after < 2 * 4096); /* the cache itself takes some */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_resting_ledger_keeps_no_statement_and_works_on, site_new, site_free),
		cmocka_unit_test_setup_teardown(
			a_ledger_that_rests_while_it_is_read_is_read_to_the_end, site_new,
			site_free),
		cmocka_unit_test_setup_teardown(
			a_resting_ledger_keeps_no_page_of_its_cache, site_new, site_free),
	};

	return cmocka_run_group_tests_name("ledger memory", tests, NULL, NULL);
}
