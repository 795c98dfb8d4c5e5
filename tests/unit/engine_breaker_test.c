/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The breaker counts people who are rejected alike.
 */
#include "base/array.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/breaker.h"

/* People are letters: each is rejected once, in this order. Whether the last one has tripped it. */
static bool reject(
	struct breaker *b, enum google_method method, const char *people, const char *code)
{
	bool tripped = false;

	for (; *people != '\0'; people++)
		tripped = breaker_record_failure(b, method, (char[]){*people, '\0'}, code);
	return tripped;
}

static void people_of(const struct breaker *b, enum google_method method, char *out, size_t size)
{
	const struct breaker_count *count = &b->methods[method];

	out[0] = '\0';
	for (int n = 0; n < count->count && (size_t)n + 1 < size; n++)
		str_copy(out + n, size - (size_t)n, count->people[n]);
}

static void the_fifth_of_different_people_trips_it(void **state)
{
	static const struct {
		const char *people;
		bool tripped;
		const char *counted;
	} rows[] = {
		{"a", false, "a"},
		{"abcd", false, "abcd"},
		{"abcde", true, "abcde"},
		{"aaaaa", false, "a"},
		{"abcda", false, "abcd"},
		{"ababcacd", false, "abcd"},
		{"abbccddee", true, "abcde"},
		{"abcdef", true, "abcde"}, /* again, as long as nothing succeeds */
		{"abcdea", true, "abcde"},
	};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct breaker b = {.open = false};
		char counted[16];

		if (reject(&b, GOOGLE_CHECK, rows[n].people, "x") != rows[n].tripped)
			fail_msg("%s", rows[n].people);
		people_of(&b, GOOGLE_CHECK, counted, sizeof(counted));
		assert_string_equal(counted, rows[n].counted);
		assert_string_equal(b.methods[GOOGLE_CHECK].code, "x");
		assert_false(b.open); /* that is for the caller */
	}
}

static void another_code_begins_from_zero(void **state)
{
	struct breaker b = {.open = false};

	(void)state;
	assert_false(reject(&b, GOOGLE_GET, "abcd", "x"));
	assert_false(reject(&b, GOOGLE_GET, "e", "y"));
	assert_int_equal(b.methods[GOOGLE_GET].count, 1);
	assert_string_equal(b.methods[GOOGLE_GET].people[0], "e");
	assert_string_equal(b.methods[GOOGLE_GET].code, "y");
	assert_true(reject(&b, GOOGLE_GET, "abcd", "y"));
}

static void each_method_counts_for_itself(void **state)
{
	struct breaker b = {.open = false};

	(void)state;
	assert_false(reject(&b, GOOGLE_CHECK, "abcd", "x"));
	assert_false(reject(&b, GOOGLE_SEND, "e", "x"));
	breaker_record_success(&b, GOOGLE_SEND);
	assert_int_equal(b.methods[GOOGLE_SEND].count, 0);
	assert_true(reject(&b, GOOGLE_CHECK, "e", "x"));
}

static void a_success_begins_from_zero(void **state)
{
	struct breaker b = {.open = true};

	(void)state;
	assert_false(reject(&b, GOOGLE_CHECK, "abcd", "x"));
	breaker_record_success(&b, GOOGLE_CHECK);
	assert_false(reject(&b, GOOGLE_CHECK, "abcd", "x"));
	assert_true(reject(&b, GOOGLE_CHECK, "e", "x"));
	assert_true(b.open); /* until an administrator resumes */
}

static void a_reset_closes_it_and_forgets_all_methods(void **state)
{
	struct {
		struct breaker b;
		struct breaker_count after;
	} s = {.b.open = true, .after.count = 7};

	(void)state;
	for (int method = 0; method < GOOGLE_METHODS; method++)
		assert_false(reject(&s.b, (enum google_method)method, "abcd", "x"));
	breaker_reset(&s.b);
	assert_false(s.b.open);
	for (int method = 0; method < GOOGLE_METHODS; method++)
		assert_int_equal(s.b.methods[method].count, 0);
	assert_int_equal(s.after.count, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fifth_of_different_people_trips_it),
		cmocka_unit_test(another_code_begins_from_zero),
		cmocka_unit_test(each_method_counts_for_itself),
		cmocka_unit_test(a_success_begins_from_zero),
		cmocka_unit_test(a_reset_closes_it_and_forgets_all_methods),
	};

	return cmocka_run_group_tests_name("engine: the breaker", tests, NULL, NULL);
}
