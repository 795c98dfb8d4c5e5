/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The weeks: four rows of columns over one time line, all to the same scale.
 */
#include "base/strbuf.h"
#include "cli/report/report.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"
#include "cli/common/html.h"

#define ROWS	4
#define ROW	98 /* pixels of one row */
#define TOP	40 /* top of its columns, below name and figures */
#define COLUMN	40 /* height of the highest */
#define AXIS	22
#define FIGURES 16 /* with more weeks, no figures are shown above the columns */

static const struct {
	const char *class, *name;
} rows[ROWS] = {{"seen", "First seen"}, {"invited", "Invited"}, {"accepted", "Accepted"},
	{"declined", "Declined"}};

static int64_t figure(const struct ledger_week *week, int row)
{
	const int64_t figures[ROWS] = {week->seen, week->invited, week->accepted, week->declined};

	return figures[row];
}

static int64_t sum(const struct report *r, int row)
{
	int64_t n = 0;

	for (int i = 0; i < r->week_count; i++)
		n += figure(&r->weeks[i], row);
	return n;
}

static int64_t highest(const struct report *r)
{
	int64_t most = 0;

	for (int i = 0; i < r->week_count; i++)
		for (int row = 0; row < ROWS; row++)
			most = figure(&r->weeks[i], row) > most ? figure(&r->weeks[i], row) : most;
	return most;
}

/* "Nov 23", independent of the caller's language. */
static void add_day(struct strbuf *out, int64_t wall)
{
	static const char *const months[] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t t = (time_t)wall;
	struct tm tm = {.tm_mday = 1};

	(void)gmtime_r(&t, &tm);
	strbuf_addf(out, "%s&nbsp;%d", months[tm.tm_mon % 12], tm.tm_mday);
}

/* A form that fits above a column: 12, 1.2k, 12k. */
static void add_short(struct strbuf *out, int64_t n)
{
	if (n < 1000)
		strbuf_addf(out, "%" PRId64, n);
	else if (n < 10000)
		strbuf_addf(out, "%" PRId64 ".%" PRId64 "k", n / 1000, n % 1000 / 100);
	else if (n < 1000000)
		strbuf_addf(out, "%" PRId64 "k", n / 1000);
	else
		strbuf_addf(out, "%" PRId64 "M", n / 1000000);
}

/* ---- the chart ---- */

static void describe(const struct report *r, struct strbuf *out)
{
	svg_describe(out, "weeks");
	strbuf_addf(out, "Totals of the last %d weeks:", r->week_count);
	for (int row = 0; row < ROWS; row++) {
		strbuf_addf(out, "%s ", row > 0 ? "," : "");
		html_number(out, sum(r, row));
		strbuf_addf(out, " %s", rows[row].name);
	}
	strbuf_add(out, ". The data of each week are in the table below.");
	svg_described(out);
}

static void column(const struct report *r, int row, int week, int64_t most, struct strbuf *out)
{
	int64_t n = figure(&r->weeks[week], row), place = SVG_WHOLE / r->week_count;
	int height = (int)svg_part(n, most, COLUMN), bottom = row * ROW + TOP + COLUMN;

	if (n == 0)
		return;
	height = height < 2 ? 2 : height; /* a number that is not zero gets at least two pixels */
	svg_bar(out, rows[row].class, week * place + place / 8, place - place / 4, bottom - height,
		height);
	if (r->week_count > FIGURES)
		return;
	svg_text(out, "small", week * place + place / 2, bottom - height - 4, "middle");
	add_short(out, n);
	svg_text_end(out);
}

static void draw_row(const struct report *r, int row, int64_t most, struct strbuf *out)
{
	int y = row * ROW;

	svg_text(out, "name", 0, y + 14, "start");
	strbuf_addf(out, "%s", rows[row].name);
	svg_text_end(out);
	svg_text(out, "name", SVG_WHOLE, y + 14, "end");
	html_number(out, sum(r, row));
	svg_text_end(out);
	for (int i = 0; i < r->week_count; i++)
		column(r, row, i, most, out);
	svg_bar(out, "axis", 0, SVG_WHOLE, y + TOP + COLUMN, 1);
}

/* At most twelve dates; in a narrow window every third of them. */
static void draw_dates(const struct report *r, struct strbuf *out)
{
	int64_t place = SVG_WHOLE / r->week_count;
	int step = (r->week_count + 11) / 12;

	for (int i = 0; i < r->week_count; i += step) {
		bool always = i / step % 3 == 0;
		svg_text(out, always ? "small" : "small less", i * place + place / 8,
			ROWS * ROW - 2, "start");
		add_day(out, r->weeks[i].start);
		svg_text_end(out);
	}
}

/* ---- the table ---- */

static void table(const struct report *r, struct strbuf *out)
{
	char day[CLOCK_TEXT_SIZE];

	strbuf_add(out, "<details><summary>The data as a table</summary>\n"
			"<table><caption>People by week</caption>\n"
			"<thead><tr><th scope=\"col\">Week of</th>");
	for (int row = 0; row < ROWS; row++)
		strbuf_addf(out, "<th scope=\"col\">%s</th>", rows[row].name);
	strbuf_add(out, "</tr></thead>\n<tbody>\n");
	for (int i = r->week_count - 1; i >= 0; i--) {
		clock_day(r->weeks[i].start, day);
		strbuf_addf(out, "<tr><th scope=\"row\"><time datetime=\"%s\">%s</time></th>", day,
			day);
		for (int row = 0; row < ROWS; row++) {
			strbuf_add(out, "<td>");
			html_number(out, figure(&r->weeks[i], row));
			strbuf_add(out, "</td>");
		}
		strbuf_add(out, "</tr>\n");
	}
	strbuf_add(out, "</tbody></table></details>\n");
}

void report_weeks(const struct report *r, struct strbuf *out)
{
	int64_t most = highest(r);

	strbuf_add(out, "<section aria-labelledby=\"h-weeks\">\n<h2 id=\"h-weeks\">By week</h2>\n");
	if (most == 0) {
		strbuf_addf(out, "<p>Nothing has happened in the last %d weeks.</p>\n</section>\n",
			r->week_count);
		return;
	}
	strbuf_addf(out,
		"<p class=\"soft\">The last %d weeks, from Monday to Sunday (UTC). Each person is "
		"counted in the week of the first occurrence.</p>\n<figure>\n",
		r->week_count);
	svg_open(out, "weeks", "weeks", ROWS * ROW + AXIS - 18);
	svg_title(out, "weeks", "People by week");
	describe(r, out);
	for (int row = 0; row < ROWS; row++)
		draw_row(r, row, most, out);
	draw_dates(r, out);
	svg_close(out);
	strbuf_add(out, "</figure>\n");
	table(r, out);
	strbuf_add(out, "</section>\n");
}
