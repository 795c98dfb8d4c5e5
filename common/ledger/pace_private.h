/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the room: the pace at a given moment. The public functions are these, now.
 */
#ifndef CLOUDINVITE_LEDGER_PACE_PRIVATE_H
#define CLOUDINVITE_LEDGER_PACE_PRIVATE_H

#include "ledger/pace.h"

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

#endif
