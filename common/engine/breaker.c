/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The circuit breaker's count: one for each method, because a rejected send says nothing about
 * checks.
 */
#include "engine/breaker.h"

#include <string.h>

#include "base/str.h"

static bool is_counted(const struct breaker_count *count, const char *address)
{
	for (int n = 0; n < count->count; n++)
		if (strcmp(count->people[n], address) == 0)
			return true;
	return false;
}

bool breaker_record_failure(
	struct breaker *breaker, enum google_method method, const char *address, const char *code)
{
	struct breaker_count *count = &breaker->methods[method];

	if (strcmp(count->code, code) != 0)
		count->count = 0;
	str_copy(count->code, sizeof(count->code), code);
	if (count->count < BREAKER_PEOPLE && !is_counted(count, address))
		str_copy(count->people[count->count++], sizeof(count->people[0]), address);
	return count->count == BREAKER_PEOPLE;
}

void breaker_record_success(struct breaker *breaker, enum google_method method)
{
	breaker->methods[method].count = 0;
}

void breaker_reset(struct breaker *breaker)
{
	breaker->open = false;
	for (int method = 0; method < GOOGLE_METHODS; method++)
		breaker->methods[method].count = 0;
}
