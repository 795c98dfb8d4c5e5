/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen of `status`: the headline first, then what it is based on, each part with the command
 * that changes it.
 */
#include "cli/status/status.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "cli/common/labels.h"
#include "cli/common/screen.h"
#include "cli/common/table.h"

#define INDENT	2
#define LABEL	18 /* columns of a person's state */
#define BAR_MAX 40

static void head(struct screen *s, const struct status *st)
{
	char host[HOST_MAX + 1], when[32] = "", left[HOST_MAX + 64];
	time_t t = (time_t)st->service.at;
	struct tm tm;

	local_hostname(host, sizeof(host));
	str_format(left, sizeof(left), "cloudinvite %s on %s", CLOUDINVITE_VERSION, host);
	if (localtime_r(&t, &tm))
		strftime(when, sizeof(when), "%a %Y-%m-%d %H:%M", &tm);
	screen_put(s, STYLE_DIM, left);
	if (s->width - screen_text_width(when) > s->column + 1) {
		screen_to_column(s, s->width - screen_text_width(when));
		screen_put(s, STYLE_DIM, when);
	}
	screen_newline(s);
	screen_newline(s);
}

/* ---- people ---- */

static int64_t total(const struct ledger_summary *sum)
{
	int64_t n = 0;

	for (int i = 0; i < PERSON_STATES; i++)
		n += sum->people[i];
	return n;
}

static void people(struct screen *s, const struct status *st)
{
	const struct ledger_summary *sum = &st->summary;
	char number[SCREEN_NUMBER_SIZE], bar[SCREEN_BAR_SIZE];
	int64_t all = total(sum), most = 0;
	int digits = screen_text_width(screen_number(number, all)), room;

	screen_heading(s, "People");
	if (all == 0) {
		screen_to_column(s, INDENT);
		screen_wrap(s, STYLE_DIM, INDENT,
			"No people yet. They appear here after their first login.");
		screen_newline(s);
	}
	for (int i = 0; i < PERSON_STATES; i++)
		most = sum->people[i] > most ? sum->people[i] : most;
	room = s->width - LABEL - digits - 2;
	for (int i = 0; i < PERSON_STATES; i++) {
		if (sum->people[i] == 0)
			continue;
		screen_to_column(s, INDENT);
		screen_put(s, label_state_style((enum person_state)i),
			label_state((enum person_state)i));
		screen_number(number, sum->people[i]);
		screen_to_column(s, LABEL + digits - screen_text_width(number));
		screen_put(s, STYLE_PLAIN, number);
		screen_bar(s, bar, sum->people[i], most, room < BAR_MAX ? room : BAR_MAX);
		if (bar[0] != '\0') {
			screen_to_column(s, LABEL + digits + 2);
			screen_put(s, label_state_style((enum person_state)i), bar);
		}
		screen_newline(s);
	}
}

static void would_be(struct screen *s, const struct status *st)
{
	char number[SCREEN_NUMBER_SIZE];

	if (!st->service.dry_run || st->would_be_count == 0)
		return;
	screen_heading(s, "Would be invited");
	for (int i = 0; i < st->would_be_count; i++) {
		screen_to_column(s, INDENT);
		screen_put(s, STYLE_PLAIN, st->would_be[i]);
		screen_newline(s);
	}
	if (st->would_be_total > st->would_be_count) {
		screen_to_column(s, INDENT);
		screen_putf(s, STYLE_DIM, "and %s more",
			screen_number(number, st->would_be_total - st->would_be_count));
		screen_remedy(s, INDENT, "cloudinvite status --state held");
		screen_newline(s);
	}
}

/* ---- queue and reasons ---- */

static bool waits_for_rate_limit(const struct status *st, const struct status_reason *r)
{
	return r->state == PERSON_QUEUED && strcmp(r->reason, "daily_limit") != 0 &&
	       strcmp(r->reason, "send_window") != 0 && strcmp(r->reason, "retry") != 0 &&
	       strcmp(r->reason, "reconcile") != 0 && !st->service.paused &&
	       st->service.dispatcher.alive;
}

