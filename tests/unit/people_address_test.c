/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#include "people/verdict.h"

static void plain_addresses_are_lower_cased(void **state)
{
	static const char *const plain[][2] = {
		{"alice@example.com", "alice@example.com"},
		{"Alice.Liddell@Example.COM", "alice.liddell@example.com"},
		{"a+b@sub.example.co.uk", "a+b@sub.example.co.uk"},
		{"o'brien@example.com", "o'brien@example.com"},
		{"!#$%&'*+-/=?^_`{|}~@example.com", "!#$%&'*+-/=?^_`{|}~@example.com"},
		{"1@1.example", "1@1.example"},
		{"x@xn--mller-kva.example", "x@xn--mller-kva.example"},
	};
	char out[ADDRESS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
		assert_true(address_plain(plain[i][0], out));
		assert_string_equal(out, plain[i][1]);
	}
}

static void what_is_more_or_less_than_a_plain_address_is_none(void **state)
{
	static const char *const others[] = {"", "@", "alice", "alice@", "@example.com",
		"alice@example", "alice@example.", "alice@.example.com", "alice@example..com",
		"alice@-example.com", "alice@example-.com", "alice@exa_mple.com", "alice@1.2.3.4",
		"alice@[1.2.3.4]", ".alice@example.com", "alice.@example.com",
		"al..ice@example.com", "al ice@example.com", "alice @example.com",
		" alice@example.com", "alice@example.com ", "alice@example.com\n",
		"alice\r\nBcc: bob@example.com", "\"alice\"@example.com", "<alice@example.com>",
		"Alice <alice@example.com>", "alice@example.com,bob@example.com",
		"alice@bob@example.com", "alice@example.com@evil.com", "alice:x@example.com",
		"al(c)ice@example.com", "al\\ice@example.com", "m\xc3\xbcller@example.com",
		"alice@m\xc3\xbcller.example", "alice\x7f@example.com", "alice\x01@example.com",
		"al\xffice@example.com", "alice@example.com/../x", "alice@exa%6dple.com",
		"a;b@example.com", "alice@example.com?x=y"};
	char out[ADDRESS_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (address_plain(others[i], out))
			fail_msg("'%s' was taken", others[i]);
		assert_string_equal(out, "");
	}
}

static void lengths_are_those_of_rfc_5321(void **state)
{
	char address[600], out[ADDRESS_MAX + 1];

	(void)state;
	memset(address, 'a', 65);
	str_copy(address + 64, sizeof(address) - 64, "@example.com");
	assert_true(address_plain(address, out));
	str_copy(address + 65, sizeof(address) - 65, "@example.com");
	address[64] = 'a';
	assert_false(address_plain(address, out));

	str_format(address, sizeof(address), "a@%063d.example", 0);
	assert_true(address_plain(address, out));
	str_format(address, sizeof(address), "a@%064d.example", 0);
	assert_false(address_plain(address, out));

	str_format(address, sizeof(address), "%050d@%063d.%063d.%063d.exampleab", 0, 0, 0, 0);
	assert_int_equal(strlen(address), 252);
	assert_true(address_plain(address, out));
	str_format(address, sizeof(address), "%050d@%063d.%063d.%063d.exampleabcde", 0, 0, 0, 0);
	assert_int_equal(strlen(address), 255);
	assert_false(address_plain(address, out));
}

static void domains_are_compared_as_a_whole(void **state)
{
	(void)state;
	assert_true(address_in_domains("a@example.com", "example.com"));
	assert_true(address_in_domains("a@example.org", "example.com example.org"));
	assert_true(address_in_domains("a@example.org", "example.com,Example.ORG"));
	assert_false(address_in_domains("a@sub.example.com", "example.com"));
	assert_false(address_in_domains("a@example.com", "sub.example.com"));
	assert_false(address_in_domains("a@example.com.evil.com", "example.com"));
	assert_false(address_in_domains("a@notexample.com", "example.com"));
	assert_false(address_in_domains("a@example.co", "example.com"));
	assert_false(address_in_domains("a@example.com", ""));
	assert_false(address_in_domains("a@example.com", "*"));
	assert_false(address_in_domains("a@example.com", "*.com"));
	assert_false(address_in_domains("example.com", "example.com"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_addresses_are_lower_cased),
		cmocka_unit_test(what_is_more_or_less_than_a_plain_address_is_none),
		cmocka_unit_test(lengths_are_those_of_rfc_5321),
		cmocka_unit_test(domains_are_compared_as_a_whole),
	};

	return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
