/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "settings/window.h"

static int64_t at(const char *rfc3339)
{
	int64_t wall;

	assert_true(clock_parse_rfc3339(rfc3339, &wall));
	return wall;
}

/* Whether it is open at `now`, and whether that changes at `next`. */
static bool open_at(const char *spec, const char *now, const char *next)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t change = 0;
	bool open = window_open(spec, at(now), &change);

	if (!next)
		assert_int_equal(change, INT64_MAX);
	else
		assert_string_equal(clock_rfc3339(change, text), next);
	assert_int_equal(window_open(spec, at(now), NULL), open);
	return open;
}

static void no_window_is_always_open(void **state)
{
	(void)state;
	assert_true(open_at("", "2026-11-23T03:00:00Z", NULL));
}

static void a_window_opens_and_closes_by_the_clock_of_its_zone(void **state)
{
	const char *spec = "Mon-Fri 08:00-18:00 Europe/Berlin";

	(void)state;
	/* Monday; Berlin is an hour ahead in winter. */
	assert_false(open_at(spec, "2026-11-23T06:59:59Z", "2026-11-23T07:00:00Z"));
	assert_true(open_at(spec, "2026-11-23T07:00:00Z", "2026-11-23T17:00:00Z"));
	assert_true(open_at(spec, "2026-11-23T16:59:59Z", "2026-11-23T17:00:00Z"));
	assert_false(open_at(spec, "2026-11-23T17:00:00Z", "2026-11-24T07:00:00Z"));
	/* Friday evening waits for Monday. */
	assert_false(open_at(spec, "2026-11-27T17:00:00Z", "2026-11-30T07:00:00Z"));
	/* Two hours in summer. */
	assert_true(open_at(spec, "2026-07-01T06:00:00Z", "2026-07-01T16:00:00Z"));
}

static void the_day_is_that_of_the_zone(void **state)
{
	(void)state;
	/* Sunday 16:00 UTC is Monday 01:00 in Tokyo. */
	assert_true(open_at(
		"Mon 00:00-24:00 Asia/Tokyo", "2026-11-22T16:00:00Z", "2026-11-23T15:00:00Z"));
	assert_false(open_at(
		"Mon 00:00-24:00 Asia/Tokyo", "2026-11-23T15:00:00Z", "2026-11-29T15:00:00Z"));
}

static void clocks_that_are_put_back_or_forward_do_not_move_the_hours(void **state)
{
	const char *spec = "08:00-18:00 Europe/Berlin";

	(void)state;
	/* 2026-10-25: summer time ends. 2027-03-28: it begins. */
	assert_false(open_at(spec, "2026-10-24T16:00:00Z", "2026-10-25T07:00:00Z"));
	assert_false(open_at(spec, "2027-03-27T17:00:00Z", "2027-03-28T06:00:00Z"));
	/* A window across the night of the change is an hour longer. */
	assert_true(open_at(
		"Sat 22:00-06:00 Europe/Berlin", "2026-10-24T20:00:00Z", "2026-10-25T05:00:00Z"));
}

static void a_window_may_end_on_the_next_day(void **state)
{
	const char *spec = "Fri 22:00-06:00 UTC";

	(void)state;
	assert_true(open_at(spec, "2026-11-27T23:00:00Z", "2026-11-28T06:00:00Z"));
	assert_true(open_at(spec, "2026-11-28T05:59:59Z", "2026-11-28T06:00:00Z"));
	assert_false(open_at(spec, "2026-11-28T22:30:00Z", "2026-12-04T22:00:00Z"));
}

static void days_may_be_a_range_over_the_weekend_or_several(void **state)
{
	(void)state;
	assert_true(
		open_at("Fri-Mon 10:00-11:00 UTC", "2026-11-29T10:30:00Z", "2026-11-29T11:00:00Z"));
	assert_false(
		open_at("Fri-Mon 10:00-11:00 UTC", "2026-11-24T10:30:00Z", "2026-11-27T10:00:00Z"));
	assert_true(open_at(
		"mon wed-thu 10:00-11:00 UTC", "2026-11-26T10:30:00Z", "2026-11-26T11:00:00Z"));
	assert_false(open_at(
		"mon wed-thu 10:00-11:00 UTC", "2026-11-24T10:30:00Z", "2026-11-25T10:00:00Z"));
}

