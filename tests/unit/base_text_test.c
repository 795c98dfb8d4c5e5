/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"

/* ---- the growing buffer -------------------------------------------------------------------------
 */

static void a_text_grows_and_stays_terminated(void **state)
{
	struct text t = {.cap = 100000};

	(void)state;
	for (int i = 0; i < 5000; i++)
		assert_true(text_addf(&t, "%d,", i % 10));
	assert_int_equal(t.len, 10000);
	assert_int_equal(strlen(t.data), 10000);
	assert_true(text_add_bytes(&t, "a\0b", 3));
	assert_int_equal(t.len, 10003);
	assert_int_equal(t.data[t.len], '\0');
	text_clear(&t);
	assert_int_equal(t.len, 0);
	assert_string_equal(t.data, "");
	assert_true(text_add_bytes(&t, NULL, 0));
	text_free(&t);
	assert_null(t.data);
	assert_int_equal(t.cap, 100000);
}

static void the_cap_holds_and_is_remembered(void **state)
{
	struct text t = {.cap = 5}, huge = {.cap = 0};

	(void)state;
	assert_true(text_add(&t, "1234"));
	assert_false(text_add(&t, "56"));
	assert_string_equal(t.data, "1234");
	assert_true(t.failed);
	assert_false(text_add(&t, "5"));
	text_clear(&t);
	assert_true(text_add(&t, "12345"));
	assert_false(text_addf(&t, "%s", "6"));
	text_free(&t);
	assert_false(text_add_bytes(&huge, "x", SIZE_MAX));
	assert_null(huge.data);
	text_free(NULL);
}

static void a_wiped_text_leaves_nothing(void **state)
{
	struct text t = {.cap = 0};

	(void)state;
	assert_true(text_add(&t, "secret"));
	text_wipe(&t);
	assert_null(t.data);
	assert_int_equal(t.len, 0);
	text_wipe(&t);
	text_wipe(NULL);
}

static void what_does_not_fit_is_cut_and_said(void **state)
{
	char out[6];

	(void)state;
	assert_true(text_format(out, sizeof(out), "%s", "12345"));
	assert_false(text_format(out, sizeof(out), "%s", "123456"));
	assert_string_equal(out, "12345");
	assert_true(text_copy(out, sizeof(out), "abcde"));
	assert_string_equal(out, "abcde");
	assert_false(text_copy(out, sizeof(out), "abcdef"));
	assert_string_equal(out, "abcde");
	assert_true(text_copy(out, 1, ""));
	assert_false(text_copy(out, 1, "a"));
	assert_string_equal(out, "");
	assert_false(text_copy(out, 0, ""));
}

/* ---- characters and words -----------------------------------------------------------------------
 */

static void letters_are_ascii_whatever_the_locale_says(void **state)
{
	char turkish[] = "TITLE\xc4\xb0";

	(void)state;
	for (int c = -128; c < 128; c++) {
		bool digit = c >= '0' && c <= '9';
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		assert_int_equal(text_is_digit((char)c), digit);
		assert_int_equal(text_is_alnum((char)c), digit || letter);
		assert_int_equal(text_is_space((char)c), c == ' ' || (c >= 9 && c <= 13));
	}
	text_lower_all(turkish);
	assert_string_equal(turkish, "title\xc4\xb0");
	assert_true(text_equal_nocase("Host-A", "hOST-a"));
	assert_false(text_equal_nocase("host", "hosts"));
	assert_false(text_equal_nocase("[", "{")); /* 32 apart, as letters are */
	assert_true(text_starts("abc", ""));
	assert_true(text_starts("abc", "ab"));
	assert_false(text_starts("ab", "abc"));
	assert_true(text_ends("abc", "bc"));
	assert_false(text_ends("bc", "abc"));
}

static void white_space_is_cut_from_both_ends(void **state)
{
	char both[] = " \t a b \r\n", none[] = "a", all[] = " \t\n", empty[] = "";

	(void)state;
	assert_string_equal(text_trim(both), "a b");
	assert_string_equal(text_trim(none), "a");
	assert_string_equal(text_trim(all), "");
	assert_string_equal(text_trim(empty), "");
}

