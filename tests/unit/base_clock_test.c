/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time: every date that Google, settings and people write is understood, and nothing that is not a
 * date.
 */
#include "base/str.h"
#include "tests/unit/folder.h"

#include <stdbool.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"

#define DAY ((int64_t)86400)

static void every_second_is_written_and_read_back(void **state)
{
	static const struct {
		int64_t wall;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00Z"},
		{-1, "1969-12-31T23:59:59Z"},
		{951782400, "2000-02-29T00:00:00Z"},
		{1795494481, "2026-11-24T04:28:01Z"},
		{4107542400, "2100-03-01T00:00:00Z"},
		{253402300799, "9999-12-31T23:59:59Z"},
	};
	char out[CLOCK_TEXT_SIZE];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_string_equal(clock_rfc3339(cases[i].wall, out), cases[i].text);
		assert_true(clock_parse_rfc3339(cases[i].text, &back));
		assert_int_equal(back, cases[i].wall);
	}
	for (int64_t wall = -DAY * 365; wall < DAY * 365 * 200; wall += 7 * DAY + 86399) {
		assert_true(clock_parse_rfc3339(clock_rfc3339(wall, out), &back));
		assert_int_equal(back, wall);
	}
}

static void a_time_beyond_the_calendar_is_an_empty_text(void **state)
{
	char out[CLOCK_TEXT_SIZE];

	(void)state;
	assert_string_equal(clock_rfc3339(INT64_MAX, out), "");
	assert_string_equal(clock_day(INT64_MIN, out), "");
}

static void the_hosts_time_zone_changes_nothing(void **state)
{
	char out[CLOCK_TEXT_SIZE];
	int64_t wall;

	(void)state;
	assert_int_equal(setenv("TZ", "XST-5:30", 1), 0);
	tzset();
	assert_string_equal(clock_rfc3339(0, out), "1970-01-01T00:00:00Z");
	assert_string_equal(clock_day(DAY - 1, out), "1970-01-01");
	assert_true(clock_parse_rfc3339("1970-01-01T00:00:00Z", &wall));
	assert_int_equal(wall, 0);
	unsetenv("TZ");
	tzset();
}

static void offsets_and_fractions_are_understood(void **state)
{
	static const struct {
		const char *text;
		int64_t wall;
	} cases[] = {
		{"1970-01-01T01:00:00+01:00", 0},
		{"1969-12-31T19:00:00-05:00", 0},
		{"1970-01-01T05:30:00+05:30", 0},
		{"1970-01-01T00:00:00-00:00", 0},
		{"1970-01-01T23:59:00+23:59", 0},
		{"1970-01-01t00:00:00z", 0},
		{"1970-01-01T00:00:00.9Z", 0},
		{"1970-01-01T00:00:01.123456789Z", 1},
		{"1970-01-01T00:00:01.123456789+00:00", 1},
	};
	int64_t wall;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(clock_parse_rfc3339(cases[i].text, &wall));
		assert_int_equal(wall, cases[i].wall);
	}
}

static void a_leap_second_ends_a_day_of_utc(void **state)
{
	static const char *const good[] = {"2016-12-31T23:59:60Z", "2017-01-01T05:29:60+05:30",
		"2016-12-31T18:59:60-05:00", "2016-12-31T23:59:60.999Z"};
	static const char *const bad[] = {"2016-12-31T12:00:60Z", "2016-12-31T23:58:60Z",
		"2016-12-31T23:59:60+01:00", "2016-12-31T23:59:61Z", "2026-02-30T23:59:60Z"};
	int64_t wall, next_year;

	(void)state;
	assert_true(clock_parse_rfc3339("2017-01-01T00:00:00Z", &next_year));
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(clock_parse_rfc3339(good[i], &wall));
		assert_int_equal(wall, next_year);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(clock_parse_rfc3339(bad[i], &wall));
}

static void a_text_that_is_not_a_date_is_refused(void **state)
{
	static const char *const cases[] = {"", "2026", "2026-11-23", "2026-11-23T04:28:01",
		"2026-02-30T00:00:00Z", "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
		"2026-04-31T00:00:00Z", "2026-06-31T00:00:00Z", "2026-09-31T00:00:00Z",
		"2026-11-31T00:00:00Z", "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z", "2026-1-1T00:00:00Z", "26-01-01T00:00:00Z",
		"12026-01-01T00:00:00Z", "2026-01-01 00:00:00Z", "2026/01/01T00:00:00Z",
		"2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.0123456789Z",
		"2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60",
		"2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01", "2026-01-01T00:00:00UTC",
		"2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00Z ", " 2026-01-01T00:00:00Z",
		"-026-01-01T00:00:00Z", "+026-01-01T00:00:00Z", "2026-01-01T00:00:+1Z",
		"2026-01-01T00:00:00\u221201:00"};
	int64_t wall = 42;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_false(clock_parse_rfc3339(cases[i], &wall));
	assert_int_equal(wall, 42);
	assert_true(clock_parse_rfc3339("2028-02-29T00:00:00Z", &wall));
	assert_true(clock_parse_rfc3339("2000-02-29T00:00:00Z", &wall));
}

