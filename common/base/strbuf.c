/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The growing string. Memory is wiped before it is freed, because the text may be a secret.
 */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRBUF_MAX ((size_t)1024 * 1024)

/* Makes room for n more bytes and the NUL. */
static bool strbuf_reserve(struct strbuf *t, size_t n)
{
	size_t max = t->max ? t->max : STRBUF_MAX;
	size_t need, capacity;
	char *data;

	if (t->failed || n > max || t->len > max - n) {
		t->failed = true;
		return false;
	}
	need = t->len + n + 1;
	if (need <= t->capacity)
		return true;
	capacity = t->capacity ? t->capacity : 64;
	while (capacity < need)
		capacity *= 2;
	/* Not realloc: the text may be a secret, and the old memory would keep a copy. */
	data = malloc(capacity);
	if (!data) {
		t->failed = true;
		return false;
	}
	if (t->data) {
		memcpy(data, t->data, t->len + 1);
		explicit_bzero(t->data, t->capacity);
		free(t->data);
	}
	t->data = data;
	t->capacity = capacity;
	return true;
}

bool strbuf_add_bytes(struct strbuf *t, const void *bytes, size_t n)
{
	if (!strbuf_reserve(t, n))
		return false;
	if (n > 0)
		memcpy(t->data + t->len, bytes, n);
	t->len += n;
	t->data[t->len] = '\0';
	return true;
}

bool strbuf_add(struct strbuf *t, const char *s)
{
	return strbuf_add_bytes(t, s, strlen(s));
}

bool strbuf_addf(struct strbuf *t, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0 || !strbuf_reserve(t, (size_t)n)) {
		t->failed = true;
		return false;
	}
	va_start(args, format);
	(void)vsnprintf(t->data + t->len, (size_t)n + 1, format, args);
	va_end(args);
	t->len += (size_t)n;
	return true;
}

void strbuf_clear(struct strbuf *t)
{
	t->len = 0;
	t->failed = false;
	if (t->data)
		t->data[0] = '\0';
}

void strbuf_wipe(struct strbuf *t)
{
	if (t && t->data)
		explicit_bzero(t->data, t->capacity);
	strbuf_free(t);
}

void strbuf_free(struct strbuf *t)
{
	if (!t)
		return;
	free(t->data);
	*t = (struct strbuf){.max = t->max};
}
