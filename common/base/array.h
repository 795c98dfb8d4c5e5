/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays.
 */
#ifndef CLOUDINVITE_BASE_ARRAY_H
#define CLOUDINVITE_BASE_ARRAY_H

#include <stddef.h>

/* The number of elements of an array (never of a pointer: gcc and clang warn). */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* `array`, which holds `count` elements of `size` bytes and has room for *room, with room for one
 * more: it may have moved. NULL without memory: then the array and *room are as they were. */
void *array_grow(void *array, size_t count, size_t *room, size_t size);

#endif
