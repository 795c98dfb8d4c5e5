/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permits: acquired when a request starts, free a minute after it has ended.
 */
#include "ratelimit/rate_limit_private.h"
#include "ledger/sqlite.h"

/* In timeouts: minting a token, the request, both again after a 401, and a slow resolver. */
#define CALLS_BOUND 6

static bool count_permits(struct ledger *l, int64_t *used, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "SELECT count(*) FROM permit", fault);
	return query_one(&q, used) > 0;
}

static bool acquire_one(struct ledger *l, const struct settings *s,
	const struct rate_limit_moment *now, int64_t *permit, struct fault *fault)
{
	int64_t bound_ms = CALLS_BOUND * s->timeout * 1000;
	struct query q;

	query_start(&q, l, "INSERT INTO permit (taken_ms, ended, free_ms) VALUES (?, 0, ?)", fault);
	query_number(&q, now->ms);
	query_number(&q, now->ms + bound_ms + RATE_LIMIT_WINDOW_MS);
	if (!query_run(&q))
		return false;
	*permit = sqlite3_last_insert_rowid(l->db);
	return true;
}

static int acquire(struct ledger *l, const struct settings *s, bool admin, int want,
	int64_t *permits, int64_t *wait_ms, const struct rate_limit_moment *now,
	struct fault *fault)
{
	struct rate_limit_state state;
	int64_t share, used;
	int taken = 0;

	if (!rate_limit_refresh(l, &state, now, fault) || !rate_limit_recall(l, s, now, fault) ||
		!count_permits(l, &used, fault))
		return -1;
	if (state.until_ms > now->ms) {
		*wait_ms = state.until_ms - now->ms;
		return 0;
	}
	share = rate_limit_effective(s, &state);
	if (!admin)
		share = rate_limit_workers_share(share);
	for (; taken < want && used < share; taken++, used++)
		if (!acquire_one(l, s, now, &permits[taken], fault))
			return -1;
	if (taken < want && !rate_limit_wait_for(l, used - share + 1, now, wait_ms, fault))
		return -1;
	return taken;
}

int rate_limit_acquire_at(struct ledger *l, const struct settings *s, bool admin, int want,
	int64_t *permits, int64_t *wait_ms, const struct rate_limit_moment *now,
	struct fault *fault)
{
	int taken;

	if (!txn_begin(l, fault))
		return -1;
	taken = acquire(l, s, admin, want, permits, wait_ms, now, fault);
	return txn_end(l, taken >= 0, fault) ? taken : -1;
}

/* A permit that was taken for lost, because its process slept that long, is inserted again. */
static bool end(struct ledger *l, int64_t permit, bool unused, const struct rate_limit_moment *now,
	struct fault *fault)
{
	struct query q;

	if (unused) {
		query_start(&q, l, "DELETE FROM permit WHERE id = ?", fault);
		query_number(&q, permit);
		return query_run(&q);
	}
	query_start(&q, l,
		"INSERT INTO permit (id, taken_ms, ended, free_ms) VALUES (?1, ?2, 1, ?3)"
		" ON CONFLICT (id) DO UPDATE SET ended = 1, free_ms = ?3",
		fault);
	query_number(&q, permit);
	query_number(&q, now->ms);
	query_number(&q, now->ms + RATE_LIMIT_WINDOW_MS);
	return query_run(&q);
}

bool rate_limit_release_at(struct ledger *l, int64_t permit, bool unused,
	const struct rate_limit_moment *now, struct fault *fault)
{
	return txn_begin(l, fault) && txn_end(l, end(l, permit, unused, now, fault), fault);
}
