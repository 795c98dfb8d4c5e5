/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far two words are apart: for suggesting the word that was probably meant.
 */
#ifndef CLOUDINVITE_BASE_DISTANCE_H
#define CLOUDINVITE_BASE_DISTANCE_H

#include <stddef.h>

#define DISTANCE_MAX 64 /* bytes of the longer word */

/* The number of letters that must be added, dropped, changed or swapped with the next one to turn
 * `a` into `b` (optimal string alignment). Upper and lower case are the same. Neither word may be
 * longer than DISTANCE_MAX. */
size_t word_distance(const char *a, const char *b);

#endif
