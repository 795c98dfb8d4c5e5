/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the room: the pace at a given moment. The public functions are these, now.
 */
#ifndef CLOUDINVITE_LEDGER_PACE_PRIVATE_H
#define CLOUDINVITE_LEDGER_PACE_PRIVATE_H

#include "ledger/pace.h"

#define PACE_WINDOW_MS	     INT64_C(60000)
#define PACE_LONGEST_RETRY_S 3600

struct pace_moment {
	int64_t ms;    /* since boot, suspend included */
	int64_t wall;  /* seconds since the epoch */
	char boot[37]; /* which boot */
};

int pace_take_at(struct ledger *l, const struct settings *s, bool admin, int want, int64_t *slots,
	int64_t *wait_ms, const struct pace_moment *now, struct fault *fault);
bool pace_end_at(struct ledger *l, int64_t slot, bool unused, const struct pace_moment *now,
	struct fault *fault);
bool pace_throttled_at(struct ledger *l, const struct settings *s, int64_t retry_after,
	const struct pace_moment *now, struct fault *fault);
bool pace_succeeded_at(struct ledger *l, const struct settings *s, const struct pace_moment *now,
	struct fault *fault);
bool pace_look_at(struct ledger *l, const struct settings *s, struct pace *out,
	const struct pace_moment *now, struct fault *fault);

/* ---- the state ---- */

struct pace_state {
	bool known;
	char boot[37];
	int64_t rate; /* 0: not lowered */
	int64_t lowered_ms, changed_ms;
	int64_t until_ms, until_wall; /* Retry-After in force */
};

/* As it was last stored. */
bool pace_load(struct ledger *l, struct pace_state *state, struct fault *fault);
bool pace_store(struct ledger *l, const struct pace_state *state, struct fault *fault);
/* As it is at `now`, with the slots whose time is over freed. */
bool pace_settle(struct ledger *l, struct pace_state *state, const struct pace_moment *now,
	struct fault *fault);
/* Whether the state is of an earlier boot: 1, 0, -1; and how it goes on in this one. */
int pace_other_boot(struct ledger *l, const struct pace_state *state, const struct pace_moment *now,
	struct fault *fault);
void pace_start_boot(struct pace_state *state, const struct pace_moment *now);

int64_t pace_effective(const struct settings *s, const struct pace_state *state);
/* What the worker may use of a rate: all but a tenth, rounded up; of one nothing can be kept. */
int64_t pace_workers_share(int64_t rate);
/* When `more` slots will have been freed, if every call under way ended now. */
bool pace_wait_for(struct ledger *l, int64_t more, const struct pace_moment *now, int64_t *wait_ms,
	struct fault *fault);

#endif
