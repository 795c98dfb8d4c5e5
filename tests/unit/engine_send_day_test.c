/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I12 (docs/design.md, "Invariants"). */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "engine/send_day.h"
#include "folder.h"

static void assert_day(const char *now, const char *before, const char *after)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t wall;

	assert_true(clock_parse_rfc3339(now, &wall));
	assert_string_equal(clock_rfc3339(send_day_start(wall), text), before);
	assert_string_equal(clock_rfc3339(send_day_end(wall), text), after);
}

static void send_day_with_23_or_25_hours_is_the_hosts_day(void **state)
{
	char *old = getenv("TZ");
	char kept[64] = "";

	(void)state;
	if (old)
		str_copy(kept, sizeof(kept), old);
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	assert_day("2026-11-23T12:00:00Z", "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z");
	assert_day("2026-11-22T23:00:00Z", "2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z");
	assert_day("2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z");
	assert_day("2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z");
	if (old)
		setenv("TZ", kept, 1);
	else
		unsetenv("TZ");
	tzset();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(send_day_with_23_or_25_hours_is_the_hosts_day),
	};

	return cmocka_run_group_tests_name("engine_send_day", tests, NULL, NULL);
}
