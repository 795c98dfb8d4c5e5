/* SPDX-License-Identifier: Apache-2.0 */
/* The distance of words: each kind of typing error counts as one; long words have no distance. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/distance.h"

static void word_distance_counts_each_typing_error_once(void **state)
{
	static const struct {
		const char *typed;
		size_t slips;
	} rows[] = {
		{"status", 0},
		{"STATUS", 0},
		{"statu", 1},
		{"tatus", 1},
		{"statuss", 1},
		{"xstatus", 1},
		{"statas", 1},
		{"stauts", 1},
		{"tsatus", 1},
		{"sTAuts", 1},
		{"sttaxs", 2},
		{"", 6},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(word_distance(rows[i].typed, "status"), rows[i].slips);
	assert_int_equal(word_distance("status", ""), 6);
	assert_int_equal(word_distance("", ""), 0);
}

static void word_distance_of_long_words_is_the_largest_number(void **state)
{
	char word[66];

	(void)state;
	memset(word, 'a', sizeof(word));
	word[64] = '\0';
	assert_int_equal(word_distance(word, word), 0);
	word[64] = 'a';
	word[65] = '\0';
	assert_int_equal(word_distance(word, "a"), SIZE_MAX);
	assert_int_equal(word_distance("a", word), SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(word_distance_counts_each_typing_error_once),
		cmocka_unit_test(word_distance_of_long_words_is_the_largest_number),
	};

	return cmocka_run_group_tests_name("base: distance", tests, NULL, NULL);
}
