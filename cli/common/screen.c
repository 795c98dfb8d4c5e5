/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for readers: made safe, measured in terminal columns, cut or wrapped at the edge. Colours
 * and characters other than ASCII are used only if the terminal can show them.
 */
#include "cli/common/screen.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <wchar.h>

#include "base/array.h"
#include "base/str.h"
#include "base/utf8.h"

#define LINE_MAX_BYTES 4096

static const char *const escapes[] = {
	[STYLE_PLAIN] = "",
	[STYLE_BOLD] = "\033[1m",
	[STYLE_DIM] = "\033[2m",
	[STYLE_GOOD] = "\033[32m",
	[STYLE_WARN] = "\033[33m",
	[STYLE_BAD] = "\033[1;31m",
};

static const struct {
	const char *utf8, *ascii;
} glyphs[] = {
	[GLYPH_ARROW] = {"→", "->"},
	[GLYPH_DOT] = {"·", "-"},
	[GLYPH_BULLET] = {"●", "*"},
	[GLYPH_MORE] = {"…", "..."},
};

void screen_open(struct screen *s, const struct cli *cli, FILE *out)
{
	*s = (struct screen){
		.out = out,
		.terminal = cli->terminal,
		.colour = cli->colour,
		.utf8 = cli->utf8,
		.width = cli->width,
	};
}

const char *screen_glyph(const struct screen *s, enum glyph glyph)
{
	return s->utf8 ? glyphs[glyph].utf8 : glyphs[glyph].ascii;
}

/* ---- characters ---- */

/* The length of the character at `s`, and how many columns it takes. */
static size_t character(const char *s, int *columns)
{
	uint32_t code;
	size_t n = utf8_decode(s, SIZE_MAX, &code);
	int width = n > 1 ? wcwidth((wchar_t)code) : 1;

	*columns = width < 0 ? 1 : width;
	return n > 0 ? n : 1;
}

int screen_text_width(const char *text)
{
	int columns = 0, width;

	while (*text != '\0') {
		text += character(text, &width);
		columns += width;
	}
	return columns;
}

/* One character in the form that this screen can show. */
static const char *shown(const struct screen *s, const char *c, size_t n, char one[5])
{
	if (n > 1 && !s->utf8) {
		for (size_t i = 0; i < ARRAY_SIZE(glyphs); i++)
			if (strncmp(c, glyphs[i].utf8, n) == 0)
				return glyphs[i].ascii;
		return "?";
	}
	memcpy(one, c, n);
	one[n] = '\0';
	return one;
}

/* Cuts `out` so that it and the cut mark take at most `columns`. */
static void cut(const struct screen *s, char *out, size_t size, int columns)
{
	const char *more = screen_glyph(s, GLYPH_MORE);
	int room = columns - screen_text_width(more), width;
	size_t at = 0, n;

	if (room < 0) {
		more = "";
		room = columns;
	}
	for (int used = 0; out[at] != '\0'; at += n) {
		n = character(out + at, &width);
		used += width;
		if (used > room)
			break;
	}
	if (at + strlen(more) < size)
		memcpy(out + at, more, strlen(more) + 1);
	else
		out[at] = '\0';
}

char *screen_text(const struct screen *s, char *out, size_t size, const char *text, int columns)
{
	char safe[LINE_MAX_BYTES], one[5];
	size_t at = 0, n;
	int width;

	str_safe(safe, sizeof(safe), text);
	for (const char *c = safe; *c != '\0'; c += n) {
		n = character(c, &width);
		const char *as = shown(s, c, n, one);
		if (at + strlen(as) >= size)
			break;
		memcpy(out + at, as, strlen(as));
		at += strlen(as);
	}
	out[at] = '\0';
	if (columns > 0 && screen_text_width(out) > columns)
		cut(s, out, size, columns);
	return out;
}

/* ---- printing ---- */

/* Prints a safe text. */
static void emit(struct screen *s, enum style style, const char *text)
{
	bool styled = s->colour && style != STYLE_PLAIN && text[0] != '\0';

	fprintf(s->out, "%s%s%s", styled ? escapes[style] : "", text, styled ? "\033[0m" : "");
	s->column += screen_text_width(text);
}

void screen_put(struct screen *s, enum style style, const char *text)
{
	char line[LINE_MAX_BYTES];

	emit(s, style, screen_text(s, line, sizeof(line), text, 0));
}