static void a_number_is_the_whole_text_and_in_range(void **state)
{
	static const char *const wrong[] = {"", " 1", "1 ", "+1", "-", "--1", "1.0", "0x10", "1e3",
		"9223372036854775808", "-9223372036854775809", "\xd9\xa1", "1\n", "nan"};
	long long n = 77;

	(void)state;
	errno = EPERM;
	assert_true(text_number("0", 0, 10, &n));
	assert_int_equal(n, 0);
	assert_true(text_number("-5", -5, 10, &n));
	assert_int_equal(n, -5);
	assert_true(text_number("0010", 0, 10, &n));
	assert_int_equal(n, 10);
	assert_true(text_number("9223372036854775807", 0, INT64_MAX, &n));
	assert_true(n == INT64_MAX);
	n = 77;
	assert_false(text_number("11", 0, 10, &n));
	assert_false(text_number("-1", 0, 10, &n));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (text_number(wrong[i], INT64_MIN, INT64_MAX, &n))
			fail_msg("'%s' was taken as a number", wrong[i]);
	assert_int_equal(n, 77);
	assert_int_equal(errno, EPERM);
}

static bool gather(const char *word, size_t len, void *ctx)
{
	text_addf(ctx, "[%.*s]", (int)len, word);
	return len != 4 || memcmp(word, "stop", 4) != 0;
}

static void words_stand_between_commas_and_white_space(void **state)
{
	struct text t = {.cap = 0};

	(void)state;
	assert_true(text_each_word(" a,,b \t c\n,", gather, &t));
	assert_string_equal(t.data, "[a][b][c]");
	text_clear(&t);
	assert_true(text_each_word("", gather, &t));
	assert_true(text_each_word(", ,", gather, &t));
	assert_string_equal(t.data, "");
	assert_false(text_each_word("a stop b", gather, &t));
	assert_string_equal(t.data, "[a][stop]");
	text_free(&t);
}

/* ---- patterns -----------------------------------------------------------------------------------
 */

