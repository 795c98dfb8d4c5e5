/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pace's state as it is at one moment, over reboots and jumps of the clock.
 */
#include <string.h>

#include "base/minmax.h"
#include "base/str.h"
#include "ledger/pace_private.h"
#include "ledger/sqlite.h"

int64_t pace_effective(const struct settings *s, const struct pace_state *state)
{
	return state->rate == 0 ? s->requests_per_minute
				: min_i64(state->rate, s->requests_per_minute);
}

int64_t pace_workers_share(int64_t rate)
{
	return max_i64(min_i64(rate, 1), rate - (rate + 9) / 10);
}

bool pace_load(struct ledger *l, struct pace_state *state, struct fault *fault)
{
	struct query q;

	*state = (struct pace_state){.known = false};
	query_start(&q, l,
		"SELECT boot, rate, lowered_ms, changed_ms, until_ms, until_wall FROM pace", fault);
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

bool pace_store(struct ledger *l, const struct pace_state *state, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"INSERT INTO pace (one, boot, rate, lowered_ms, changed_ms, until_ms, until_wall)"
		" VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (one) DO UPDATE SET boot = ?1,"
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

/* Where the kernel tells no boot id, a clock that went back does; but not by so little as another
 * program may have been quicker to the lock. */
int pace_other_boot(struct ledger *l, const struct pace_state *state, const struct pace_moment *now,
	struct fault *fault)
{
	int64_t latest = now->ms + PACE_WINDOW_MS, later = 0;
	struct query q;

	if (!state->known)
		return 0;
	if (strcmp(state->boot, now->boot) != 0 || state->changed_ms > latest)
		return 1;
	query_start(&q, l, "SELECT EXISTS (SELECT 1 FROM pace_slot WHERE taken_ms > ?)", fault);
	query_number(&q, latest);
	return query_one(&q, &later) < 0 ? -1 : (int)later;
}

/* Of an earlier boot nobody knows how long ago it was: its calls count from now. Only the
 * Retry-After goes by the wall clock, and a jump of that cannot stretch it beyond the hour. */
void pace_start_boot(struct pace_state *state, const struct pace_moment *now)
{
	int64_t left = min_i64(max_i64(state->until_wall - now->wall, 0), PACE_LONGEST_RETRY_S);

	str_copy(state->boot, sizeof(state->boot), now->boot);
	state->lowered_ms = state->changed_ms = now->ms;
	state->until_ms = left > 0 ? now->ms + left * 1000 : 0;
	state->until_wall = left > 0 ? now->wall + left : 0;
}

static bool count_slots_from_now(
	struct ledger *l, const struct pace_moment *now, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "UPDATE pace_slot SET taken_ms = ?, ended = 1, free_ms = ?", fault);
	query_number(&q, now->ms);
	query_number(&q, now->ms + PACE_WINDOW_MS);
	return query_run(&q);
}

/* Loads the state as it is at `now`, and frees the slots whose time is over. */
bool pace_settle(struct ledger *l, struct pace_state *state, const struct pace_moment *now,
	struct fault *fault)
{
	struct query q;
	int other;

	if (!pace_load(l, state, fault))
		return false;
	other = pace_other_boot(l, state, now, fault);
	if (other < 0)
		return false;
	if (other > 0 && !count_slots_from_now(l, now, fault))
		return false;
	if (other > 0 || !state->known) {
		pace_start_boot(state, now);
		if (!pace_store(l, state, fault))
			return false;
	}
	/* Not at its very millisecond: the call may have ended late in that. */
	query_start(&q, l, "DELETE FROM pace_slot WHERE free_ms < ?", fault);
	query_number(&q, now->ms);
	return query_run(&q);
}

bool pace_wait_for(struct ledger *l, int64_t more, const struct pace_moment *now, int64_t *wait_ms,
	struct fault *fault)
{
	int64_t at = now->ms + PACE_WINDOW_MS;
	struct query q;

	query_start(&q, l,
		"SELECT CASE WHEN ended THEN free_ms ELSE min(free_ms, ?1) END AS at"
		" FROM pace_slot WHERE free_ms >= ?3 ORDER BY at LIMIT 1 OFFSET ?2",
		fault);
	query_number(&q, at);
	query_number(&q, more - 1);
	query_number(&q, now->ms);
	if (query_one(&q, &at) < 0)
		return false;
	*wait_ms = max_i64(at - now->ms, 0) + 1;
	return true;
}
