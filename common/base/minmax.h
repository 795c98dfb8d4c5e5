/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smaller and the larger of two numbers.
 */
#ifndef CLOUDINVITE_BASE_MINMAX_H
#define CLOUDINVITE_BASE_MINMAX_H

#include <stddef.h>
#include <stdint.h>

static inline int64_t min_i64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static inline int64_t max_i64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static inline size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

#endif
