/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings: buffers have a limit, comparisons do not depend on the locale, and shown text cannot
 * harm a terminal.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "tests/unit/folder.h"

#include <errno.h>
#include <locale.h>
#include <stdbool.h>
#include <time.h>

#include "base/array.h"

/* ---- the growing buffer ---- */

static void a_text_grows_to_its_cap_and_no_further(void **state)
{
	struct strbuf t = {.max = 10};

	(void)state;
	assert_true(strbuf_add(&t, "12345"));
	assert_true(strbuf_addf(&t, "%d", 67890));
	assert_false(t.failed);
	assert_false(strbuf_add(&t, "x"));
	assert_true(t.failed);
	assert_string_equal(t.data, "1234567890");
	assert_int_equal(t.len, 10);
	strbuf_free(&t);
}

static void what_does_not_fit_is_not_appended_in_part(void **state)
{
	struct strbuf t = {.max = 10};

	(void)state;
	assert_true(strbuf_add(&t, "12345"));
	assert_false(strbuf_addf(&t, "%s", "678901"));
	assert_string_equal(t.data, "12345");
	/* A caller may append many times and check once. */
	assert_false(strbuf_add(&t, "6"));
	assert_string_equal(t.data, "12345");
	strbuf_clear(&t);
	assert_false(t.failed);
	assert_true(strbuf_add(&t, "6"));
	assert_string_equal(t.data, "6");
	strbuf_free(&t);
}

static void without_a_cap_a_text_ends_at_one_mebibyte(void **state)
{
	static char block[64 * 1024];
	struct strbuf t = {0};

	(void)state;
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < 16; i++)
		assert_true(strbuf_add_bytes(&t, block, sizeof(block)));
	assert_false(strbuf_add(&t, "x"));
	assert_int_equal(t.len, 1024 * 1024);
	strbuf_free(&t);
}

static void nothing_and_nul_bytes_can_be_appended(void **state)
{
	struct strbuf t = {0};

	(void)state;
	assert_true(strbuf_add(&t, ""));
	assert_non_null(t.data);
	assert_string_equal(t.data, "");
	assert_true(strbuf_add_bytes(&t, NULL, 0));
	assert_false(strbuf_add_bytes(&(struct strbuf){.max = 0}, "x", SIZE_MAX));
	assert_true(strbuf_add_bytes(&t, "a\0b", 3));
	assert_int_equal(t.len, 3);
	assert_memory_equal(t.data, "a\0b", 4);
	strbuf_free(&t);
}

static void freeing_and_wiping_keep_the_cap_and_take_null(void **state)
{
	struct strbuf t = {.max = 5};

	(void)state;
	strbuf_free(NULL);
	strbuf_wipe(NULL);
	assert_true(strbuf_add(&t, "12345"));
	strbuf_wipe(&t);
	assert_null(t.data);
	assert_int_equal(t.len, 0);
	assert_false(strbuf_add(&t, "123456"));
	strbuf_free(&t);
	strbuf_free(&t);
}

/* ---- fixed buffers ---- */

static void copies_and_formats_end_with_nul_and_say_when_they_are_cut(void **state)
{
	char out[4];

	(void)state;
	assert_true(str_copy(out, sizeof(out), "abc"));
	assert_string_equal(out, "abc");
	assert_false(str_copy(out, sizeof(out), "abcd"));
	assert_string_equal(out, "abc");
	assert_false(str_copy(out, 0, ""));
	assert_true(str_format(out, sizeof(out), "%s", ""));
	assert_true(str_format(out, sizeof(out), "%d", 123));
	assert_false(str_format(out, sizeof(out), "%d", 1234));
	assert_string_equal(out, "123");
}

/* ---- characters and numbers ---- */

static void characters_are_those_of_ascii_in_every_locale(void **state)
{
	(void)state;
	(void)setlocale(LC_ALL, "C.UTF-8");
	for (int i = 0; i < 256; i++) {
		char c = (char)i;
		bool letter = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z');
		bool digit = i >= '0' && i <= '9';

		assert_int_equal(ascii_is_digit(c), digit);
		assert_int_equal(ascii_is_alnum(c), letter || digit);
		assert_int_equal(ascii_is_space(c), i == ' ' || (i >= 9 && i <= 13));
		assert_int_equal(ascii_lower(c), i >= 'A' && i <= 'Z' ? (char)(i + 32) : c);
	}
	(void)setlocale(LC_ALL, "C");
}

