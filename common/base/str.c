/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings of a fixed size: formatting, numbers, lists, wildcards and safe output. The PAM module
 * links this, so nothing here uses the heap, the locale or static state.
 */
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/utf8.h"

bool str_format(char *out, size_t size, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(out, size, format, args);
	va_end(args);
	return n >= 0 && (size_t)n < size;
}

bool str_copy(char *out, size_t size, const char *s)
{
	size_t n = strnlen(s, size);

	if (size == 0)
		return false;
	if (n == size)
		n = size - 1;
	memcpy(out, s, n);
	out[n] = '\0';
	return s[n] == '\0';
}

bool ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool ascii_is_alnum(char c)
{
	return ascii_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool ascii_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char ascii_lower(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c + ('a' - 'A'));
	return c;
}

void str_lower(char *s)
{
	for (; *s; s++)
		*s = ascii_lower(*s);
}

bool str_equal_nocase(const char *a, const char *b)
{
	while (*a && ascii_lower(*a) == ascii_lower(*b)) {
		a++;
		b++;
	}
	return ascii_lower(*a) == ascii_lower(*b);
}

bool str_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

char *str_trim(char *s)
{
	size_t n;

	while (ascii_is_space(*s))
		s++;
	n = strlen(s);
	while (n > 0 && ascii_is_space(s[n - 1]))
		n--;
	s[n] = '\0';
	return s;
}

bool str_number(const char *s, long long min, long long max, long long *out)
{
	char *end;
	long long value;
	int saved = errno;

	/* strtoll would skip white space and take a plus sign. */
	if (!ascii_is_digit(*s) && !(*s == '-' && ascii_is_digit(s[1])))
		return false;
	errno = 0;
	value = strtoll(s, &end, 10);
	if (errno != 0 || *end != '\0' || value < min || value > max) {
		errno = saved;
		return false;
	}
	errno = saved;
	*out = value;
	return true;
}

static bool is_separator(char c)
{
	return c == ',' || ascii_is_space(c);
}

/* The end of a word that begins with a quotation mark; NULL if there is no second mark before a
 * separator. */
static const char *quoted_end(const char *word)
{
	const char *end = strchr(word + 1, '"');

	return end && (end[1] == '\0' || is_separator(end[1])) ? end : NULL;
}

bool str_each_word(const char *s, bool (*each)(const char *word, size_t len, void *ctx), void *ctx)
{
	while (*s) {
		const char *word, *end;

		while (is_separator(*s))
			s++;
		word = s;
		end = *s == '"' ? quoted_end(s) : NULL;
		if (end) {
			word++;
			s = end + 1;
		} else {
			while (*s && !is_separator(*s))
				s++;
			end = s;
		}
		if (end > word && !each(word, (size_t)(end - word), ctx))
			return false;
	}
	return true;
}

bool str_word_quoted(const char *word)
{
	return strpbrk(word, ", \t\n\v\f\r");
}

/* Pointers give both ends, so that a word of a list need not be copied. On a mismatch only the
 * last star is tried again, so the cost is at most the product of the lengths. */
static bool match_bytes(const char *pattern, const char *pattern_end, const char *s)
{
	const char *star = NULL, *resume = NULL;

	while (*s) {
		if (pattern < pattern_end && *pattern == '*') {
			star = ++pattern;
			resume = s;
		} else if (pattern < pattern_end && (*pattern == '?' || *pattern == *s)) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star;
			s = ++resume;
		} else {
			return false;
		}
	}
	while (pattern < pattern_end && *pattern == '*')
		pattern++;
	return pattern == pattern_end;
}

bool str_match(const char *pattern, const char *s)
{
	return match_bytes(pattern, pattern + strlen(pattern), s);
}

static bool word_differs(const char *word, size_t len, void *ctx)
{
	return !match_bytes(word, word + len, ctx);
}

int str_index(const char *const words[], size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(word, words[i]) == 0)
			return (int)i;
	return -1;
}

bool str_in_list(const char *word, const char *list)
{
	char copy[512];

	/* A longer word is in no list: names and groups have at most 256 bytes. */
	return str_copy(copy, sizeof(copy), word) && !str_each_word(list, word_differs, copy);
}

size_t str_count_lines(const char *text, size_t n)
{
	size_t count = 1;

	for (const char *p = text; (p = memchr(p, '\n', n - (size_t)(p - text))); p++)
		count++;
	return count;
}

char *str_next_line(char **at, char *end, size_t *length)
{
	char *line = *at, *newline;

	if (line >= end)
		return NULL;
	newline = memchr(line, '\n', (size_t)(end - line));
	if (!newline)
		newline = end;
	*newline = '\0';
	*length = (size_t)(newline - line);
	*at = newline + 1;
	return line;
}

bool str_is_utf8(const char *s, size_t n)
{
	uint32_t code;
	size_t len;

	for (size_t at = 0; at < n; at += len) {
		len = utf8_decode(s + at, n - at, &code);
		if (len == 0 || code == 0)
			return false;
	}
	return true;
}

/* C1 controls are U+0080 to U+009F: terminals obey them too. */
static bool is_visible(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
		return false;
	return !utf8_is_ignorable(c) && !utf8_is_space(c);
}

char *str_safe(char *out, size_t size, const char *s)
{
	static const char more[] = "…";
	const unsigned char *p = (const unsigned char *)s;
	size_t n = strlen(s), used = 0, fits = 0;

	if (size == 0)
		return out;
	while (n > 0) {
		char escaped[4 * 4 + 1];
		uint32_t code;
		size_t taken = utf8_decode((const char *)p, n, &code);
		const char *piece = (const char *)p;
		size_t len = taken;

		if (taken == 0 || !is_visible(code)) {
			taken = taken ? taken : 1;
			len = 0;
			for (size_t i = 0; i < taken; i++)
				len += (size_t)snprintf(
					escaped + len, sizeof(escaped) - len, "\\x%02x", p[i]);
			piece = escaped;
		}
		if (used + len >= size) {
			used = fits;
			if (used + sizeof(more) <= size) {
				memcpy(out + used, more, sizeof(more) - 1);
				used += sizeof(more) - 1;
			}
			break;
		}
		memcpy(out + used, piece, len);
		used += len;
		if (used + sizeof(more) <= size)
			fits = used;
		p += taken;
		n -= taken;
	}
	out[used] = '\0';
	return out;
}

char *str_sentences(char *out, size_t size, const char *first, const char *second)
{
	size_t n = strlen(first);
	bool ended = n > 0 && (strchr(".!?:", first[n - 1]) || str_ends(first, "…"));

	if (first[0] == '\0' || second[0] == '\0')
		str_copy(out, size, first[0] == '\0' ? second : first);
	else
		str_format(out, size, "%s%s %s", first, ended ? "" : ".", second);
	return out;
}

char *str_mask_address(char *out, size_t size, const char *address)
{
	const char *at = strchr(address, '@');
	size_t local = at ? (size_t)(at - address) : strlen(address);

	if (local == 0)
		str_format(out, size, "***%s", at ? at : "");
	else if (local < 3)
		str_format(out, size, "%c***%s", address[0], at ? at : "");
	else
		str_format(out, size, "%c***%c%s", address[0], address[local - 1], at ? at : "");
	return out;
}
