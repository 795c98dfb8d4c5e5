/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small operations on strings that every layer needs. Nothing here depends on the locale.
 */
#ifndef CLOUDINVITE_BASE_STR_H
#define CLOUDINVITE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

/* Formats into `out`; false if it did not fit (`out` then holds the truncated text). */
bool str_format(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Copies; false if it did not fit. */
bool str_copy(char *out, size_t size, const char *s);

/* ASCII only, independent of the locale. */
bool ascii_is_digit(char c);
bool ascii_is_alnum(char c);
bool ascii_is_space(char c);
char ascii_lower(char c);
void str_lower(char *s);
bool str_equal_nocase(const char *a, const char *b);
bool str_starts(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Removes white space from both ends, in place; returns the new start. */
char *str_trim(char *s);

/* The whole of `s` as a decimal number in [min, max]; false otherwise. */
bool str_number(const char *s, long long min, long long max, long long *out);

/* Calls `each` for every word of `s` (separated by commas or white space) until it returns false;
 * returns false if one did. A word in quotation marks may contain separators ("domain guests"); it
 * is passed without the marks. Words longer than 255 bytes are passed as they are. */
bool str_each_word(const char *s, bool (*each)(const char *word, size_t len, void *ctx), void *ctx);
/* Whether a word needs quotation marks in such a list. */
bool str_word_quoted(const char *word);
/* The place of `word` in a table of `count` words; -1: it is none of them. */
int str_index(const char *const words[], size_t count, const char *word);
/* True if `word` is one of the words of `list`; each may hold the wildcards * and ?. */
bool str_in_list(const char *word, const char *list);
/* Shell-style match with * and ? only; no classes, no escapes, linear time for one star. */
bool str_match(const char *pattern, const char *s);

/* How many lines a text of `n` bytes has at the most; at least 1. */
size_t str_count_lines(const char *text, size_t n);
/* The line at *at, ended by a NUL in place of its newline, and its length; *at then is the next
 * one. `end` is the NUL behind the text. NULL: that was the last line. */
char *str_next_line(char **at, char *end, size_t *length);

/* True if the bytes are valid UTF-8 without NUL (overlong forms and surrogates are invalid). */
bool str_is_utf8(const char *s, size_t n);

/* Writes `s` so that it cannot harm a terminal, a log line or a reader: control bytes, DEL, C1
 * controls, invalid UTF-8 and invisible characters that change what a reader sees (bidirectional
 * controls, zero width, tags, separators of lines, spaces other than ASCII's) become \xNN, byte by
 * byte. Safe text stays as it is. Always terminates; truncates with "…". Returns out. */
char *str_safe(char *out, size_t size, const char *s);

/* Joins two sentences ("what. Remedy"), with a full stop between them unless `first` ends with
 * punctuation. Either may be "". Returns out, truncated if it does not fit. */
char *str_sentences(char *out, size_t size, const char *first, const char *second);

/* alice@example.com becomes a***e@example.com (short ones keep one letter). Returns out. */
char *str_mask_address(char *out, size_t size, const char *address);

#endif
