/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I19 (docs/design.md, "Invariants"). Shows L3, L4 (common/ledger/README.md). */
/*
 * A ledger that is shared with a program which has been taken over: what that program puts into the
 * schema runs in no other program, and none of its texts or statements blocks another program for
 * ever.
 */
#include "base/str.h"
#include "ledger_site.h"

#include <signal.h>
#include <unistd.h>

#include "base/array.h"
#include "ledger/schema.h"
#include "ledger/sqlite.h"

#define HANGS_S 60 /* after that, a test that hangs fails */
#define ENDLESS \
	"WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"

static int sqlite_number = SQLITE_VERSION_NUMBER;

/* Replaces SQLite's own. */
int sqlite3_libversion_number(void)
{
	return sqlite_number;
}

static const struct attack {
	const char *what, *sql;
} attacks[] = {
	{"trigger 'evil'", "CREATE TRIGGER evil BEFORE INSERT ON sighting BEGIN " ENDLESS "; END"},
	{"trigger 'drops'",
		"CREATE TRIGGER drops BEFORE INSERT ON sighting BEGIN SELECT RAISE(IGNORE); END"},
	{"trigger 'sighting_in'", "DROP TRIGGER sighting_in"},
	{"trigger 'person_in'",
		"DROP TRIGGER person_in; CREATE TRIGGER person_in AFTER INSERT ON person BEGIN"
		" DELETE FROM person; END"},
	{"index 'person_lease'", /* of the table that has been renamed */
		"PRAGMA legacy_alter_table = ON; ALTER TABLE person RENAME TO theirs;"
		"CREATE VIEW person AS SELECT * FROM theirs"},
	{"index 'mine'", "CREATE INDEX mine ON sighting (abs(uid))"},
	{"table 'block'", "ALTER TABLE block ADD COLUMN more TEXT"},
	{"index 'sqlite_autoindex_meta_1'", "DROP TABLE meta"},
};

static int guarded_site(void **state)
{
	alarm(HANGS_S);
	return site_new(state);
}

static bool is_refused(struct site *site, const char *what)
{
	return site_fault(site, "ledger_schema") && strstr(site->fault.what, what);
}

/* Every attack on a ledger of its own. */
static void each_attack(void **state, void (*meets)(struct site *site, const struct attack *a))
{
	for (size_t i = 0; i < ARRAY_SIZE(attacks); i++) {
		struct site *site = *state;

		saw(site, "web1", "first");
		meets(site, &attacks[i]);
		if (site->fault.kind == FAULT_NONE || !is_refused(site, attacks[i].what))
			fail_msg("%s: %s", attacks[i].sql, site->fault.what);
		site_free(state);
		site_new(state);
	}
}

static void meets_at_the_start(struct site *site, const struct attack *a)
{
	ledger_close(site->ledger);
	site->ledger = NULL;
	site_sql(site, a->sql);
	assert_null(site_open(site, LEDGER_READ));
	assert_true(is_refused(site, a->what));
	fault_clear(&site->fault);
	assert_null(site_open(site, LEDGER_WRITE));
}

static void a_foreign_schema_is_refused_when_the_ledger_is_opened(void **state)
{
	each_attack(state, meets_at_the_start);
}

static void meets_while_writing(struct site *site, const struct attack *a)
{
	struct sighting s = account("web1", "alice");

	site_sql(site, a->sql);
	assert_int_equal(ledger_account_seen(site->ledger, &s, &site->fault), -1);
	assert_true(is_refused(site, a->what));
	fault_clear(&site->fault);
	assert_int_equal(
		ledger_account_seen(site->ledger, &s, &site->fault), -1); /* and so it stays */
}

static void a_schema_that_changes_meanwhile_stops_the_next_change(void **state)
{
	each_attack(state, meets_while_writing);
}

static void meets_while_reading(struct site *site, const struct attack *a)
{
	struct person p;

	site_sql(site, a->sql);
	assert_int_equal(ledger_person(site->ledger, "alice@example.com", &p, &site->fault), -1);
}

static void a_schema_that_changes_meanwhile_stops_the_next_look(void **state)
{
	each_attack(state, meets_while_reading);
}

static void a_trigger_whose_coming_is_hidden_does_not_run(void **state)
{
	struct site *site = *state;
	char sql[64];

	saw(site, "web1", "first");
	str_format(sql, sizeof(sql), "PRAGMA schema_version = %d",
		(int)site_number(site, "PRAGMA schema_version"));
	site_sql(site, attacks[0].sql);
	site_sql(site, sql);
	ledger_release_memory(site->ledger); /* every statement is prepared again */
	saw(site, "web1", "alice");
	assert_int_equal(site_number(site, "SELECT count(*) FROM sighting"), 2);
	assert_null(site_open(site, LEDGER_WRITE));
	assert_true(is_refused(site, attacks[0].what));
}

static void the_same_tables_in_another_place_are_not_a_change(void **state)
{
	struct site *site = *state;

	saw(site, "web1", "alice");
	site_sql(site, "VACUUM");
	assert_int_equal(saw(site, "web1", "bob"), 1);
	assert_int_equal(site_number(site, "SELECT count(*) FROM sighting"), 2);
}

static void a_text_that_is_too_long_is_not_read(void **state)
{
	struct site *site = *state;
	struct person p;

	arrive(site, "web1", "alice", "alice@example.com");
	site_sql(site, "UPDATE person SET fault_text = hex(zeroblob(1000000))");
	assert_int_equal(ledger_person(site->ledger, "alice@example.com", &p, &site->fault), -1);
	assert_true(site_fault(site, "ledger_too_big"));
}

