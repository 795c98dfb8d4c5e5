/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Optimal string alignment: the usual table, of which three rows are enough.
 */
#include "base/distance.h"

#include <string.h>

#include "base/minmax.h"
#include "base/str.h"

size_t word_distance(const char *a, const char *b)
{
	size_t rows[3][DISTANCE_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *now = rows[2];
	size_t n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		last[j] = j;
	for (size_t i = 1; a[i - 1] != '\0'; i++) {
		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t changed = ascii_lower(a[i - 1]) != ascii_lower(b[j - 1]);

			now[j] = min_size(min_size(last[j], now[j - 1]) + 1, last[j - 1] + changed);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = min_size(now[j], before[j - 2] + 1);
		}
		size_t *oldest = before;
		before = last;
		last = now;
		now = oldest;
	}
	return last[n];
}
