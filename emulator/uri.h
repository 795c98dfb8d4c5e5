/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percent-encoding, query strings and forms. They are decoded exactly once, so that a client that
 * encodes twice is noticed.
 */
#ifndef CLOUDINVITE_EMULATOR_URI_H
#define CLOUDINVITE_EMULATOR_URI_H

#include <stdbool.h>
#include <stddef.h>

/* Decodes n bytes; `plus` turns + into a space (forms and queries, never paths). NULL: an invalid
 * escape or an encoded NUL. */
char *uri_decode(const char *s, size_t n, bool plus);

/* The value of the first member `name` of a=b&c=d; NULL if absent or invalid. */
char *uri_field(const char *fields, const char *name);

/* Calls `each` with every decoded name until it returns false; false if one did or is invalid. */
bool uri_each_name(
	const char *fields, bool (*each)(const char *name, const void *ctx), const void *ctx);

#endif
