/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Meters (telemetry/counters.h) that survive: kept by name, beside the other small values. What
 * changes together with people and sends is counted in the same commit, the rest is added now and
 * then.
 */
#include "ledger/stored_counters.h"

#include <string.h>

#include "ledger/sqlite.h"

#define KEY_PREFIX "meter."

static bool keep(struct ledger *l, const char *name, bool value, int64_t n, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		value ? "INSERT INTO kept (key, value) VALUES ('" KEY_PREFIX "' || ?1, ?2)"
			" ON CONFLICT (key) DO UPDATE SET value = ?2"
		      : "INSERT INTO kept (key, value) VALUES ('" KEY_PREFIX "' || ?1, ?2)"
			" ON CONFLICT (key) DO UPDATE SET value = CAST(value AS INTEGER) + ?2",
		fault);
	query_text(&q, name);
	query_number(&q, n);
	return query_run(&q);
}

bool stored_counter_add(
	struct ledger *l, enum counter counter, int label, int64_t n, struct fault *fault)
{
	char name[COUNTER_NAME_MAX];

	counter_name(counter, label, 0, name);
	return keep(l, name, false, n, fault);
}

bool ledger_count(struct ledger *l, enum counter counter, int64_t n, struct fault *fault)
{
	return change_begin(l, fault) &&
	       change_end(l, stored_counter_add(l, counter, 0, n, fault), fault);
}

struct storing {
	struct ledger *ledger;
	struct fault *fault;
};

static bool store(const char *name, bool value, int64_t n, void *ctx)
{
	struct storing *s = ctx;

	return keep(s->ledger, name, value, n, s->fault);
}

static bool note(const char *name, bool value, int64_t n, void *ctx)
{
	(void)name, (void)value, (void)n;
	*(bool *)ctx = true;
	return false;
}

bool ledger_store_counters(struct ledger *l, struct fault *fault)
{
	struct storing s = {l, fault};
	bool changed = false;

	counters_each_change(note, &changed);
	if (!changed || l->reading)
		return true;
	if (!change_begin(l, fault) || !change_end(l, counters_each_change(store, &s), fault))
		return false;
	counters_flushed();
	return true;
}

bool ledger_each_counter(struct ledger *l, bool (*each)(const char *name, int64_t n, void *ctx),
	void *ctx, struct fault *fault)
{
	char name[COUNTER_NAME_MAX];
	struct query q;
	bool more = true;

	query_start(&q, l,
		"SELECT substr(key, 7), CAST(value AS INTEGER) FROM kept"
		" WHERE key >= '" KEY_PREFIX "' AND key < 'meter/'",
		fault);
	while (more && query_row(&q) > 0) {
		row_text(&q, name, sizeof(name));
		more = each(name, row_number(&q), ctx);
	}
	return query_end(&q);
}
