/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays.
 */
#ifndef CLOUDINVITE_BASE_ARRAY_H
#define CLOUDINVITE_BASE_ARRAY_H

#include <stddef.h>

/* The number of elements of an array. It must not be a pointer; gcc and clang warn about that. */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Makes room for one more element in `array`, which holds `count` elements of `size` bytes and has
 * room for *room. Returns the array, which may have moved; NULL if there is no memory, and then the
 * array and *room are unchanged. */
void *array_grow(void *array, size_t count, size_t *room, size_t size);

#endif
