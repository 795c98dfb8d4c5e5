/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation for a program that tests use: without memory, it ends.
 */
#include "xmalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *xnonnull(void *p)
{
	if (!p) {
		fputs("cloudinvite-emulator: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xcalloc(size_t size)
{
	return xnonnull(calloc(1, size > 0 ? size : 1));
}

char *xstrdup(const char *s)
{
	return s ? xnonnull(strdup(s)) : NULL;
}

char *xstrndup(const char *bytes, size_t n)
{
	char *out = xcalloc(n + 1);

	if (n > 0)
		memcpy(out, bytes, n);
	return out;
}

char *xasprintf(const char *format, ...)
{
	char *out = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&out, format, args) < 0)
		out = NULL;
	va_end(args);
	return xnonnull(out);
}

void *xgrow(void *array, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return array;
	*room = *room > 0 ? *room * 2 : 16;
	return xnonnull(reallocarray(array, *room, size));
}