static void several_windows_share_the_zone_behind_them(void **state)
{
	const char *spec =
		"Mon-Fri 08:00-12:00, Mon-Thu 13:00-17:00 Europe/Berlin, Sat 09:00-10:00 UTC";

	(void)state;
	assert_true(open_at(spec, "2026-11-23T10:00:00Z", "2026-11-23T11:00:00Z"));
	assert_false(open_at(spec, "2026-11-23T11:00:00Z", "2026-11-23T12:00:00Z"));
	assert_false(open_at(spec, "2026-11-27T11:00:00Z", "2026-11-28T09:00:00Z"));
	assert_true(open_at(spec, "2026-11-28T09:00:00Z", "2026-11-28T10:00:00Z"));
}

static void windows_that_touch_are_one(void **state)
{
	(void)state;
	assert_true(open_at("Mon 08:00-12:00, Mon 11:00-14:00, Mon 14:00-15:00 UTC",
		"2026-11-23T09:00:00Z", "2026-11-23T15:00:00Z"));
	assert_true(open_at("Mon 22:00-24:00, Tue 00:00-02:00 UTC", "2026-11-23T23:00:00Z",
		"2026-11-24T02:00:00Z"));
}

static void a_window_that_never_closes_is_looked_at_again_after_a_week(void **state)
{
	(void)state;
	assert_true(open_at("00:00-24:00 UTC", "2026-11-23T09:00:00Z", "2026-11-30T09:00:00Z"));
}

static void the_time_zone_of_the_process_stays_as_it_was(void **state)
{
	time_t now = 1800000000;
	struct tm before, after;

	(void)state;
	assert_int_equal(setenv("TZ", "America/New_York", 1), 0);
	tzset();
	assert_non_null(localtime_r(&now, &before));
	window_open("08:00-18:00 Asia/Tokyo", now, NULL);
	assert_string_equal(getenv("TZ"), "America/New_York");
	assert_non_null(localtime_r(&now, &after));
	assert_int_equal(before.tm_hour, after.tm_hour);
	assert_string_equal(before.tm_zone, after.tm_zone);
	assert_int_equal(unsetenv("TZ"), 0);
	window_open("08:00-18:00 Asia/Tokyo", now, NULL);
	assert_null(getenv("TZ"));
}

static void what_is_not_a_window_is_refused_with_a_remedy(void **state)
{
	static const char *const wrong[] = {"always", "Mon-Fri", "08:00-18:00",
		"Mon-Fri 08:00-18:00", "Mon-Fri 8:00-18:00 UTC", "Mon-Fri 08:00-25:00 UTC",
		"Mon-Fri 08:60-18:00 UTC", "Mon-Fri 24:00-08:00 UTC", "Mon-Fri 08:00-08:00 UTC",
		"Mon-Fri 08:00 - 18:00 UTC", "Mon-Funday 08:00-18:00 UTC",
		"08:00-18:00 09:00-10:00 UTC", "08:00-18:00 UTC UTC", "UTC 08:00-18:00",
		"08:00-18:00 UTC Mon", "08:00-18:00 Mars/Olympus",
		"08:00-18:00 ../../../etc/passwd", "08:00-18:00 /etc/localtime",
		"08:00-18:00 Europe", "08:00-18:00 UTC,", ",", " ", "08:00-18:00 UTC, 09:00-10:00"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		const char *remedy = NULL;

		if (!window_check(wrong[i], &remedy))
			fail_msg("'%s' was taken", wrong[i]);
		assert_non_null(remedy);
		assert_false(window_open(wrong[i], 1800000000, NULL));
	}
}

static int zones_are_there(void **state)
{
	(void)state;
	if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) != 0) {
		print_message("1..0 # SKIP the package tzdata is not installed\n");
		exit(0);
	}
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_window_is_always_open),
		cmocka_unit_test(a_window_opens_and_closes_by_the_clock_of_its_zone),
		cmocka_unit_test(the_day_is_that_of_the_zone),
		cmocka_unit_test(clocks_that_are_put_back_or_forward_do_not_move_the_hours),
		cmocka_unit_test(a_window_may_end_on_the_next_day),
		cmocka_unit_test(days_may_be_a_range_over_the_weekend_or_several),
		cmocka_unit_test(several_windows_share_the_zone_behind_them),
		cmocka_unit_test(windows_that_touch_are_one),
		cmocka_unit_test(a_window_that_never_closes_is_looked_at_again_after_a_week),
		cmocka_unit_test(the_time_zone_of_the_process_stays_as_it_was),
		cmocka_unit_test(what_is_not_a_window_is_refused_with_a_remedy),
	};

	return cmocka_run_group_tests_name("settings", tests, zones_are_there, NULL);
}
