/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rate limit at a given moment. The public functions call these with the present one.
 */
#ifndef CLOUDINVITE_RATELIMIT_RATE_LIMIT_PRIVATE_H
#define CLOUDINVITE_RATELIMIT_RATE_LIMIT_PRIVATE_H

#include "ratelimit/rate_limit.h"

#define RATE_LIMIT_WINDOW_MS   INT64_C(60000)
#define RATE_LIMIT_RETRY_MAX_S 3600

struct rate_limit_moment {
	int64_t ms;    /* since boot, suspend included */
	int64_t wall;  /* seconds since the epoch */
	char boot[37]; /* which boot */
};

int rate_limit_acquire_at(struct ledger *l, const struct settings *s, bool admin, int want,
	int64_t *permits, int64_t *wait_ms, const struct rate_limit_moment *now,
	struct fault *fault);
bool rate_limit_release_at(struct ledger *l, int64_t permit, bool unused,
	const struct rate_limit_moment *now, struct fault *fault);
bool rate_limit_on_throttle_at(struct ledger *l, const struct settings *s, int64_t retry_after,
	const struct rate_limit_moment *now, struct fault *fault);
bool rate_limit_on_success_at(struct ledger *l, const struct settings *s,
	const struct rate_limit_moment *now, struct fault *fault);
bool rate_limit_status_at(struct ledger *l, const struct settings *s, struct rate_limit_status *out,
	const struct rate_limit_moment *now, struct fault *fault);

/* ---- the last permit, outside of the ledger ---- */

void rate_limit_write_last_at(struct ledger *l, const struct settings *s, int64_t permit,
	const struct rate_limit_moment *now);
/* Counts all permits as used if requests were made in this minute that the ledger does not know. */
bool rate_limit_recall(struct ledger *l, const struct settings *s,
	const struct rate_limit_moment *now, struct fault *fault);

/* ---- the state ---- */

struct rate_limit_state {
	bool known;
	char boot[37];
	int64_t rate; /* 0: not lowered */
	int64_t lowered_ms, changed_ms;
	int64_t until_ms, until_wall; /* Retry-After in force */
};

/* As it was last stored. */
bool rate_limit_load(struct ledger *l, struct rate_limit_state *state, struct fault *fault);
bool rate_limit_store(struct ledger *l, const struct rate_limit_state *state, struct fault *fault);
/* As it is at `now`, without the permits whose time is over. */
bool rate_limit_refresh(struct ledger *l, struct rate_limit_state *state,
	const struct rate_limit_moment *now, struct fault *fault);
/* Whether the state is of an earlier boot: 1, 0, -1; and how it continues in this one. */
int rate_limit_rebooted(struct ledger *l, const struct rate_limit_state *state,
	const struct rate_limit_moment *now, struct fault *fault);
void rate_limit_start_boot(struct rate_limit_state *state, const struct rate_limit_moment *now);

int64_t rate_limit_effective(const struct settings *s, const struct rate_limit_state *state);
/* What the dispatcher may use of a rate: all but a tenth, rounded up; nothing is reserved of a rate
 * of 1. */
int64_t rate_limit_workers_share(int64_t rate);
/* When `more` permits will be free, if every request in flight ended now. */
bool rate_limit_wait_for(struct ledger *l, int64_t more, const struct rate_limit_moment *now,
	int64_t *wait_ms, struct fault *fault);

#endif
