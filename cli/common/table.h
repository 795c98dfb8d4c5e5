/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small table: columns as wide as what is in them, cut with … where a terminal is narrower. May
 * be printed in parts: the head comes once, and columns only ever grow.
 */
#ifndef CLOUDINVITE_CLI_COMMON_TABLE_H
#define CLOUDINVITE_CLI_COMMON_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/common/screen.h"

#define TABLE_COLUMNS_MAX 8

struct table_column {
	const char *title; /* "": no title; a table without any has no head */
	bool right;	   /* aligned to the right: numbers */
	int least; /* cut down to this many columns where the screen is narrow; 0: never cut */
};

struct table_cell {
	char *text;
	enum style style;
};

/* Zero-initialise, then table_open. */
struct table {
	const struct table_column *columns;
	int count;
	struct table_cell *cells; /* row by row */
	size_t used, room;
	int widths[TABLE_COLUMNS_MAX];
	bool headed;
	bool failed; /* memory ran out: table_print says false */
};

void table_open(struct table *t, const struct table_column *columns, int count);
/* The next cell of the row; the row ends with the last column. The text is copied. */
void table_add(struct table *t, enum style style, const char *text);
void table_addf(struct table *t, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints the rows that are there, indented, and forgets them. */
bool table_print(struct table *t, struct screen *s, int indent);
void table_free(struct table *t);

#endif
