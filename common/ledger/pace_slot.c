/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slots: taken when a call starts, free a minute after it has ended.
 */
#include "ledger/pace_private.h"
#include "ledger/sqlite.h"

/* Of the timeout: a mint, the call, both again after a 401, and a slow resolver. */
#define CALLS_BOUND 6

static bool count_used(struct ledger *l, int64_t *used, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "SELECT count(*) FROM pace_slot", fault);
	return query_one(&q, used) > 0;
}

static bool take_one(struct ledger *l, const struct settings *s, const struct pace_moment *now,
	int64_t *slot, struct fault *fault)
{
	int64_t bound_ms = CALLS_BOUND * s->timeout * 1000;
	struct query q;

	query_start(
		&q, l, "INSERT INTO pace_slot (taken_ms, ended, free_ms) VALUES (?, 0, ?)", fault);
	query_number(&q, now->ms);
	query_number(&q, now->ms + bound_ms + PACE_WINDOW_MS);
	if (!query_run(&q))
		return false;
	*slot = sqlite3_last_insert_rowid(l->db);
	return true;
}

static int take(struct ledger *l, const struct settings *s, bool admin, int want, int64_t *slots,
	int64_t *wait_ms, const struct pace_moment *now, struct fault *fault)
{
	struct pace_state state;
	int64_t share, used;
	int taken = 0;

	if (!pace_settle(l, &state, now, fault) || !count_used(l, &used, fault))
		return -1;
	if (state.until_ms > now->ms) {
		*wait_ms = state.until_ms - now->ms;
		return 0;
	}
	share = pace_effective(s, &state);
	if (!admin)
		share = pace_workers_share(share);
	for (; taken < want && used < share; taken++, used++)
		if (!take_one(l, s, now, &slots[taken], fault))
			return -1;
	if (taken < want && !pace_wait_for(l, used - share + 1, now, wait_ms, fault))
		return -1;
	return taken;
}

int pace_take_at(struct ledger *l, const struct settings *s, bool admin, int want, int64_t *slots,
	int64_t *wait_ms, const struct pace_moment *now, struct fault *fault)
{
	int taken;

	if (!change_begin(l, fault))
		return -1;
	taken = take(l, s, admin, want, slots, wait_ms, now, fault);
	return change_end(l, taken >= 0, fault) ? taken : -1;
}

/* A slot that was given up for lost, because its process slept that long, is taken again. */
static bool end(struct ledger *l, int64_t slot, bool unused, const struct pace_moment *now,
	struct fault *fault)
{
	struct query q;

	if (unused) {
		query_start(&q, l, "DELETE FROM pace_slot WHERE id = ?", fault);
		query_number(&q, slot);
		return query_run(&q);
	}
	query_start(&q, l,
		"INSERT INTO pace_slot (id, taken_ms, ended, free_ms) VALUES (?1, ?2, 1, ?3)"
		" ON CONFLICT (id) DO UPDATE SET ended = 1, free_ms = ?3",
		fault);
	query_number(&q, slot);
	query_number(&q, now->ms);
	query_number(&q, now->ms + PACE_WINDOW_MS);
	return query_run(&q);
}

bool pace_end_at(struct ledger *l, int64_t slot, bool unused, const struct pace_moment *now,
	struct fault *fault)
{
	return change_begin(l, fault) && change_end(l, end(l, slot, unused, now, fault), fault);
}
