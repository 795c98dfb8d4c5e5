/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file is shared with a program that an attacker may control, and a schema is code: a trigger
 * runs in every program that writes, a view in every program that reads. So no statement runs on a
 * schema whose text was not compared literally with that of our own steps:
 *
 *   BEGIN ─► schema_version as before? ── yes ─► work
 *                    │ no
 *                    ▼
 *            parsed again and compared, in this transaction ─► work, or ledger_schema for good
 *
 * A single query is a transaction, too (query_start). The schema that SQLite has parsed is of the
 * same snapshot as the text that is compared.
 */
#include "ledger/guard.h"

#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"

#define STATEMENT_MS	   60000  /* the watchdogs of the services wait for minutes */
#define LONG_STATEMENT_MS  600000 /* a migration, a host with another machine-id */
#define STEPS_BETWEEN_TIME 100000 /* of SQLite's virtual machine: about a millisecond */

/* ---- limits ---- */

/* SQLite calls it while a statement runs. Only a slow statement reaches it, so the clock is
 * rarely read. */
static int time_is_up(void *ctx)
{
	struct ledger *l = ctx;
	int64_t now = clock_boot_ms();

	if (l->step_ms == 0)
		l->step_ms = now;
	return now - l->step_ms > l->step_max_ms;
}

void guard_allow_long(struct ledger *l)
{
	l->step_max_ms = LONG_STATEMENT_MS;
}

void guard_usual_time(struct ledger *l)
{
	l->step_max_ms = STATEMENT_MS;
}