static void comparing_ignores_case_of_ascii_only(void **state)
{
	(void)state;
	assert_true(str_equal_nocase("Alice@Example.COM", "alice@example.com"));
	assert_false(str_equal_nocase("alice", "alice2"));
	assert_false(str_equal_nocase("alice2", "alice"));
	assert_false(str_equal_nocase("\xc3\x84", "\xc3\xa4"));
	/* Bit 5 is not enough to make a letter: @ and `, [ and {. */
	assert_false(str_equal_nocase("@", "`"));
	assert_false(str_equal_nocase("[", "{"));
	assert_true(str_starts("spool=/x", "spool="));
	assert_false(str_starts("spo", "spool="));
	assert_true(str_ends("a.conf", ".conf"));
	assert_false(str_ends("conf", ".conf"));
}

static void numbers_are_whole_decimal_and_in_range(void **state)
{
	static const struct {
		const char *s;
		bool good;
		long long value;
	} cases[] = {
		{"0", true, 0}, {"007", true, 7}, {"-5", true, -5},
		{"9223372036854775807", true, INT64_MAX}, {"-9223372036854775808", true, INT64_MIN},
		{"9223372036854775808", false, 0}, {"99999999999999999999999999", false, 0},
		{"", false, 0}, {"-", false, 0}, {"--1", false, 0}, {"+1", false, 0},
		{" 1", false, 0}, {"1 ", false, 0}, {"1\n", false, 0}, {"0x10", false, 0},
		{"1e3", false, 0}, {"1.0", false, 0}, {"1,000", false, 0}, {"many", false, 0},
		{"\xd9\xa1", false, 0}, /* an Arabic digit */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		long long value = 42;

		errno = EPROTO;
		assert_int_equal(
			str_number(cases[i].s, INT64_MIN, INT64_MAX, &value), cases[i].good);
		assert_int_equal(value, cases[i].good ? cases[i].value : 42);
		assert_int_equal(errno, EPROTO);
	}
	assert_true(str_number("600", 0, 600, &(long long){0}));
	assert_false(str_number("601", 0, 600, &(long long){0}));
	assert_false(str_number("-1", 0, 600, &(long long){0}));
}

static void trimming_takes_white_space_from_both_ends_only(void **state)
{
	char padded[] = " \t\r\n a b \v\f ", blank[] = " \n ", empty[] = "";

	(void)state;
	assert_string_equal(str_trim(padded), "a b");
	assert_string_equal(str_trim(blank), "");
	assert_string_equal(str_trim(empty), "");
}

/* ---- lists and patterns ---- */

static bool join(const char *word, size_t len, void *ctx)
{
	struct strbuf *joined = ctx;

	return strbuf_add_bytes(joined, word, len) && strbuf_add(joined, "|") &&
	       !(len == 4 && memcmp(word, "stop", 4) == 0);
}

static void words_are_split_at_commas_and_white_space(void **state)
{
	struct strbuf joined = {0};

	(void)state;
	assert_true(str_each_word(",, a,b\tc\n d-e ,", join, &joined));
	assert_string_equal(joined.data, "a|b|c|d-e|");
	strbuf_clear(&joined);
	assert_false(str_each_word("a stop b", join, &joined));
	assert_string_equal(joined.data, "a|stop|");
	strbuf_clear(&joined);
	assert_true(str_each_word(" , ", join, &joined));
	assert_int_equal(joined.len, 0);
	strbuf_free(&joined);
}

static void a_list_holds_words_and_patterns(void **state)
{
	char long_word[600];

	(void)state;
	assert_true(str_in_list("su", "cron su,sudo"));
	assert_false(str_in_list("s", "cron su,sudo"));
	assert_false(str_in_list("sudo-i", "cron su,sudo"));
	assert_true(str_in_list("gdm-launch-environment", "su *-launch-environment"));
	assert_false(str_in_list("", "su sudo"));
	assert_false(str_in_list("su", ""));
	assert_false(str_in_list("su,sudo", "su,sudo"));
	/* The word that is searched for is not a pattern. */
	assert_false(str_in_list("*", "su sudo"));
	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_false(str_in_list(long_word, long_word));
}

