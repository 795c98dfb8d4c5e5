/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers for a report: accounts by host, people by week.
 */
#include "base/str.h"
#include "ledger_site.h"

#define ALICE  "alice@example.com"
#define BOB    "bob@example.com"
#define MONDAY (INT64_C(2970) * 7 * DAY + 4 * DAY) /* some Monday of 2026 */

/* ---- weeks ---- */

static void a_week_begins_on_monday(void **state)
{
	(void)state;
	assert_int_equal(ledger_week_start(MONDAY), MONDAY);
	assert_int_equal(ledger_week_start(MONDAY + 7 * DAY - 1), MONDAY);
	assert_int_equal(ledger_week_start(MONDAY - 1), MONDAY - 7 * DAY);
	assert_int_equal(ledger_week_start(4 * DAY), 4 * DAY); /* 1970-01-05 */
	assert_int_equal(ledger_week_start(DAY), 0);
}

static struct ledger_week week(struct site *site, int64_t start)
{
	struct ledger_week w = {.seen = -1};

	GOOD(site, ledger_count_week(site->ledger, start, &w, &site->fault));
	return w;
}

static void tell(struct site *site, const char *address, const char *word, int64_t at)
{
	char sql[256];

	str_format(sql, sizeof(sql),
		"INSERT INTO history (at, address, event, cause, actor)"
		" VALUES (%lld, '%s', '%s', '', '')",
		(long long)at, address, word);
	site_sql(site, sql);
}

static void each_person_counts_once_in_the_week_of_the_first_time(void **state)
{
	struct site *site = *state;
	struct person p = somebody(ALICE, PERSON_QUEUED);
	struct ledger_week w;

	p.first_day = MONDAY + 6 * DAY;
	put(site, &p);
	tell(site, ALICE, "invited", MONDAY + 7 * DAY - 1);
	tell(site, ALICE, "invited", MONDAY + 8 * DAY);
	tell(site, BOB, "invited", MONDAY + 7 * DAY);
	tell(site, BOB, "declined", MONDAY + 13 * DAY);
	tell(site, ALICE, "accepted", MONDAY + 14 * DAY);
	w = week(site, MONDAY);
	assert_true(w.start == MONDAY && w.seen == 1 && w.invited == 1);
	assert_true(w.accepted == 0 && w.declined == 0);
	w = week(site, MONDAY + 7 * DAY);
	assert_true(w.seen == 0 && w.invited == 1 && w.accepted == 0 && w.declined == 1);
	w = week(site, MONDAY + 14 * DAY);
	assert_true(w.invited == 0 && w.accepted == 1);
}

static void a_forgotten_person_is_in_no_week(void **state)
{
	struct site *site = *state;
	int64_t now = ledger_week_start(clock_wall());

	put_new(site, ALICE, PERSON_INVITED);
	assert_int_equal(week(site, now).seen, 1);
	assert_int_equal(week(site, now).invited, 1);
	assert_int_equal(ledger_forget(site->ledger, ALICE, NULL, &site->fault), 1);
	assert_int_equal(week(site, now).seen, 0);
	assert_int_equal(week(site, now).invited, 0);
}

/* ---- hosts ---- */

struct places {
	char text[512];
	int most; /* then it stops */
};

static bool take_place(const struct ledger_account_status *place, void *ctx)
{
	struct places *places = ctx;
	size_t at = strlen(places->text);

	str_format(places->text + at, sizeof(places->text) - at, "%s %s %s %s; ", place->host,
		verdict_word(place->verdict),
		place->person ? person_state_word(place->state) : "nobody",
		place->person ? place->reason : "");
	return --places->most > 0;
}

static void assert_places(struct site *site, int most, const char *expected)
{
	struct places places = {.most = most};

	GOOD(site, ledger_each_account_status(site->ledger, take_place, &places, &site->fault));
	assert_string_equal(places.text, expected);
}

static void every_account_that_is_there_comes_host_by_host(void **state)
{
	struct site *site = *state;

	assert_places(site, 9, "");
	arrive(site, "web2", "alice", ALICE);
	arrive(site, "web1", "bob", BOB);
	saw(site, "web2", "daemon");
	classify(site, "web2", "daemon", "", RULES);
	saw(site, "web1", "fresh");
	saw(site, "web3", "left");
	GOOD(site, ledger_account_removed(site->ledger, "web3", "left", &site->fault) == 1);
	put_new(site, BOB, PERSON_ACCEPTED);
	assert_places(site, 9,
		"web1 none nobody ; web1 mapped accepted first_check; "
		"web2 mapped queued first_check; web2 excluded nobody ; ");
	assert_places(site, 1, "web1 none nobody ; ");
}

static void a_word_that_no_version_writes_is_a_fault(void **state)
{
	struct site *site = *state;
	struct places places = {.most = 9};

	arrive(site, "web1", "alice", ALICE);
	site_sql(site, "UPDATE person SET state = 'odd'");
	assert_false(ledger_each_account_status(site->ledger, take_place, &places, &site->fault));
	assert_true(site_fault(site, "ledger_unexpected"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_week_begins_on_monday),
		cmocka_unit_test_setup_teardown(
			each_person_counts_once_in_the_week_of_the_first_time, site_new, site_free),
		cmocka_unit_test_setup_teardown(
			a_forgotten_person_is_in_no_week, site_new, site_free),
		cmocka_unit_test_setup_teardown(
			every_account_that_is_there_comes_host_by_host, site_new, site_free),
		cmocka_unit_test_setup_teardown(
			a_word_that_no_version_writes_is_a_fault, site_new, site_free),
	};

	return cmocka_run_group_tests_name("ledger figures", tests, NULL, NULL);
}
