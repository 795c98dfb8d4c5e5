/* SPDX-License-Identifier: Apache-2.0 */
/* Exponential back-off: the first wait, doubling, the limit, and impossible numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/backoff.h"

static void backoff_doubles_up_to_the_limit(void **state)
{
	static const int64_t waits[] = {60, 120, 240, 480, 600, 600};

	(void)state;
	for (int n = 0; n < 6; n++)
		assert_int_equal(backoff(60, 600, n), waits[n]);
}

static void backoff_reaches_a_limit_that_is_a_power_exactly(void **state)
{
	(void)state;
	assert_int_equal(backoff(1, 64, 5), 32);
	assert_int_equal(backoff(1, 64, 6), 64);
	assert_int_equal(backoff(1, 64, 7), 64);
}

static void backoff_with_first_and_last_equal_is_constant(void **state)
{
	(void)state;
	assert_int_equal(backoff(5, 5, 0), 5);
	assert_int_equal(backoff(5, 5, 3), 5);
}

static void backoff_of_a_negative_number_is_the_first_wait(void **state)
{
	(void)state;
	assert_int_equal(backoff(60, 600, -1), 60);
	assert_int_equal(backoff(60, 600, INT64_MIN), 60);
}

static void backoff_of_the_largest_numbers_does_not_overflow(void **state)
{
	(void)state;
	assert_int_equal(backoff(1, 3600, INT64_MAX), 3600);
	assert_int_equal(backoff(1, INT64_MAX, INT64_MAX), INT64_MAX);
	assert_int_equal(backoff(INT64_MAX - 1, INT64_MAX, 1), INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backoff_doubles_up_to_the_limit),
		cmocka_unit_test(backoff_reaches_a_limit_that_is_a_power_exactly),
		cmocka_unit_test(backoff_with_first_and_last_equal_is_constant),
		cmocka_unit_test(backoff_of_a_negative_number_is_the_first_wait),
		cmocka_unit_test(backoff_of_the_largest_numbers_does_not_overflow),
	};

	return cmocka_run_group_tests_name("base: backoff", tests, NULL, NULL);
}
