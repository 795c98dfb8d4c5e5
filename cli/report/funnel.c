/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The funnel: seen, unmanaged, invited, and the answers of the invited.
 */
#include "base/strbuf.h"
#include "cli/report/report.h"

#include <inttypes.h>

#include "cli/common/html.h"

#define ROW    58 /* pixels of one stage, its name and its bar */
#define BAR    16
#define STAGES 3
#define GAP    INT64_C(350) /* between two parts of a bar, if there is room */

struct stage {
	const char *class, *name, *means;
	int64_t people;
};

struct stages {
	struct stage rows[STAGES];
	struct stage answers[4];
};

static struct stages stages_of(const struct report_stages *p)
{
	return (struct stages){
		.rows = {{"seen", "Seen", "an account maps to their address", p->seen},
			{"unmanaged", "Unmanaged", "have a private account at Google",
				p->unmanaged},
			{"invited", "Invited", "by cloudinvite or by someone else", p->invited}},
		.answers = {{"accepted", "accepted", NULL, p->accepted},
			{"declined", "declined", NULL, p->declined},
			{"open", "no answer yet", NULL, report_open(p)},
			{"cancelled", "cancelled", NULL, p->cancelled}},
	};
}

/* ---- the chart ---- */

static void describe(const struct stages *s, struct strbuf *out)
{
	svg_describe(out, "funnel");
	for (int i = 0; i < STAGES; i++) {
		strbuf_addf(out, "%s: ", s->rows[i].name);
		html_count(out, s->rows[i].people, "person", "people");
		strbuf_add(out, ". ");
	}
	strbuf_add(out, "Of those invited:");
	for (int i = 0; i < 4; i++) {
		strbuf_addf(out, "%s ", i > 0 ? "," : "");
		html_number(out, s->answers[i].people);
		strbuf_addf(out, " %s", s->answers[i].name);
	}
	strbuf_add(out, ".");
	svg_described(out);
}

static void head(
	struct strbuf *out, int y, const char *name, const char *means, int64_t n, int64_t whole)
{
	svg_text(out, "name", 0, y, "start");
	strbuf_addf(out, "%s <tspan class=\"note less\" dx=\"4\">%s</tspan>", name, means);
	svg_text_end(out);
	svg_text(out, "name", SVG_WHOLE, y, "end");
	if (whole > 0) {
		strbuf_add(out, "<tspan class=\"note\">");
		html_share(out, n, whole);
		strbuf_add(out, "</tspan> ");
	}
	strbuf_addf(out, "<tspan%s>", whole > 0 ? " dx=\"6\"" : "");
	html_number(out, n);
	strbuf_add(out, "</tspan>");
	svg_text_end(out);
}

static void row(const struct stages *s, int i, struct strbuf *out)
{
	const struct stage *stage = &s->rows[i];
	int y = i * ROW;

	head(out, y + 15, stage->name, stage->means, stage->people,
		i > 0 ? s->rows[i - 1].people : 0);
	svg_bar(out, "track", 0, SVG_WHOLE, y + 24, BAR);
	svg_bar(out, stage->class, 0, svg_part(stage->people, s->rows[0].people, SVG_WHOLE), y + 24,
		BAR);
}

/* As long as the bar of the invited, so that the parts can be compared with the bars above. */
static void answers(const struct stages *s, struct strbuf *out)
{
	int64_t invited = s->rows[2].people, width, x = 0;
	int64_t whole = svg_part(invited, s->rows[0].people, SVG_WHOLE);
	int y = STAGES * ROW;

	head(out, y + 15, "Answered", "accepted or declined",
		s->answers[0].people + s->answers[1].people, invited);
	svg_bar(out, "track", 0, SVG_WHOLE, y + 24, BAR);
	for (int i = 0; i < 4; i++) {
		width = svg_part(s->answers[i].people, invited, whole);
		svg_bar(out, s->answers[i].class, x, width > 3 * GAP ? width - GAP : width, y + 24,
			BAR);
		x += width;
	}
}

static void key(const struct stages *s, struct strbuf *out)
{
	strbuf_add(out, "<ul class=\"key\" aria-hidden=\"true\">\n");
	for (int i = 0; i < 4; i++) {
		if (s->answers[i].people == 0 && i == 3)
			continue;
		strbuf_add(out, "<li>");
		svg_open_silent(out, "swatch", 12);
		svg_bar(out, s->answers[i].class, 0, SVG_WHOLE, 0, 12);
		svg_close(out);
		strbuf_addf(out, "<span>%s <b>", s->answers[i].name);
		html_number(out, s->answers[i].people);
		strbuf_add(out, "</b></span></li>\n");
	}
	strbuf_add(out, "</ul>\n");
}

/* ---- the table ---- */

static void table_row(struct strbuf *out, const struct stage *stage, int64_t whole)
{
	strbuf_addf(out, "<tr><th scope=\"row\">%s</th><td>", stage->name);
	html_number(out, stage->people);
	strbuf_add(out, "</td><td>");
	html_share(out, stage->people, whole);
	strbuf_add(out, "</td></tr>\n");
}

static void table(const struct stages *s, struct strbuf *out)
{
	strbuf_add(out, "<details><summary>The data as a table</summary>\n"
			"<table><caption>From first seen to the answer</caption>\n"
			"<thead><tr><th scope=\"col\">Stage</th><th scope=\"col\">People</th>"
			"<th scope=\"col\">Of those before</th></tr></thead>\n<tbody>\n");
	for (int i = 0; i < STAGES; i++)
		table_row(out, &s->rows[i], i > 0 ? s->rows[i - 1].people : 0);
	for (int i = 0; i < 4; i++)
		table_row(out, &s->answers[i], s->rows[2].people);
	strbuf_add(out, "</tbody></table></details>\n");
}

void report_funnel(const struct report *r, struct strbuf *out)
{
	struct stages s = stages_of(&r->people);

	strbuf_add(out, "<section aria-labelledby=\"h-funnel\">\n<h2 id=\"h-funnel\">"
			"From first seen to the answer</h2>\n");
	if (s.rows[0].people == 0) {
		strbuf_add(out,
			"<p>No people yet. They appear here after their first login.</p>\n<p "
			"class=\"soft\">To check whether logins are monitored: "
			"<code>cloudinvite doctor</code></p>\n</section>\n");
		return;
	}
	strbuf_add(out, "<p class=\"soft\">People, each counted once, however many accounts they "
			"have.</p>\n<figure>\n");
	svg_open(out, "funnel", "funnel", (STAGES + 1) * ROW - 14);
	svg_title(out, "funnel", "Progress of people");
	describe(&s, out);
	for (int i = 0; i < STAGES; i++)
		row(&s, i, out);
	answers(&s, out);
	svg_close(out);
	key(&s, out);
	strbuf_add(out, "</figure>\n");
	table(&s, out);
	strbuf_add(out, "</section>\n");
}
