/* SPDX-License-Identifier: Apache-2.0 */
/* Growing arrays: the elements stay, and a failure changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"

static void array_grow_keeps_the_elements_and_grows_only_when_full(void **state)
{
	size_t room = 0, moves = 0;
	int *list = NULL;

	(void)state;
	for (size_t count = 0; count < 1000; count++) {
		size_t before = room;
		int *grown = array_grow(list, count, &room, sizeof(*grown));

		assert_non_null(grown);
		assert_true(room > count);
		moves += room != before;
		list = grown;
		list[count] = (int)count;
	}
	assert_int_equal(room, 1024);
	assert_int_equal(moves, 7);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(list[i], i);
	free(list);
}

static void array_grow_without_enough_memory_leaves_the_array_unchanged(void **state)
{
	size_t room = SIZE_MAX / 4;
	char *list = malloc(1);

	(void)state;
	assert_non_null(list);
	*list = 'x';
	assert_null(array_grow(list, room, &room, 16));
	assert_int_equal(room, SIZE_MAX / 4);
	assert_int_equal(*list, 'x');
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(array_grow_keeps_the_elements_and_grows_only_when_full),
		cmocka_unit_test(array_grow_without_enough_memory_leaves_the_array_unchanged),
	};

	return cmocka_run_group_tests_name("base: array", tests, NULL, NULL);
}
