/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for a test program: it is there, or the program ends and says so.
 */
#ifndef CLOUDINVITE_EMULATOR_MUST_H
#define CLOUDINVITE_EMULATOR_MUST_H

#include <stddef.h>

/* Passes `p` on; ends the program if it is NULL. */
void *must(void *p);
void *must_alloc(size_t size);			    /* zeroed */
char *must_copy(const char *s);			    /* NULL stays NULL */
char *must_copy_bytes(const char *bytes, size_t n); /* NUL-terminated */
char *must_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Room for one more in a growing array of `size`-byte elements. */
void *must_grow(void *array, size_t n, size_t *room, size_t size);

#endif
