/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percent-decoding of paths, queries and forms.
 */
#include "uri.h"

#include <stdlib.h>
#include <string.h>

#include "xmalloc.h"

static int uri_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The byte of "%XX", or -1. */
static int uri_escape(const char *s, size_t left)
{
	int high, low;

	if (left < 3)
		return -1;
	high = uri_hex(s[1]);
	low = uri_hex(s[2]);
	return high < 0 || low < 0 || high + low == 0 ? -1 : high * 16 + low;
}

char *uri_decode(const char *s, size_t n, bool plus)
{
	char *out = xcalloc(n + 1);
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char c = s[i];

		if (c == '%') {
			int byte = uri_escape(s + i, n - i);

			if (byte < 0) {
				free(out);
				return NULL;
			}
			c = (char)byte;
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		out[len++] = c;
	}
	out[len] = '\0';
	return out;
}

char *uri_field(const char *fields, const char *name)
{
	char *out = NULL;

	while (fields && *fields != '\0' && !out) {
		size_t n = strcspn(fields, "&");
		const char *equals = memchr(fields, '=', n);
		size_t name_len = equals ? (size_t)(equals - fields) : n;
		char *found = uri_decode(fields, name_len, true);

		if (found && strcmp(found, name) == 0)
			out = equals ? uri_decode(equals + 1, n - name_len - 1, true) : xstrdup("");
		free(found);
		fields += n + (fields[n] == '&');
	}
	return out;
}

bool uri_each_name(
	const char *fields, bool (*each)(const char *name, const void *ctx), const void *ctx)
{
	bool ok = true;

	while (fields && *fields != '\0' && ok) {
		size_t n = strcspn(fields, "&");
		const char *equals = memchr(fields, '=', n);
		char *name = uri_decode(fields, equals ? (size_t)(equals - fields) : n, true);

		ok = name && each(name, ctx);
		free(name);
		fields += n + (fields[n] == '&');
	}
	return ok;
}
