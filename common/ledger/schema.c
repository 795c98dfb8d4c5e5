/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The versions of the schema, and the SQL that makes each. The tables are in schema_v2.c.
 */
#include "ledger/schema.h"

#include "base/array.h"

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

static bool execute_all(const char *const texts[SCHEMA_TEXTS],
	bool (*execute)(const char *sql, void *ctx), void *ctx)
{
	for (int i = 0; i < SCHEMA_TEXTS && texts[i]; i++)
		if (!execute(texts[i], ctx))
			return false;
	return true;
}

static int last_whole(const struct migration *steps, int version)
{
	int at = version - 1;

	while (at > 0 && !steps[at].whole[0])
		at--;
	return at;
}

bool schema_make(const struct migration *steps, int from, int version,
	bool (*execute)(const char *sql, void *ctx), void *ctx)
{
	int at = from;

	if (from == 0 && version > 0) {
		at = last_whole(steps, version);
		if (!execute_all(steps[at++].whole, execute, ctx))
			return false;
	}
	for (; at < version; at++)
		if (!execute_all(steps[at].sql, execute, ctx))
			return false;
	return true;
}
