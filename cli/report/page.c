/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page: head, state of the service, the four most important figures, the parts, and how the
 * figures were counted.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/report/report.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/privdrop.h"
#include "cli/common/html.h"

static void head(const struct report *r, struct strbuf *out)
{
	strbuf_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			"<meta name=\"generator\" content=\"" REPORT_GENERATOR "\">\n");
	report_style(out);
	strbuf_add(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
			"<meta name=\"color-scheme\" content=\"light dark\">\n"
			"<meta name=\"referrer\" content=\"no-referrer\">\n"
			"<meta name=\"robots\" content=\"noindex\">\n<title>Invitations at ");
	html_text(out, r->status.store->settings->domains);
	strbuf_add(out, "</title>\n</head>\n<body>\n");
}

static void add_moment(int64_t wall, struct strbuf *out)
{
	char exact[CLOCK_TEXT_SIZE], shown[64] = "";
	time_t t = (time_t)wall;
	struct tm tm;

	if (localtime_r(&t, &tm))
		strftime(shown, sizeof(shown), "%Y-%m-%d %H:%M %Z", &tm);
	strbuf_addf(out, "<time datetime=\"%s\">", clock_rfc3339(wall, exact));
	html_text(out, shown[0] != '\0' ? shown : exact);
	strbuf_add(out, "</time>");
}

static void title(const struct report *r, struct strbuf *out)
{
	char host[HOST_MAX + 1];

	local_hostname(host, sizeof(host));
	strbuf_add(out, "<header>\n<h1>Invitations at ");
	html_text(out, r->status.store->settings->domains);
	strbuf_add(out, "</h1>\n<p class=\"when\">As of ");
	add_moment(r->status.service.at, out);
	strbuf_add(out, ", from the ledger of ");
	html_text(out, host);
	strbuf_add(out, "</p>\n");
}

/* ---- progress ---- */

/* The first sentence says it; the others explain. */
static void banner_text(const struct report *r, const char *text, struct strbuf *out)
{
	char first[sizeof(((struct headline *)0)->text)];
	const char *end = strpbrk(text, ".:;");
	size_t n = end ? (size_t)(end - text) + 1 : strlen(text);

	str_format(first, sizeof(first), "%.*s", (int)n, text);
	strbuf_add(out, "<p><strong>");
	report_prose(r, out, first);
	strbuf_add(out, "</strong>");
	report_prose(r, out, text + n);
	strbuf_add(out, "</p>\n");
}

static void banner(const struct report *r, const struct headline *h, struct strbuf *out)
{
	static const char *const classes[] = {
		[STYLE_GOOD] = "good", [STYLE_WARN] = "warn", [STYLE_BAD] = "bad"};

	strbuf_addf(out, "<div class=\"banner %s\">\n", classes[h->style]);
	banner_text(r, h->text, out);
	if (h->command) {
		strbuf_add(out, "<p class=\"do\"><code>");
		html_text(out, h->command);
		strbuf_add(out, "</code></p>\n");
	}
	if (h->second) {
		strbuf_add(out, "<p class=\"do\"><code>");
		html_text(out, h->second);
		strbuf_add(out, "</code></p>\n");
	}
	strbuf_add(out, "</div>\n");
}

/* The name of the administrator who has paused is a name too. */
static void banners(struct report *r, struct strbuf *out)
{
	struct headline list[STATUS_HEADLINES];
	struct ledger_pause *pause = &r->status.service.pause;
	int count;

	if (!r->names && strcmp(pause->kind, "operator") == 0)
		str_copy(pause->actor, sizeof(pause->actor), "an administrator");
	count = status_headlines(&r->status, list);
	for (int i = 0; i < count; i++)
		banner(r, &list[i], out);
	strbuf_add(out, "</header>\n");
}

static void tile(struct strbuf *out, int64_t n, const char *means)
{
	strbuf_addf(out, "<div><dt>%s</dt><dd>", means);
	html_number(out, n);
	strbuf_add(out, "</dd></div>\n");
}

static void tiles(const struct report *r, struct strbuf *out)
{
	strbuf_add(out, "<dl class=\"tiles\">\n");
	tile(out, r->people.invited, "invited");
	tile(out, r->people.accepted, "have accepted");
	tile(out, report_open(&r->people), "no answer yet");
	tile(out, r->people.stuck, "need your decision");
	strbuf_add(out, "</dl>\n");
}

/* ---- state of the service, and counts ---- */

static void program_heartbeat(const struct report *r, const struct program *p, struct strbuf *out)
{
	char when[CLOCK_TEXT_SIZE];

	strbuf_addf(out, "<dt>%s</dt><dd>%s", p->role,
		p->alive    ? "runs"
		: p->wanted ? "is not running"
			    : "not on this host");
	if (p->has_heartbeat)
		strbuf_addf(out, ", heard %s",
			clock_relative(p->worker.last_heartbeat, r->status.service.at, when));
	strbuf_add(out, "</dd>\n");
}

static void workings(const struct report *r, struct strbuf *out)
{
	const struct status *st = &r->status;
	char id[9];

	strbuf_add(out, "<section aria-labelledby=\"h-works\">\n<h2 id=\"h-works\">Operation"
			"</h2>\n<dl>\n<dt>mode</dt><dd>");
	strbuf_add(out,
		st->service.dry_run ? "dry run: no invitations are sent" : "invitations are sent");
	strbuf_add(out, "</dd>\n<dt>mails today</dt><dd>");
	html_number(out, st->summary.mails_today);
	strbuf_add(out, " of at most ");
	html_number(out, st->store->settings->sends_per_day);
	strbuf_add(out, "</dd>\n");
	program_heartbeat(r, &st->service.collector, out);
	program_heartbeat(r, &st->service.dispatcher, out);
	strbuf_addf(out, "<dt>blocked</dt><dd>");
	html_count(out, st->summary.blocked, "address", "addresses");
	strbuf_add(out, "</dd>\n<dt>version</dt><dd>cloudinvite " CLOUDINVITE_VERSION ", ledger ");
	str_copy(id, sizeof(id), ledger_id(st->store->ledger));
	html_text(out, id);
	strbuf_add(out, "</dd>\n</dl>\n");
	strbuf_add(out, "<p class=\"soft\">A person is an address of the organisation to which an "
			"account of a host maps. Unmanaged means that Google has shown a private "
			"account with that address; only such people are invited. Google shows "
			"answers with a delay of up to 48 hours.</p>\n");
	strbuf_add(
		out, r->names ? "<p class=\"soft\">This page contains names of people: protect it "
				"as you protect the ledger.</p>\n"
			      : "<p class=\"soft\">This page contains no names. <code>cloudinvite "
				"report --people</code> adds the names of people who are stuck."
				"</p>\n");
	strbuf_add(out, "</section>\n");
}

static bool is_whole(const struct strbuf *out, struct fault *fault)
{
	if (!out->failed)
		return true;
	return fault_no_memory(fault, FAULT_STORAGE);
}

bool report_page(struct report *r, struct strbuf *out, struct fault *fault)
{
	head(r, out);
	title(r, out);
	banners(r, out);
	strbuf_add(out, "<main>\n");
	tiles(r, out);
	report_funnel(r, out);
	if (!report_stuck(r, out, fault))
		return false;
	report_weeks(r, out);
	report_hosts(r, out);
	strbuf_add(out, "</main>\n<footer>\n");
	workings(r, out);
	strbuf_add(out, "</footer>\n</body>\n</html>\n");
	return is_whole(out, fault);
}
