/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small table: columns as wide as their content, cut with … on a narrower terminal. It may be
 * printed in parts: the head is printed once, and columns only become wider.
 */
#ifndef CLOUDINVITE_CLI_COMMON_TABLE_H
#define CLOUDINVITE_CLI_COMMON_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/common/screen.h"

#define TABLE_COLUMNS_MAX 8

struct table_column {
	const char *title; /* "": no title; a table without any title has no head */
	bool right;	   /* aligned to the right: numbers */
	int least;	   /* may be cut to this many columns on a narrow screen; 0: never cut */
};

struct table_cell {
	char *text;
	enum style style;
};

/* Zero-initialise, then call table_open. */
struct table {
	const struct table_column *columns;
	int count;
	struct table_cell *cells; /* row by row */
	size_t used, room;
	int widths[TABLE_COLUMNS_MAX];
	bool headed;
	bool failed; /* memory ran out: table_print returns false */
};

void table_open(struct table *t, const struct table_column *columns, int count);
/* The next cell of the row; the row ends with the last column. The text is copied. */
void table_add(struct table *t, enum style style, const char *text);
void table_addf(struct table *t, enum style style, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints the collected rows, indented, and removes them. */
bool table_print(struct table *t, struct screen *s, int indent);
void table_free(struct table *t);

#endif