void screen_putf(struct screen *s, enum style style, const char *format, ...)
{
	char raw[LINE_MAX_BYTES];
	va_list args;

	va_start(args, format);
	if (vsnprintf(raw, sizeof(raw), format, args) < 0)
		raw[0] = '\0';
	va_end(args);
	screen_put(s, style, raw);
}

void screen_newline(struct screen *s)
{
	fputc('\n', s->out);
	s->column = 0;
}

void screen_to_column(struct screen *s, int column)
{
	int blanks = column > s->column ? column - s->column : s->column > 0 ? 1 : 0;

	fprintf(s->out, "%*s", blanks, "");
	s->column += blanks;
}

void screen_wrap(struct screen *s, enum style style, int indent, const char *text)
{
	char line[LINE_MAX_BYTES], *rest = line, *word;

	screen_text(s, line, sizeof(line), text, 0);
	while ((word = strsep(&rest, " "))) {
		int columns = screen_text_width(word);
		if (columns == 0)
			continue;
		if (s->column > indent && s->column + 1 + columns > s->width) {
			screen_newline(s);
			screen_to_column(s, indent);
		} else if (s->column > indent) {
			emit(s, STYLE_PLAIN, " ");
		} else if (s->column < indent) {
			screen_to_column(s, indent);
		}
		emit(s, style, word);
	}
}

/* ---- parts of a page ---- */

void screen_heading(struct screen *s, const char *title)
{
	screen_newline(s);
	screen_put(s, STYLE_BOLD, title);
	screen_newline(s);
}

void screen_remedy(struct screen *s, int indent, const char *command)
{
	const char *arrow = screen_glyph(s, GLYPH_ARROW);
	int columns = 1 + screen_text_width(arrow) + 1 + screen_text_width(command);

	if (s->column > indent && s->column + columns > s->width) {
		screen_newline(s);
		screen_to_column(s, indent);
	} else if (s->column > indent) {
		screen_put(s, STYLE_PLAIN, " ");
	} else {
		screen_to_column(s, indent);
	}
	screen_put(s, STYLE_DIM, arrow);
	screen_put(s, STYLE_PLAIN, " ");
	screen_put(s, STYLE_BOLD, command);
}

/* ---- bars and numbers ---- */

char *screen_bar(
	const struct screen *s, char out[SCREEN_BAR_SIZE], int64_t part, int64_t whole, int columns)
{
	static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
	int64_t units;

	out[0] = '\0';
	if (!s->terminal || columns <= 0 || part <= 0 || whole <= 0)
		return out;
	if (columns > 60)
		columns = 60;
	units = (int64_t)((double)part / (double)whole * columns * 8);
	if (units < 1)
		units = 1; /* a part that is not zero gets at least one unit */
	for (; units > 0; units -= 8) {
		const char *c = s->utf8 ? eighths[units < 8 ? units : 8] : "#";
		strncat(out, c, SCREEN_BAR_SIZE - strlen(out) - 1);
	}
	return out;
}

char *screen_number(char out[SCREEN_NUMBER_SIZE], int64_t n)
{
	char digits[SCREEN_NUMBER_SIZE];
	size_t len, at = 0;

	str_format(digits, sizeof(digits), "%" PRId64, n);
	len = strlen(digits);
	for (size_t i = 0; i < len && at + 2 < SCREEN_NUMBER_SIZE; i++) {
		if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
	return out;
}

char *screen_people(char out[SCREEN_PEOPLE_SIZE], int64_t n)
{
	char number[SCREEN_NUMBER_SIZE];

	str_format(out, SCREEN_PEOPLE_SIZE, "%s %s", screen_number(number, n),
		n == 1 ? "person" : "people");
	return out;
}

char *screen_span(char out[SCREEN_SPAN_SIZE], int64_t seconds)
{
	static const struct {
		int64_t unit, from;
		const char *one, *many;
	} units[] = {
		{86400, INT64_C(129600), "day", "days"},
		{3600, INT64_C(5400), "h", "h"},
		{60, 50, "min", "min"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		int64_t n = (seconds + units[i].unit / 2) / units[i].unit;
		if (seconds < units[i].from)
			continue;
		str_format(out, SCREEN_SPAN_SIZE, "about %" PRId64 " %s", n,
			n == 1 ? units[i].one : units[i].many);
		return out;
	}
	str_copy(out, SCREEN_SPAN_SIZE, "a moment");
	return out;
}
