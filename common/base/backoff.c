/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Doubles step by step instead of shifting: the number of failures can come from a ledger that
 * was edited by hand, so no number may overflow.
 */
#include "base/backoff.h"

int64_t backoff(int64_t first, int64_t last, int64_t n)
{
	int64_t wait = first;

	for (; n > 0 && wait < last; n--)
		wait = wait > last / 2 ? last : 2 * wait;
	return wait;
}
