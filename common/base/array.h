/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays.
 */
#ifndef CLOUDINVITE_BASE_ARRAY_H
#define CLOUDINVITE_BASE_ARRAY_H

/* The number of elements of an array. It must not be a pointer; gcc and clang warn about that. */
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#endif
