/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is stuck, why, and the command that helps; then what is waiting and needs no action.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/report/report.h"

#include <inttypes.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "cli/common/html.h"
#include "cli/common/labels.h"

static const struct {
	const char *reason, *what, *why, *command, *second;
} held[] = {
	{"dry_run", "would be invited",
		"Dry run: no invitations are sent yet. enable asks about the people held until "
		"then; afterwards the second command releases them.",
		"cloudinvite enable", "cloudinvite approve --reason dry_run"},
	{"discovered", "found by a resync",
		"They have an unmanaged account, but have not logged in since it was found: it may "
		"be an old one.",
		"cloudinvite approve --reason discovered", NULL},
	{"address_changed", "whose account led elsewhere",
		"Their account mapped to another address before: the map, the rule or the user's "
		"name has changed. Approve if the new address is right.",
		"cloudinvite status --state held", "cloudinvite approve --reason address_changed"},
	{"collision", "share an address",
		"Two accounts of one host map to one address, and its owner is unknown. Name the "
		"right account in the map file, or approve.",
		"cloudinvite status --state held", "cloudinvite approve --reason collision"},
	{"unconfirmed", "may have been invited",
		"A send had no definite result, and Google has not shown a mail since. Approving "
		"may send a second mail.",
		"cloudinvite status --state held", NULL},
};

static const struct {
	enum verdict_kind verdict;
	const char *what, *why;
} accounts[] = {
	{VERDICT_UNMAPPED, "without an address",
		"Neither a rule nor the map gives these accounts an address. Add a line to the "
		"map, or exclude them."},
	{VERDICT_FOREIGN_DOMAIN, "with an address in another domain",
		"Their address is not in one of the domains in the settings. Correct the rule, or "
		"add the domain."},
	{VERDICT_COLLISION, "in collision",
		"Two accounts of one host map to the same address. Name the right account in the "
		"map file."},
};

/* ---- one open item ---- */

static void begin(struct strbuf *out, int64_t n, const char *what, const char *unit)
{
	strbuf_add(out, "<li><span class=\"n\">");
	html_number(out, n);
	strbuf_addf(
		out, "</span>\n<div><span class=\"what\">%s%s", unit, unit[0] != '\0' ? " " : "");
	html_text(out, what);
	strbuf_add(out, "</span>");
}

static void why(struct strbuf *out, const char *text)
{
	strbuf_add(out, "<p class=\"soft\">");
	html_text(out, text);
	strbuf_add(out, "</p>\n");
}

static void command(struct strbuf *out, const char *first, const char *second)
{
	strbuf_add(out, "<p class=\"do\"><code>");
	html_text(out, first);
	strbuf_add(out, "</code>");
	if (second) {
		strbuf_add(out, " <code>");
		html_text(out, second);
		strbuf_add(out, "</code>");
	}
	strbuf_add(out, "</p>\n");
}

static const char *person(int64_t n)
{
	return n == 1 ? "person" : "people";
}

static void held_for(struct strbuf *out, const struct status_reason *w)
{
	char reason[96];

	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		if (strcmp(held[i].reason, w->reason) != 0)
			continue;
		begin(out, w->count, held[i].what, person(w->count));
		why(out, held[i].why);
		command(out, held[i].command, held[i].second);
		strbuf_add(out, "</div></li>\n");
		return;
	}
	begin(out, w->count, "held", person(w->count));
	label_reason(reason, sizeof(reason), w->reason);
	strbuf_add(out, "<p class=\"soft\">Reason for the hold: ");
	html_text(out, reason);
	strbuf_add(out, ".</p>\n");
	command(out, "cloudinvite status --state held", NULL);
	strbuf_add(out, "</div></li>\n");
}

static void failed(const struct report *r, struct strbuf *out)
{
	const struct status *st = &r->status;
	int64_t n = st->summary.people[PERSON_FAILED];

	if (n == 0)
		return;
	begin(out, n, "failed", person(n));
	why(out, "Google rejects them, but accepts others. Remove the cause, then retry.");
	if (st->fault_count > 0)
		strbuf_add(out, "<ul class=\"faults\">\n");
	for (int i = 0; i < st->fault_count; i++) {
		strbuf_add(out, "<li>");
		report_prose(r, out, st->faults[i].text);
		strbuf_add(out, "</li>\n");
	}
	if (st->fault_count > 0)
		strbuf_add(out, "</ul>\n");
	command(out, "cloudinvite status --state failed", "cloudinvite retry --all");
	strbuf_add(out, "</div></li>\n");
}

static void unmapped(const struct report *r, struct strbuf *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(accounts); i++) {
		int64_t n = r->status.summary.sightings[accounts[i].verdict];
		if (n == 0)
			continue;
		begin(out, n, accounts[i].what, n == 1 ? "account" : "accounts");
		why(out, accounts[i].why);
		command(out, "cloudinvite explain USER", NULL);
		strbuf_add(out, "</div></li>\n");
	}
}

static bool is_for_good(const struct status_reason *w)
{
	return strcmp(w->reason, "blocked") == 0 || strcmp(w->reason, "max_mails") == 0;
}

static int64_t open_items(const struct report *r)
{
	const int64_t *accounts_are = r->status.summary.sightings;

	return r->people.stuck + accounts_are[VERDICT_UNMAPPED] +
	       accounts_are[VERDICT_FOREIGN_DOMAIN] + accounts_are[VERDICT_COLLISION];
}

