/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text: a growing buffer with a hard cap, and the small things that every floor does with strings.
 * Nothing here depends on the locale.
 */
#ifndef CLOUDINVITE_BASE_TEXT_H
#define CLOUDINVITE_BASE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* A growing string. `data` is NULL or NUL-terminated; `failed` stays set once memory or the cap ran
 * out, so that a caller may append many times and look once. Zero-initialise, then set `cap`
 * (bytes, 0 means 1 MiB). */
struct text {
	char *data;
	size_t len;
	size_t room;
	size_t cap;
	bool failed;
};

/* Append; false (and `failed`) when the cap or memory is exhausted: nothing was appended then. */
bool text_add(struct text *t, const char *s);
bool text_add_bytes(struct text *t, const void *bytes, size_t n);
bool text_addf(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Forgets the content, keeps the memory. */
void text_clear(struct text *t);
/* Overwrites the content with zeroes first: for secrets. NULL-safe. */
void text_wipe(struct text *t);
void text_free(struct text *t);

/* Formats into `out`; false when it did not fit (out then holds the truncated text). */
bool text_format(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Copies; false when it did not fit. */
bool text_copy(char *out, size_t size, const char *s);

/* ASCII only, independent of the locale. */
bool text_is_digit(char c);
bool text_is_alnum(char c);
bool text_is_space(char c);
char text_lower(char c);
void text_lower_all(char *s);
bool text_equal_nocase(const char *a, const char *b);
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);

/* Cuts white space from both ends, in place; returns the new start. */
char *text_trim(char *s);

/* The whole of `s` as a decimal number in [min, max]; false otherwise. */
bool text_number(const char *s, long long min, long long max, long long *out);

/* Calls `each` for every word of `s` (separated by commas or white space) until it returns false;
 * returns false if one did. Words longer than 255 bytes are passed as they are. */
bool text_each_word(
	const char *s, bool (*each)(const char *word, size_t len, void *ctx), void *ctx);
/* True if `word` is one of the words of `list`; each may hold the wildcards * and ?. */
bool text_in_list(const char *word, const char *list);
/* Shell-style match with * and ? only; no classes, no escapes, linear time for one star. */
bool text_match(const char *pattern, const char *s);

/* True if the bytes are valid UTF-8 without NUL (overlong forms and surrogates are invalid). */
bool text_is_utf8(const char *s, size_t n);

/* Writes `s` so that no terminal, log line or reader can be harmed by it: control bytes, DEL, C1
 * controls, invalid UTF-8 and characters that are not seen but change what is (bidirectional
 * controls, zero width, tags, separators of lines) become \xNN, byte by byte. What is safe already
 * stays as it is. Always terminates; truncates with "…". Returns out. */
char *text_safe(char *out, size_t size, const char *s);

/* "what. Remedy": two sentences, with a full stop between them unless `first` ends with a mark of
 * its own. Either may be "". Returns out, truncated if it does not fit. */
char *text_sentences(char *out, size_t size, const char *first, const char *second);

/* alice@example.com -> a***e@example.com (one letter kept for short ones). Returns out. */
char *text_mask_address(char *out, size_t size, const char *address);

#endif
