/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

#define DAY (24 * 3600)

static void the_clocks_run(void **state)
{
	const struct timespec moment = {0, 20 * 1000 * 1000};
	int64_t boot = clock_boot_ms();
	char id[37];

	(void)state;
	assert_true(clock_wall() > 1700000000);
	nanosleep(&moment, NULL);
	assert_true(clock_boot_ms() >= boot + 20);
	clock_boot_id(id);
	assert_true(strlen(id) == 36 || strlen(id) == 0);
}

static void times_are_written_in_utc(void **state)
{
	char out[CLOCK_TEXT_SIZE];

	(void)state;
	assert_string_equal(clock_rfc3339(0, out), "1970-01-01T00:00:00Z");
	assert_string_equal(clock_rfc3339(1795408081, out), "2026-11-23T04:28:01Z");
	assert_string_equal(clock_day(1795408081, out), "2026-11-23");
	assert_int_equal(clock_day_start(1795408081), 1795392000);
	assert_int_equal(clock_day_start(1795392000), 1795392000);
	assert_int_equal(clock_day_start(-1), -DAY);
	clock_rfc3339(INT64_MAX, out);
	assert_true(strlen(out) < sizeof(out));
}

static void rfc_3339_is_read_with_offsets_and_fractions(void **state)
{
	static const struct {
		const char *text;
		int64_t time;
	} good[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-11-23T04:28:01Z", 1795408081},
		{"2026-11-23t04:28:01z", 1795408081},
		{"2026-11-23T04:28:01.9Z", 1795408081},
		{"2026-11-23T04:28:01.123456789Z", 1795408081},
		{"2026-11-23T05:28:01+01:00", 1795408081},
		{"2026-11-22T19:58:01-08:30", 1795408081},
		{"2024-02-29T12:00:00Z", 1709208000},
		{"2000-02-29T00:00:00Z", 951782400},
		{"2016-12-31T23:59:60Z", 1483228800},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int64_t time = -1;

		if (!clock_parse_rfc3339(good[i].text, &time) || time != good[i].time)
			fail_msg("%s: %lld", good[i].text, (long long)time);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const bad[] = {"", "2026", "2026-11-23", "2026-11-23 04:28:01Z",
		"2026-11-23T04:28:01", "2026-11-23T04:28:01Zx", "2026-11-23T04:28:01.Z",
		"2026-11-23T04:28:01.1234567890Z", "2026-11-23T04:28:01+0100",
		"2026-11-23T04:28:01+24:00", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-02-30T00:00:60Z",
		"2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
		"2026-11-23T24:00:00Z", "2026-11-23T00:60:00Z", "2026-11-23T00:00:61Z",
		"-026-11-23T00:00:00Z", "2026-1 -23T00:00:00Z"};
	int64_t time = 77;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (clock_parse_rfc3339(bad[i], &time))
			fail_msg("'%s' was taken as a time", bad[i]);
	assert_int_equal(time, 77);
}

static void what_is_written_is_read_again(void **state)
{
	char out[CLOCK_TEXT_SIZE];
	int64_t again;

	(void)state;
	for (int64_t t = 0; t < INT64_C(4102444800); t += 86399 * 7 + 13) {
		assert_true(clock_parse_rfc3339(clock_rfc3339(t, out), &again));
		assert_int_equal(again, t);
	}
}

static void durations_have_units(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {{"0", 0}, {"0d", 0}, {"90s", 90}, {"90", 90}, {"2m", 120}, {"24h", DAY},
		{"30d", 30 * DAY}, {"1w", 7 * DAY}, {"3650d", INT64_C(3650) * DAY}};
	static const char *const bad[] = {"", "s", "-1s", "+1s", " 1s", "1 s", "1s ", "1.5h", "1y",
		"1M", "3651d", "1ss", "99999999999999999999", "1h30m", "522w"};
	int64_t seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		seconds = -1;
		if (!clock_parse_duration(good[i].text, &seconds) || seconds != good[i].seconds)
			fail_msg("%s: %lld", good[i].text, (long long)seconds);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (clock_parse_duration(bad[i], &seconds))
			fail_msg("'%s' was taken as a duration", bad[i]);
}

static void durations_are_written_as_short_as_they_are_exact(void **state)
{
	static const int64_t values[] = {0, 1, 59, 60, 61, 120, 3600, 5400, DAY, 30 * DAY};
	char out[CLOCK_TEXT_SIZE];
	int64_t again;

	(void)state;
	assert_string_equal(clock_duration(120, out), "2m");
	assert_string_equal(clock_duration(90, out), "90s");
	assert_string_equal(clock_duration(5400, out), "90m");
	assert_string_equal(clock_duration(2 * DAY, out), "2d");
	assert_string_equal(clock_duration(0, out), "0");
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		assert_true(clock_parse_duration(clock_duration(values[i], out), &again));
		assert_int_equal(again, values[i]);
	}
}

static void people_read_how_long_ago_or_until(void **state)
{
	char out[CLOCK_TEXT_SIZE];

	(void)state;
	assert_string_equal(clock_relative(1000, 1000, out), "just now");
	assert_string_equal(clock_relative(998, 1000, out), "just now");
	assert_string_equal(clock_relative(1002, 1000, out), "now");
	assert_string_equal(clock_relative(1030, 1000, out), "in 30 s");
	assert_string_equal(clock_relative(1180, 1000, out), "in 3 min");
	assert_string_equal(clock_relative(10000, 10000 + 2 * 3600, out), "2 h ago");
	assert_string_equal(clock_relative(0, 5 * DAY + 100, out), "5 days ago");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_clocks_run),
		cmocka_unit_test(times_are_written_in_utc),
		cmocka_unit_test(rfc_3339_is_read_with_offsets_and_fractions),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(durations_are_written_as_short_as_they_are_exact),
		cmocka_unit_test(people_read_how_long_ago_or_until),
	};

	/* Times are UTC wherever the host is. */
	setenv("TZ", "America/St_Johns", 1);
	tzset();
	return cmocka_run_group_tests_name("base clock", tests, NULL, NULL);
}
