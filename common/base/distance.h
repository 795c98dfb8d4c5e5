/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How near a word is to another one, to suggest the one that was probably meant.
 */
#ifndef CLOUDINVITE_BASE_DISTANCE_H
#define CLOUDINVITE_BASE_DISTANCE_H

#include <stddef.h>

/* How many letters of `typed` must be added, dropped, changed or swapped with the next one
 * to get `word`, which is in lower case. Upper and lower case are the same. SIZE_MAX if either has
 * more than 64 letters. */
size_t word_distance(const char *typed, const char *word);

#endif
