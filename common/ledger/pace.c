/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/pace.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ledger/pace_private.h"
#include "ledger/sqlite.h"

#define WINDOW_MS      INT64_C(60000)
#define RAISE_EVERY_MS INT64_C(60000)
#define LOWER_EVERY_MS                                                             \
	INT64_C(30000) /* longer than a call that was under way takes to fail, too \
			*/
#define UNKNOWN_RETRY_S 10
#define LONGEST_RETRY_S 3600
#define CALLS_BOUND                                                                  \
	6 /* a mint, the call, both again after a 401, and a slow resolver: timeouts \
	   */

struct pace_state {
	bool known;
	char boot[37];
	int64_t rate; /* 0: not lowered */
	int64_t lowered_ms, changed_ms;
	int64_t until_ms, until_wall; /* Retry-After in force */
};

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t effective(const struct settings *s, const struct pace_state *state)
{
	return state->rate == 0 ? s->requests_per_minute
				: least(state->rate, s->requests_per_minute);
}

/* What is left when a tenth, rounded up, is kept free; of one nothing can be kept. */
static int64_t workers_share(int64_t rate)
{
	return most(least(rate, 1), rate - (rate + 9) / 10);
}

/* ---- the state ----------------------------------------------------------------------------------
 */

static bool load(struct ledger *l, struct pace_state *state, struct fault *fault)
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

static bool store(struct ledger *l, const struct pace_state *state, struct fault *fault)
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

/* Where the kernel tells no boot id, a clock that went back does. */
static int other_boot(struct ledger *l, const struct pace_state *state,
	const struct pace_moment *now, struct fault *fault)
{
	int64_t later = 0;
	struct query q;

	if (!state->known)
		return 0;
	if (strcmp(state->boot, now->boot) != 0 || state->changed_ms > now->ms)
		return 1;
	query_start(&q, l, "SELECT EXISTS (SELECT 1 FROM pace_slot WHERE taken_ms > ?)", fault);
	query_number(&q, now->ms);
	return query_one(&q, &later) < 0 ? -1 : (int)later;
}

/* Of an earlier boot nobody knows how long ago it was: its calls count from now. Only the
 * Retry-After goes by the wall clock, and a jump of that cannot stretch it beyond the hour. */
static void start_boot(struct pace_state *state, const struct pace_moment *now)
{
	int64_t left = least(most(state->until_wall - now->wall, 0), LONGEST_RETRY_S);

	text_copy(state->boot, sizeof(state->boot), now->boot);
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
	query_number(&q, now->ms + WINDOW_MS);
	return query_run(&q);
}

/* Loads the state as it is at `now`, and frees the slots whose time is over. */
static bool settle(struct ledger *l, struct pace_state *state, const struct pace_moment *now,
	struct fault *fault)
{
	struct query q;
	int other;

	if (!load(l, state, fault))
		return false;
	other = other_boot(l, state, now, fault);
	if (other < 0)
		return false;
	if (other > 0 && !count_slots_from_now(l, now, fault))
		return false;
	if (other > 0 || !state->known) {
		start_boot(state, now);
		if (!store(l, state, fault))
			return false;
	}
	/* Not at its very millisecond: the call may have ended late in that. */
	query_start(&q, l, "DELETE FROM pace_slot WHERE free_ms < ?", fault);
	query_number(&q, now->ms);
	return query_run(&q);
}

/* ---- slots --------------------------------------------------------------------------------------
 */

static bool count_used(struct ledger *l, int64_t *used, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "SELECT count(*) FROM pace_slot", fault);
	return query_one(&q, used) > 0;
}

/* When `more` slots will have been freed, if every call under way ended now. */
static bool wait_for(struct ledger *l, int64_t more, const struct pace_moment *now,
	int64_t *wait_ms, struct fault *fault)
{
	int64_t at = now->ms + WINDOW_MS;
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
	*wait_ms = most(at - now->ms, 0) + 1;
	return true;
}

static bool take_one(struct ledger *l, const struct settings *s, const struct pace_moment *now,
	int64_t *slot, struct fault *fault)
{
	int64_t bound_ms = CALLS_BOUND * s->timeout * 1000;
	struct query q;

	query_start(
		&q, l, "INSERT INTO pace_slot (taken_ms, ended, free_ms) VALUES (?, 0, ?)", fault);
	query_number(&q, now->ms);
	query_number(&q, now->ms + bound_ms + WINDOW_MS);
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

	if (!settle(l, &state, now, fault) || !count_used(l, &used, fault))
		return -1;
	if (state.until_ms > now->ms) {
		*wait_ms = state.until_ms - now->ms;
		return 0;
	}
	share = effective(s, &state);
	if (!admin)
		share = workers_share(share);
	for (; taken < want && used < share; taken++, used++)
		if (!take_one(l, s, now, &slots[taken], fault))
			return -1;
	if (taken < want && !wait_for(l, used - share + 1, now, wait_ms, fault))
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
	query_number(&q, now->ms + WINDOW_MS);
	return query_run(&q);
}

bool pace_end_at(struct ledger *l, int64_t slot, bool unused, const struct pace_moment *now,
	struct fault *fault)
{
	return change_begin(l, fault) && change_end(l, end(l, slot, unused, now, fault), fault);
}

/* ---- slower and faster --------------------------------------------------------------------------
 */

