/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one pause: who may replace it, and who may clear it.
 */
#include <string.h>

#include "base/array.h"
#include "ledger/history.h"

/* In increasing precedence. A pause that an operator must clear is not overwritten by one that
 * clears automatically. -1: there is no such kind. */
static int pause_precedence(const char *kind)
{
	static const struct {
		const char *kind;
		int precedence;
	} kinds[] = {{"setup", 0}, {"breaker", 1}, {"account_changes", 1}, {"operator", 2}};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kind, kinds[i].kind) == 0)
			return kinds[i].precedence;
	return -1;
}

int ledger_paused(struct ledger *l, struct ledger_pause *out, struct fault *fault)
{
	struct query q;
	int found;

	query_start(&q, l, "SELECT kind, text, remedy, actor, since, probe_at, probes FROM pause",
		fault);
	found = query_row(&q);
	if (found > 0) {
		row_text(&q, out->kind, sizeof(out->kind));
		row_text(&q, out->text, sizeof(out->text));
		row_text(&q, out->remedy, sizeof(out->remedy));
		row_text(&q, out->actor, sizeof(out->actor));
		out->since = row_number(&q);
		out->probe_at = row_number(&q);
		out->probes = (int)row_number(&q);
	}
	query_end(&q);
	return found;
}

static bool write_pause(struct ledger *l, const struct ledger_pause *p, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"INSERT INTO pause (id, kind, text, remedy, actor, since, probe_at, probes)"
		" VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET kind = ?1,"
		" text = ?2, remedy = ?3, actor = ?4, since = ?5, probe_at = ?6, probes = ?7",
		fault);
	query_text(&q, p->kind);
	query_text(&q, p->text);
	query_text(&q, p->remedy);
	query_text(&q, p->actor);
	query_number(&q, p->since);
	query_number(&q, p->probe_at);
	query_number(&q, p->probes);
	return query_run(&q);
}

/* History records a pause, but not each probe that leaves it unchanged. */
static bool set_pause(struct ledger *l, const struct ledger_pause *p, struct fault *fault)
{
	struct ledger_pause now;
	int paused = ledger_paused(l, &now, fault);

	if (paused < 0)
		return false;
	if (paused > 0 && pause_precedence(now.kind) > pause_precedence(p->kind))
		return true;
	if (!write_pause(l, p, fault))
		return false;
	if (paused > 0 && strcmp(now.kind, p->kind) == 0 && strcmp(now.text, p->text) == 0)
		return true;
	return history_whole(l, "paused", p->text, p->actor, fault);
}

bool ledger_pause(struct ledger *l, const struct ledger_pause *p, struct fault *fault)
{
	if (pause_precedence(p->kind) < 0)
		return sql_unexpected(l, "kind of pause", p->kind, fault);
	return txn_begin(l, fault) && txn_end(l, set_pause(l, p, fault), fault);
}

static int clear_pause(struct ledger *l, const char *kind, const char *actor, struct fault *fault)
{
	struct ledger_pause now;
	int paused = ledger_paused(l, &now, fault);
	struct query q;

	if (paused <= 0 || (kind && strcmp(kind, now.kind) != 0))
		return paused < 0 ? -1 : 0;
	query_start(&q, l, "DELETE FROM pause", fault);
	return query_run(&q) && history_whole(l, "resumed", now.text, actor, fault) ? 1 : -1;
}

int ledger_resume(struct ledger *l, const char *kind, const char *actor, struct fault *fault)
{
	int result;

	if (!txn_begin(l, fault))
		return -1;
	result = clear_pause(l, kind, actor, fault);
	return txn_end(l, result >= 0, fault) ? result : -1;
}
