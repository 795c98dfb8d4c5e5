/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTML and SVG, appended piece by piece to a text with a size limit. Our own markup is added as it
 * is. Texts from ledger, settings or host go through html_text, which leaves nothing in them that a
 * browser, a terminal or a reader could mistake for something else.
 */
#ifndef CLOUDINVITE_CLI_COMMON_HTML_H
#define CLOUDINVITE_CLI_COMMON_HTML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

#define HTML_TEXT_MAX 1024 /* bytes of one text; a longer one ends with "…" */

/* A text, in an element or a quoted attribute. Markup is escaped; control characters, invalid UTF-8
 * and bidirectional controls are made visible. */
void html_text(struct strbuf *out, const char *s);
/* The same with addresses masked: a***e@example.com. */
void html_masked(struct strbuf *out, const char *s);
/* 1,234,567 */
void html_number(struct strbuf *out, int64_t n);
/* "64 %", "<1 %"; nothing if `whole` is 0. */
void html_share(struct strbuf *out, int64_t part, int64_t whole);
/* The same with words: "1 person", "12 people". */
void html_count(struct strbuf *out, int64_t n, const char *one, const char *many);

/* A chart as wide as its container and `height` pixels high, with the name and the description that
 * a screen reader reads instead. `id` is unique in the page. */
void svg_open(struct strbuf *out, const char *id, const char *class, int height);
void svg_title(struct strbuf *out, const char *id, const char *title);
void svg_describe(struct strbuf *out, const char *id); /* svg_described ends it */
void svg_described(struct strbuf *out);
void svg_close(struct strbuf *out);
/* A chart that only repeats the text beside it. */
void svg_open_silent(struct strbuf *out, const char *class, int height);

/* The full width of a chart, which is divided in thousandths of a percent. */
#define SVG_WHOLE INT64_C(100000)
int64_t svg_part(int64_t part, int64_t whole, int64_t width);
/* A bar; y and height in pixels. Nothing if its width is 0. */
void svg_bar(struct strbuf *out, const char *class, int64_t x, int64_t width, int y, int height);
/* A text at a position; `anchor`: "start", "middle", "end". svg_text_end ends it. */
void svg_text(struct strbuf *out, const char *class, int64_t x, int y, const char *anchor);
void svg_text_end(struct strbuf *out);

#endif
