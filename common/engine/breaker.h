/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The circuit breaker. When five people in a row are rejected by one method with the same code,
 * with no success of that method between, it is not the people. Pure: it counts; gate.c pauses.
 */
#ifndef CLOUDINVITE_ENGINE_BREAKER_H
#define CLOUDINVITE_ENGINE_BREAKER_H

#include "google/types.h"

#define BREAKER_PEOPLE 5

struct breaker_count {
	char code[48];
	char people[BREAKER_PEOPLE][ADDRESS_MAX + 1];
	int count;
};

struct breaker {
	bool open; /* tripped, and not yet resumed */
	struct breaker_count methods[GOOGLE_METHODS];
};

/* One more rejection. Returns whether so many different people were rejected alike that it trips
 * (again). The people are in breaker->methods[method]. */
bool breaker_record_failure(
	struct breaker *breaker, enum google_method method, const char *address, const char *code);
void breaker_record_success(struct breaker *breaker, enum google_method method);
/* An administrator has ended the pause: counting begins from zero. */
void breaker_reset(struct breaker *breaker);

#endif
