/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An array doubles its room when it is full, so that appending n elements costs O(n).
 */
#include "base/array.h"

#include <stdint.h>
#include <stdlib.h>

#define FIRST_ROOM 16

void *array_grow(void *array, size_t count, size_t *room, size_t size)
{
	size_t more = *room > 0 ? 2 * *room : FIRST_ROOM;

	if (count < *room)
		return array;
	if (*room > SIZE_MAX / 2 / size)
		return NULL;
	array = reallocarray(array, more, size);
	if (array)
		*room = more;
	return array;
}