static void expectation(
	const struct status *st, const struct status_reason *r, char *out, size_t size)
{
	char reason[96], span[SCREEN_SPAN_SIZE];

	label_reason(reason, sizeof(reason), r->reason);
	if (waits_for_rate_limit(st, r))
		str_format(out, size, "queued: %s, %s", reason,
			screen_span(span, status_expect(st, r->count)));
	else
		str_format(out, size, "%s: %s", label_state(r->state), reason);
}

static void decision(
	struct screen *s, const struct status *st, const struct status_reason *r, int indent)
{
	char command[96];

	if (r->state == PERSON_INVITED)
		screen_remedy(s, indent, "cloudinvite status --state invited");
	if (r->state != PERSON_HELD)
		return;
	if (strcmp(r->reason, "dry_run") == 0 && st->service.dry_run)
		str_copy(command, sizeof(command), "cloudinvite enable");
	else if (strcmp(r->reason, "discovered") == 0 || strcmp(r->reason, "collision") == 0 ||
		 strcmp(r->reason, "address_changed") == 0 || strcmp(r->reason, "dry_run") == 0)
		str_format(command, sizeof(command), "cloudinvite approve --reason %s", r->reason);
	else
		str_copy(command, sizeof(command), "cloudinvite status --state held");
	screen_remedy(s, indent, command);
}

static void waiting(struct screen *s, const struct status *st)
{
	char number[SCREEN_NUMBER_SIZE], text[160];
	int digits = 0;

	for (int i = 0; i < st->waiting_count; i++) {
		int columns = screen_text_width(screen_number(number, st->waiting[i].count));
		digits = columns > digits ? columns : digits;
	}
	if (st->waiting_count > 0)
		screen_heading(s, "Waiting");
	for (int i = 0; i < st->waiting_count; i++) {
		const struct status_reason *r = &st->waiting[i];
		screen_number(number, r->count);
		screen_to_column(s, INDENT + digits - screen_text_width(number));
		screen_put(s, STYLE_PLAIN, number);
		screen_to_column(s, INDENT + digits + 2);
		expectation(st, r, text, sizeof(text));
		screen_wrap(s, STYLE_PLAIN, INDENT + digits + 2, text);
		decision(s, st, r, INDENT + digits + 2);
		screen_newline(s);
	}
}

static void faults(struct screen *s, const struct status *st)
{
	char line[400], code[64];

	if (st->fault_count > 0)
		screen_heading(s, "Errors");
	for (int i = 0; i < st->fault_count; i++) {
		const struct status_fault *f = &st->faults[i];
		str_format(code, sizeof(code), "%s", f->code[0] != '\0' ? f->code : "fault");
		screen_to_column(s, INDENT);
		screen_put(s, STYLE_WARN, code);
		if (f->count > 1)
			screen_putf(s, STYLE_DIM, " x %" PRId64, f->count);
		screen_put(s, STYLE_PLAIN, ":");
		screen_wrap(s, STYLE_PLAIN, 2 * INDENT, f->text);
		str_format(line, sizeof(line), "cloudinvite explain %s", f->address);
		screen_remedy(s, 2 * INDENT, line);
		screen_newline(s);
	}
}

/* ---- state of the service ---- */

static void accounts(struct screen *s, const struct status *st)
{
	const int64_t *n = st->summary.sightings;
	char number[SCREEN_NUMBER_SIZE], part[64], line[320] = "";

	for (int i = VERDICT_NONE; i <= VERDICT_COLLISION; i++) {
		int kind = (i + 1) %
			   (VERDICT_COLLISION + 1); /* those that are not evaluated yet come last */
		if (n[kind] == 0)
			continue;
		str_format(part, sizeof(part), "%s%s %s", line[0] != '\0' ? ", " : "",
			screen_number(number, n[kind]), label_verdict((enum verdict_kind)kind));
		str_format(line + strlen(line), sizeof(line) - strlen(line), "%s", part);
	}
	if (line[0] == '\0')
		return;
	screen_heading(s, "Accounts");
	screen_to_column(s, INDENT);
	screen_wrap(s, STYLE_PLAIN, INDENT, line);
	if (n[VERDICT_UNMAPPED] + n[VERDICT_COLLISION] + n[VERDICT_FOREIGN_DOMAIN] > 0)
		screen_remedy(s, INDENT, "cloudinvite explain USER");
	screen_newline(s);
}

