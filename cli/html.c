/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/html.h"

#include <inttypes.h>
#include <string.h>

#include "cli/screen.h"

/* ---- texts ---- */

static const char *escaped(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_text(struct text *out, const char *s)
{
	char safe[HTML_TEXT_MAX];

	text_safe(safe, sizeof(safe), s);
	for (const char *c = safe; *c != '\0'; c++) {
		if (escaped(*c) != NULL)
			text_add(out, escaped(*c));
		else
			text_add_bytes(out, c, 1);
	}
}

/* What an address may consist of; more than enough, for what is masked for nothing costs little. */
static bool in_address(char c)
{
	return (unsigned char)c >= 0x80 || text_is_alnum(c) ||
	       (c != '\0' && strchr(".!#$%&*+/=?^_`{|}~-'", c) != NULL);
}

/* The piece of a text from `s` on that is an address or none: its length. */
static size_t piece(const char *s, bool *address)
{
	size_t local = 0, n;

	while (in_address(s[local]))
		local++;
	*address = s[local] == '@';
	for (n = local; in_address(s[n]) || s[n] == '@'; n++)
		continue;
	return n > 0 ? n : 1;
}

void html_masked(struct text *out, const char *s)
{
	char one[HTML_TEXT_MAX], masked[HTML_TEXT_MAX + 8];
	struct text whole = {.cap = (size_t)4 * HTML_TEXT_MAX};
	bool address;
	size_t n;

	for (; *s != '\0'; s += n) {
		n = piece(s, &address);
		text_format(one, sizeof(one), "%.*s", (int)n, s);
		text_add(&whole, address ? text_mask_address(masked, sizeof(masked), one) : one);
	}
	html_text(out, whole.data != NULL ? whole.data : "");
	text_free(&whole);
}

void html_number(struct text *out, int64_t n)
{
	char number[SCREEN_NUMBER_SIZE];

	text_add(out, screen_number(number, n));
}

void html_share(struct text *out, int64_t part, int64_t whole)
{
	int64_t share = svg_part(part, whole, 1000); /* tenths of a percent */

	if (whole <= 0)
		return;
	if (part > 0 && share < 10)
		text_add(out, "&lt;1&nbsp;%");
	else if (part < whole && share >= 995)
		text_add(out, "&gt;99&nbsp;%");
	else
		text_addf(out, "%" PRId64 "&nbsp;%%", (share + 5) / 10);
}

void html_count(struct text *out, int64_t n, const char *one, const char *many)
{
	html_number(out, n);
	text_addf(out, " %s", n == 1 ? one : many);
}

/* ---- pictures ---- */

void svg_open(struct text *out, const char *id, const char *class, int height)
{
	text_addf(out,
		"<svg class=\"%s\" width=\"100%%\" height=\"%d\" role=\"img\""
		" aria-labelledby=\"%s-title\" aria-describedby=\"%s-desc\">\n",
		class, height, id, id);
}

void svg_open_silent(struct text *out, const char *class, int height)
{
	text_addf(out,
		"<svg class=\"%s\" width=\"100%%\" height=\"%d\" aria-hidden=\"true\""
		" focusable=\"false\">",
		class, height);
}

void svg_title(struct text *out, const char *id, const char *title)
{
	text_addf(out, "<title id=\"%s-title\">", id);
	html_text(out, title);
	text_add(out, "</title>\n");
}

void svg_describe(struct text *out, const char *id)
{
	text_addf(out, "<desc id=\"%s-desc\">", id);
}

void svg_described(struct text *out)
{
	text_add(out, "</desc>\n");
}

void svg_close(struct text *out)
{
	text_add(out, "</svg>\n");
}

int64_t svg_part(int64_t part, int64_t whole, int64_t width)
{
	if (part <= 0 || whole <= 0)
		return 0;
	return part >= whole ? width : (int64_t)((double)part / (double)whole * (double)width);
}

static void add_percent(struct text *out, const char *name, int64_t part)
{
	text_addf(out, " %s=\"%" PRId64 ".%03" PRId64 "%%\"", name, part / 1000, part % 1000);
}

void svg_bar(struct text *out, const char *class, int64_t x, int64_t width, int y, int height)
{
	if (width <= 0 || height <= 0)
		return;
	text_addf(out, "<rect class=\"%s\"", class);
	add_percent(out, "x", x);
	add_percent(out, "width", width);
	text_addf(out, " y=\"%d\" height=\"%d\"/>\n", y, height);
}

void svg_text(struct text *out, const char *class, int64_t x, int y, const char *anchor)
{
	text_addf(out, "<text class=\"%s\"", class);
	add_percent(out, "x", x);
	text_addf(out, " y=\"%d\" text-anchor=\"%s\">", y, anchor);
}

void svg_text_end(struct text *out)
{
	text_add(out, "</text>\n");
}
