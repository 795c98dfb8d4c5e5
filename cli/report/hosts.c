/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts: a table with a chart in each row. The page names the largest hosts and adds up the
 * others.
 */
#include "base/strbuf.h"
#include "cli/report/report.h"

#include <inttypes.h>

#include "base/array.h"
#include "cli/common/html.h"

#define BAR	8
#define COLUMNS 6
#define GAP	INT64_C(350)

static const char *const heads[COLUMNS] = {
	"Accounts", "Unmanaged", "Invited", "Accepted", "Declined", "Stuck"};

/* The parts of a host's accounts; each account is in the last stage that it has reached. */
static const char *const parts[] = {"accepted", "declined", "invited", "unmanaged", "seen"};
#define PARTS ((int)(ARRAY_SIZE(parts)))
static const char *const words[] = {"accepted", "declined", "invited, no answer",
	"unmanaged, not invited", "all other accounts"};

static void part(const struct report_host *h, int64_t out[])
{
	out[0] = h->stages.accepted;
	out[1] = h->stages.declined;
	out[2] = h->stages.invited - out[0] - out[1];
	out[3] = h->stages.unmanaged - h->stages.invited;
	out[4] = h->accounts - h->stages.unmanaged;
}

static void draw(const struct report_host *h, int64_t most, struct strbuf *out)
{
	int64_t counts[ARRAY_SIZE(parts)], x = 0, width;

	part(h, counts);
	svg_open_silent(out, "bar", BAR);
	for (int i = 0; i < PARTS; i++) {
		width = svg_part(counts[i], most, SVG_WHOLE);
		svg_bar(out, parts[i], x, width > 3 * GAP ? width - GAP : width, 0, BAR);
		x += width;
	}
	svg_close(out);
}

static void figures(const struct report_host *h, struct strbuf *out)
{
	const int64_t counts[COLUMNS] = {h->accounts, h->stages.unmanaged, h->stages.invited,
		h->stages.accepted, h->stages.declined, h->stages.stuck};

	for (int i = 0; i < COLUMNS; i++) {
		strbuf_addf(out, "<td role=\"cell\" data-head=\"%s\">", heads[i]);
		html_number(out, counts[i]);
		strbuf_add(out, "</td>");
	}
}

static void row(const struct report_host *h, int64_t most, struct strbuf *out)
{
	strbuf_add(out, "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">");
	html_text(out, h->name);
	draw(h, most, out);
	strbuf_add(out, "</th>");
	figures(h, out);
	strbuf_add(out, "</tr>\n");
}

/* Without a bar, which would dwarf the others. */
static void row_of_others(const struct report *r, struct strbuf *out)
{
	strbuf_add(out, "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">");
	html_count(out, r->hosts_all - r->host_count, "other host", "other hosts");
	strbuf_add(out, "</th>");
	figures(&r->others, out);
	strbuf_add(out, "</tr>\n");
}

static void key(struct strbuf *out)
{
	strbuf_add(out, "<ul class=\"key\" aria-hidden=\"true\">\n");
	for (int i = 0; i < PARTS; i++) {
		strbuf_add(out, "<li>");
		svg_open_silent(out, "swatch", 12);
		svg_bar(out, parts[i], 0, SVG_WHOLE, 0, 12);
		svg_close(out);
		strbuf_addf(out, "<span>%s</span></li>\n", words[i]);
	}
	strbuf_add(out, "</ul>\n");
}

static void table(const struct report *r, struct strbuf *out)
{
	int64_t most = r->hosts[0].accounts;

	strbuf_add(out, "<table class=\"hosts\" role=\"table\">\n<caption>");
	html_count(out, r->accounts, "account", "accounts");
	strbuf_add(out, " on ");
	html_count(out, r->hosts_all, "host", "hosts");
	strbuf_add(out, "</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">"
			"<th scope=\"col\" role=\"columnheader\">Host</th>");
	for (int i = 0; i < COLUMNS; i++)
		strbuf_addf(out, "<th scope=\"col\" role=\"columnheader\">%s</th>", heads[i]);
	strbuf_add(out, "</tr></thead>\n<tbody role=\"rowgroup\">\n");
	for (int i = 0; i < r->host_count; i++)
		row(&r->hosts[i], most, out);
	if (r->hosts_all > r->host_count)
		row_of_others(r, out);
	strbuf_add(out, "</tbody></table>\n");
}

void report_hosts(const struct report *r, struct strbuf *out)
{
	strbuf_add(out, "<section aria-labelledby=\"h-hosts\">\n<h2 id=\"h-hosts\">By host</h2>\n");
	if (r->host_count == 0) {
		strbuf_add(out, "<p>No accounts have been seen yet.</p>\n</section>\n");
		return;
	}
	strbuf_add(out, "<p class=\"soft\">Accounts that exist now. A person with accounts on "
			"several hosts is counted on each of them.</p>\n");
	key(out);
	table(r, out);
	strbuf_add(out, "</section>\n");
}