static void patterns_know_star_and_question_mark_and_nothing_else(void **state)
{
	static const struct {
		const char *pattern, *s;
		bool match;
	} cases[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"***", "anything", true},
		{"?", "", false},
		{"?", "a", true},
		{"a*", "a", true},
		{"a*c", "abcbc", true},
		{"a*c", "abcbd", false},
		{"*.example.com", "host.example.com", true},
		{"*.example.com", "example.com", false},
		{"web-??", "web-01", true},
		{"web-??", "web-1", false},
		{"[ab]", "a", false},
		{"[ab]", "[ab]", true},
		{"\\*", "*", false},
		{"\\*", "\\x", true},
		{"A", "a", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(str_match(cases[i].pattern, cases[i].s), cases[i].match);
}

static void a_pattern_full_of_stars_takes_no_exponential_time(void **state)
{
	static char pattern[202], s[5001];
	clock_t began = clock();

	(void)state;
	for (size_t i = 0; i < 200; i++)
		pattern[i] = i % 2 ? 'a' : '*';
	pattern[200] = 'b';
	memset(s, 'a', sizeof(s) - 1);
	(void)alarm(60); /* an exponential algorithm would not end */
	for (int i = 0; i < 10; i++)
		assert_false(str_match(pattern, s));
	(void)alarm(0);
	/* 100 stars, 5,000 bytes: at most 5 million steps. */
	assert_true(clock() - began < 20 * CLOCKS_PER_SEC);
}

/* ---- UTF-8 ---- */

static int count_valid(
	unsigned char *bytes, size_t n, size_t at, const char *choices, size_t choice)
{
	int count = 0;

	if (at == n)
		return str_is_utf8((const char *)bytes, n);
	for (size_t i = 0; i < choice; i++) {
		bytes[at] = (unsigned char)choices[i];
		count += count_valid(bytes, n, at + 1, choices, choice);
	}
	return count;
}

/* The number of valid sequences is that of Unicode's code points. */
static void exactly_the_code_points_of_unicode_are_valid(void **state)
{
	static const char edges[] = {0x7f, (char)0x80, (char)0xbf, (char)0xc0};
	char all[256];
	unsigned char bytes[4];
	int count;

	(void)state;
	for (int i = 0; i < 256; i++)
		all[i] = (char)i;
	assert_int_equal(count_valid(bytes, 1, 0, all, 256), 0x7f);
	assert_int_equal(count_valid(bytes, 2, 0, all, 256), 0x7f * 0x7f + (0x800 - 0x80));
	count = 0;
	for (bytes[0] = 0xe0; bytes[0] < 0xf0; bytes[0]++)
		count += count_valid(bytes, 3, 1, all, 256);
	/* Without the surrogates. */
	assert_int_equal(count, 0x10000 - 0x800 - 0x800);
	count = 0;
	for (bytes[0] = 0xf0; bytes[0] != 0; bytes[0]++)
		for (int second = 0; second < 256; second++) {
			bytes[1] = (unsigned char)second;
			count += count_valid(bytes, 4, 2, edges, sizeof(edges));
		}
	/* 0x100 blocks of 0x1000 code points, each tested at two edges of the third and fourth
	 * byte. */
	assert_int_equal(count, 0x100 * 4);
}

static void what_is_cut_within_a_character_is_not_valid(void **state)
{
	(void)state;
	assert_true(str_is_utf8("", 0));
	assert_true(str_is_utf8("\xf4\x8f\xbf\xbf", 4));
	assert_false(str_is_utf8("\xf4\x8f\xbf\xbf", 3));
	assert_false(str_is_utf8("a\xe2\x82", 3));
	assert_false(str_is_utf8("a\0b", 3));
}

/* ---- shown text ---- */

static bool is_harmless(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)s[i + 1] < 0xa0))
			return false;
	}
	return str_is_utf8(s, n);
}

