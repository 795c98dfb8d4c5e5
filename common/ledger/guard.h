/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protection against another program that shares the file. See "The shared ledger" in
 * docs/security.md.
 */
#ifndef CLOUDINVITE_LEDGER_GUARD_H
#define CLOUDINVITE_LEDGER_GUARD_H

#include "ledger/schema.h"

#define GUARD_SQLITE_LEAST 3034000

/* Limits sizes, turns off views and trust in the schema, and ends statements that do not end.
 * For a connection that has run nothing yet. False with `ledger_sqlite` if SQLite is too old for
 * this, or was built without it. */
bool guard_configure(struct ledger *l, struct fault *fault);

/* The first step of a transaction, once l->guarded is set: the text of the schema must be what
 * this program creates. It is read only if the file's schema_version has changed. */
bool guard_schema(struct ledger *l, struct fault *fault);
/* Within a transaction: the schema must be what the first `version` of these steps create. */
bool guard_compare(
	struct ledger *l, const struct migration *steps, int version, struct fault *fault);

/* Until this transaction ends, a statement may take ten minutes instead of one: for statements
 * that change every row. */
void guard_allow_long(struct ledger *l);
/* At the end of such a transaction. */
void guard_usual_time(struct ledger *l);

#endif
