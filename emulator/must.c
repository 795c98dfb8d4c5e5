/* SPDX-License-Identifier: Apache-2.0 */
#include "must.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *must(void *p)
{
	if (p == NULL) {
		fputs("cloudinvite-emulator: out of memory\n", stderr);
		abort();
	}
	return p;
}

void *must_alloc(size_t size)
{
	return must(calloc(1, size > 0 ? size : 1));
}

char *must_copy(const char *s)
{
	return s != NULL ? must(strdup(s)) : NULL;
}

char *must_copy_bytes(const char *bytes, size_t n)
{
	char *out = must_alloc(n + 1);

	if (n > 0)
		memcpy(out, bytes, n);
	return out;
}

char *must_format(const char *format, ...)
{
	char *out = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&out, format, args) < 0)
		out = NULL;
	va_end(args);
	return must(out);
}

void *must_grow(void *array, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return array;
	*room = *room > 0 ? *room * 2 : 16;
	return must(reallocarray(array, *room, size));
}
