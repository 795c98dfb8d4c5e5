/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing string with a limit that it never exceeds. Old memory is wiped when it grows, because
 * it may hold a secret.
 */
#ifndef CLOUDINVITE_BASE_STRBUF_H
#define CLOUDINVITE_BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

/* `data` is NULL or NUL-terminated. `failed` stays set once memory or the limit ran out, so that
 * a caller may append many times and check once. Zero-initialise, then set `max` (bytes; 0 means
 * 1 MiB). */
struct strbuf {
	char *data;
	size_t len;
	size_t capacity; /* bytes allocated */
	size_t max;	 /* limit of `len`; 0: 1 MiB */
	bool failed;
};

/* Appends. False (and `failed`) if the limit or memory is exhausted; then nothing was appended. */
bool strbuf_add(struct strbuf *t, const char *s);
bool strbuf_add_bytes(struct strbuf *t, const void *bytes, size_t n);
bool strbuf_addf(struct strbuf *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Forgets the content, keeps the memory. */
void strbuf_clear(struct strbuf *t);
/* Overwrites the content with zeroes first: for secrets. Accepts NULL. */
void strbuf_wipe(struct strbuf *t);
void strbuf_free(struct strbuf *t);

#endif
