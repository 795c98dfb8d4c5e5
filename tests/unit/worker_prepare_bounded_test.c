/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <unistd.h>

#include "base/clock.h"
#include "worker/prepare_bounded.h"

#define LONG_MS 20000

static bool works(const void *ctx, struct fault *fault)
{
	(void)fault;
	prepare_works_at(ctx);
	return true;
}

static bool fails(const void *ctx, struct fault *fault)
{
	return fault_set(fault, FAULT_STORAGE, "code", "%s: what", (const char *)ctx);
}

static bool hangs(const void *ctx, struct fault *fault)
{
	(void)fault;
	prepare_works_at(ctx);
	while (pause() != 0)
		continue;
	return false;
}

static bool dies(const void *ctx, struct fault *fault)
{
	(void)ctx, (void)fault;
	_exit(0);
}

static void what_is_done_is_done(void **state)
{
	struct fault fault = {.kind = FAULT_NONE};

	(void)state;
	assert_true(prepare_bounded(works, "/a", LONG_MS, &fault));
	assert_int_equal(fault.kind, FAULT_NONE);
}

static void the_fault_of_the_child_is_reported(void **state)
{
	struct fault fault = {.kind = FAULT_NONE};

	(void)state;
	assert_false(prepare_bounded(fails, "/a", LONG_MS, &fault));
	assert_string_equal(fault.code, "code");
	assert_string_equal(fault.what, "/a: what");
}

static void what_hangs_is_left_and_named(void **state)
{
	struct fault fault = {.kind = FAULT_NONE};
	int64_t before = clock_boot_ms();

	(void)state;
	assert_false(prepare_bounded(hangs, "/var/spool/held", 100, &fault));
	assert_string_equal(fault.code, "prepare_held");
	assert_non_null(strstr(fault.what, "/var/spool/held: "));
	assert_true(clock_boot_ms() - before < LONG_MS);
}

static void a_child_that_dies_has_done_nothing(void **state)
{
	struct fault fault = {.kind = FAULT_NONE};

	(void)state;
	assert_false(prepare_bounded(dies, "/a", LONG_MS, &fault));
	assert_string_equal(fault.code, "child");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_done_is_done),
		cmocka_unit_test(the_fault_of_the_child_is_reported),
		cmocka_unit_test(what_hangs_is_left_and_named),
		cmocka_unit_test(a_child_that_dies_has_done_nothing),
	};

	return cmocka_run_group_tests_name("prepare: bounded", tests, NULL, NULL);
}
