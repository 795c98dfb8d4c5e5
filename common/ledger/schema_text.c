/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the rows of sqlite_schema with the text that creates them, without running it. Every row
 * must be one of the statements, byte for byte, and every statement must have its row; so the
 * comparison is as strict as one with a database in memory, which takes a command a millisecond.
 *
 * It relies on the form of our own texts: each statement begins with CREATE, the type and the name,
 * one blank between them, and the body of a trigger ends with " END;". SQLite stores such a
 * statement unchanged. A text of another form compares as different, and the caller then makes the
 * database.
 */
#include <string.h>

#include "base/str.h"
#include "ledger/schema.h"

#define OBJECTS_MAX 64
#define OWN_INDEX   "sqlite_autoindex_" /* SQLite makes them itself, and stores no statement */

struct text {
	const char *at; /* NULL: the column is NULL */
	size_t length;
};

struct object {
	struct text type, name, table, sql;
	bool found;
};

struct objects {
	struct object list[OBJECTS_MAX];
	size_t count;
};

/* ---- the statements ---- */

static struct text word(const char *at)
{
	return (struct text){at, strcspn(at, " \t(;")};
}

static struct text next_word(struct text before)
{
	const char *end = before.at + before.length;

	return word(*end == ' ' ? end + 1 : end);
}

static bool is_word(struct text text, const char *word)
{
	return strlen(word) == text.length && memcmp(text.at, word, text.length) == 0;
}

/* Adds the statement at `sql`, and returns where it ends; NULL: it has another form. */
static const char *add_statement(struct objects *objects, const char *sql)
{
	struct object *o = &objects->list[objects->count];
	const char *end, *on;

	if (objects->count == OBJECTS_MAX || !str_starts(sql, "CREATE "))
		return NULL;
	o->type = next_word(word(sql));
	o->name = o->table = next_word(o->type);
	end = strstr(sql, is_word(o->type, "TRIGGER") ? " END;" : ";");
	if (!end)
		return NULL;
	end = strchr(end, ';');
	if (!is_word(o->type, "TABLE")) {
		on = strstr(sql, " ON ");
		if (!on || on > end)
			return NULL;
		o->table = word(on + strlen(" ON "));
	}
	if (!str_starts(o->name.at, OWN_INDEX))
		o->sql = (struct text){sql, (size_t)(end - sql)};
	objects->count++;
	return end + 1;
}

static bool add_statements(struct objects *objects, const char *sql)
{
	while (sql && *sql)
		sql = add_statement(objects, sql);
	return sql;
}

static bool read_step(struct objects *objects, const struct migration *step)
{
	if (!step->implied || !add_statements(objects, step->implied))
		return false;
	for (int i = 0; i < SCHEMA_TEXTS && step->whole[i]; i++)
		if (!add_statements(objects, step->whole[i]))
			return false;
	return true;
}

/* ---- the rows ---- */

static bool equals(struct text text, sqlite3_stmt *row, int column)
{
	if (!text.at)
		return sqlite3_column_type(row, column) == SQLITE_NULL;
	return sqlite3_column_type(row, column) == SQLITE_TEXT &&
	       (size_t)sqlite3_column_bytes(row, column) == text.length &&
	       memcmp(sqlite3_column_text(row, column), text.at, text.length) == 0;
}

/* The types are written in upper case in a statement, and in lower case in a row. */
static bool equals_type(struct text text, sqlite3_stmt *row, int column)
{
	const char *type = (const char *)sqlite3_column_text(row, column);

	return type && (size_t)sqlite3_column_bytes(row, column) == text.length &&
	       sqlite3_strnicmp(type, text.at, (int)text.length) == 0;
}

static bool find_row(struct objects *objects, sqlite3_stmt *row)
{
	for (size_t i = 0; i < objects->count; i++) {
		struct object *o = &objects->list[i];

		if (!o->found && equals(o->name, row, 1) && equals_type(o->type, row, 0) &&
			equals(o->table, row, 2) && equals(o->sql, row, 3)) {
			o->found = true;
			return true;
		}
	}
	return false;
}

bool schema_rows_match(const struct migration *step, sqlite3_stmt *rows)
{
	struct objects objects = {.count = 0};
	size_t count = 0;
	int rc;

	if (!read_step(&objects, step))
		return false;
	while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
		if (!find_row(&objects, rows))
			return false;
		count++;
	}
	return rc == SQLITE_DONE && count == objects.count;
}
