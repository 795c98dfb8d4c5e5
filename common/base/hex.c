/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two hexadecimal digits for a byte, and a byte from two digits, independent of the locale.
 */
#include "base/hex.h"

#include "base/str.h"

void hex_encode(char *out, const void *bytes, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < n; i++) {
		*out++ = digits[byte[i] >> 4];
		*out++ = digits[byte[i] & 15];
	}
	*out = '\0';
}

static int digit(char c)
{
	c = ascii_lower(c);
	if (ascii_is_digit(c))
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hex_decode(const char *s)
{
	int high = digit(s[0]), low = high < 0 ? -1 : digit(s[1]);

	return low < 0 ? -1 : high * 16 + low;
}
