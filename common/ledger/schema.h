/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the room: the tables, and how an older ledger becomes a present one.
 */
#ifndef CLOUDINVITE_LEDGER_SCHEMA_H
#define CLOUDINVITE_LEDGER_SCHEMA_H

#include "ledger/sqlite.h"

#define LEDGER_APPLICATION_ID 0x43496c67 /* "CIlg": file(1) can tell a ledger by it */

/* One step leads from version N to N + 1, N being its place. Steps are never changed once they were
 * released: a ledger in the field has gone through them. */
struct migration {
	const char *sql;
};
extern const struct migration schema_migrations[];
extern const int schema_newest;

/* What the file is: its application id and its version (0 and 0: empty). */
bool schema_read(struct ledger *l, int64_t *application, int64_t *version, struct fault *fault);
/* Says that the ledger has another version than this program. Always false. */
bool schema_other_version(struct ledger *l, int64_t version, struct fault *fault);
/* Goes up to version `count`, each step a commit of its own; of several programs that start at once
 * each step is made by one. `fresh` is called in the commit of the first step. Sets l->schema. */
bool schema_migrate(struct ledger *l, const struct migration *steps, int count,
	bool (*fresh)(struct ledger *l, void *ctx, struct fault *fault), void *ctx,
	struct fault *fault);

#endif
