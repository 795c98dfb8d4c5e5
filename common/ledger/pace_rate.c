/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slower when Google says so, faster again when it goes well.
 */
#include <string.h>

#include "base/minmax.h"
#include "ledger/pace_private.h"
#include "ledger/sqlite.h"

#define RAISE_EVERY_MS INT64_C(60000)
#define LOWER_EVERY_MS                                                             \
	INT64_C(30000) /* longer than a call that was under way takes to fail, too \
			*/
#define UNKNOWN_RETRY_S 10

static bool lower(struct ledger *l, const struct settings *s, int64_t retry_after,
	const struct pace_moment *now, struct fault *fault)
{
	int64_t wait =
		retry_after < 0 ? UNKNOWN_RETRY_S : min_i64(retry_after, PACE_LONGEST_RETRY_S);
	struct pace_state state;

	if (!pace_settle(l, &state, now, fault))
		return false;
	if (state.rate == 0 || now->ms - state.lowered_ms >= LOWER_EVERY_MS) {
		state.rate = max_i64(pace_effective(s, &state) / 2, 1);
		state.lowered_ms = now->ms;
	}
	state.changed_ms = now->ms;
	if (now->ms + wait * 1000 > state.until_ms) {
		state.until_ms = now->ms + wait * 1000;
		state.until_wall = now->wall + wait;
	}
	return pace_store(l, &state, fault);
}

bool pace_throttled_at(struct ledger *l, const struct settings *s, int64_t retry_after,
	const struct pace_moment *now, struct fault *fault)
{
	return change_begin(l, fault) && change_end(l, lower(l, s, retry_after, now, fault), fault);
}

static bool raise_rate(struct ledger *l, const struct settings *s, const struct pace_moment *now,
	struct fault *fault)
{
	struct pace_state state;

	if (!pace_settle(l, &state, now, fault))
		return false;
	if (state.rate == 0 || now->ms - state.changed_ms < RAISE_EVERY_MS)
		return true;
	state.rate += (s->requests_per_minute + 9) / 10;
	if (state.rate >= s->requests_per_minute)
		state.rate = 0;
	state.changed_ms = now->ms;
	return pace_store(l, &state, fault);
}

/* Nearly always there is nothing to raise: then nothing is written. */
bool pace_succeeded_at(struct ledger *l, const struct settings *s, const struct pace_moment *now,
	struct fault *fault)
{
	struct pace_state state;

	if (!pace_load(l, &state, fault))
		return false;
	if (state.rate == 0 || (strcmp(state.boot, now->boot) == 0 && state.changed_ms <= now->ms &&
				       now->ms - state.changed_ms < RAISE_EVERY_MS))
		return true;
	return change_begin(l, fault) && change_end(l, raise_rate(l, s, now, fault), fault);
}
