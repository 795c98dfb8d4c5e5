/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transactions: what is changed together is stored as a whole, or not at all.
 */
#include <sys/stat.h>

#include "ledger/guard.h"

/* If a restored backup were put in the place of the open file, this program would continue with
 * the old file, and the people of the backup would be mailed a second time. */
static bool still_in_place(struct ledger *l, struct fault *fault)
{
	struct stat st;

	if (stat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode)
		return true;
	fault_set(fault, FAULT_STORAGE, "ledger_replaced",
		"%s: the file was replaced while it was open", l->path);
	return fault_remedy(fault, "Restart the services, so that they use the new file.");
}

static bool run(struct ledger *l, const char *sql, struct fault *fault)
{
	struct query q;

	query_start_plain(&q, l, sql, fault);
	return query_run(&q);
}

static void rollback(struct ledger *l)
{
	l->revision = 0;
	l->txn_aborted = false;
	l->erased = false;
	if (!sqlite3_get_autocommit(l->db)) /* after some faults SQLite has done so already */
		(void)run(l, "ROLLBACK", NULL);
	guard_usual_time(l);
}

/* A writer locks the ledger at its first step: one that reads first could find its snapshot out
 * of date. */
static bool begin(struct ledger *l, struct fault *fault)
{
	if (!still_in_place(l, fault))
		return false;
	/* A caller that reads the rows of a query and writes in between keeps the snapshot of
	 * the query. */
	if (l->query_txn)
		query_txn_end(l);
	if (!run(l, "BEGIN IMMEDIATE", fault))
		return false;
	l->revision = 0;
	l->txn_aborted = false;
	if (guard_schema(l, fault))
		return true;
	rollback(l);
	return false;
}

/* What was erased is still in the write-ahead log. If a reader is in the way, the next
 * checkpoint without one overwrites it. */
static void empty_log(struct ledger *l)
{
	l->erased = false;
	(void)sqlite3_wal_checkpoint_v2(l->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

static bool commit(struct ledger *l, struct fault *fault)
{
	if (!run(l, "COMMIT", fault)) {
		rollback(l);
		return false;
	}
	guard_usual_time(l);
	l->revision = 0;
	if (l->erased)
		empty_log(l);
	return true;
}

bool ledger_begin(struct ledger *l, struct fault *fault)
{
	if (l->in_txn) {
		fault_set(fault, FAULT_STORAGE, "ledger_nested", "%s: nested transaction", l->path);
		return fault_remedy(fault, "This is a bug: please report it.");
	}
	l->in_txn = begin(l, fault);
	return l->in_txn;
}

static bool err_aborted(struct ledger *l, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_transaction_aborted",
		"%s: nothing was committed: %s", l->path,
		l->in_txn ? "a statement had failed" : "no transaction is open");
	return fault_remedy(fault, "See the earlier lines of the log.");
}

bool ledger_commit(struct ledger *l, struct fault *fault)
{
	if (!l->in_txn || l->txn_aborted) {
		err_aborted(l, fault);
		ledger_rollback(l);
		return false;
	}
	l->in_txn = false;
	return commit(l, fault);
}

void ledger_rollback(struct ledger *l)
{
	if (l->in_txn)
		rollback(l);
	l->in_txn = false;
}

bool ledger_end(struct ledger *l, bool good, struct fault *fault)
{
	if (good)
		return ledger_commit(l, fault);
	ledger_rollback(l);
	return false;
}

/* SQLite may have rolled back an aborted transaction already: later changes would then be
 * committed without it. */
bool txn_begin(struct ledger *l, struct fault *fault)
{
	if (!l->in_txn)
		return begin(l, fault);
	return !l->txn_aborted || err_aborted(l, fault);
}

bool txn_end(struct ledger *l, bool good, struct fault *fault)
{
	if (l->in_txn) {
		l->txn_aborted = l->txn_aborted || !good;
		return good;
	}
	if (good)
		return commit(l, fault);
	rollback(l);
	return false;
}

int64_t next_revision(struct ledger *l, struct fault *fault)
{
	struct query q;

	if (l->revision > 0)
		return l->revision;
	query_start(&q, l, "UPDATE ledger_info SET revision = revision + 1", fault);
	if (!query_run(&q))
		return -1;
	query_start(&q, l, "SELECT revision FROM ledger_info", fault);
	return query_one(&q, &l->revision) > 0 ? l->revision : -1;
}

static bool begin_reading(struct ledger *l, struct fault *fault)
{
	if (!run(l, "BEGIN", fault))
		return false;
	if (guard_schema(l, fault))
		return true;
	rollback(l);
	return false;
}

void query_start(struct query *q, struct ledger *l, const char *sql, struct fault *fault)
{
	bool alone = sqlite3_get_autocommit(l->db);

	*q = (struct query){.ledger = l, .fault = fault};
	if (alone && !begin_reading(l, fault))
		return;
	query_start_plain(q, l, sql, fault);
	if (!alone)
		return;
	l->query_txn = q;
	if (!q->statement)
		query_txn_end(l);
}

/* Within another transaction, or a query that is being read, it is the snapshot of that one. */
bool snapshot_begin(struct ledger *l, struct fault *fault)
{
	return l->in_txn || l->query_txn || begin_reading(l, fault);
}

void snapshot_end(struct ledger *l)
{
	if (!l->in_txn && !l->query_txn)
		rollback(l);
}
