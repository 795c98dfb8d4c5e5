/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the room: what another program that shares the file can not make this one do. See
 * "The shared ledger" in docs/security.md.
 */
#ifndef CLOUDINVITE_LEDGER_GUARD_H
#define CLOUDINVITE_LEDGER_GUARD_H

#include "ledger/schema.h"

#define GUARD_SQLITE_LEAST 3034000

/* Limits of sizes, no views, no trust in the schema, and an end for statements that have none. For
 * a connection that has run nothing yet. False with `ledger_sqlite` where SQLite is too old for it,
 * or was built without it. */
bool guard_set_up(struct ledger *l, struct fault *fault);

/* Within a transaction, as its first step, once l->guarded is set: the schema's text is what this
 * program makes itself. It is read only if the file's schema_version is another one than before. */
bool guard_schema(struct ledger *l, struct fault *fault);
/* Within a transaction: the schema is what the first `version` of these steps make. */
bool guard_compare(
	struct ledger *l, const struct migration *steps, int version, struct fault *fault);

/* Until this transaction ends, a statement may take ten minutes instead of one: for steps that
 * change every row. */
void guard_allow_long(struct ledger *l);
/* At its end. */
void guard_usual_time(struct ledger *l);

#endif