static void stars_and_question_marks_match_like_a_shells(void **state)
{
	static const struct {
		const char *pattern, *word;
		bool match;
	} cases[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything", true},
		{"a*", "a", true},
		{"a*", "ba", false},
		{"*a", "banana", true},
		{"*-launch-environment", "gdm-launch-environment", true},
		{"*-launch-environment", "gdm-launch-environments", false},
		{"a*b*c", "aXbXbXc", true},
		{"a*b*c", "aXcXb", false},
		{"?", "", false},
		{"?", "a", true},
		{"a?c", "abc", true},
		{"**a**", "xax", true},
		{"[a]", "a", false},
		{"[a]", "[a]", true},
		{"\\*", "\\x", true},
		{"su", "sudo", false},
		{"sudo", "su", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (text_match(cases[i].pattern, cases[i].word) != cases[i].match)
			fail_msg("'%s' on '%s'", cases[i].pattern, cases[i].word);
}

static void a_hostile_pattern_costs_no_more_than_its_length_allows(void **state)
{
	char pattern[2001], word[20001];
	clock_t began = clock();

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(pattern); i += 2) {
		pattern[i] = '*';
		pattern[i + 1] = 'a';
	}
	pattern[sizeof(pattern) - 1] = '\0';
	memset(word, 'a', sizeof(word) - 2);
	word[sizeof(word) - 2] = 'b';
	word[sizeof(word) - 1] = '\0';
	assert_false(text_match(pattern, word));
	assert_true(clock() - began < 5 * CLOCKS_PER_SEC);
}

static void a_list_holds_words_and_patterns(void **state)
{
	char word[600];

	(void)state;
	assert_true(text_in_list("su", "cron su,sudo"));
	assert_true(text_in_list("sudo", "cron su,sudo"));
	assert_false(text_in_list("s", "cron su,sudo"));
	assert_true(text_in_list("gdm-x", "a *-x"));
	assert_false(text_in_list("", "a b"));
	assert_false(text_in_list("a", ""));
	assert_false(text_in_list("su,sudo", "su,sudo"));
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_false(text_in_list(word, "*"));
}

/* ---- UTF-8 and terminals ------------------------------------------------------------------------
 */

static void utf8_is_what_rfc_3629_says(void **state)
{
	static const char *const good[] = {"", "plain", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
		"\xf4\x8f\xbf\xbf"};
	static const char *const bad[] = {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2z",
		"\xe0\x9f\xbf", "\xe2\x82", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfe", "\xff", "ok\xe2\x28\xa1"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(text_is_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_is_utf8(bad[i], strlen(bad[i])));
	assert_false(text_is_utf8("a\0b", 3));
	assert_false(text_is_utf8("\xe2\x82\xac", 2));
}

static void no_byte_harms_a_terminal(void **state)
{
	char out[64], in[3] = "";

	(void)state;
	for (int c = 1; c < 256; c++) {
		in[0] = (char)c;
		text_safe(out, sizeof(out), in);
		if (c >= 0x20 && c < 0x7f)
			assert_string_equal(out, in);
		else
			assert_int_equal(strlen(out), 4);
		for (const char *p = out; *p; p++)
			assert_true(*p >= 0x20 && *p < 0x7f);
	}
	assert_string_equal(text_safe(out, sizeof(out), "a\x1b[31mb\r\n"), "a\\x1b[31mb\\x0d\\x0a");
	assert_string_equal(text_safe(out, sizeof(out), "J\xc3\xb6rg"), "J\xc3\xb6rg");
	assert_string_equal(text_safe(out, sizeof(out),
				    "\xc2\x9b"
				    "2J"),
		"\\xc2\\x9b2J");
	assert_string_equal(text_safe(out, sizeof(out), "\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

static void cut_texts_end_in_an_ellipsis_and_in_whole_characters(void **state)
{
	static const char word[] = "J\xc3\xb6rg \x01 \xf0\x9f\x90\xa7 and more";

	(void)state;
	for (size_t size = 1; size < 40; size++) {
		char out[64];

		memset(out, 'X', sizeof(out));
		text_safe(out, size, word);
		assert_true(strlen(out) < size);
		assert_int_equal(out[size], 'X');
		assert_true(text_is_utf8(out, strlen(out)));
		if (size >= 4 && size <= 24)
			assert_true(text_ends(out, "\xe2\x80\xa6"));
	}
	assert_string_equal(text_safe((char[8]){0}, 8, "1234567"), "1234567");
	assert_string_equal(text_safe((char[8]){0}, 8, "12345678"), "1234\xe2\x80\xa6");
}

static void a_masked_address_keeps_two_letters_at_most(void **state)
{
	char out[64];

	(void)state;
	assert_string_equal(
		text_mask_address(out, sizeof(out), "alice@example.com"), "a***e@example.com");
	assert_string_equal(
		text_mask_address(out, sizeof(out), "al@example.com"), "a***@example.com");
	assert_string_equal(
		text_mask_address(out, sizeof(out), "a@example.com"), "a***@example.com");
	assert_string_equal(text_mask_address(out, sizeof(out), "@example.com"), "***@example.com");
	assert_string_equal(text_mask_address(out, sizeof(out), "alice"), "a***e");
	assert_string_equal(text_mask_address(out, sizeof(out), ""), "***");
	assert_string_equal(text_mask_address(out, 6, "alice@example.com"), "a***e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_grows_and_stays_terminated),
		cmocka_unit_test(the_cap_holds_and_is_remembered),
		cmocka_unit_test(a_wiped_text_leaves_nothing),
		cmocka_unit_test(what_does_not_fit_is_cut_and_said),
		cmocka_unit_test(letters_are_ascii_whatever_the_locale_says),
		cmocka_unit_test(white_space_is_cut_from_both_ends),
		cmocka_unit_test(a_number_is_the_whole_text_and_in_range),
		cmocka_unit_test(words_stand_between_commas_and_white_space),
		cmocka_unit_test(stars_and_question_marks_match_like_a_shells),
		cmocka_unit_test(a_hostile_pattern_costs_no_more_than_its_length_allows),
		cmocka_unit_test(a_list_holds_words_and_patterns),
		cmocka_unit_test(utf8_is_what_rfc_3629_says),
		cmocka_unit_test(no_byte_harms_a_terminal),
		cmocka_unit_test(cut_texts_end_in_an_ellipsis_and_in_whole_characters),
		cmocka_unit_test(a_masked_address_keeps_two_letters_at_most),
	};

	/* Whatever the caller's locale is, nothing here may depend on it. */
	(void)setlocale(LC_ALL, "");
	return cmocka_run_group_tests_name("base text", tests, NULL, NULL);
}
