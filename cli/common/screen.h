/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen: what is printed for readers. Everything that comes from disk or network is made safe
 * here (str_safe), in a pipe too, because it may end up on a terminal; JSON is for scripts. Colours
 * and Unicode are used only if the terminal can show them.
 */
#ifndef CLOUDINVITE_CLI_COMMON_SCREEN_H
#define CLOUDINVITE_CLI_COMMON_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/common/context.h"

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_WARN, STYLE_BAD };

enum glyph { GLYPH_ARROW, GLYPH_DOT, GLYPH_BULLET, GLYPH_MORE };

struct screen {
	FILE *out;
	bool terminal; /* longer lines are cut; otherwise they stay whole for grep */
	bool colour;
	bool utf8;
	int width;
	int column; /* of the next character */
};

void screen_open(struct screen *s, const struct cli *cli, FILE *out);

/* Prints a text of one line, made safe. */
void screen_put(struct screen *s, enum style style, const char *text);
void screen_putf(struct screen *s, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints words, wrapped at the screen's edge; further lines begin at column `indent`. */
void screen_wrap(struct screen *s, enum style style, int indent, const char *text);
/* Prints blanks up to column `column`; one blank if the line is already longer. */
void screen_to_column(struct screen *s, int column);
void screen_newline(struct screen *s);

/* An empty line and a title. */
void screen_heading(struct screen *s, const char *title);
/* " → command"; on a line of its own, from column `indent`, if it would be wrapped. */
void screen_remedy(struct screen *s, int indent, const char *command);

const char *screen_glyph(const struct screen *s, enum glyph glyph);

/* `text` as this screen can show it, cut to `columns` (0: not cut). Returns out. */
char *screen_text(const struct screen *s, char *out, size_t size, const char *text, int columns);
/* The columns that a safe text takes. */
int screen_text_width(const char *text);

/* A bar of `part` of `whole`, at most `columns` wide; empty if the output is not a terminal.
 * Returns out. */
#define SCREEN_BAR_SIZE 256
char *screen_bar(const struct screen *s, char out[SCREEN_BAR_SIZE], int64_t part, int64_t whole,
	int columns);

/* 1234567 becomes 1,234,567; returns out. */
#define SCREEN_NUMBER_SIZE 32
char *screen_number(char out[SCREEN_NUMBER_SIZE], int64_t n);
/* "1 person", "12 people"; returns out. */
#define SCREEN_PEOPLE_SIZE 48
char *screen_people(char out[SCREEN_PEOPLE_SIZE], int64_t n);
/* "a moment", "about 4 min", "about 3 h", "about 2 days"; returns out. */
#define SCREEN_SPAN_SIZE 32
char *screen_span(char out[SCREEN_SPAN_SIZE], int64_t seconds);

#endif