static void list(const struct report *r, struct strbuf *out)
{
	const struct status *st = &r->status;

	strbuf_add(out, "<ul class=\"todo\">\n");
	failed(r, out);
	for (int i = 0; i < st->waiting_count; i++)
		if (st->waiting[i].state == PERSON_HELD && !is_for_good(&st->waiting[i]))
			held_for(out, &st->waiting[i]);
	unmapped(r, out);
	strbuf_add(out, "</ul>\n");
}

/* ---- what needs no action ---- */

static void waits(struct strbuf *out, int64_t n, const char *what, const char *reason)
{
	char text[96];

	begin(out, n, what, "");
	strbuf_add(out, "<span class=\"soft\">: ");
	html_text(out, label_reason(text, sizeof(text), reason));
	strbuf_add(out, "</span></div></li>\n");
}

static void waiting(const struct report *r, struct strbuf *out)
{
	const struct status *st = &r->status;
	int64_t unconfirmed = st->summary.people[PERSON_UNCONFIRMED];
	size_t before;

	strbuf_addf(out,
		"<h3>Nothing to do</h3>\n<p class=\"soft\">These people continue %s, or stay held "
		"on purpose.</p>\n<ul class=\"todo rest\">\n",
		st->service.paused		? "when the pause ends"
		: !st->service.dispatcher.alive ? "when the dispatcher runs"
						: "automatically");
	before = out->len;
	for (int i = 0; i < st->waiting_count; i++) {
		const struct status_reason *w = &st->waiting[i];
		if (w->state == PERSON_QUEUED)
			waits(out, w->count, "queued", w->reason);
		else if (is_for_good(w))
			waits(out, w->count, "held", w->reason);
	}
	if (unconfirmed > 0)
		waits(out, unconfirmed, "unconfirmed",
			"it is not known yet whether a mail went out: Google shows it within 72 "
			"hours");
	if (out->len == before)
		strbuf_add(out,
			"<li><span class=\"n\">0</span><div>No person is waiting.</div></li>\n");
	strbuf_add(out, "</ul>\n");
}

/* ---- the names ---- */

struct named {
	const struct report *report;
	struct strbuf *out;
	int count;
};

struct first_command {
	char text[ADDRESS_MAX + 64];
};

static void on_command(const char *line, const char *summary, void *ctx)
{
	struct first_command *first = ctx;

	(void)summary;
	if (first->text[0] == '\0')
		str_copy(first->text, sizeof(first->text), line);
}

static bool name(const struct person *p, void *ctx)
{
	struct named *named = ctx;
	struct first_command first = {.text = ""};
	char reason[96];

	if (p->state == PERSON_HELD &&
		(p->reason == REASON_BLOCKED || p->reason == REASON_MAX_MAILS))
		return true;
	if (named->count == REPORT_PEOPLE)
		return false;
	named->count++;
	label_commands(p, &named->report->status.service, on_command, &first);
	strbuf_add(named->out, "<tr role=\"row\"><th scope=\"row\" role=\"rowheader\">");
	html_text(named->out, p->address);
	strbuf_addf(named->out, "</th><td role=\"cell\">%s: ", label_state(p->state));
	html_text(
		named->out, p->state == PERSON_FAILED && p->fault_text[0] != '\0'
				    ? p->fault_text
				    : label_reason(reason, sizeof(reason), person_reason_word(p)));
	strbuf_add(named->out, "</td><td role=\"cell\"><code>");
	html_text(named->out, first.text);
	strbuf_add(named->out, "</code></td></tr>\n");
	return true;
}

static bool names(struct report *r, struct strbuf *out, struct fault *fault)
{
	static const enum person_state states[] = {PERSON_FAILED, PERSON_HELD};
	struct named named = {.report = r, .out = out};

	if (!r->names || r->people.stuck == 0)
		return true;
	strbuf_add(out, "<h3>Who is stuck</h3>\n<table class=\"people\" role=\"table\">"
			"<caption>By state, then by address</caption>\n"
			"<thead role=\"rowgroup\"><tr role=\"row\">"
			"<th scope=\"col\" role=\"columnheader\">Address</th>"
			"<th scope=\"col\" role=\"columnheader\">Why</th>"
			"<th scope=\"col\" role=\"columnheader\">What to do</th></tr></thead>\n"
			"<tbody role=\"rowgroup\">\n");
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		if (!ledger_each_person(
			    r->status.store->ledger, (int)states[i], NULL, 0, name, &named, fault))
			return false;
	strbuf_add(out, "</tbody></table>\n");
	if (r->people.stuck > named.count) {
		strbuf_add(out, "<p class=\"soft\">And ");
		html_number(out, r->people.stuck - named.count);
		strbuf_add(out, " more: <code>cloudinvite status --state held</code></p>\n");
	}
	return true;
}

bool report_stuck(struct report *r, struct strbuf *out, struct fault *fault)
{
	bool good;

	strbuf_add(out, "<section aria-labelledby=\"h-stuck\">\n<h2 id=\"h-stuck\">What needs you"
			"</h2>\n");
	if (open_items(r) == 0)
		strbuf_add(out, "<p>Nothing: no person is stuck.</p>\n");
	else
		list(r, out);
	good = names(r, out, fault);
	if (r->people.seen > 0)
		waiting(r, out);
	strbuf_add(out, "</section>\n");
	return good;
}