/* Well above what any version writes. */
static void limit(struct ledger *l)
{
	static const struct {
		int what, most;
	} limits[] = {
		{SQLITE_LIMIT_LENGTH, 1000000}, /* of a text, and of a row */
		{SQLITE_LIMIT_SQL_LENGTH, 100000},
		{SQLITE_LIMIT_COLUMN, 100},
		{SQLITE_LIMIT_EXPR_DEPTH, 100},
		{SQLITE_LIMIT_COMPOUND_SELECT, 10},
		{SQLITE_LIMIT_VDBE_OP, 25000},
		{SQLITE_LIMIT_FUNCTION_ARG, 8},
		{SQLITE_LIMIT_ATTACHED, 0},
		{SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000},
		{SQLITE_LIMIT_VARIABLE_NUMBER, 100},
		{SQLITE_LIMIT_TRIGGER_DEPTH, 4},
		{SQLITE_LIMIT_WORKER_THREADS, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		(void)sqlite3_limit(l->db, limits[i].what, limits[i].most);
}

static bool err_old(struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_sqlite",
		"SQLite %s cannot protect the ledger from objects that another program adds to it",
		sqlite3_libversion());
	return fault_remedy(fault, "Install SQLite 3.34 or later, built without omissions.");
}

/* An SQLite that does not know one of the switches would leave it unchanged without an error.
 * All of them are of 3.31 (TRUSTED_SCHEMA) or older; the name sqlite_schema is of 3.33.
 * `writable_schema = RESET`, which an older version takes for OFF, is of 3.26. */
bool guard_configure(struct ledger *l, struct fault *fault)
{
	static const struct {
		int what, value;
	} switches[] = {
		{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	};

	if (sqlite3_libversion_number() < GUARD_SQLITE_LEAST)
		return err_old(fault);
	for (size_t i = 0; i < ARRAY_SIZE(switches); i++) {
		int is = -1;

		if (sqlite3_db_config(l->db, switches[i].what, switches[i].value, &is) !=
				SQLITE_OK ||
			is != switches[i].value)
			return err_old(fault);
	}
	/* An SQLite without extensions does not know this switch. */
	sqlite3_db_config(l->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	limit(l);
	l->step_max_ms = STATEMENT_MS;
	sqlite3_progress_handler(l->db, STEPS_BETWEEN_TIME, time_is_up, l);
	return true;
}

/* ---- the text of the schema ---- */

#define SCHEMA_COLUMNS 4
#define READ_SCHEMA    "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"

static bool err_schema(struct ledger *l, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_schema",
		"%s: the %s differs from the one that this program creates", l->path,
		l->schema_difference);
	return fault_remedy(fault, "Another program changed the ledger's tables or triggers. Stop "
				   "both services, find out which one, and restore a backup.");
}

static const char *column(sqlite3_stmt *row, int n)
{
	const unsigned char *text = sqlite3_column_text(row, n);

	return text ? (const char *)text : "";
}

static bool same_row(sqlite3_stmt *a, sqlite3_stmt *b)
{
	for (int n = 0; n < SCHEMA_COLUMNS; n++) {
		const char *mine = column(a, n), *theirs = column(b, n);
		int length = sqlite3_column_bytes(a, n);

		if (sqlite3_column_type(a, n) != sqlite3_column_type(b, n) ||
			sqlite3_column_bytes(b, n) != length ||
			memcmp(mine, theirs, (size_t)length) != 0)
			return false;
	}
	return true;
}

/* The name that comes first belongs to an object that only one of the two has. */
static const char *first_name(sqlite3_stmt *ours, int our_rc, sqlite3_stmt *is, int is_rc, int n)
{
	if (is_rc == SQLITE_ROW &&
		(our_rc != SQLITE_ROW || strcmp(column(is, 1), column(ours, 1)) <= 0))
		return column(is, n);
	return our_rc == SQLITE_ROW ? column(ours, n) : "";
}

static bool compare_rows(
	struct ledger *l, sqlite3_stmt *ours, sqlite3_stmt *is, struct fault *fault)
{
	int our_rc, is_rc;

	for (;;) {
		our_rc = sqlite3_step(ours);
		is_rc = sqlite3_step(is);
		if (is_rc != SQLITE_ROW && is_rc != SQLITE_DONE)
			return sql_fault(l, is_rc, fault);
		if (our_rc != is_rc || (is_rc == SQLITE_ROW && !same_row(ours, is)))
			break;
		if (is_rc == SQLITE_DONE)
			return true;
	}
	str_format(l->schema_difference, sizeof(l->schema_difference), "%.10s '%.60s'",
		first_name(ours, our_rc, is, is_rc, 0), first_name(ours, our_rc, is, is_rc, 1));
	return err_schema(l, fault);
}

static bool execute(const char *sql, void *ctx)
{
	return sqlite3_exec(ctx, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* The schema as this program makes it, in a database in memory. */
static sqlite3 *expected(const struct migration *steps, int version)
{
	sqlite3 *db = NULL;
	int rc =
		sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK && schema_make(steps, 0, version, execute, db))
		return db;
	sqlite3_close(db);
	return NULL;
}

/* With a database in memory that has been through the steps: names the difference. */
static bool compare_made(struct ledger *l, sqlite3_stmt *is, const struct migration *steps,
	int version, struct fault *fault)
{
	sqlite3 *db = expected(steps, version);
	sqlite3_stmt *ours = NULL;
	bool good;

	if (db && sqlite3_prepare_v2(db, READ_SCHEMA, -1, &ours, NULL) == SQLITE_OK)
		good = compare_rows(l, ours, is, fault);
	else
		good = fault_no_memory(fault, FAULT_STORAGE);
	sqlite3_finalize(ours);
	sqlite3_close(db);
	return good;
}

/* SQLite's parsed schema is dropped first, so that it is read from the snapshot of this
 * transaction: a schema_version that was set back would hide a change. */
bool guard_compare(
	struct ledger *l, const struct migration *steps, int version, struct fault *fault)
{
	sqlite3_stmt *is = NULL;
	bool good = false;
	int rc;

	rc = sqlite3_exec(l->db, "PRAGMA writable_schema = RESET", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(l->db, READ_SCHEMA, -1, &is, NULL);
	if (rc != SQLITE_OK) {
		sql_fault(l, rc, fault);
		goto out;
	}
	good = version > 0 && schema_rows_match(&steps[version - 1], is);
	if (!good) {
		sqlite3_reset(is);
		good = compare_made(l, is, steps, version, fault);
	}
out:
	sqlite3_finalize(is);
	return good;
}

static bool read_schema_version(struct ledger *l, int64_t *version, struct fault *fault)
{
	struct query q;

	query_start_plain(&q, l, "PRAGMA schema_version", fault);
	return query_one(&q, version) >= 0;
}

static bool check_text(struct ledger *l, struct fault *fault)
{
	int64_t application, version;

	if (!schema_read(l, &application, &version, fault))
		return false;
	if (version != schema_newest)
		return schema_other_version(l, version, fault);
	return guard_compare(l, schema_migrations, schema_newest, fault);
}

/* After a difference the connection is not used any more: SQLite may have parsed the foreign
 * schema. */
bool guard_schema(struct ledger *l, struct fault *fault)
{
	int64_t version = 0;

	if (!l->guarded)
		return true;
	if (l->schema_difference[0] != '\0')
		return err_schema(l, fault);
	if (!read_schema_version(l, &version, fault))
		return false;
	if (version == l->schema_version)
		return true;
	if (!check_text(l, fault))
		return false;
	l->schema_version = version;
	return true;
}
