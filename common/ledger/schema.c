/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Versions of the schema, and how an older ledger gets the newest one. The tables are in
 * schema_v2.c.
 */
#include "ledger/schema.h"

#include "base/array.h"
#include "base/str.h"
#include "ledger/guard.h"

const struct migration schema_migrations[] = {
	{.sql = {schema_v1}, .whole = {schema_v1}},
	{.sql = {schema_v2_move_v1, schema_v2_tables, schema_v2_fill_from_v1, schema_v2_indexes},
		.whole = {schema_v2_tables, schema_v2_indexes},
		.implied = schema_v2_implied},
};
const int schema_newest = ARRAY_SIZE(schema_migrations);

bool schema_read(struct ledger *l, int64_t *application, int64_t *version, struct fault *fault)
{
	struct query q;

	query_start_plain(&q, l, "PRAGMA application_id", fault);
	if (query_one(&q, application) < 0)
		return false;
	query_start_plain(&q, l, "PRAGMA user_version", fault);
	return query_one(&q, version) >= 0;
}

bool schema_other_version(struct ledger *l, int64_t version, struct fault *fault)
{
	bool newer = version > schema_newest;

	fault_set(fault, FAULT_STORAGE, newer ? "ledger_newer" : "ledger_older",
		"%s: the ledger has schema version %lld, but this program supports version %d",
		l->path, (long long)version, schema_newest);
	return fault_remedy(
		fault, newer ? "Use the version of cloudinvite that wrote it, or a later one."
			     : "Restart the services: they migrate the ledger when they start.");
}

/* A pragma has no bound values. These two are constants. */
static bool set_version(struct ledger *l, int version, struct fault *fault)
{
	char sql[128];

	str_format(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		LEDGER_APPLICATION_ID, version);
	return sql_execute(l, sql, fault);
}

static bool execute_all(const char *const texts[SCHEMA_TEXTS],
	bool (*execute)(const char *sql, void *ctx), void *ctx)
{
	for (int i = 0; i < SCHEMA_TEXTS && texts[i]; i++)
		if (!execute(texts[i], ctx))
			return false;
	return true;
}

bool schema_make(const struct migration *steps, int version,
	bool (*execute)(const char *sql, void *ctx), void *ctx)
{
	int first = version - 1;

	while (first > 0 && !steps[first].whole[0])
		first--;
	if (version > 0 && !execute_all(steps[first].whole, execute, ctx))
		return false;
	for (int at = first + 1; at < version; at++)
		if (!execute_all(steps[at].sql, execute, ctx))
			return false;
	return true;
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
	if (version == 0)
		return schema_make(steps, count, execute, &m) &&
		       hooks->created(l, hooks->ctx, fault) && set_version(l, count, fault);
	for (int at = (int)version; at < count; at++)
		if (!execute_all(steps[at].sql, execute, &m))
			return false;
	return hooks->migrated(l, version, hooks->ctx, fault) && set_version(l, count, fault);
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
