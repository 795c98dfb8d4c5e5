/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handle, and how the files of this folder use SQL. Statements are prepared once and kept as
 * long as the handle; values are bound, never written into SQL.
 */
#ifndef CLOUDINVITE_LEDGER_SQLITE_H
#define CLOUDINVITE_LEDGER_SQLITE_H

#include <sqlite3.h>
#include <sys/types.h>

#include "ledger/ledger.h"
#include "settings/timezone.h"

#define STATEMENTS_MAX 256 /* a power of two, well above the number of SQL texts */

struct statement {
	const char *sql; /* its address is the key */
	sqlite3_stmt *stmt;
	bool busy; /* between query_start and query_end */
};

struct ledger {
	sqlite3 *db;
	char *path;
	char timezone[TIMEZONE_MAX]; /* the settings': where a day begins */
	bool reading;		     /* LEDGER_READ */
	bool unclosed;		     /* there was a write-ahead log when it was opened */
	dev_t device; /* of the file that was opened, to notice that it was replaced */
	ino_t inode;
	char id[33];
	int schema;
	bool in_txn;	  /* between ledger_begin and ledger_commit */
	bool txn_aborted; /* a function failed in the transaction: only ledger_rollback is left */
	bool erased;	  /* the write-ahead log must be emptied after the commit */
	int64_t revision; /* of this transaction; 0: none taken yet */
	struct query *query_txn;    /* reads in a transaction of its own, until query_end */
	bool guarded;		    /* every transaction begins with guard_schema */
	int64_t schema_version;	    /* of the schema that was compared; -1: none yet */
	char schema_difference[80]; /* of the schema from what this program creates: the handle is
				       not used any more */
	int64_t step_ms;	    /* since when the statement runs, if it is slow */
	int64_t step_max_ms;
	int64_t facts_read; /* facts up to this revision have been read by ledger_unclassified */
	struct statement statements[STATEMENTS_MAX];
};

/* ---- queries ---- */

/* One run of a statement. Values are bound and columns are read in their order. After a failure,
 * all calls do nothing, so that only the results of query_row, query_run and query_end matter.
 * Bound texts must live until query_end. */
struct query {
	struct ledger *ledger;
	struct statement *statement; /* NULL: failed */
	struct fault *fault;
	int bound;
	int column;
};

/* Closes the kept statements, which are prepared again at their next run: those of a dispatcher
 * that has worked take 300 KB. Does nothing while a query is open. */
void statements_free(struct ledger *l);
/* `sql` must be a constant: it identifies the statement. Outside of a transaction the query gets
 * one of its own, which ends with the query (transaction.c). */
void query_start(struct query *q, struct ledger *l, const char *sql, struct fault *fault);
/* For statements that begin and end transactions, and for the header of the file. */
void query_start_plain(struct query *q, struct ledger *l, const char *sql, struct fault *fault);
void query_text(struct query *q, const char *text); /* NULL binds NULL */
void query_number(struct query *q, int64_t number);
int query_row(struct query *q); /* 1 a row, 0 the end, -1 fault */
/* The columns of the row, from the first one on. NULL reads as "" and 0. */
void row_text(struct query *q, char *out, size_t size);
int64_t row_number(struct query *q);
/* Ends the query; false if something has failed. */
bool query_end(struct query *q);
/* Runs a statement without rows, and ends the query. */
bool query_run(struct query *q);
/* The one number that a query yields: 1, 0 no row, -1 fault. Ends the query. */
int query_one(struct query *q, int64_t *number);

/* Runs SQL without values or rows, which is not kept. */
bool sql_execute(struct ledger *l, const char *sql, struct fault *fault);
/* Reports what `rc` means to an administrator. Always false. */
bool sql_fault(struct ledger *l, int rc, struct fault *fault);
/* Reports a value that no version of this program writes. Always false. */
bool sql_unexpected(struct ledger *l, const char *what, const char *value, struct fault *fault);

/* ---- transactions ---- */

/* Every function that changes something is enclosed by these two: alone it is a transaction,
 * otherwise a part of the caller's. txn_end(…, false) undoes it, or aborts the caller's. */
bool txn_begin(struct ledger *l, struct fault *fault);
bool txn_end(struct ledger *l, bool good, struct fault *fault);
/* The revision of this transaction (see ledger_changes_since); -1. */
int64_t next_revision(struct ledger *l, struct fault *fault);
/* Ends the transaction that a single query has begun. */
void query_txn_end(struct ledger *l);
/* Several queries in one snapshot. */
bool snapshot_begin(struct ledger *l, struct fault *fault);
void snapshot_end(struct ledger *l);

#endif
