/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exponential back-off: how long to wait before the next attempt.
 */
#ifndef CLOUDINVITE_BASE_BACKOFF_H
#define CLOUDINVITE_BASE_BACKOFF_H

#include <stdint.h>

/* `first`, doubled `n` times, at most `last`: in the unit of its arguments, where
 * 0 < first <= last. An n below 0 counts as 0. */
int64_t backoff(int64_t first, int64_t last, int64_t n);

#endif
