/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effective rate: halved when Google refuses a request for its quota, and raised again step by
 * step as requests succeed (additive increase, multiplicative decrease).
 */
#include <string.h>

#include "base/minmax.h"
#include "ratelimit/rate_limit_private.h"
#include "ledger/sqlite.h"

#define RAISE_EVERY_MS INT64_C(60000)
/* Longer than the requests that are in flight take to be refused, too. */
#define LOWER_EVERY_MS	INT64_C(30000)
#define UNKNOWN_RETRY_S 10

static bool lower(struct ledger *l, const struct settings *s, int64_t retry_after,
	const struct rate_limit_moment *now, struct fault *fault)
{
	int64_t wait =
		retry_after < 0 ? UNKNOWN_RETRY_S : min_i64(retry_after, RATE_LIMIT_RETRY_MAX_S);
	struct rate_limit_state state;

	if (!rate_limit_refresh(l, &state, now, fault))
		return false;
	if (state.rate == 0 || now->ms - state.lowered_ms >= LOWER_EVERY_MS) {
		state.rate = max_i64(rate_limit_effective(s, &state) / 2, 1);
		state.lowered_ms = now->ms;
	}
	state.changed_ms = now->ms;
	if (now->ms + wait * 1000 > state.until_ms) {
		state.until_ms = now->ms + wait * 1000;
		state.until_wall = now->wall + wait;
	}
	return rate_limit_store(l, &state, fault);
}

bool rate_limit_on_throttle_at(struct ledger *l, const struct settings *s, int64_t retry_after,
	const struct rate_limit_moment *now, struct fault *fault)
{
	return txn_begin(l, fault) && txn_end(l, lower(l, s, retry_after, now, fault), fault);
}

static bool raise_rate(struct ledger *l, const struct settings *s,
	const struct rate_limit_moment *now, struct fault *fault)
{
	struct rate_limit_state state;

	if (!rate_limit_refresh(l, &state, now, fault))
		return false;
	if (state.rate == 0 || now->ms - state.changed_ms < RAISE_EVERY_MS)
		return true;
	state.rate += (s->requests_per_minute + 9) / 10;
	if (state.rate >= s->requests_per_minute)
		state.rate = 0;
	state.changed_ms = now->ms;
	return rate_limit_store(l, &state, fault);
}

/* The rate is rarely lowered. As long as it is not, nothing is written. */
bool rate_limit_on_success_at(struct ledger *l, const struct settings *s,
	const struct rate_limit_moment *now, struct fault *fault)
{
	struct rate_limit_state state;

	if (!rate_limit_load(l, &state, fault))
		return false;
	if (state.rate == 0 || (strcmp(state.boot, now->boot) == 0 && state.changed_ms <= now->ms &&
				       now->ms - state.changed_ms < RAISE_EVERY_MS))
		return true;
	return txn_begin(l, fault) && txn_end(l, raise_rate(l, s, now, fault), fault);
}
