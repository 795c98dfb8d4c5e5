/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an older ledger gets the newest schema, and an empty file its first one.
 */
#include "base/str.h"
#include "ledger/guard.h"

/* A pragma has no bound values. These two are constants. */
static bool set_version(struct ledger *l, int version, struct fault *fault)
{
	char sql[128];

	str_format(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		LEDGER_APPLICATION_ID, version);
	return sql_execute(l, sql, fault);
}

struct making {
	struct ledger *ledger;
	struct fault *fault;
};

static bool execute(const char *sql, void *ctx)
{
	struct making *m = ctx;

	return sql_execute(m->ledger, sql, m->fault);
}

static bool make_steps(struct ledger *l, const struct migration *steps, int count,
	const struct schema_hooks *hooks, struct fault *fault)
{
	struct making m = {l, fault};
	int64_t application, version;

	/* Another program may have made the steps before this transaction began. */
	if (!schema_read(l, &application, &version, fault))
		return false;
	if (version >= count)
		return true;
	if (!guard_compare(l, steps, (int)version, fault))
		return false;
	if (!schema_make(steps, (int)version, count, execute, &m))
		return false;
	return (version == 0 ? hooks->created(l, hooks->ctx, fault)
			     : hooks->migrated(l, version, hooks->ctx, fault)) &&
	       set_version(l, count, fault);
}

bool schema_migrate(struct ledger *l, const struct migration *steps, int count,
	const struct schema_hooks *hooks, struct fault *fault)
{
	int64_t application, version;

	l->guarded = false; /* make_steps compares what it finds */
	if (!schema_read(l, &application, &version, fault))
		return false;
	if (version < count) {
		if (!txn_begin(l, fault))
			return false;
		guard_allow_long(l);
		if (!txn_end(l, make_steps(l, steps, count, hooks, fault), fault))
			return false;
	}
	l->schema = count > version ? count : (int)version;
	return true;
}
