/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of the rate limit at one moment, over reboots and jumps of the clock.
 */
#include <string.h>

#include "base/minmax.h"
#include "base/str.h"
#include "ratelimit/rate_limit_private.h"
#include "ledger/sqlite.h"

int64_t rate_limit_effective(const struct settings *s, const struct rate_limit_state *state)
{
	return state->rate == 0 ? s->requests_per_minute
				: min_i64(state->rate, s->requests_per_minute);
}

int64_t rate_limit_workers_share(int64_t rate)
{
	return max_i64(min_i64(rate, 1), rate - (rate + 9) / 10);
}

bool rate_limit_load(struct ledger *l, struct rate_limit_state *state, struct fault *fault)
{
	struct query q;

	*state = (struct rate_limit_state){.known = false};
	query_start(&q, l,
		"SELECT boot, rate, lowered_ms, changed_ms, until_ms, until_wall FROM rate_limit",
		fault);
	if (query_row(&q) > 0) {
		state->known = true;
		row_text(&q, state->boot, sizeof(state->boot));
		state->rate = row_number(&q);
		state->lowered_ms = row_number(&q);
		state->changed_ms = row_number(&q);
		state->until_ms = row_number(&q);
		state->until_wall = row_number(&q);
	}
	return query_end(&q);
}

bool rate_limit_store(struct ledger *l, const struct rate_limit_state *state, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"INSERT INTO rate_limit"
		" (id, boot, rate, lowered_ms, changed_ms, until_ms, until_wall) VALUES (1, ?1, "
		"?2, ?3, ?4, ?5, ?6) ON CONFLICT (id) DO UPDATE SET boot = ?1,"
		" rate = ?2, lowered_ms = ?3, changed_ms = ?4, until_ms = ?5, until_wall = ?6",
		fault);
	query_text(&q, state->boot);
	query_number(&q, state->rate);
	query_number(&q, state->lowered_ms);
	query_number(&q, state->changed_ms);
	query_number(&q, state->until_ms);
	query_number(&q, state->until_wall);
	return query_run(&q);
}

/* Without a boot id of the kernel, a clock that is behind the state shows another boot. It must be
 * behind by more than another program may have been ahead in getting the lock. */
int rate_limit_rebooted(struct ledger *l, const struct rate_limit_state *state,
	const struct rate_limit_moment *now, struct fault *fault)
{
	int64_t latest = now->ms + RATE_LIMIT_WINDOW_MS, later = 0;
	struct query q;

	if (!state->known)
		return 0;
	if (strcmp(state->boot, now->boot) != 0 || state->changed_ms > latest)
		return 1;
	query_start(&q, l, "SELECT EXISTS (SELECT 1 FROM permit WHERE taken_ms > ?)", fault);
	query_number(&q, latest);
	return query_one(&q, &later) < 0 ? -1 : (int)later;
}

/* How long ago an earlier boot was is not known, so its requests count from now. Only Retry-After
 * is measured by the wall clock, and a jump of that clock cannot stretch it beyond an hour. */
void rate_limit_start_boot(struct rate_limit_state *state, const struct rate_limit_moment *now)
{
	int64_t left = min_i64(max_i64(state->until_wall - now->wall, 0), RATE_LIMIT_RETRY_MAX_S);

	str_copy(state->boot, sizeof(state->boot), now->boot);
	state->lowered_ms = state->changed_ms = now->ms;
	state->until_ms = left > 0 ? now->ms + left * 1000 : 0;
	state->until_wall = left > 0 ? now->wall + left : 0;
}

static bool restart_permits(
	struct ledger *l, const struct rate_limit_moment *now, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "UPDATE permit SET taken_ms = ?, ended = 1, free_ms = ?", fault);
	query_number(&q, now->ms);
	query_number(&q, now->ms + RATE_LIMIT_WINDOW_MS);
	return query_run(&q);
}

/* Loads the state as it is at `now`, and deletes the permits whose time is over. */
bool rate_limit_refresh(struct ledger *l, struct rate_limit_state *state,
	const struct rate_limit_moment *now, struct fault *fault)
{
	struct query q;
	int other;

	if (!rate_limit_load(l, state, fault))
		return false;
	other = rate_limit_rebooted(l, state, now, fault);
	if (other < 0)
		return false;
	if (other > 0 && !restart_permits(l, now, fault))
		return false;
	if (other > 0 || !state->known) {
		rate_limit_start_boot(state, now);
		if (!rate_limit_store(l, state, fault))
			return false;
	}
	/* Not in the same millisecond: the request may have ended late in it. */
	query_start(&q, l, "DELETE FROM permit WHERE free_ms < ?", fault);
	query_number(&q, now->ms);
	return query_run(&q);
}

bool rate_limit_wait_for(struct ledger *l, int64_t more, const struct rate_limit_moment *now,
	int64_t *wait_ms, struct fault *fault)
{
	int64_t at = now->ms + RATE_LIMIT_WINDOW_MS;
	struct query q;

	query_start(&q, l,
		"SELECT CASE WHEN ended THEN free_ms ELSE min(free_ms, ?1) END AS at"
		" FROM permit WHERE free_ms >= ?3 ORDER BY at LIMIT 1 OFFSET ?2",
		fault);
	query_number(&q, at);
	query_number(&q, more - 1);
	query_number(&q, now->ms);
	if (query_one(&q, &at) < 0)
		return false;
	*wait_ms = max_i64(at - now->ms, 0) + 1;
	return true;
}
