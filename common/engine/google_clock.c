/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google's clock: one Date that is believed, and at most one that contradicts it.
 */
#include "engine/google_clock.h"

#include "base/minmax.h"

static bool agree(int64_t a, int64_t b)
{
	return a - b <= GOOGLE_CLOCK_TOLERANCE_S && b - a <= GOOGLE_CLOCK_TOLERANCE_S;
}

static int64_t other(const struct google_clock *c, int64_t ms)
{
	return c->other_date + (ms - c->other_ms) / 1000;
}

int64_t google_clock_now(const struct google_clock *c, int64_t ms)
{
	return c->date == 0 ? 0 : c->date + (ms - c->ms) / 1000;
}

static void believe(struct google_clock *c, int64_t date, int64_t ms, int64_t since_ms)
{
	*c = (struct google_clock){.date = date,
		.ms = ms,
		.since_ms = since_ms,
		.confirmed = ms - since_ms >= GOOGLE_CLOCK_CONFIRM_MS};
}

void google_clock_hear(struct google_clock *c, int64_t date, int64_t ms)
{
	bool was_confirmed = c->confirmed;

	if (date == 0)
		return;
	if (c->date == 0) {
		believe(c, date, ms, ms);
	} else if (agree(date, google_clock_now(c, ms))) {
		believe(c, date, ms, c->since_ms);
		c->confirmed = c->confirmed || was_confirmed;
	} else if (c->other_date == 0 || !agree(date, other(c, ms))) {
		c->other_date = date;
		c->other_ms = ms;
	} else if (ms - c->other_ms >= GOOGLE_CLOCK_CONFIRM_MS) {
		believe(c, date, ms, c->other_ms);
	}
}

int64_t google_clock_earliest(const struct google_clock *c, int64_t ms)
{
	int64_t now = google_clock_now(c, ms);

	return c->other_date == 0 ? now : min_i64(now, other(c, ms));
}

static bool is_confirmed(const struct google_clock *c, int64_t ms, int64_t host)
{
	return c->date != 0 && (c->confirmed || agree(google_clock_now(c, ms), host));
}

int64_t google_clock_latest(const struct google_clock *c, int64_t ms, int64_t host)
{
	int64_t now = google_clock_now(c, ms);

	if (c->date == 0)
		return 0;
	if (c->other_date != 0)
		now = max_i64(now, other(c, ms));
	return is_confirmed(c, ms, host) ? now : max_i64(now, host);
}

bool google_clock_is_sure(const struct google_clock *c, int64_t ms, int64_t host)
{
	return is_confirmed(c, ms, host) && c->other_date == 0;
}

int64_t google_clock_wait_ms(const struct google_clock *c, int64_t ms)
{
	int64_t since = c->other_date != 0 ? c->other_ms : c->since_ms;

	return c->date == 0 ? 0 : max_i64(since + GOOGLE_CLOCK_CONFIRM_MS - ms, 0);
}
