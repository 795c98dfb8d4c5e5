/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8: the only decoder.
 */
#ifndef CLOUDINVITE_BASE_UTF8_H
#define CLOUDINVITE_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the character at `s`, of which at most `n` bytes are there, and its code point; 0
 * if it is not valid (RFC 3629: no overlong form, no surrogate). Stops at the first byte that does
 * not fit, so that n may be SIZE_MAX where a NUL ends the text. A NUL is a character of length 1.
 */
size_t utf8_decode(const char *s, size_t n, uint32_t *code);

/* Whether the character cannot be seen, but changes what a reader sees. Controls are not included.
 */
bool utf8_is_ignorable(uint32_t code);
/* Whether it looks like a space, and is not the ASCII one. */
bool utf8_is_space(uint32_t code);

#endif
