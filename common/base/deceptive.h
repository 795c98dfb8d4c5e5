/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Characters that deceive a reader: they cannot be seen, or look like another one.
 */
#ifndef CLOUDINVITE_BASE_DECEPTIVE_H
#define CLOUDINVITE_BASE_DECEPTIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What some editors write before UTF-8 text. */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

#define DECEPTIVE_TEXT_SIZE 96

/* Finds the first character with which a word looks like another word although their bytes
 * differ: an invisible one, a space that is not the ASCII space, a combining mark, a letter of
 * another script in a Latin word, a dash for a hyphen. `text` is valid UTF-8. Writes what was
 * found as "U+200B, which cannot be seen". False if there is none. */
bool deceptive_find(const char *text, size_t n, char out[DECEPTIVE_TEXT_SIZE]);

#endif
