/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of SQLite in words, prepared statements, and queries.
 */
#include "ledger/sqlite.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/* ---- errors ---- */

static bool no_room(struct ledger *l, int rc)
{
	int error = sqlite3_system_errno(l->db);

	return (rc & 0xff) == SQLITE_FULL ||
	       ((rc & 0xff) == SQLITE_IOERR && (error == ENOSPC || error == EDQUOT));
}

static bool err_damaged(struct ledger *l, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_damaged", "%s: the ledger is damaged: %s", l->path,
		sqlite3_errmsg(l->db));
	return fault_remedy(fault,
		"Stop both services, remove the -wal and -shm files beside it, and restore a "
		"backup. Without a backup, move all three files away, keep them, and start the "
		"services again: they then read from Google who was invited.");
}

static bool err_read_only(struct ledger *l, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_read_only", "%s: cannot write to the ledger",
		l->path);
	return fault_remedy(fault,
		"The group of [worker] ledger_user must be able to write to the file and "
		"its directory, and the file system must not be mounted read-only.");
}

/* SQLite names the last of several files that it tried. The reason for this file tells more. */
static bool err_unreachable(struct ledger *l, struct fault *fault)
{
	int error = sqlite3_system_errno(l->db);

	if (access(l->path, R_OK | W_OK) != 0)
		error = errno;
	if (error == EROFS)
		return err_read_only(l, fault);
	fault_set(fault, FAULT_STORAGE, "ledger_unreachable", "%s: cannot open the ledger%s%s",
		l->path, error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	return fault_remedy(fault, "Run it as root or as one of the accounts in section [worker]. "
				   "The file and its directory must belong to their group.");
}

static bool err_io(struct ledger *l, int rc, struct fault *fault)
{
	int error = sqlite3_system_errno(l->db);

	fault_set(fault, FAULT_STORAGE, "ledger_io", "%s: %s%s%s", l->path, sqlite3_errstr(rc),
		error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
	return fault_remedy(fault, "Check the disk and the kernel log.");
}

bool sql_fault(struct ledger *l, int rc, struct fault *fault)
{
	counter_add(COUNTER_LEDGER_ERRORS, 0, 0, 1);
	if (no_room(l, rc)) {
		fault_set(fault, FAULT_STORAGE, "ledger_full", "%s: no space left for the ledger",
			l->path);
		return fault_remedy(
			fault, "Free some space on that file system. Nothing is lost until then.");
	}
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL: /* the log was locked by others for ten seconds */
		fault_set(fault, FAULT_STORAGE, "ledger_locked",
			"%s: another program has kept the ledger locked for 5 s", l->path);
		return fault_remedy(fault,
			"Try again. If this persists, find out which program has it open: fuser -v "
			"%s",
			l->path);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return err_damaged(l, fault);
	case SQLITE_CANTOPEN:
		return err_unreachable(l, fault);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return err_read_only(l, fault);
	case SQLITE_IOERR:
		return err_io(l, rc, fault);
	case SQLITE_INTERRUPT: /* guard.c */
		fault_set(fault, FAULT_STORAGE, "ledger_slow",
			"%s: a statement did not finish within %lld s", l->path,
			(long long)l->step_max_ms / 1000);
		return fault_remedy(fault,
			"Check the disk, and find out what else uses the ledger: fuser -v %s",
			l->path);
	case SQLITE_TOOBIG:
		fault_set(fault, FAULT_STORAGE, "ledger_too_big",
			"%s: contains a string that is longer than any version writes", l->path);
		return fault_remedy(fault, "The ledger may have been changed by hand or by another "
					   "program. Restore a backup.");
	case SQLITE_NOMEM:
		fault_set(fault, FAULT_STORAGE, "no_memory",
			"%s: out of memory while working on the ledger", l->path);
		return fault_remedy(fault,
			"The program retries automatically. Find out what uses the host's memory.");
	default:
		fault_set(fault, FAULT_STORAGE, "ledger_failed", "%s: %s", l->path,
			l->db ? sqlite3_errmsg(l->db) : sqlite3_errstr(rc));
		return fault_remedy(fault, "This is a bug: please report it with this line.");
	}
}

bool sql_unexpected(struct ledger *l, const char *what, const char *value, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_unexpected",
		"%s: contains the %s '%s', which this version does not know", l->path, what, value);
	return fault_remedy(fault, "The ledger may have been written by another version or changed "
				   "by hand. Restore a backup.");
}

