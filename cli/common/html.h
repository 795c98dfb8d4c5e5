/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTML and SVG, piece by piece, into a text with a hard cap. Markup of ours goes in as it is;
 * whatever comes from ledger, settings or host goes through html_text, which leaves nothing in it
 * that a browser, a terminal or a reader could take for something else.
 */
#ifndef CLOUDINVITE_CLI_COMMON_HTML_H
#define CLOUDINVITE_CLI_COMMON_HTML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strbuf.h"

#define HTML_TEXT_MAX 1024 /* bytes of one text; what is longer ends with "…" */

/* A text, in an element or a quoted attribute: markup is escaped, control characters, bytes that
 * are no UTF-8 and characters that turn a line round are made visible. */
void html_text(struct strbuf *out, const char *s);
/* The same with addresses masked: a***e@example.com. */
void html_masked(struct strbuf *out, const char *s);
/* 1,234,567 */
void html_number(struct strbuf *out, int64_t n);
/* "64 %", "<1 %"; nothing where there is no whole. */
void html_share(struct strbuf *out, int64_t part, int64_t whole);
/* The same with words: "1 person", "12 people". */
void html_count(struct strbuf *out, int64_t n, const char *one, const char *many);

/* A picture as wide as its place and `height` pixels high, with the name and the description that
 * are read out in its place. `id` is unique in the page. */
void svg_open(struct strbuf *out, const char *id, const char *class, int height);
void svg_title(struct strbuf *out, const char *id, const char *title);
void svg_describe(struct strbuf *out, const char *id); /* svg_described ends it */
void svg_described(struct strbuf *out);
void svg_close(struct strbuf *out);
/* One that only repeats what is written beside it. */
void svg_open_silent(struct strbuf *out, const char *class, int height);

/* What is divided into parts: across is told in thousandths of a percent of the width. */
#define SVG_WHOLE INT64_C(100000)
int64_t svg_part(int64_t part, int64_t whole, int64_t width);
/* A bar; y and height in pixels. Nothing where it has no width. */
void svg_bar(struct strbuf *out, const char *class, int64_t x, int64_t width, int y, int height);
/* A text at a place; `anchor`: "start", "middle", "end". svg_text_end ends it. */
void svg_text(struct strbuf *out, const char *class, int64_t x, int y, const char *anchor);
void svg_text_end(struct strbuf *out);

#endif