static void a_day_starts_at_midnight_also_before_the_epoch(void **state)
{
	(void)state;
	assert_int_equal(clock_day_start(0), 0);
	assert_int_equal(clock_day_start(DAY - 1), 0);
	assert_int_equal(clock_day_start(DAY), DAY);
	assert_int_equal(clock_day_start(-1), -DAY);
	assert_int_equal(clock_day_start(-DAY), -DAY);
}

static void durations_have_one_unit_and_an_end(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds; /* -1: refused */
	} cases[] = {
		{"0", 0},
		{"90", 90},
		{"90s", 90},
		{"2m", 120},
		{"24h", DAY},
		{"30d", 30 * DAY},
		{"1w", 7 * DAY},
		{"002m", 120},
		{"3650d", 3650 * DAY},
		{"315360000", 3650 * DAY},
		{"3651d", -1},
		{"315360001", -1},
		{"522w", -1},
		{"99999999999999999999s", -1},
		{"18446744073709551616", -1},
		{"", -1},
		{"m", -1},
		{"-1m", -1},
		{"+1m", -1},
		{"1.5h", -1},
		{"1 h", -1},
		{" 1h", -1},
		{"1h ", -1},
		{"1h30m", -1},
		{"1H", -1},
		{"1y", -1},
		{"1min", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t seconds = -1;

		assert_int_equal(
			clock_parse_duration(cases[i].text, &seconds), cases[i].seconds >= 0);
		assert_int_equal(seconds, cases[i].seconds);
	}
}

static void every_duration_is_written_as_it_can_be_read(void **state)
{
	char out[CLOCK_TEXT_SIZE];
	int64_t back;

	(void)state;
	assert_string_equal(clock_duration(0, out), "0");
	assert_string_equal(clock_duration(59, out), "59s");
	assert_string_equal(clock_duration(120, out), "2m");
	assert_string_equal(clock_duration(6000, out), "100m");
	assert_string_equal(clock_duration(DAY, out), "1d");
	assert_string_equal(clock_duration(129600, out), "36h");
	assert_string_equal(clock_duration(7 * DAY, out), "7d");
	for (int64_t seconds = 0; seconds <= 3650 * DAY; seconds += 1 + seconds / 7) {
		assert_true(clock_parse_duration(clock_duration(seconds, out), &back));
		assert_int_equal(back, seconds);
	}
}

static void people_read_how_long_ago_or_ahead_it_is(void **state)
{
	static const struct {
		int64_t ahead;
		const char *text;
	} cases[] = {
		{0, "just now"},
		{-4, "just now"},
		{4, "now"},
		{-30, "30 s ago"},
		{89, "in 89 s"},
		{90, "in 1 min"},
		{180, "in 3 min"},
		{-7140, "119 min ago"},
		{-7200, "2 h ago"},
		{169200, "in 47 h"},
		{-5 * DAY, "5 days ago"},
		{4000000 * DAY, "in 4000000 days"},
	};
	char out[CLOCK_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(clock_relative(1000000000 + cases[i].ahead, 1000000000, out),
			cases[i].text);
	/* The ledger may hold any number. */
	assert_true(str_ends(clock_relative(INT64_MIN, 1000000000, out), " ago"));
	assert_true(str_starts(clock_relative(INT64_MAX, -1000000000, out), "in "));
}

static void the_three_clocks_go(void **state)
{
	int64_t wall = clock_wall(), boot = clock_boot_ms();
	char id[37], again[37];

	(void)state;
	assert_true(wall > 1700000000);
	assert_true(boot > 0);
	assert_int_equal(usleep(20000), 0);
	assert_true(clock_boot_ms() >= boot + 20);
	assert_true(clock_boot_ms() < boot + 60000);
	clock_boot_id(id);
	clock_boot_id(again);
	assert_string_equal(id, again);
	assert_int_equal(strlen(id), access("/proc/sys/kernel/random/boot_id", R_OK) == 0 ? 36 : 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_second_is_written_and_read_back),
		cmocka_unit_test(a_time_beyond_the_calendar_is_an_empty_text),
		cmocka_unit_test(the_hosts_time_zone_changes_nothing),
		cmocka_unit_test(offsets_and_fractions_are_understood),
		cmocka_unit_test(a_leap_second_ends_a_day_of_utc),
		cmocka_unit_test(a_text_that_is_not_a_date_is_refused),
		cmocka_unit_test(a_day_starts_at_midnight_also_before_the_epoch),
		cmocka_unit_test(durations_have_one_unit_and_an_end),
		cmocka_unit_test(every_duration_is_written_as_it_can_be_read),
		cmocka_unit_test(people_read_how_long_ago_or_ahead_it_is),
		cmocka_unit_test(the_three_clocks_go),
	};

	return cmocka_run_group_tests_name("base: clock", tests, NULL, NULL);
}
