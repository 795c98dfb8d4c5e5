/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "cli/common/html.h"

static void assert_written(struct strbuf *out, const char *expected)
{
	assert_false(out->failed);
	assert_string_equal(expected, out->data ? out->data : "");
	strbuf_free(out);
	*out = (struct strbuf){.max = 0};
}

static void assert_text(const char *s, const char *expected)
{
	struct strbuf out = {.max = 65536};

	html_text(&out, s);
	assert_written(&out, expected);
}

static void assert_masked(const char *s, const char *expected)
{
	struct strbuf out = {.max = 65536};

	html_masked(&out, s);
	assert_written(&out, expected);
}

/* ---- texts ---- */

static void markup_is_text(void **state)
{
	(void)state;
	assert_text(
		"<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
	assert_text("\" onload=\"x", "&quot; onload=&quot;x");
	assert_text("&lt;&#60;", "&amp;lt;&amp;#60;");
	assert_text("", "");
	assert_text("Zoë Müller", "Zoë Müller");
}

static void what_cannot_be_seen_is_made_visible(void **state)
{
	(void)state;
	assert_text("a\x01\x1b[31m\x7f\n\t", "a\\x01\\x1b[31m\\x7f\\x0a\\x09");
	assert_text("\xff<\xc0\xaf\xed\xa0\x80", "\\xff&lt;\\xc0\\xaf\\xed\\xa0\\x80");
	assert_text("\xc2\x85", "\\xc2\\x85");
	assert_text("\xe2\x80\xaetxt.exe", "\\xe2\\x80\\xaetxt.exe");
	assert_text("\xef\xbb\xbf", "\\xef\\xbb\\xbf");
}

static void a_text_is_cut_before_it_is_escaped(void **state)
{
	char quotes[8 * HTML_TEXT_MAX];
	struct strbuf out = {.max = 65536};

	(void)state;
	memset(quotes, '"', sizeof(quotes));
	quotes[sizeof(quotes) - 1] = '\0';
	html_text(&out, quotes);
	assert_false(out.failed);
	assert_true(out.len <= (size_t)6 * HTML_TEXT_MAX);
	assert_true(str_ends(out.data, "&quot;…"));
	strbuf_free(&out);
}

static void only_addresses_in_a_sentence_are_masked(void **state)
{
	(void)state;
	assert_masked(
		"Google refuses alice@example.com: 403", "Google refuses a***e@example.com: 403");
	assert_masked("<bob@example.com>, carol@x.org.", "&lt;b***b@example.com&gt;, c***l@x.org.");
	assert_masked("no address here (403) @ all", "no address here (403) ***@ all");
	assert_masked("dana+x@example.com", "d***x@example.com");
	assert_masked("zoë@example.com", "z***\\xab@example.com");
	assert_masked("", "");
}

static void a_masked_text_of_any_length_holds_no_address(void **state)
{
	struct strbuf s = {.max = 65536}, out = {.max = 65536};

	(void)state;
	for (int i = 0; i < 500; i++)
		strbuf_add(&s, "alice@example.com ");
	html_masked(&out, s.data);
	assert_false(out.failed);
	assert_null(strstr(out.data, "alice@"));
	strbuf_free(&out);
	strbuf_free(&s);
}

/* ---- numbers ---- */

static void assert_share(int64_t part, int64_t whole, const char *expected)
{
	struct strbuf out = {.max = 256};

	html_share(&out, part, whole);
	assert_written(&out, expected);
}

static void a_share_is_0_or_100_percent_only_if_exact(void **state)
{
	(void)state;
	assert_share(0, 100, "0&nbsp;%");
	assert_share(1, 1000, "&lt;1&nbsp;%");
	assert_share(999, 1000, "&gt;99&nbsp;%");
	assert_share(100, 100, "100&nbsp;%");
	assert_share(1, 3, "33&nbsp;%");
	assert_share(2, 3, "67&nbsp;%");
	assert_share(3, 0, "");
}

static void numbers_are_grouped_and_one_is_one(void **state)
{
	struct strbuf out = {.max = 256};

	(void)state;
	html_count(&out, 1, "person", "people");
	assert_written(&out, "1 person");
	out.max = 256;
	html_count(&out, 1234567, "person", "people");
	assert_written(&out, "1,234,567 people");
}

/* ---- charts ---- */

static void a_bar_is_a_share_of_the_width_whatever_the_locale(void **state)
{
	struct strbuf out = {.max = 4096};

	(void)state;
	svg_bar(&out, "seen", svg_part(1, 4, SVG_WHOLE), svg_part(1, 8, SVG_WHOLE), 3, 9);
	assert_written(&out,
		"<rect class=\"seen\" x=\"25.000%\" width=\"12.500%\" y=\"3\" height=\"9\"/>\n");
	svg_bar(&out, "seen", 0, 0, 3, 9);
	assert_written(&out, "");
}

static void no_part_is_larger_than_its_whole(void **state)
{
	(void)state;
	assert_int_equal(svg_part(5, 4, SVG_WHOLE), SVG_WHOLE);
	assert_int_equal(svg_part(5, 0, SVG_WHOLE), 0);
	assert_int_equal(svg_part(-1, 4, SVG_WHOLE), 0);
	assert_int_equal(svg_part(INT64_MAX / 2, INT64_MAX, SVG_WHOLE), SVG_WHOLE / 2);
}

static void a_picture_has_a_name_and_a_description(void **state)
{
	struct strbuf out = {.max = 4096};

	(void)state;
	svg_open(&out, "x", "c", 10);
	svg_title(&out, "x", "A & B");
	svg_describe(&out, "x");
	svg_described(&out);
	svg_close(&out);
	assert_written(&out,
		"<svg class=\"c\" width=\"100%\" height=\"10\" role=\"img\""
		" aria-labelledby=\"x-title\" aria-describedby=\"x-desc\">\n"
		"<title id=\"x-title\">A &amp; B</title>\n<desc id=\"x-desc\"></desc>\n</svg>\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markup_is_text),
		cmocka_unit_test(what_cannot_be_seen_is_made_visible),
		cmocka_unit_test(a_text_is_cut_before_it_is_escaped),
		cmocka_unit_test(only_addresses_in_a_sentence_are_masked),
		cmocka_unit_test(a_masked_text_of_any_length_holds_no_address),
		cmocka_unit_test(a_share_is_0_or_100_percent_only_if_exact),
		cmocka_unit_test(numbers_are_grouped_and_one_is_one),
		cmocka_unit_test(a_bar_is_a_share_of_the_width_whatever_the_locale),
		cmocka_unit_test(no_part_is_larger_than_its_whole),
		cmocka_unit_test(a_picture_has_a_name_and_a_description),
	};

	return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
