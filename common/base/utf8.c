/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder follows table 3-7 of the Unicode standard, which says which bytes may come after the
 * first one. This alone excludes overlong forms, surrogates and code points beyond U+10FFFF.
 */
#include "base/utf8.h"

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
