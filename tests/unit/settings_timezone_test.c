/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <time.h>

#include "base/clock.h"
#include "settings/timezone.h"

static void assert_day(const char *zone, const char *now, const char *before, const char *after)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t wall;

	assert_true(clock_parse_rfc3339(now, &wall));
	assert_string_equal(clock_rfc3339(timezone_midnight(zone, wall, 0), text), before);
	assert_string_equal(clock_rfc3339(timezone_midnight(zone, wall, 1), text), after);
}

static void midnight_is_that_of_the_zone_also_when_a_day_has_23_or_25_hours(void **state)
{
	const char *zone = "Europe/Berlin";

	(void)state;
	assert_day(zone, "2026-11-23T12:00:00Z", "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z");
	assert_day(zone, "2026-11-22T23:00:00Z", "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z");
	assert_day(zone, "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
	assert_day(zone, "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
	assert_day("UTC", "2026-11-23T12:00:00Z", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z");
}

static void the_caller_s_tz_changes_nothing_and_stays(void **state)
{
	int64_t wall = 1795392000, before, after;
	time_t t = 0;
	struct tm tm;

	(void)state;
	unsetenv("TZ");
	before = timezone_midnight("", wall, 0);
	setenv("TZ", "Asia/Tokyo", 1);
	after = timezone_midnight("", wall, 0);
	assert_day("Europe/Berlin", "2026-11-23T12:00:00Z", "2026-11-22T23:00:00Z",
		"2026-11-23T23:00:00Z");
	assert_int_equal(before, after);
	assert_string_equal(getenv("TZ"), "Asia/Tokyo");
	assert_non_null(localtime_r(&t, &tm));
	assert_int_equal(tm.tm_hour, 9);
	unsetenv("TZ");
	tzset();
}

static void only_zones_of_the_tz_database_are_known(void **state)
{
	(void)state;
	assert_true(timezone_known("UTC"));
	assert_true(timezone_known("Europe/Berlin"));
	assert_false(timezone_known(""));
	assert_false(timezone_known("Europe/Atlantis"));
	assert_false(timezone_known("Europe"));
	assert_false(timezone_known("/etc/localtime"));
	assert_false(timezone_known("../../../etc/localtime"));
	assert_false(timezone_known("Europe/Berlin "
				    "                                                        x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(midnight_is_that_of_the_zone_also_when_a_day_has_23_or_25_hours),
		cmocka_unit_test(the_caller_s_tz_changes_nothing_and_stays),
		cmocka_unit_test(only_zones_of_the_tz_database_are_known),
	};

	return cmocka_run_group_tests_name("settings_timezone", tests, NULL, NULL);
}
