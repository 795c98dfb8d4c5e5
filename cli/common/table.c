/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table is collected cell by cell and printed when its widths are known. On a narrow terminal the
 * widest column that may be cut is cut first.
 */
#include "cli/common/table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define GAP	 2    /* columns between two columns */
#define CELL_MAX 2048 /* bytes of a cell */

void table_open(struct table *t, const struct table_column *columns, int count)
{
	*t = (struct table){.columns = columns, .count = count};
}

void table_add(struct table *t, enum style style, const char *text)
{
	struct table_cell *cells = array_grow(t->cells, t->used, &t->room, sizeof(*cells));
	char *copy = NULL;

	if (cells) {
		t->cells = cells;
		copy = t->failed ? NULL : strdup(text);
	}
	if (!copy) {
		t->failed = true;
		return;
	}
	/* gcc -fanalyzer believes that it is lost in the array: table_free frees it. */
	t->cells[t->used++] = (struct table_cell){.text = copy, .style = style};
}

void table_addf(struct table *t, enum style style, const char *format, ...)
{
	char text[CELL_MAX];
	va_list args;

	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	va_end(args);
	table_add(t, style, text);
}

static void forget_rows(struct table *t)
{
	for (size_t i = 0; i < t->used; i++)
		free(t->cells[i].text);
	t->used = 0;
}

void table_free(struct table *t)
{
	forget_rows(t);
	free(t->cells);
	t->cells = NULL;
	t->room = 0;
}

/* ---- widths ---- */

static bool has_head(const struct table *t)
{
	for (int c = 0; c < t->count; c++)
		if (t->columns[c].title[0] != '\0')
			return true;
	return false;
}

static void measure(struct table *t, const struct screen *s)
{
	char text[CELL_MAX];

	for (int c = 0; c < t->count; c++) {
		int columns = screen_text_width(t->columns[c].title);
		if (columns > t->widths[c])
			t->widths[c] = columns;
	}
	for (size_t i = 0; i < t->used; i++) {
		int *width = &t->widths[i % (size_t)t->count];
		int columns =
			screen_text_width(screen_text(s, text, sizeof(text), t->cells[i].text, 0));
		if (columns > *width)
			*width = columns;
	}
}

/* The widest column that may still be cut; -1: none. */
static int widest(const struct table *t)
{
	int found = -1;

	for (int c = 0; c < t->count; c++)
		if (t->columns[c].least > 0 && t->widths[c] > t->columns[c].least &&
			(found < 0 || t->widths[c] >= t->widths[found]))
			found = c;
	return found;
}

static void fit(struct table *t, int room)
{
	int total = GAP * (t->count - 1), c;

	for (c = 0; c < t->count; c++)
		total += t->widths[c];
	for (; total > room && (c = widest(t)) >= 0; total--)
		t->widths[c]--;
}

/* ---- printing ---- */

static void print_cell(
	const struct table *t, struct screen *s, int c, enum style style, const char *text)
{
	char shown[CELL_MAX];
	int width = t->widths[c], pad;

	screen_text(s, shown, sizeof(shown), text, s->terminal ? width : 0);
	pad = width - screen_text_width(shown);
	if (t->columns[c].right && pad > 0)
		screen_to_column(s, s->column + pad);
	screen_put(s, style, shown);
}

static void print_row(
	const struct table *t, struct screen *s, int indent, const struct table_cell *row)
{
	int start = indent;

	for (int c = 0; c < t->count; c++) {
		enum style style = row ? row[c].style : STYLE_BOLD;
		const char *text = row ? row[c].text : t->columns[c].title;
		if (text[0] != '\0' && start > 0)
			screen_to_column(s, start);
		print_cell(t, s, c, style, text);
		start += t->widths[c] + GAP;
	}
	screen_newline(s);
}

bool table_print(struct table *t, struct screen *s, int indent)
{
	if (t->failed)
		return false;
	measure(t, s);
	if (s->terminal)
		fit(t, s->width - indent);
	if (!t->headed && has_head(t))
		print_row(t, s, indent, NULL);
	t->headed = true;
	for (size_t i = 0; i + (size_t)t->count <= t->used; i += (size_t)t->count)
		print_row(t, s, indent, &t->cells[i]);
	forget_rows(t);
	return true;
}
