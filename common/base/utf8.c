/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder follows table 3-7 of the Unicode standard, which says which bytes may come after the
 * first one. This alone excludes overlong forms, surrogates and code points beyond U+10FFFF.
 */
#include "base/utf8.h"

#include "base/array.h"

#define CONTINUATION_FIRST 0x80
#define CONTINUATION_LAST  0xbf

static size_t length_by(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t utf8_decode(const char *s, size_t n, uint32_t *code)
{
	static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	const unsigned char *p = (const unsigned char *)s;
	size_t length = n > 0 ? length_by(p[0]) : 0;
	unsigned char low = CONTINUATION_FIRST, high = CONTINUATION_LAST;

	if (length == 0 || length > n)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	*code = p[0] & mask[length];
	for (size_t i = 1; i < length; i++) {
		if (p[i] < low || p[i] > high)
			return 0;
		low = CONTINUATION_FIRST;
		high = CONTINUATION_LAST;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	return length;
}

struct range {
	uint32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t code)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* They reverse or break the order of a line, hide between letters, or carry a text of their own.
 * This is Unicode's Default_Ignorable_Code_Point with the separators of lines and paragraphs, the
 * annotation controls and the byte order mark. */
static const struct range ignorable[] = {{0x00ad, 0x00ad}, {0x034f, 0x034f}, {0x061c, 0x061c},
	{0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f}, {0x2028, 0x202e},
	{0x2060, 0x206f}, {0x3164, 0x3164}, {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0},
	{0xfff0, 0xfffb}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};

/* Unicode's Space_Separator without the ASCII space, and the blank Braille pattern. */
static const struct range spaces[] = {{0x00a0, 0x00a0}, {0x1680, 0x1680}, {0x2000, 0x200a},
	{0x202f, 0x202f}, {0x205f, 0x205f}, {0x2800, 0x2800}, {0x3000, 0x3000}};

bool utf8_is_ignorable(uint32_t code)
{
	return in_ranges(ignorable, ARRAY_SIZE(ignorable), code);
}

bool utf8_is_space(uint32_t code)
{
	return in_ranges(spaces, ARRAY_SIZE(spaces), code);
}