static void control_characters_and_invalid_bytes_become_visible(void **state)
{
	static const struct {
		const char *s, *shown;
	} cases[] = {
		{"plain", "plain"},
		{"Zo\xc3\xab \xf0\x9f\x90\xa7", "Zo\xc3\xab \xf0\x9f\x90\xa7"},
		{"a\nb\tc\r", "a\\x0ab\\x09c\\x0d"},
		{"\033[2J", "\\x1b[2J"},
		{"\x7f", "\\x7f"},
		{"\xc2\x9b"
		 "31m",
			"\\xc2\\x9b31m"}, /* CSI as a C1 control */
		{"\xc2\xa1", "\xc2\xa1"},
		{"\x9b"
		 "31m",
			"\\x9b31m"},
		{"\xe2\x82", "\\xe2\\x82"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"},
		{"\xc0\x8a", "\\xc0\\x8a"}, /* a newline, overlong */
		{"\u202e\u2066", "\\xe2\\x80\\xae\\xe2\\x81\\xa6"},
		{"\u200b\u200f", "\\xe2\\x80\\x8b\\xe2\\x80\\x8f"},
		{"\u2010",
			"\u2010"}, /* a hyphen, which is the neighbour of zero-width characters */
		{"\u2028\u2029", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"},
		{"\ufeff", "\\xef\\xbb\\xbf"},
		{"alice\u00a0", "alice\\xc2\\xa0"},
		{"\u2003\u3000", "\\xe2\\x80\\x83\\xe3\\x80\\x80"},
		{"\u00ad", "\\xc2\\xad"},
		{"\U000e0041", "\\xf3\\xa0\\x81\\x81"}, /* a tag */
		{"\u0646\u0627\u0645 \u05e9\u05dd \u6f22\u5b57",
			"\u0646\u0627\u0645 \u05e9\u05dd \u6f22\u5b57"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(str_safe(out, sizeof(out), cases[i].s), cases[i].shown);
}

static void two_sentences_have_a_full_stop_between_them(void **state)
{
	static const struct {
		const char *first, *second, *both;
	} cases[] = {
		{"x: no permission", "Run it as root.", "x: no permission. Run it as root."},
		{"It is off.", "Turn it on.", "It is off. Turn it on."},
		{"Why?", "See x.", "Why? See x."},
		{"it says: no\u2026", "See x.", "it says: no\u2026 See x."},
		{"alone", "", "alone"},
		{"", "Alone.", "Alone."},
		{"", "", ""},
		{"a very long first sentence ends", "cut", "a very long first sentence ends. "},
	};
	char out[34];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(cases[i].both,
			str_sentences(out, sizeof(out), cases[i].first, cases[i].second));
}

static void what_is_too_long_ends_with_an_ellipsis_and_cuts_nothing_in_two(void **state)
{
	static const struct {
		size_t size;
		const char *s, *shown;
	} cases[] = {
		{9, "abcdefgh", "abcdefgh"},
		{8, "abcdefgh", "abcd\xe2\x80\xa6"},
		{5, "abcdefgh", "a\xe2\x80\xa6"},
		{4, "abcdefgh", "\xe2\x80\xa6"},
		{3, "abcdefgh", ""},
		{1, "abcdefgh", ""},
		{9, "abc\ndefgh", "abc\xe2\x80\xa6"},
		{9,
			"ab\xf0\x9f\x90\xa7"
			"efgh",
			"ab\xe2\x80\xa6"},
	};
	char out[16];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(out, '#', sizeof(out));
		assert_string_equal(str_safe(out, cases[i].size, cases[i].s), cases[i].shown);
		for (size_t k = cases[i].size; k < sizeof(out); k++)
			assert_int_equal(out[k], '#');
	}
}

static void no_bytes_at_all_can_harm_a_terminal(void **state)
{
	unsigned seed = 20261123;
	char s[64], out[80];

	(void)state;
	for (int round = 0; round < 30000; round++) {
		size_t n = (size_t)(rand_r(&seed) % 40), size = 1 + (size_t)(rand_r(&seed) % 78);

		for (size_t i = 0; i < n; i++) /* mostly values near a border */
			s[i] = (char)(rand_r(&seed) % 3 ? 0x80 + rand_r(&seed) % 128
							: 1 + rand_r(&seed) % 255);
		s[n] = '\0';
		memset(out, '#', sizeof(out));
		str_safe(out, size, s);
		assert_true(strlen(out) < size);
		assert_true(is_harmless(out));
		assert_int_equal(out[size], '#');
	}
}

static void masked_addresses_keep_two_letters_and_the_domain(void **state)
{
	static const struct {
		const char *address, *masked;
	} cases[] = {
		{"alice@example.com", "a***e@example.com"},
		{"bob@example.com", "b***b@example.com"},
		{"al@example.com", "a***@example.com"},
		{"a@example.com", "a***@example.com"},
		{"@example.com", "***@example.com"},
		{"nobody", "n***y"},
		{"", "***"},
	};
	char out[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(
			str_mask_address(out, sizeof(out), cases[i].address), cases[i].masked);
	str_mask_address(out, 8, "alice@example.com");
	assert_string_equal(out, "a***e@e");
}

static void next_line_cuts_a_text_into_its_lines(void **state)
{
	char text[] = "one\n\nthr\0ee\nfour";
	char *at = text, *end = text + sizeof(text) - 1;
	size_t length;

	(void)state;
	assert_string_equal(str_next_line(&at, end, &length), "one");
	assert_int_equal(length, 3);
	assert_string_equal(str_next_line(&at, end, &length), "");
	assert_int_equal(length, 0);
	assert_memory_equal(str_next_line(&at, end, &length), "thr\0ee", 7);
	assert_int_equal(length, 6);
	assert_string_equal(str_next_line(&at, end, &length), "four");
	assert_int_equal(length, 4);
	assert_null(str_next_line(&at, end, &length));
}

static void next_line_of_a_text_that_ends_in_a_newline_gives_no_empty_line(void **state)
{
	char text[] = "one\n", empty[] = "";
	char *at = text;
	size_t length;

	(void)state;
	assert_string_equal(str_next_line(&at, text + 4, &length), "one");
	assert_null(str_next_line(&at, text + 4, &length));
	at = empty;
	assert_null(str_next_line(&at, empty, &length));
}

static void count_lines_is_never_less_than_the_lines(void **state)
{
	(void)state;
	assert_int_equal(str_count_lines("", 0), 1);
	assert_int_equal(str_count_lines("a", 1), 1);
	assert_int_equal(str_count_lines("a\nb", 3), 2);
	assert_int_equal(str_count_lines("a\0\nb\n", 5), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_grows_to_its_cap_and_no_further),
		cmocka_unit_test(what_does_not_fit_is_not_appended_in_part),
		cmocka_unit_test(without_a_cap_a_text_ends_at_one_mebibyte),
		cmocka_unit_test(nothing_and_nul_bytes_can_be_appended),
		cmocka_unit_test(freeing_and_wiping_keep_the_cap_and_take_null),
		cmocka_unit_test(copies_and_formats_end_with_nul_and_say_when_they_are_cut),
		cmocka_unit_test(characters_are_those_of_ascii_in_every_locale),
		cmocka_unit_test(comparing_ignores_case_of_ascii_only),
		cmocka_unit_test(numbers_are_whole_decimal_and_in_range),
		cmocka_unit_test(trimming_takes_white_space_from_both_ends_only),
		cmocka_unit_test(words_are_split_at_commas_and_white_space),
		cmocka_unit_test(a_list_holds_words_and_patterns),
		cmocka_unit_test(patterns_know_star_and_question_mark_and_nothing_else),
		cmocka_unit_test(a_pattern_full_of_stars_takes_no_exponential_time),
		cmocka_unit_test(exactly_the_code_points_of_unicode_are_valid),
		cmocka_unit_test(what_is_cut_within_a_character_is_not_valid),
		cmocka_unit_test(control_characters_and_invalid_bytes_become_visible),
		cmocka_unit_test(two_sentences_have_a_full_stop_between_them),
		cmocka_unit_test(what_is_too_long_ends_with_an_ellipsis_and_cuts_nothing_in_two),
		cmocka_unit_test(no_bytes_at_all_can_harm_a_terminal),
		cmocka_unit_test(masked_addresses_keep_two_letters_and_the_domain),
		cmocka_unit_test(next_line_cuts_a_text_into_its_lines),
		cmocka_unit_test(next_line_of_a_text_that_ends_in_a_newline_gives_no_empty_line),
		cmocka_unit_test(count_lines_is_never_less_than_the_lines),
	};

	return cmocka_run_group_tests_name("base: text", tests, NULL, NULL);
}
