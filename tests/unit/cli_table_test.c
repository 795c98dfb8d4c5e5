/* SPDX-License-Identifier: Apache-2.0 */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "cli/common/table.h"

static const struct table_column columns[] = {
	{"address", false, 16},
	{"mails", true, 0},
	{"reason", false, 10},
};

#define LONG_ADDRESS "a.very.long.name.of.somebody.in.the.north@department.example.com"
#define LONG_REASON  "Google refuses this person: 403 PERMISSION_DENIED, not authorised"

/* One row of maximum length, on a screen of that width. */
static char *draw(bool terminal, int width, int parts)
{
	const struct cli cli = {.terminal = terminal, .utf8 = true, .width = width};
	char *text = NULL;
	size_t size = 0;
	struct screen s;
	struct table t;

	screen_open(&s, &cli, open_memstream(&text, &size));
	assert_non_null(s.out);
	table_open(&t, columns, 3);
	for (int i = 0; i < parts; i++) {
		table_add(&t, STYLE_PLAIN, LONG_ADDRESS);
		table_addf(&t, STYLE_PLAIN, "%d", i + 9);
		table_add(&t, STYLE_PLAIN, LONG_REASON);
		assert_true(table_print(&t, &s, 0));
	}
	table_free(&t);
	assert_int_equal(0, fclose(s.out));
	return text;
}

static int widest_line(const char *text)
{
	char copy[4096];
	int widest = 0;

	assert_true(strlen(text) < sizeof(copy));
	memcpy(copy, text, strlen(text) + 1);
	for (char *rest = copy, *line; (line = strsep(&rest, "\n"));)
		if (screen_text_width(line) > widest)
			widest = screen_text_width(line);
	return widest;
}

static int count(const char *text, const char *word)
{
	int n = 0;

	for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
		n++;
	return n;
}

static void a_table_fits_every_terminal(void **state)
{
	static const int widths[] = {40, 60, 80, 120};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
		char *text = draw(true, widths[i], 1);
		assert_true(widest_line(text) <= widths[i]);
		assert_non_null(strstr(text, "\u2026"));
		assert_non_null(strstr(text, "a.very.long"));
		free(text);
	}
}

static void a_wide_terminal_shows_all_of_it(void **state)
{
	char *text = draw(true, 200, 1);

	(void)state;
	assert_non_null(strstr(text, LONG_ADDRESS));
	assert_non_null(strstr(text, LONG_REASON));
	free(text);
}

static void off_a_terminal_nothing_is_cut(void **state)
{
	char *text = draw(false, 80, 1);

	(void)state;
	assert_non_null(strstr(text, LONG_ADDRESS));
	assert_non_null(strstr(text, LONG_REASON));
	free(text);
}

static void a_table_in_parts_has_one_head(void **state)
{
	char *text = draw(true, 100, 3);

	(void)state;
	assert_int_equal(1, count(text, "address"));
	assert_int_equal(3, count(text, "a.very.long"));
	free(text);
}

static void numbers_stand_below_each_other(void **state)
{
	const struct cli cli = {.terminal = true, .width = 80};
	char *text = NULL;
	size_t size = 0;
	struct screen s;
	struct table t;

	(void)state;
	screen_open(&s, &cli, open_memstream(&text, &size));
	table_open(&t, columns, 3);
	table_add(&t, STYLE_PLAIN, "a");
	table_add(&t, STYLE_PLAIN, "1");
	table_add(&t, STYLE_PLAIN, "x");
	table_add(&t, STYLE_PLAIN, "b");
	table_add(&t, STYLE_PLAIN, "123456");
	table_add(&t, STYLE_PLAIN, "");
	assert_true(table_print(&t, &s, 2));
	table_free(&t);
	assert_int_equal(0, fclose(s.out));
	assert_string_equal("  address   mails  reason\n"
			    "  a             1  x\n"
			    "  b        123456\n",
		text);
	free(text);
}

static void a_cell_cannot_drive_the_terminal(void **state)
{
	const struct cli cli = {.terminal = true, .utf8 = true, .width = 80};
	char *text = NULL;
	size_t size = 0;
	struct screen s;
	struct table t;

	(void)state;
	screen_open(&s, &cli, open_memstream(&text, &size));
	table_open(&t, columns, 1);
	table_add(&t, STYLE_PLAIN, "\033]0;title\a\nrm -rf");
	assert_true(table_print(&t, &s, 0));
	table_free(&t);
	assert_int_equal(0, fclose(s.out));
	assert_string_equal("address\n\\x1b]0;title\\x07\\x0arm -rf\n", text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_fits_every_terminal),
		cmocka_unit_test(a_wide_terminal_shows_all_of_it),
		cmocka_unit_test(off_a_terminal_nothing_is_cut),
		cmocka_unit_test(a_table_in_parts_has_one_head),
		cmocka_unit_test(numbers_stand_below_each_other),
		cmocka_unit_test(a_cell_cannot_drive_the_terminal),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests_name("cli_table", tests, NULL, NULL);
}
