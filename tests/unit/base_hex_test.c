/* SPDX-License-Identifier: Apache-2.0 */
/* Hexadecimal digits: every byte is encoded and decoded, and wrong digits are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/hex.h"

static void hex_decode_of_an_encoded_byte_gives_the_byte(void **state)
{
	char text[3];

	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		unsigned char raw = (unsigned char)byte;

		hex_encode(text, &raw, 1);
		assert_int_equal(hex_decode(text), byte);
	}
}

static void hex_encode_writes_lower_case_in_the_order_of_the_bytes(void **state)
{
	char text[2 * 4 + 1] = "untouched";

	(void)state;
	hex_encode(text, "\x00\x9f\xab\xff", 4);
	assert_string_equal(text, "009fabff");
	hex_encode(text, "", 0);
	assert_string_equal(text, "");
}

static void hex_decode_takes_both_cases(void **state)
{
	(void)state;
	assert_int_equal(hex_decode("aF"), 0xaf);
	assert_int_equal(hex_decode("Fa and more"), 0xfa);
}

static void hex_decode_of_other_characters_is_minus_1(void **state)
{
	static const char *const texts[] = {
		"", "0", "g0", "0g", "0/", "0:", "@0", "`0", " 0", "0x", "-1", "\xb0\xb0"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(hex_decode(texts[i]), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_decode_of_an_encoded_byte_gives_the_byte),
		cmocka_unit_test(hex_encode_writes_lower_case_in_the_order_of_the_bytes),
		cmocka_unit_test(hex_decode_takes_both_cases),
		cmocka_unit_test(hex_decode_of_other_characters_is_minus_1),
	};

	return cmocka_run_group_tests_name("base: hex", tests, NULL, NULL);
}
