/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as hexadecimal digits, and back.
 */
#ifndef CLOUDINVITE_BASE_HEX_H
#define CLOUDINVITE_BASE_HEX_H

#include <stddef.h>

/* Writes two lower-case digits for each of the `n` bytes, and a NUL: 2 * n + 1 bytes. */
void hex_encode(char *out, const void *bytes, size_t n);

/* The byte that the two digits at `s` stand for, in either case; -1 if they are not digits. Does
 * not read past a NUL. */
int hex_decode(const char *s);

#endif
