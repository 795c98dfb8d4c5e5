/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names are compared byte by byte, but administrators compare them by eye. A rule for a name that
 * only looks like a user's never applies, so such a name is refused where it is read.
 */
#include "base/deceptive.h"

#include "base/array.h"
#include "base/str.h"
#include "base/utf8.h"

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

static const struct range combining[] = {
	{0x0300, 0x036f},
	{0x1ab0, 0x1aff},
	{0x1dc0, 0x1dff},
	{0x20d0, 0x20ff},
	{0xfe20, 0xfe2f},
};

/* Forms of ASCII characters and of punctuation: dashes, quotation marks, ligatures, superscripts,
 * letterlike, mathematical, enclosed and full-width characters. */
static const struct range variants[] = {
	{0x00aa, 0x00aa},
	{0x00b2, 0x00b3},
	{0x00b9, 0x00ba},
	{0x0131, 0x0131},
	{0x017f, 0x017f},
	{0x0250, 0x02ff},
	{0x1d00, 0x1dbf},
	{0x2010, 0x2027},
	{0x2030, 0x205e},
	{0x2070, 0x209c},
	{0x2100, 0x214f},
	{0x2160, 0x2188},
	{0x2212, 0x2212},
	{0x2460, 0x24ff},
	{0xfb00, 0xfb06},
	{0xfe30, 0xfe6f},
	{0xff01, 0xffef},
	{0x1d400, 0x1d7ff},
	{0x1f100, 0x1f1ff},
};

/* Greek, Cyrillic, Armenian, Cherokee, Coptic and Lisu have letters that look like Latin ones. */
static const struct range other_scripts[] = {
	{0x0370, 0x058f},
	{0x13a0, 0x13ff},
	{0x1c80, 0x1c8f},
	{0x1f00, 0x1fff},
	{0x2c80, 0x2cff},
	{0x2de0, 0x2dff},
	{0xa4d0, 0xa4ff},
	{0xa640, 0xa69f},
	{0xab70, 0xabbf},
};

/* The letters of these scripts of which a whole word can look Latin. */
static const uint32_t latin_twins[] = {0x03b1, 0x03b9, 0x03bd, 0x03bf, 0x03c1, 0x03c5, 0x03f2,
	0x03f3, 0x0391, 0x0392, 0x0395, 0x0396, 0x0397, 0x0399, 0x039a, 0x039c, 0x039d, 0x039f,
	0x03a1, 0x03a4, 0x03a5, 0x03a7, 0x0430, 0x0435, 0x043e, 0x0440, 0x0441, 0x0443, 0x0445,
	0x0455, 0x0456, 0x0458, 0x0475, 0x04bb, 0x04cf, 0x0501, 0x051b, 0x051d, 0x0410, 0x0412,
	0x0415, 0x041a, 0x041c, 0x041d, 0x041e, 0x0420, 0x0421, 0x0422, 0x0425, 0x0405, 0x0406,
	0x0408, 0x0585, 0x057d};

#define IN(ranges, code) in_ranges(ranges, ARRAY_SIZE(ranges), code)

static bool is_latin_twin(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(latin_twins); i++)
		if (latin_twins[i] == code)
			return true;
	return false;
}

static const char *alone(uint32_t code)
{
	if (utf8_is_ignorable(code))
		return "which cannot be seen";
	if (utf8_is_space(code))
		return "which looks like a space";
	if (IN(combining, code))
		return "a combining mark, where user names have whole letters";
	if (IN(variants, code))
		return "which looks like another character";
	return NULL;
}

/* What has been seen of one word. */
struct word {
	bool latin;	/* it has ASCII letters */
	bool distinct;	/* a letter of another script that does not look Latin */
	uint32_t other; /* the first letter of another script, 0: none */
};

static const char *whole(const struct word *w)
{
	if (w->other == 0 || (w->distinct && !w->latin))
		return NULL;
	return w->latin ? "a letter of another script in a Latin word"
			: "a letter of another script that looks Latin";
}

static bool found(char out[DECEPTIVE_TEXT_SIZE], uint32_t code, const char *what)
{
	return str_format(out, DECEPTIVE_TEXT_SIZE, "U+%04X, %s", (unsigned)code, what);
}

static bool ends_word(uint32_t code)
{
	return code <= 0x20 || code == ',' || code == '=' || code == '@' || code == '\\' ||
	       code == ':' || code == '/';
}

bool deceptive_find(const char *text, size_t n, char out[DECEPTIVE_TEXT_SIZE])
{
	struct word word = {.other = 0};
	uint32_t code = 0;
	size_t length;

	out[0] = '\0';
	for (size_t at = 0; at <= n; at += length) {
		const char *what;

		length = at < n ? utf8_decode(text + at, n - at, &code) : 1;
		if (length == 0)
			return false;
		if (at == n || ends_word(code)) {
			what = whole(&word);
			if (what)
				return found(out, word.other, what);
			word = (struct word){.other = 0};
			continue;
		}
		what = alone(code);
		if (what)
			return found(out, code, what);
		if (IN(other_scripts, code)) {
			word.other = word.other ? word.other : code;
			word.distinct = word.distinct || !is_latin_twin(code);
		}
		word.latin = word.latin || (code < 0x80 && ascii_is_alnum((char)code) &&
						   !ascii_is_digit((char)code));
	}
	return false;
}
