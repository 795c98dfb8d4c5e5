/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google's clock, as its replies tell it. It goes on with clock_boot_ms(), which counts the time in
 * which the host sleeps. A Date that contradicts it by minutes is not believed before a second one,
 * half a minute later, says the same: until then the clock may be either. Pure.
 */
#ifndef CLOUDINVITE_ENGINE_GOOGLE_CLOCK_H
#define CLOUDINVITE_ENGINE_GOOGLE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define GOOGLE_CLOCK_TOLERANCE_S INT64_C(300)
#define GOOGLE_CLOCK_CONFIRM_MS	 INT64_C(30000)

struct google_clock {
	int64_t date, ms; /* the newest Date that is believed, and when it came; date 0: none */
	int64_t since_ms; /* when the first of the Dates came that agree with it */
	bool confirmed;	  /* so long ago that they are independent of each other */
	int64_t other_date, other_ms; /* one that contradicts; other_date 0: none */
};

/* A reply of Google's came at `ms` with this Date (0: with none). */
void google_clock_hear(struct google_clock *c, int64_t date, int64_t ms);

/* What is believed; 0: never heard. */
int64_t google_clock_now(const struct google_clock *c, int64_t ms);
/* The earlier of what it may be: for what must be over. */
int64_t google_clock_earliest(const struct google_clock *c, int64_t ms);
/* The later of what it may be: for when something happened. `host`: this host's clock, which counts
 * too until either it or a second reply confirms Google's. */
int64_t google_clock_latest(const struct google_clock *c, int64_t ms, int64_t host);

/* Whether a second reply, or this host's clock, says the same, and no reply contradicts. */
bool google_clock_is_sure(const struct google_clock *c, int64_t ms, int64_t host);
/* In how many milliseconds a further reply can make it sure. */
int64_t google_clock_wait_ms(const struct google_clock *c, int64_t ms);

#endif
