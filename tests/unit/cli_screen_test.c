/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/common/screen.h"

#define ADDRESS "alice@example.com"

/* A screen that writes into memory. */
struct drawn {
	struct screen s;
	char *text;
	size_t size;
};

static void open_drawn(struct drawn *d, bool terminal, bool utf8, int width)
{
	const struct cli cli = {.terminal = terminal, .utf8 = utf8, .width = width};

	*d = (struct drawn){.text = NULL};
	screen_open(&d->s, &cli, open_memstream(&d->text, &d->size));
	assert_non_null(d->s.out);
}

/* What has been drawn; ends the screen. */
static const char *drawn(struct drawn *d)
{
	if (d->s.out)
		assert_int_equal(0, fclose(d->s.out));
	d->s.out = NULL;
	return d->text;
}

static void free_drawn(struct drawn *d)
{
	drawn(d);
	free(d->text);
}

static void assert_shown(bool utf8, const char *text, int columns, const char *expected)
{
	const struct screen s = {.terminal = true, .utf8 = utf8, .width = 80};
	char out[256];

	assert_string_equal(expected, screen_text(&s, out, sizeof(out), text, columns));
}

static void what_drives_a_terminal_is_made_visible(void **state)
{
	(void)state;
	assert_shown(true, "a\033[31mb\rc\nd", 0, "a\\x1b[31mb\\x0dc\\x0ad");
	assert_shown(true, "\xff\xfe", 0, "\\xff\\xfe");
}

static void a_name_cannot_turn_the_order_of_a_line_round(void **state)
{
	(void)state;
	assert_shown(true, "a\u202eb\u200bc", 0, "a\\xe2\\x80\\xaeb\\xe2\\x80\\x8bc");
}

static void a_pipe_shows_no_more_than_a_terminal(void **state)
{
	struct drawn d;

	(void)state;
	open_drawn(&d, false, true, 80);
	screen_put(&d.s, STYLE_PLAIN,
		"a\033[2J\u202eb\xc2\x9b"
		"31m\x9b");
	assert_string_equal("a\\x1b[2J\\xe2\\x80\\xaeb\\xc2\\x9b31m\\x9b", drawn(&d));
	free_drawn(&d);
}

static void without_utf8_everything_is_ascii(void **state)
{
	(void)state;
	assert_shown(false, "Zo\u00eb \u2192 x \u2026", 0, "Zo? -> x ...");
}

static void a_cut_text_says_so_and_takes_no_more_than_its_columns(void **state)
{
	(void)state;
	assert_shown(true, "0123456789", 10, "0123456789");
	assert_shown(true, "0123456789", 9, "01234567\u2026");
	assert_shown(false, "0123456789", 9, "012345...");
	assert_shown(true, "0123456789", 1, "\u2026");
	assert_shown(false, "0123456789", 2, "01");
	assert_shown(true, "\u6f22\u5b57\u6f22\u5b57", 6, "\u6f22\u5b57\u2026");
}

static void columns_are_counted_as_a_terminal_shows_them(void **state)
{
	(void)state;
	assert_int_equal(0, screen_text_width(""));
	assert_int_equal(3, screen_text_width("Zo\u00eb"));
	assert_int_equal(4, screen_text_width("\u6f22\u5b57"));
	assert_int_equal(1, screen_text_width("e\u0301"));
}

static void wrapped_words_stay_within_the_edge_and_the_indent(void **state)
{
	struct drawn d;

	(void)state;
	open_drawn(&d, true, true, 20);
	screen_to_column(&d.s, 4);
	screen_wrap(&d.s, STYLE_PLAIN, 4, "one two three four  five six seven");
	screen_newline(&d.s);
	assert_string_equal("    one two three\n    four five six\n    seven\n", drawn(&d));
	free_drawn(&d);
}

