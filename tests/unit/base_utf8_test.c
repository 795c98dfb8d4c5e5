/* SPDX-License-Identifier: Apache-2.0 */
/* The decoder: lengths and code points, and every kind of sequence that is not UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/utf8.h"

static void utf8_decode_of_the_ends_of_each_length_gives_their_code_points(void **state)
{
	static const struct {
		const char *text;
		uint32_t code;
	} rows[] = {
		{"\x01", 0x01},
		{"\x7f", 0x7f},
		{"\xc2\x80", 0x80},
		{"\xdf\xbf", 0x7ff},
		{"\xe0\xa0\x80", 0x800},
		{"\xed\x9f\xbf", 0xd7ff},
		{"\xee\x80\x80", 0xe000},
		{"\xef\xbf\xbf", 0xffff},
		{"\xf0\x90\x80\x80", 0x10000},
		{"\xf4\x8f\xbf\xbf", 0x10ffff},
	};
	uint32_t code;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(utf8_decode(rows[i].text, SIZE_MAX, &code), strlen(rows[i].text));
		assert_int_equal(code, rows[i].code);
	}
}

static void utf8_decode_of_invalid_bytes_is_0(void **state)
{
	static const char *const texts[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf",
		"\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff",
		"\xc2", "\xe2\x82", "\xe2\x82(", "\xf0\x9f\x98", "\xf0\x9f\x98\xc0"};
	uint32_t code;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(utf8_decode(texts[i], SIZE_MAX, &code), 0);
}

static void utf8_decode_reads_at_most_n_bytes(void **state)
{
	uint32_t code;

	(void)state;
	for (size_t n = 0; n < 3; n++)
		assert_int_equal(utf8_decode("€", n, &code), 0);
	assert_int_equal(utf8_decode("€", 3, &code), 3);
	assert_int_equal(utf8_decode("", 1, &code), 1);
	assert_int_equal(code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_decode_of_the_ends_of_each_length_gives_their_code_points),
		cmocka_unit_test(utf8_decode_of_invalid_bytes_is_0),
		cmocka_unit_test(utf8_decode_reads_at_most_n_bytes),
	};

	return cmocka_run_group_tests_name("base: utf8", tests, NULL, NULL);
}
