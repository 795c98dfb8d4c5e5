/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTML and SVG for the report. Markup of ours is added as it is; html_text() and html_masked() are
 * the only ways by which text from the ledger, the settings or the host gets into a page.
 */
#include "cli/common/html.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "cli/common/screen.h"

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

void html_text(struct strbuf *out, const char *s)
{
	char safe[HTML_TEXT_MAX];

	str_safe(safe, sizeof(safe), s);
	for (const char *c = safe; *c != '\0'; c++) {
		if (escaped(*c))
			strbuf_add(out, escaped(*c));
		else
			strbuf_add_bytes(out, c, 1);
	}
}

/* Characters that an address may contain, and more: masking too much does little harm. */
static bool in_address(char c)
{
	return (unsigned char)c >= 0x80 || ascii_is_alnum(c) ||
	       (c != '\0' && strchr(".!#$%&*+/=?^_`{|}~-'", c));
}

/* The length of the next piece of the text, which is either an address or contains none. */
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

void html_masked(struct strbuf *out, const char *s)
{
	char one[HTML_TEXT_MAX], masked[HTML_TEXT_MAX + 8];
	struct strbuf whole = {.max = (size_t)4 * HTML_TEXT_MAX};
	bool address;
	size_t n;

	for (; *s != '\0'; s += n) {
		n = piece(s, &address);
		str_format(one, sizeof(one), "%.*s", (int)n, s);
		strbuf_add(&whole, address ? str_mask_address(masked, sizeof(masked), one) : one);
	}
	html_text(out, whole.data ? whole.data : "");
	strbuf_free(&whole);
}

void html_number(struct strbuf *out, int64_t n)
{
	char number[SCREEN_NUMBER_SIZE];

	strbuf_add(out, screen_number(number, n));
}

void html_share(struct strbuf *out, int64_t part, int64_t whole)
{
	int64_t share = svg_part(part, whole, 1000); /* tenths of a percent */

	if (whole <= 0)
		return;
	if (part > 0 && share < 10)
		strbuf_add(out, "&lt;1&nbsp;%");
	else if (part < whole && share >= 995)
		strbuf_add(out, "&gt;99&nbsp;%");
	else
		strbuf_addf(out, "%" PRId64 "&nbsp;%%", (share + 5) / 10);
}

void html_count(struct strbuf *out, int64_t n, const char *one, const char *many)
{
	html_number(out, n);
	strbuf_addf(out, " %s", n == 1 ? one : many);
}

/* ---- pictures ---- */

void svg_open(struct strbuf *out, const char *id, const char *class, int height)
{
	strbuf_addf(out,
		"<svg class=\"%s\" width=\"100%%\" height=\"%d\" role=\"img\""
		" aria-labelledby=\"%s-title\" aria-describedby=\"%s-desc\">\n",
		class, height, id, id);
}

void svg_open_silent(struct strbuf *out, const char *class, int height)
{
	strbuf_addf(out,
		"<svg class=\"%s\" width=\"100%%\" height=\"%d\" aria-hidden=\"true\""
		" focusable=\"false\">",
		class, height);
}

void svg_title(struct strbuf *out, const char *id, const char *title)
{
	strbuf_addf(out, "<title id=\"%s-title\">", id);
	html_text(out, title);
	strbuf_add(out, "</title>\n");
}

void svg_describe(struct strbuf *out, const char *id)
{
	strbuf_addf(out, "<desc id=\"%s-desc\">", id);
}

void svg_described(struct strbuf *out)
{
	strbuf_add(out, "</desc>\n");
}

void svg_close(struct strbuf *out)
{
	strbuf_add(out, "</svg>\n");
}

int64_t svg_part(int64_t part, int64_t whole, int64_t width)
{
	if (part <= 0 || whole <= 0)
		return 0;
	return part >= whole ? width : (int64_t)((double)part / (double)whole * (double)width);
}

static void add_percent(struct strbuf *out, const char *name, int64_t part)
{
	strbuf_addf(out, " %s=\"%" PRId64 ".%03" PRId64 "%%\"", name, part / 1000, part % 1000);
}

void svg_bar(struct strbuf *out, const char *class, int64_t x, int64_t width, int y, int height)
{
	if (width <= 0 || height <= 0)
		return;
	strbuf_addf(out, "<rect class=\"%s\"", class);
	add_percent(out, "x", x);
	add_percent(out, "width", width);
	strbuf_addf(out, " y=\"%d\" height=\"%d\"/>\n", y, height);
}

void svg_text(struct strbuf *out, const char *class, int64_t x, int y, const char *anchor)
{
	strbuf_addf(out, "<text class=\"%s\"", class);
	add_percent(out, "x", x);
	strbuf_addf(out, " y=\"%d\" text-anchor=\"%s\">", y, anchor);
}

void svg_text_end(struct strbuf *out)
{
	strbuf_add(out, "</text>\n");
}