static bool err_nested(struct ledger *l, const char *sql, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_nested",
		"%s: a query was started while another was running: %s", l->path, sql);
	return fault_remedy(fault, "This is a bug: please report it with this line.");
}

/* ---- statements ---- */

/* A hash table with open addressing; the key is the address of the SQL text. */
static struct statement *find(struct ledger *l, const char *sql)
{
	size_t at = ((uintptr_t)sql >> 3) * 0x9e3779b97f4a7c15u >> 32;

	for (;; at++) {
		struct statement *s = &l->statements[at % STATEMENTS_MAX];

		if (s->sql == sql || !s->sql)
			return s;
	}
}

static struct statement *prepared(struct ledger *l, const char *sql, struct fault *fault)
{
	struct statement *s = find(l, sql);
	int rc;

	if (s->busy) {
		err_nested(l, sql, fault);
		return NULL;
	}
	if (!s->stmt) {
		rc = sqlite3_prepare_v3(l->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->stmt, NULL);
		if (rc != SQLITE_OK) {
			sql_fault(l, rc, fault);
			return NULL;
		}
		s->sql = sql;
	}
	s->busy = true;
	return s;
}

void statements_free(struct ledger *l)
{
	for (size_t i = 0; i < STATEMENTS_MAX; i++)
		if (l->statements[i].busy)
			return;
	for (size_t i = 0; i < STATEMENTS_MAX; i++) {
		sqlite3_finalize(l->statements[i].stmt);
		l->statements[i] = (struct statement){.sql = NULL};
	}
}

void query_start_plain(struct query *q, struct ledger *l, const char *sql, struct fault *fault)
{
	*q = (struct query){.ledger = l, .fault = fault};
	q->statement = prepared(l, sql, fault);
}

static void give_back(struct query *q)
{
	if (!q->statement)
		return;
	sqlite3_reset(q->statement->stmt);
	if (q->bound > 0)
		sqlite3_clear_bindings(q->statement->stmt);
	q->statement->busy = false;
	q->statement = NULL;
	if (q->ledger->query_txn == q)
		query_txn_end(q->ledger);
}

void query_txn_end(struct ledger *l)
{
	struct query q;

	l->query_txn = NULL;
	if (sqlite3_get_autocommit(l->db))
		return;
	query_start_plain(&q, l, "COMMIT", NULL);
	(void)query_run(&q);
}

static void failed(struct query *q, int rc)
{
	sql_fault(q->ledger, rc, q->fault);
	give_back(q);
}

void query_text(struct query *q, const char *text)
{
	int rc;

	if (!q->statement)
		return;
	rc = sqlite3_bind_text(q->statement->stmt, ++q->bound, text, -1, SQLITE_STATIC);
	if (rc != SQLITE_OK)
		failed(q, rc);
}

void query_number(struct query *q, int64_t number)
{
	int rc;

	if (!q->statement)
		return;
	rc = sqlite3_bind_int64(q->statement->stmt, ++q->bound, number);
	if (rc != SQLITE_OK)
		failed(q, rc);
}

int query_row(struct query *q)
{
	int rc;

	if (!q->statement)
		return -1;
	q->column = 0;
	q->ledger->step_ms = 0;
	rc = sqlite3_step(q->statement->stmt);
	if (rc == SQLITE_ROW)
		return 1;
	if (rc == SQLITE_DONE)
		return 0;
	failed(q, rc);
	return -1;
}

void row_text(struct query *q, char *out, size_t size)
{
	const unsigned char *text = sqlite3_column_text(q->statement->stmt, q->column++);

	str_copy(out, size, text ? (const char *)text : "");
}

int64_t row_number(struct query *q)
{
	return sqlite3_column_int64(q->statement->stmt, q->column++);
}

bool query_end(struct query *q)
{
	bool good = q->statement;

	give_back(q);
	return good;
}

bool query_run(struct query *q)
{
	bool good = query_row(q) >= 0;

	give_back(q);
	return good;
}

int query_one(struct query *q, int64_t *number)
{
	int found = query_row(q);

	if (found > 0)
		*number = row_number(q);
	give_back(q);
	return found;
}

bool sql_execute(struct ledger *l, const char *sql, struct fault *fault)
{
	int rc = sqlite3_exec(l->db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK || sql_fault(l, rc, fault);
}
