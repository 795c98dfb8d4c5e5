/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The optimal string alignment distance, of which three rows of the table are kept.
 */
#include "base/distance.h"

#include <stdint.h>
#include <string.h>

#include "base/minmax.h"
#include "base/str.h"

#define WORD_MAX 64

size_t word_distance(const char *typed, const char *word)
{
	size_t rows[3][WORD_MAX + 1];
	size_t n = strlen(typed), m = strlen(word);

	if (n > WORD_MAX || m > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= m; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
		char c = ascii_lower(typed[i - 1]);

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = min_size(min_size(above[j], row[j - 1]) + 1,
				above[j - 1] + (c != word[j - 1]));
			if (i > 1 && j > 1 && c == word[j - 2] &&
				ascii_lower(typed[i - 2]) == word[j - 1])
				row[j] = min_size(row[j], before[j - 2] + 1);
		}
	}
	return rows[n % 3][m];
}