static void a_statement_without_an_end_is_ended(void **state)
{
	struct site *site = *state;
	int64_t number;
	struct query q;

	site->ledger->step_max_ms = 10;
	query_start(&q, site->ledger, ENDLESS, &site->fault);
	assert_int_equal(query_one(&q, &number), -1);
	assert_true(site_fault(site, "ledger_slow"));
	fault_clear(&site->fault);
	assert_int_equal(saw(site, "web1", "alice"), 1);
}

static int engine_allows(struct site *site, int what)
{
	int on = -1;

	assert_int_equal(sqlite3_db_config(site->ledger->db, what, -1, &on), SQLITE_OK);
	return on;
}

static void the_engine_has_no_views_and_no_more_than_it_needs(void **state)
{
	struct site *site = *state;
	struct query q;
	int64_t mapped;

	assert_int_equal(engine_allows(site, SQLITE_DBCONFIG_ENABLE_VIEW), 0);
	assert_int_equal(engine_allows(site, SQLITE_DBCONFIG_ENABLE_TRIGGER), 1); /* ours */
	assert_int_equal(sqlite3_limit(site->ledger->db, SQLITE_LIMIT_ATTACHED, -1), 0);
	assert_int_equal(sqlite3_limit(site->ledger->db, SQLITE_LIMIT_LENGTH, -1), 1000000);
	query_start_plain(&q, site->ledger, "PRAGMA mmap_size", &site->fault);
	if (query_one(&q, &mapped) > 0) /* no row: built without */
		assert_int_equal(mapped, 0);
}

static void an_sqlite_that_cannot_guard_is_refused(void **state)
{
	struct site *site = *state;
	struct ledger *other;

	sqlite_number = 3033000;
	other = ledger_open(&site->settings, LEDGER_READ, &site->fault);
	sqlite_number = SQLITE_VERSION_NUMBER;
	assert_null(other);
	assert_true(site_fault(site, "ledger_sqlite"));
	sqlite_number = 3034000;
	fault_clear(&site->fault);
	other = ledger_open(&site->settings, LEDGER_READ, &site->fault);
	sqlite_number = SQLITE_VERSION_NUMBER;
	assert_non_null(other);
	ledger_close(other);
}

/* ---- the comparison with the text ---- */

static bool execute(const char *sql, void *ctx)
{
	return sqlite3_exec(ctx, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool rows_match(sqlite3 *db, const char *sql, int rowid)
{
	const struct migration *newest = &schema_migrations[schema_newest - 1];
	sqlite3_stmt *rows;
	bool same;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK);
	sqlite3_bind_int(rows, 1, rowid);
	same = schema_rows_match(newest, rows);
	sqlite3_finalize(rows);
	return same;
}

static void the_text_of_the_schema_is_what_sqlite_stores_and_nothing_else(void **state)
{
	static const char *const changes[] = {
		"SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE rowid <> ?1",
		"SELECT type, name, tbl_name, sql FROM sqlite_schema UNION ALL"
		" SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE rowid = ?1",
		"SELECT iif(rowid = ?1, 'view', type), name, tbl_name, sql FROM sqlite_schema",
		"SELECT type, iif(rowid = ?1, name || 'x', name), tbl_name, sql FROM sqlite_schema",
		"SELECT type, name, iif(rowid = ?1, 'pause_', tbl_name), sql FROM sqlite_schema",
		"SELECT type, name, tbl_name, iif(rowid = ?1, ifnull(sql, '') || ' ', sql)"
		" FROM sqlite_schema",
		"SELECT type, name, tbl_name, iif(rowid = ?1, CAST(ifnull(sql, '') AS BLOB), sql)"
		" FROM sqlite_schema",
		"SELECT type, name, tbl_name, iif(rowid = ?1, iif(sql IS NULL, 'x', NULL), sql)"
		" FROM sqlite_schema",
	};
	sqlite3 *db;

	(void)state;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_true(schema_make(schema_migrations, 0, schema_newest, execute, db));
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		/* No row has that number, so nothing is changed. */
		assert_true(rows_match(db, changes[i], -1));
		for (int rowid = 1; rowid <= 42; rowid++)
			if (rows_match(db, changes[i], rowid))
				fail_msg("row %d: %s", rowid, changes[i]);
	}
	sqlite3_close(db);
}

#define GUARDED(test) cmocka_unit_test_setup_teardown(test, guarded_site, site_free)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		GUARDED(a_foreign_schema_is_refused_when_the_ledger_is_opened),
		GUARDED(a_schema_that_changes_meanwhile_stops_the_next_change),
		GUARDED(a_schema_that_changes_meanwhile_stops_the_next_look),
		GUARDED(a_trigger_whose_coming_is_hidden_does_not_run),
		GUARDED(the_same_tables_in_another_place_are_not_a_change),
		GUARDED(a_text_that_is_too_long_is_not_read),
		GUARDED(a_statement_without_an_end_is_ended),
		GUARDED(the_engine_has_no_views_and_no_more_than_it_needs),
		GUARDED(an_sqlite_that_cannot_guard_is_refused),
		GUARDED(the_text_of_the_schema_is_what_sqlite_stores_and_nothing_else),
	};

	return cmocka_run_group_tests_name("ledger: shared", tests, NULL, NULL);
}
