/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the rate limit permits now, how long a queue takes, and the functions that read the clock.
 */
#include "ratelimit/rate_limit.h"

#include "base/clock.h"
#include "base/minmax.h"
#include "ratelimit/rate_limit_private.h"
#include "ledger/sqlite.h"

static bool look(struct ledger *l, const struct settings *s, struct rate_limit_status *out,
	const struct rate_limit_moment *now, struct fault *fault)
{
	struct rate_limit_state state;
	struct query q;
	int64_t share;
	int other;

	if (!rate_limit_load(l, &state, fault))
		return false;
	other = rate_limit_rebooted(l, &state, now, fault);
	if (other < 0)
		return false;
	if (other > 0)
		rate_limit_start_boot(&state, now);
	query_start(&q, l, "SELECT count(*) FROM permit WHERE ?1 OR free_ms >= ?2", fault);
	query_number(&q, other);
	query_number(&q, now->ms);
	if (query_one(&q, &out->used) < 0)
		return false;
	out->effective = rate_limit_effective(s, &state);
	share = rate_limit_workers_share(out->effective);
	if (out->used >= share) {
		out->wait_ms = RATE_LIMIT_WINDOW_MS;
		if (other == 0 &&
			!rate_limit_wait_for(l, out->used - share + 1, now, &out->wait_ms, fault))
			return false;
	}
	if (state.until_ms > now->ms) {
		out->throttled_until_wall = now->wall + (state.until_ms - now->ms + 999) / 1000;
		out->wait_ms = max_i64(out->wait_ms, state.until_ms - now->ms);
	}
	return true;
}

bool rate_limit_status_at(struct ledger *l, const struct settings *s, struct rate_limit_status *out,
	const struct rate_limit_moment *now, struct fault *fault)
{
	bool good;

	*out = (struct rate_limit_status){.configured = s->requests_per_minute};
	if (s->requests_per_minute == 0)
		return true;
	if (!snapshot_begin(l, fault))
		return false;
	good = look(l, s, out, now, fault);
	snapshot_end(l);
	return good;
}

#define COUNT_MOST INT64_C(100000000) /* people; a ledger that says more is damaged or hostile */

static int64_t plausible(int64_t count)
{
	if (count < 0)
		return 0;
	return count < COUNT_MOST ? count : COUNT_MOST;
}

int64_t rate_limit_calls(const struct ledger_summary *people, bool mails, int64_t queued)
{
	int64_t nobody = plausible(people->people[PERSON_NOT_INVITABLE]), looked_at = 1, found;

	queued = plausible(queued);
	for (int state = 0; state < PERSON_STATES; state++)
		if (state != PERSON_QUEUED && state != PERSON_GONE)
			looked_at += plausible(people->people[state]);
	found = looked_at - nobody;
	return queued + (queued * (mails ? 2 : 1) * found + looked_at - 1) / looked_at;
}

int64_t rate_limit_eta(const struct rate_limit_status *p, int64_t calls)
{
	int64_t share = rate_limit_workers_share(p->effective);
	int64_t wait = (p->wait_ms + 999) / 1000, at_once = max_i64(share - p->used, 0);

	if (p->configured == 0 || calls <= 0)
		return 0;
	if (calls <= at_once)
		return wait;
	return wait + ((calls - at_once) * 60 + share - 1) / share;
}

/* ---- now ---- */

static struct rate_limit_moment moment(void)
{
	struct rate_limit_moment now = {.ms = clock_boot_ms(), .wall = clock_wall()};

	clock_boot_id(now.boot);
	return now;
}

int rate_limit_acquire(struct ledger *l, const struct settings *s, bool admin, int want,
	int64_t *permits, int64_t *wait_ms, struct fault *fault)
{
	struct rate_limit_moment now;

	*wait_ms = 0;
	if (s->requests_per_minute == 0) {
		for (int i = 0; i < want; i++)
			permits[i] = 0;
		return want;
	}
	now = moment();
	return rate_limit_acquire_at(l, s, admin, want, permits, wait_ms, &now, fault);
}

void rate_limit_write_last(struct ledger *l, const struct settings *s, int64_t permit)
{
	struct rate_limit_moment now;

	if (permit == 0)
		return;
	now = moment();
	rate_limit_write_last_at(l, s, permit, &now);
}

bool rate_limit_release(struct ledger *l, int64_t permit, bool unused, struct fault *fault)
{
	struct rate_limit_moment now;

	if (permit == 0)
		return true;
	now = moment();
	return rate_limit_release_at(l, permit, unused, &now, fault);
}

bool rate_limit_on_throttle(
	struct ledger *l, const struct settings *s, int64_t retry_after, struct fault *fault)
{
	struct rate_limit_moment now;

	if (s->requests_per_minute == 0)
		return true;
	now = moment();
	return rate_limit_on_throttle_at(l, s, retry_after, &now, fault);
}

bool rate_limit_on_success(struct ledger *l, const struct settings *s, struct fault *fault)
{
	struct rate_limit_moment now;

	if (s->requests_per_minute == 0)
		return true;
	now = moment();
	return rate_limit_on_success_at(l, s, &now, fault);
}

bool rate_limit_status(struct ledger *l, const struct settings *s, struct rate_limit_status *out,
	struct fault *fault)
{
	struct rate_limit_moment now = moment();

	return rate_limit_status_at(l, s, out, &now, fault);
}
