/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters (telemetry/counters.h) that survive a restart: values of the table meta. What changes
 * together with people and sends is counted in the same transaction, everything else is added with
 * the heartbeat.
 */
#include "ledger/stored_counters.h"

#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "base/trigger.h"
#include "ledger/sqlite.h"

#define KEY_PREFIX "counter."

static bool meta_put(struct ledger *l, const char *name, bool value, int64_t n, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		value ? "INSERT INTO meta (key, value) VALUES ('" KEY_PREFIX "' || ?1, ?2)"
			" ON CONFLICT (key) DO UPDATE SET value = ?2"
		      : "INSERT INTO meta (key, value) VALUES ('" KEY_PREFIX "' || ?1, ?2)"
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
	return meta_put(l, name, false, n, fault);
}

bool ledger_count(struct ledger *l, enum counter counter, int64_t n, struct fault *fault)
{
	return txn_begin(l, fault) &&
	       txn_end(l, stored_counter_add(l, counter, 0, n, fault), fault);
}

struct storing {
	struct ledger *ledger;
	struct fault *fault;
};

static bool store(const char *name, bool value, int64_t n, void *ctx)
{
	struct storing *s = ctx;

	return meta_put(s->ledger, name, value, n, s->fault);
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
	if (!txn_begin(l, fault) || !txn_end(l, counters_each_change(store, &s), fault))
		return false;
	counters_flushed();
	return true;
}

bool ledger_store_last_counters(struct ledger *l, struct fault *fault)
{
	return sql_execute(l, "PRAGMA synchronous = NORMAL", fault) &&
	       ledger_store_counters(l, fault);
}

bool ledger_each_counter(struct ledger *l, bool (*each)(const char *name, int64_t n, void *ctx),
	void *ctx, struct fault *fault)
{
	char name[COUNTER_NAME_MAX];
	struct query q;
	bool more = true;

	query_start(&q, l,
		"SELECT substr(key, 9), CAST(value AS INTEGER) FROM meta"
		" WHERE key >= '" KEY_PREFIX "' AND key < 'counter/'",
		fault);
	while (more && query_row(&q) > 0) {
		row_text(&q, name, sizeof(name));
		more = each(name, row_number(&q), ctx);
	}
	return query_end(&q);
}

/* ---- names of schema version 1 ---- */

static bool rename_counter(struct ledger *l, const char *old, enum counter counter, int label_a,
	int label_b, struct fault *fault)
{
	char name[COUNTER_NAME_MAX];
	struct query q;

	counter_name(counter, label_a, label_b, name);
	query_start(&q, l,
		"UPDATE OR REPLACE meta SET key = '" KEY_PREFIX "' || ?1"
		" WHERE key = '" KEY_PREFIX "' || ?2 AND ?1 <> ?2",
		fault);
	query_text(&q, name);
	query_text(&q, old);
	return query_run(&q);
}

static bool rename_requests(struct ledger *l, struct fault *fault)
{
	static const char *const methods[] = {"check", "get", "list", "send", "cancel"};
	static const char *const outcomes[] = {"ok", "later", "setup", "person"};
	char old[COUNTER_NAME_MAX];

	for (int m = 0; m < (int)ARRAY_SIZE(methods); m++)
		for (int o = 0; o < (int)ARRAY_SIZE(outcomes); o++) {
			str_format(old, sizeof(old),
				"google_requests_total{method=\"%s\",outcome=\"%s\"}", methods[m],
				outcomes[o]);
			if (!rename_counter(l, old, COUNTER_REQUESTS, m, o, fault))
				return false;
		}
	return true;
}

bool stored_counters_migrate_v1(struct ledger *l, struct fault *fault)
{
	static const struct {
		const char *old;
		enum counter counter;
		int label;
	} names[] = {
		{"arrivals_total{reason=\"login\"}", COUNTER_ARRIVALS, TRIGGER_LOGIN},
		{"arrivals_total{reason=\"created\"}", COUNTER_ARRIVALS, TRIGGER_CREATED},
		{"arrivals_total{reason=\"asked\"}", COUNTER_ARRIVALS, TRIGGER_MANUAL},
		{"google_throttled_total", COUNTER_THROTTLED, 0},
		{"brake_trips_total{brake=\"google\"}", COUNTER_BREAKER_TRIPS, 0},
		{"brake_trips_total{brake=\"accounts\"}", COUNTER_BREAKER_TRIPS, 1},
		{"config_last_reload_successful{role=\"collector\"}", GAUGE_RELOADED, 0},
		{"config_last_reload_successful{role=\"dispatcher\"}", GAUGE_RELOADED, 1},
		{"spool_arrivals{box=\"new\"}", GAUGE_SPOOL, 0},
		{"spool_arrivals{box=\"bad\"}", GAUGE_SPOOL, 1},
		{"spool_oldest_timestamp_seconds", GAUGE_SPOOL_OLDEST, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!rename_counter(l, names[i].old, names[i].counter, names[i].label, 0, fault))
			return false;
	return rename_requests(l, fault);
}