static void a_remedy_is_not_torn(void **state)
{
	struct drawn d;

	(void)state;
	open_drawn(&d, true, false, 30);
	screen_to_column(&d.s, 2);
	screen_wrap(&d.s, STYLE_PLAIN, 2, "the dispatcher is down");
	screen_remedy(&d.s, 2, "systemctl start x");
	screen_newline(&d.s);
	assert_string_equal("  the dispatcher is down\n  -> systemctl start x\n", drawn(&d));
	free_drawn(&d);
}

static void colours_are_used_only_if_wanted(void **state)
{
	struct drawn d;

	(void)state;
	open_drawn(&d, true, true, 80);
	screen_put(&d.s, STYLE_BAD, ADDRESS);
	assert_string_equal(ADDRESS, drawn(&d));
	free_drawn(&d);

	open_drawn(&d, true, true, 80);
	d.s.colour = true;
	screen_put(&d.s, STYLE_BAD, ADDRESS);
	assert_string_equal("\033[1;31m" ADDRESS "\033[0m", drawn(&d));
	free_drawn(&d);
}

static void a_bar_is_drawn_on_a_terminal_only_and_not_empty_above_zero(void **state)
{
	const struct screen terminal = {.terminal = true, .utf8 = true}, file = {.terminal = false};
	char bar[SCREEN_BAR_SIZE];

	(void)state;
	assert_string_equal("", screen_bar(&file, bar, 5, 10, 10));
	assert_string_equal("", screen_bar(&terminal, bar, 0, 10, 10));
	assert_string_equal("\u258f", screen_bar(&terminal, bar, 1, 1000000, 10));
	assert_int_equal(10, screen_text_width(screen_bar(&terminal, bar, 10, 10, 10)));
	assert_int_equal(5, screen_text_width(screen_bar(&terminal, bar, 5, 10, 10)));
	assert_true(screen_text_width(screen_bar(&terminal, bar, 1, 1, 1000)) <= 60);
}

static void assert_number(const char *expected, int64_t n)
{
	char out[SCREEN_NUMBER_SIZE];

	assert_string_equal(expected, screen_number(out, n));
}

static void numbers_are_grouped_by_thousands(void **state)
{
	(void)state;
	assert_number("0", 0);
	assert_number("999", 999);
	assert_number("1,000", 1000);
	assert_number("12,345,678", 12345678);
	assert_number("-1,000", -1000);
	assert_number("-9,223,372,036,854,775,808", INT64_MIN);
}

static void assert_span(const char *expected, int64_t seconds)
{
	char out[SCREEN_SPAN_SIZE];

	assert_string_equal(expected, screen_span(out, seconds));
}

static void a_span_has_the_unit_that_people_use(void **state)
{
	(void)state;
	assert_span("a moment", 0);
	assert_span("a moment", 49);
	assert_span("about 1 min", 50);
	assert_span("about 4 min", 240);
	assert_span("about 89 min", 5340);
	assert_span("about 2 h", 7200);
	assert_span("about 2 days", 172800);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_drives_a_terminal_is_made_visible),
		cmocka_unit_test(a_name_cannot_turn_the_order_of_a_line_round),
		cmocka_unit_test(a_pipe_shows_no_more_than_a_terminal),
		cmocka_unit_test(without_utf8_everything_is_ascii),
		cmocka_unit_test(a_cut_text_says_so_and_takes_no_more_than_its_columns),
		cmocka_unit_test(columns_are_counted_as_a_terminal_shows_them),
		cmocka_unit_test(wrapped_words_stay_within_the_edge_and_the_indent),
		cmocka_unit_test(a_remedy_is_not_torn),
		cmocka_unit_test(colours_are_used_only_if_wanted),
		cmocka_unit_test(a_bar_is_drawn_on_a_terminal_only_and_not_empty_above_zero),
		cmocka_unit_test(numbers_are_grouped_by_thousands),
		cmocka_unit_test(a_span_has_the_unit_that_people_use),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("cli_screen", tests, NULL, NULL);
}