static void rate_limit(struct screen *s, const struct status *st)
{
	const struct settings *settings = st->store->settings;
	char line[320], when[CLOCK_TEXT_SIZE];
	size_t at;

	screen_heading(s, "Rate limit");
	if (st->rate_limit.configured == 0)
		str_copy(line, sizeof(line), "unlimited requests");
	else
		str_format(line, sizeof(line), "%" PRId64 " of %" PRId64 " requests a minute",
			st->rate_limit.used, st->rate_limit.effective);
	at = strlen(line);
	if (st->rate_limit.effective < st->rate_limit.configured)
		str_format(line + at, sizeof(line) - at,
			" (lowered from %" PRId64 ", because Google "
			"asked to slow down)",
			st->rate_limit.configured);
	at = strlen(line);
	if (st->rate_limit.throttled_until_wall > st->service.at)
		str_format(line + at, sizeof(line) - at, ", none before %s",
			clock_relative(st->rate_limit.throttled_until_wall, st->service.at, when));
	at = strlen(line);
	str_format(line + at, sizeof(line) - at, "; %" PRId64 " of %" PRId64 " mails today",
		st->summary.mails_today, settings->sends_per_day);
	at = strlen(line);
	if (settings->send_window[0] != '\0')
		str_format(line + at, sizeof(line) - at, ", sent %s", settings->send_window);
	screen_to_column(s, INDENT);
	screen_wrap(s, STYLE_PLAIN, INDENT, line);
	screen_newline(s);
}

static void add_program(struct table *t, const struct program *p, int64_t now)
{
	char heard[CLOCK_TEXT_SIZE] = "never";

	table_add(t, STYLE_PLAIN, p->role);
	if (p->alive)
		table_add(t, STYLE_GOOD, "runs");
	else
		table_add(t, p->wanted ? STYLE_BAD : STYLE_DIM, p->wanted ? "down" : "elsewhere");
	table_add(t, STYLE_PLAIN, p->has_heartbeat ? p->worker.version : "");
	if (p->has_heartbeat)
		clock_relative(p->worker.last_heartbeat, now, heard);
	table_addf(t, STYLE_PLAIN, "heard %s", heard);
	table_add(t, STYLE_DIM, p->has_heartbeat && p->alive ? p->worker.status_text : "");
}

static void programs(struct screen *s, const struct status *st)
{
	static const struct table_column columns[] = {
		{"", false, 0}, {"", false, 0}, {"", false, 0}, {"", false, 0}, {"", false, 8}};
	struct table t;

	screen_heading(s, "Programs");
	table_open(&t, columns, ARRAY_SIZE(columns));
	add_program(&t, &st->service.collector, st->service.at);
	add_program(&t, &st->service.dispatcher, st->service.at);
	table_print(&t, s, INDENT);
	table_free(&t);
	if (st->service.late > 0 && st->service.hosts > 2) {
		screen_to_column(s, INDENT);
		screen_putf(s, STYLE_WARN, "%d of %d heartbeats are late", st->service.late,
			st->service.hosts);
		screen_newline(s);
	}
}

/* The password in a URL is never shown. */
static void ledger(struct screen *s, const struct status *st)
{
	const char *name = st->store->settings->ledger;
	char line[512];

	str_format(line, sizeof(line), "%s, schema %d, id %.8s",
		str_starts(name, "sqlite:") ? name + strlen("sqlite:") : "postgresql",
		ledger_schema(st->store->ledger), ledger_id(st->store->ledger));
	screen_heading(s, "Ledger");
	screen_to_column(s, INDENT);
	screen_wrap(s, STYLE_PLAIN, INDENT, line);
	screen_newline(s);
}

void status_draw(const struct status *st, const struct cli *cli, FILE *out)
{
	struct screen s;

	screen_open(&s, cli, out);
	head(&s, st);
	status_headline(st, &s);
	people(&s, st);
	would_be(&s, st);
	waiting(&s, st);
	faults(&s, st);
	accounts(&s, st);
	rate_limit(&s, st);
	programs(&s, st);
	ledger(&s, st);
}
