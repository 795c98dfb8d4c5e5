/* SPDX-License-Identifier: Apache-2.0 */
/* Which Dates are believed, and what counts as long as two contradict each other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/array.h"
#include "engine/google_clock.h"

#define T      INT64_C(1795392000)
#define DAY    INT64_C(86400)
#define SECOND INT64_C(1000)

static void it_goes_on_with_the_clock_that_counts_sleep(void **state)
{
	struct google_clock c = {.date = 0};

	(void)state;
	assert_int_equal(google_clock_now(&c, 5 * SECOND), 0);
	assert_int_equal(google_clock_earliest(&c, 5 * SECOND), 0);
	assert_int_equal(google_clock_latest(&c, 5 * SECOND, T), 0);
	assert_false(google_clock_is_sure(&c, 5 * SECOND, T));
	google_clock_hear(&c, 0, 5 * SECOND);
	assert_int_equal(google_clock_now(&c, 5 * SECOND), 0);
	google_clock_hear(&c, T, 5 * SECOND);
	assert_int_equal(google_clock_now(&c, 5 * SECOND + 3 * DAY * SECOND), T + 3 * DAY);
	google_clock_hear(&c, T + 3 * DAY + 299, 5 * SECOND + 3 * DAY * SECOND);
	assert_int_equal(google_clock_now(&c, 6 * SECOND + 3 * DAY * SECOND), T + 3 * DAY + 300);
}

static void a_jump_is_believed_when_a_later_reply_says_the_same(void **state)
{
	static const int64_t jumps[] = {-4 * DAY, -301, 301, 4 * DAY};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(jumps); n++) {
		struct google_clock c = {.date = 0};
		int64_t at = 100 * SECOND, jump = jumps[n];

		google_clock_hear(&c, T, 0);
		/* The calls that were under way together are one witness. */
		for (int k = 0; k < 16; k++)
			google_clock_hear(&c, T + 100 + jump, at + k);
		assert_int_equal(google_clock_now(&c, at), T + 100);
		assert_int_equal(google_clock_earliest(&c, at), T + 100 + (jump < 0 ? jump : 0));
		assert_int_equal(
			google_clock_latest(&c, at, T + 100), T + 100 + (jump > 0 ? jump : 0));
		assert_false(google_clock_is_sure(&c, at, T + 100));
		assert_int_equal(google_clock_wait_ms(&c, at + 10 * SECOND), 20 * SECOND);
		google_clock_hear(&c, T + 129 + jump, at + 29 * SECOND);
		assert_int_equal(google_clock_now(&c, at + 29 * SECOND), T + 129);
		google_clock_hear(&c, T + 130 + jump, at + 30 * SECOND);
		assert_int_equal(google_clock_now(&c, at + 30 * SECOND), T + 130 + jump);
		assert_true(google_clock_is_sure(&c, at + 30 * SECOND, T + 130));
	}
}

static void one_reply_that_contradicts_is_forgotten_when_the_next_does_not(void **state)
{
	struct google_clock c = {.date = 0};

	(void)state;
	google_clock_hear(&c, T, 0);
	google_clock_hear(&c, T + 4 * DAY, 10 * SECOND);
	google_clock_hear(&c, T + 40, 40 * SECOND);
	assert_int_equal(google_clock_latest(&c, 40 * SECOND, T + 40), T + 40);
	assert_true(google_clock_is_sure(&c, 40 * SECOND, T + 40));
	/* A third clock does not confirm the second. */
	google_clock_hear(&c, T + 4 * DAY, 50 * SECOND);
	google_clock_hear(&c, T + 9 * DAY, 90 * SECOND);
	google_clock_hear(&c, T + 4 * DAY, 130 * SECOND);
	assert_int_equal(google_clock_now(&c, 130 * SECOND), T + 130);
}

static void the_first_date_is_sure_when_another_clock_or_a_later_reply_says_the_same(void **state)
{
	struct google_clock c = {.date = 0};

	(void)state;
	google_clock_hear(&c, T, 0);
	assert_true(google_clock_is_sure(&c, 0, T + 300));
	assert_false(google_clock_is_sure(&c, 0, T + 301));
	assert_false(google_clock_is_sure(&c, 0, T - 301));
	/* Nothing can have happened later than that. */
	assert_int_equal(google_clock_latest(&c, 0, T + 4 * DAY), T + 4 * DAY);
	assert_int_equal(google_clock_latest(&c, 0, T - 4 * DAY), T);
	assert_int_equal(google_clock_earliest(&c, 0), T);
	assert_int_equal(google_clock_wait_ms(&c, 10 * SECOND), 20 * SECOND);
	google_clock_hear(&c, T + 29, 29 * SECOND);
	assert_false(google_clock_is_sure(&c, 29 * SECOND, T + DAY));
	google_clock_hear(&c, T + 30, 30 * SECOND);
	assert_true(google_clock_is_sure(&c, 30 * SECOND, T + DAY));
	assert_int_equal(google_clock_latest(&c, 30 * SECOND, T + 4 * DAY), T + 30);
	assert_int_equal(google_clock_wait_ms(&c, 31 * SECOND), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_goes_on_with_the_clock_that_counts_sleep),
		cmocka_unit_test(a_jump_is_believed_when_a_later_reply_says_the_same),
		cmocka_unit_test(one_reply_that_contradicts_is_forgotten_when_the_next_does_not),
		cmocka_unit_test(
			the_first_date_is_sure_when_another_clock_or_a_later_reply_says_the_same),
	};

	return cmocka_run_group_tests_name("google_clock", tests, NULL, NULL);
}
