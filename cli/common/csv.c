/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV of RFC 4180, with every field quoted. A field that does not begin with a letter or a digit
 * gets a quote in front, because a spreadsheet could treat it as a formula.
 */
#include "cli/common/csv.h"

#include <string.h>

#include "base/str.h"

#define FIELD_MAX 2048 /* bytes of a field; a longer one ends with "…" */

/* Spreadsheets differ in what begins a formula: = + - @, their full-width forms, and all of them
 * after various blanks. So any field that does not begin with a letter or a digit gets a quote. */
static bool begins_harmlessly(const char *field)
{
	return field[0] == '\0' || ascii_is_alnum(field[0]);
}

static void put_field(FILE *out, const char *field)
{
	char safe[FIELD_MAX];

	str_safe(safe, sizeof(safe), field);
	fputs(begins_harmlessly(safe) ? "\"" : "\"'", out);
	for (const char *c = safe; *c != '\0'; c++) {
		if (*c == '"')
			fputc('"', out);
		fputc(*c, out);
	}
	fputc('"', out);
}

void csv_record(FILE *out, const char *const *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			fputc(',', out);
		put_field(out, fields[i]);
	}
	fputs("\r\n", out);
}
