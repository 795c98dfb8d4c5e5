/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of the schema, and how an older ledger gets the newest one.
 */
#ifndef CLOUDINVITE_LEDGER_SCHEMA_H
#define CLOUDINVITE_LEDGER_SCHEMA_H

#include "ledger/sqlite.h"

#define LEDGER_APPLICATION_ID 0x43496c67 /* "CIlg": file(1) recognises a ledger by it */

/* Texts of SQL, the last one NULL. */
#define SCHEMA_TEXTS 5

/* One step leads from version N to N + 1, N being its place. A step that was released is never
 * changed: ledgers have gone through it, and guard.c compares their schema with its text. */
struct migration {
	const char *sql[SCHEMA_TEXTS]; /* from the version before */
	/* The same schema from nothing, for a new ledger and for the comparison. Without it, that
	 * begins with an earlier version. */
	const char *whole[SCHEMA_TEXTS];
	/* With that, the objects that SQLite adds itself, as statements of the same form. NULL: the
	 * comparison is made with a database in memory. */
	const char *implied;
};
extern const char schema_v1[], schema_v2_tables[], schema_v2_indexes[], schema_v2_implied[],
	schema_v2_move_v1[], schema_v2_fill_from_v1[];
extern const struct migration schema_migrations[];
extern const int schema_newest;

/* The application id and the version of the file (0 and 0: it is empty). */
bool schema_read(struct ledger *l, int64_t *application, int64_t *version, struct fault *fault);
/* Reports that the ledger has another version than this program. Always false. */
bool schema_other_version(struct ledger *l, int64_t version, struct fault *fault);
/* Makes the schema of this version out of that of version `from` (0: there is none), by calls of
 * `execute`, which returns false to stop. */
bool schema_make(const struct migration *steps, int from, int version,
	bool (*execute)(const char *sql, void *ctx), void *ctx);
/* schema_text.c: whether these rows (type, name, tbl_name, sql) are the schema that the step's
 * `whole` creates. False also means: unknown, compare them in another way. */
bool schema_rows_match(const struct migration *step, sqlite3_stmt *rows);

/* ---- migrate.c ---- */

/* What only the caller can do, in the same transaction. */
struct schema_hooks {
	/* A file that was empty has got its schema. */
	bool (*created)(struct ledger *l, void *ctx, struct fault *fault);
	/* A ledger of version `from` has got the newest schema. */
	bool (*migrated)(struct ledger *l, int64_t from, void *ctx, struct fault *fault);
	void *ctx;
};

/* Brings the ledger to version `count`, or leaves it as it is: all steps are one transaction. If
 * several programs start at once, one of them makes the steps. Sets l->schema. */
bool schema_migrate(struct ledger *l, const struct migration *steps, int count,
	const struct schema_hooks *hooks, struct fault *fault);

#endif
