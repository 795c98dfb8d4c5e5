/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "cli/common/csv.h"

static void assert_written(const char *const *fields, size_t count, const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	csv_record(out, fields, count);
	assert_int_equal(0, fclose(out));
	assert_string_equal(expected, text);
	free(text);
}

static void assert_field(const char *field, const char *expected)
{
	assert_written(&field, 1, expected);
}

static void every_field_is_quoted(void **state)
{
	const char *const fields[] = {"alice@example.com", "INVITED", "2", ""};

	(void)state;
	assert_written(fields, 4, "\"alice@example.com\",\"INVITED\",\"2\",\"\"\r\n");
	assert_field("a\"b", "\"a\"\"b\"\r\n");
	assert_field("a,b;c\td", "\"a,b;c\\x09d\"\r\n");
}

static void nothing_is_taken_for_a_formula(void **state)
{
	static const char *const beginnings[] = {"=", "+", "-", "@", " =", "\uff1d", "\uff0b",
		"\uff0d", "\uff20", "\"=", "'=", ";=", "%", "|"};
	char field[16], expected[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++) {
		snprintf(field, sizeof(field), "%s1+1", beginnings[i]);
		snprintf(expected, sizeof(expected), "\"'%s%s1+1\"\r\n",
			beginnings[i][0] == '"' ? "\"" : "", beginnings[i]);
		assert_field(field, expected);
	}
	assert_field("\t=1", "\"'\\x09=1\"\r\n");
	assert_field("\u00a0=1", "\"'\\xc2\\xa0=1\"\r\n");
	assert_field("\u3000@1", "\"'\\xe3\\x80\\x80@1\"\r\n");
}

static void no_line_begins_within_a_field_and_no_terminal_obeys_it(void **state)
{
	(void)state;
	assert_field("a\r\n=1", "\"a\\x0d\\x0a=1\"\r\n");
	assert_field("a\033[2J\u202e\x9b", "\"a\\x1b[2J\\xe2\\x80\\xae\\x9b\"\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_quoted),
		cmocka_unit_test(nothing_is_taken_for_a_formula),
		cmocka_unit_test(no_line_begins_within_a_field_and_no_terminal_obeys_it),
	};

	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
