/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory allocation that never fails: without memory, the program prints an error and ends.
 */
#ifndef CLOUDINVITE_EMULATOR_XMALLOC_H
#define CLOUDINVITE_EMULATOR_XMALLOC_H

#include <stddef.h>

/* Returns `p`; ends the program if it is NULL. */
void *xnonnull(void *p);
void *xcalloc(size_t size);		     /* zeroed */
char *xstrdup(const char *s);		     /* NULL for NULL */
char *xstrndup(const char *bytes, size_t n); /* NUL-terminated */
char *xasprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Makes room for one more element in a growing array of `size`-byte elements. */
void *xgrow(void *array, size_t n, size_t *room, size_t size);

#endif
