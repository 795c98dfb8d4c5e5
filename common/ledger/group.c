/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commits: what is changed together is there together, or not at all.
 */
#include <sys/stat.h>

#include "ledger/guard.h"

/* A restored copy put in place of the open file would let this program go on with the other one,
 * and the people of the copy would be mailed a second time. */
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
	l->change = 0;
	l->broken = false;
	l->erased = false;
	if (!sqlite3_get_autocommit(l->db)) /* SQLite has done so itself after some faults */
		(void)run(l, "ROLLBACK", NULL);
	guard_usual_time(l);
}

/* A writer is one from its first step on: one that reads first could find its reading out of date.
 */
static bool begin(struct ledger *l, struct fault *fault)
{
	if (!still_in_place(l, fault))
		return false;
	/* Whoever reads the rows of a query and writes between them keeps the query's snapshot. */
	if (l->alone)
		alone_end(l);
	if (!run(l, "BEGIN IMMEDIATE", fault))
		return false;
	l->change = 0;
	l->broken = false;
	if (guard_schema(l, fault))
		return true;
	rollback(l);
	return false;
}

/* What was erased is still in the write-ahead log. If a reader is in the way, the next checkpoint
 * that meets none overwrites it. */
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
	l->change = 0;
	if (l->erased)
		empty_log(l);
	return true;
}

bool ledger_begin(struct ledger *l, struct fault *fault)
{
	if (l->grouped) {
		fault_set(fault, FAULT_STORAGE, "ledger_nested", "%s: nested transaction", l->path);
		return fault_remedy(fault, "This is a bug: please report it.");
	}
	l->grouped = begin(l, fault);
	return l->grouped;
}

static bool say_broken(struct ledger *l, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "ledger_broken_group", "%s: nothing was committed: %s",
		l->path, l->grouped ? "a statement had failed" : "no transaction is open");
	return fault_remedy(fault, "See the earlier lines of the log.");
}

bool ledger_commit(struct ledger *l, struct fault *fault)
{
	if (!l->grouped || l->broken) {
		say_broken(l, fault);
		ledger_rollback(l);
		return false;
	}
	l->grouped = false;
	return commit(l, fault);
}

void ledger_rollback(struct ledger *l)
{
	if (l->grouped)
		rollback(l);
	l->grouped = false;
}

/* SQLite may have undone a broken group by itself: what came after it would then stand alone. */
bool change_begin(struct ledger *l, struct fault *fault)
{
	if (!l->grouped)
		return begin(l, fault);
	return !l->broken || say_broken(l, fault);
}

bool change_end(struct ledger *l, bool good, struct fault *fault)
{
	if (l->grouped) {
		l->broken = l->broken || !good;
		return good;
	}
	if (good)
		return commit(l, fault);
	rollback(l);
	return false;
}

int64_t change_number(struct ledger *l, struct fault *fault)
{
	struct query q;

	if (l->change > 0)
		return l->change;
	query_start(&q, l, "UPDATE about SET change = change + 1", fault);
	if (!query_run(&q))
		return -1;
	query_start(&q, l, "SELECT change FROM about", fault);
	return query_one(&q, &l->change) > 0 ? l->change : -1;
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

bool alone_begin(struct query *q, struct fault *fault)
{
	if (!begin_reading(q->ledger, fault))
		return false;
	q->ledger->alone = q;
	return true;
}

void alone_end(struct ledger *l)
{
	l->alone = NULL;
	if (!sqlite3_get_autocommit(l->db))
		(void)run(l, "COMMIT", NULL);
}

/* Within another transaction, or a query that is being read, it is that one's snapshot. */
bool snapshot_begin(struct ledger *l, struct fault *fault)
{
	return l->grouped || l->alone || begin_reading(l, fault);
}

void snapshot_end(struct ledger *l)
{
	if (!l->grouped && !l->alone)
		rollback(l);
}
