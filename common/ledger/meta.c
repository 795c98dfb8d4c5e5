/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values by name, and the heartbeats of the programs that work on this ledger.
 */
#include "ledger/sqlite.h"

static bool meta_put(struct ledger *l, const char *key, const char *value, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		value ? "INSERT INTO meta (key, value) VALUES (?1, ?2)"
			" ON CONFLICT (key) DO UPDATE SET value = ?2"
		      : "DELETE FROM meta WHERE key = ?1 AND ?2 IS NULL",
		fault);
	query_text(&q, key);
	query_text(&q, value);
	return query_run(&q);
}

bool ledger_set(struct ledger *l, const char *key, const char *value, struct fault *fault)
{
	return txn_begin(l, fault) && txn_end(l, meta_put(l, key, value, fault), fault);
}

int ledger_get(struct ledger *l, const char *key, char *out, size_t size, struct fault *fault)
{
	struct query q;
	int found;

	query_start(&q, l, "SELECT value FROM meta WHERE key = ?", fault);
	query_text(&q, key);
	found = query_row(&q);
	if (found > 0)
		row_text(&q, out, size);
	query_end(&q);
	return found;
}

static bool write_heartbeat(struct ledger *l, const struct ledger_worker *w, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"INSERT INTO worker"
		" (program, host, version, pid, last_heartbeat, started, status_text)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (program, host) DO UPDATE SET"
		" version = ?3, pid = ?4, last_heartbeat = ?5, started = ?6, status_text = ?7",
		fault);
	query_text(&q, w->program);
	query_text(&q, w->host);
	query_text(&q, w->version);
	query_number(&q, w->pid);
	query_number(&q, w->last_heartbeat);
	query_number(&q, w->started);
	query_text(&q, w->status_text);
	return query_run(&q);
}

bool ledger_heartbeat(struct ledger *l, const struct ledger_worker *w, struct fault *fault)
{
	return txn_begin(l, fault) && txn_end(l, write_heartbeat(l, w, fault), fault);
}

bool ledger_each_worker(struct ledger *l, bool (*each)(const struct ledger_worker *w, void *ctx),
	void *ctx, struct fault *fault)
{
	struct ledger_worker w;
	struct query q;
	bool more = true;

	query_start(&q, l,
		"SELECT program, host, version, pid, last_heartbeat, started, status_text"
		" FROM worker ORDER BY program, host",
		fault);
	while (more && query_row(&q) > 0) {
		row_text(&q, w.program, sizeof(w.program));
		row_text(&q, w.host, sizeof(w.host));
		row_text(&q, w.version, sizeof(w.version));
		w.pid = row_number(&q);
		w.last_heartbeat = row_number(&q);
		w.started = row_number(&q);
		row_text(&q, w.status_text, sizeof(w.status_text));
		more = each(&w, ctx);
	}
	return query_end(&q);
}