static bool lower(struct ledger *l, const struct settings *s, int64_t retry_after,
	const struct pace_moment *now, struct fault *fault)
{
	int64_t wait = retry_after < 0 ? UNKNOWN_RETRY_S : least(retry_after, LONGEST_RETRY_S);
	struct pace_state state;

	if (!settle(l, &state, now, fault))
		return false;
	if (state.rate == 0 || now->ms - state.lowered_ms >= LOWER_EVERY_MS) {
		state.rate = most(effective(s, &state) / 2, 1);
		state.lowered_ms = now->ms;
	}
	state.changed_ms = now->ms;
	if (now->ms + wait * 1000 > state.until_ms) {
		state.until_ms = now->ms + wait * 1000;
		state.until_wall = now->wall + wait;
	}
	return store(l, &state, fault);
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

	if (!settle(l, &state, now, fault))
		return false;
	if (state.rate == 0 || now->ms - state.changed_ms < RAISE_EVERY_MS)
		return true;
	state.rate += (s->requests_per_minute + 9) / 10;
	if (state.rate >= s->requests_per_minute)
		state.rate = 0;
	state.changed_ms = now->ms;
	return store(l, &state, fault);
}

/* Nearly always there is nothing to raise: then nothing is written. */
bool pace_succeeded_at(struct ledger *l, const struct settings *s, const struct pace_moment *now,
	struct fault *fault)
{
	struct pace_state state;

	if (!load(l, &state, fault))
		return false;
	if (state.rate == 0 || (strcmp(state.boot, now->boot) == 0 && state.changed_ms <= now->ms &&
				       now->ms - state.changed_ms < RAISE_EVERY_MS))
		return true;
	return change_begin(l, fault) && change_end(l, raise_rate(l, s, now, fault), fault);
}

/* ---- looking ------------------------------------------------------------------------------------
 */

static bool look(struct ledger *l, const struct settings *s, struct pace *out,
	const struct pace_moment *now, struct fault *fault)
{
	struct pace_state state;
	struct query q;
	int64_t share;
	int other;

	if (!load(l, &state, fault))
		return false;
	other = other_boot(l, &state, now, fault);
	if (other < 0)
		return false;
	if (other > 0)
		start_boot(&state, now);
	query_start(&q, l, "SELECT count(*) FROM pace_slot WHERE ?1 OR free_ms >= ?2", fault);
	query_number(&q, other);
	query_number(&q, now->ms);
	if (query_one(&q, &out->used) < 0)
		return false;
	out->effective = effective(s, &state);
	share = workers_share(out->effective);
	if (out->used >= share) {
		out->wait_ms = WINDOW_MS;
		if (other == 0 && !wait_for(l, out->used - share + 1, now, &out->wait_ms, fault))
			return false;
	}
	if (state.until_ms > now->ms) {
		out->throttled_until_wall = now->wall + (state.until_ms - now->ms + 999) / 1000;
		out->wait_ms = most(out->wait_ms, state.until_ms - now->ms);
	}
	return true;
}

bool pace_look_at(struct ledger *l, const struct settings *s, struct pace *out,
	const struct pace_moment *now, struct fault *fault)
{
	bool good;

	*out = (struct pace){.configured = s->requests_per_minute};
	if (s->requests_per_minute == 0)
		return true;
	if (!snapshot_begin(l, fault))
		return false;
	good = look(l, s, out, now, fault);
	snapshot_end(l);
	return good;
}

int64_t pace_expect(const struct pace *p, int64_t calls)
{
	int64_t share = workers_share(p->effective);
	int64_t wait = (p->wait_ms + 999) / 1000, at_once = most(share - p->used, 0);

	if (p->configured == 0 || calls <= 0)
		return 0;
	if (calls <= at_once)
		return wait;
	return wait + ((calls - at_once) * 60 + share - 1) / share;
}

/* ---- now ----------------------------------------------------------------------------------------
 */

static struct pace_moment moment(void)
{
	struct pace_moment now = {.ms = clock_boot_ms(), .wall = clock_wall()};

	clock_boot_id(now.boot);
	return now;
}

int pace_take(struct ledger *l, const struct settings *s, bool admin, int want, int64_t *slots,
	int64_t *wait_ms, struct fault *fault)
{
	struct pace_moment now;

	*wait_ms = 0;
	if (s->requests_per_minute == 0) {
		for (int i = 0; i < want; i++)
			slots[i] = 0;
		return want;
	}
	now = moment();
	return pace_take_at(l, s, admin, want, slots, wait_ms, &now, fault);
}

bool pace_end(struct ledger *l, int64_t slot, bool unused, struct fault *fault)
{
	struct pace_moment now;

	if (slot == 0)
		return true;
	now = moment();
	return pace_end_at(l, slot, unused, &now, fault);
}

bool pace_throttled(
	struct ledger *l, const struct settings *s, int64_t retry_after, struct fault *fault)
{
	struct pace_moment now;

	if (s->requests_per_minute == 0)
		return true;
	now = moment();
	return pace_throttled_at(l, s, retry_after, &now, fault);
}

bool pace_succeeded(struct ledger *l, const struct settings *s, struct fault *fault)
{
	struct pace_moment now;

	if (s->requests_per_minute == 0)
		return true;
	now = moment();
	return pace_succeeded_at(l, s, &now, fault);
}

bool pace_look(struct ledger *l, const struct settings *s, struct pace *out, struct fault *fault)
{
	struct pace_moment now = moment();

	return pace_look_at(l, s, out, &now, fault);
}
