/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headline: one sentence for the state of the service, and the command that changes it.
 */
#include "cli/status/status.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/common/screen.h"

#define INDENT 2
#define OLD_UNCONFIRMED \
	INT64_C(345600) /* 4 days: unconfirmed for longer than Google's lag can explain \ */

int64_t status_pacing(const struct status *st)
{
	return st->summary.people[PERSON_QUEUED] -
	       status_waiting(st, PERSON_QUEUED, "daily_limit") -
	       status_waiting(st, PERSON_QUEUED, "send_window") -
	       status_waiting(st, PERSON_QUEUED, "reconcile") -
	       status_waiting(st, PERSON_QUEUED, "retry");
}

int64_t status_expect(const struct status *st, int64_t people)
{
	bool mails = st->store->settings->mode == MODE_SEND;

	return rate_limit_eta(&st->rate_limit, rate_limit_calls(&st->summary, mails, people));
}

/* "3 invitations sent today; 12 waiting for the rate limit (about 4 min)" */
static void day(const struct status *st, char *out, size_t size)
{
	char number[SCREEN_NUMBER_SIZE], span[SCREEN_SPAN_SIZE];
	int64_t queued = st->summary.people[PERSON_QUEUED], waiting = status_pacing(st);
	size_t at;

	if (st->summary.mails_today > 0)
		str_format(out, size, "%s invitation%s sent today",
			screen_number(number, st->summary.mails_today),
			st->summary.mails_today == 1 ? "" : "s");
	else
		str_copy(out, size, "No invitations sent today");
	at = strlen(out);
	if (queued == 0)
		str_copy(out + at, size - at, "; nothing queued");
	else if (waiting <= 0 || st->service.paused || !st->service.dispatcher.alive)
		str_format(out + at, size - at, "; %s queued", screen_number(number, queued));
	else
		str_format(out + at, size - at, "; %s waiting for the rate limit (%s)",
			screen_number(number, waiting),
			screen_span(span, status_expect(st, waiting)));
}

static void headline_paused(const struct status *st, struct headline *h)
{
	const struct ledger_pause *p = &st->service.pause;
	char since[CLOCK_TEXT_SIZE], probe[CLOCK_TEXT_SIZE];
	char tried[64] = "", rest[sizeof(p->remedy) + 64], whole[sizeof(p->text) + sizeof(rest)];

	if (p->probe_at > 0)
		str_format(tried, sizeof(tried), "Next automatic attempt: %s.",
			p->probe_at <= st->service.at
				? "now"
				: clock_relative(p->probe_at, st->service.at, probe));
	str_sentences(rest, sizeof(rest), p->remedy, tried);
	str_format(h->text, sizeof(h->text), "Paused by %s, %s: %s", p->actor,
		clock_relative(p->since, st->service.at, since),
		str_sentences(whole, sizeof(whole), p->text, rest));
	h->style = STYLE_BAD;
	h->command = "cloudinvite resume";
}

/* It ends automatically, so a command is only for an administrator who knows more. */
static void headline_reconciling(const struct status *st, struct headline *h)
{
	int64_t until = service_state_reconcile_end(&st->service);
	char when[CLOCK_TEXT_SIZE] = "within 72 hours", rest[128];
	char whole[sizeof(st->service.reconcile.text) + sizeof(rest)];

	if (until > st->service.at)
		clock_relative(until, st->service.at, when);
	else if (until > 0)
		str_copy(when, sizeof(when), "with the next resync");
	str_format(rest, sizeof(rest),
		"This ends automatically %s, when Google shows all of those mails.", when);
	str_format(h->text, sizeof(h->text), "No invitations are sent: %s",
		str_sentences(whole, sizeof(whole), st->service.reconcile.text, rest));
	h->style = STYLE_BAD;
	h->command = "cloudinvite status --state queued";
}

static bool is_down(const struct program *p)
{
	return p->wanted && !p->alive;
}

static void headline_down(const struct status *st, struct headline *h)
{
	bool both = is_down(&st->service.collector) && is_down(&st->service.dispatcher);

	h->style = STYLE_BAD;
	str_format(h->text, sizeof(h->text), "%s",
		both ? "The collector and the dispatcher are not running: no people are recorded "
		       "and nothing is sent."
		: is_down(&st->service.dispatcher)
			? "The dispatcher is not running: no requests are made and nothing is sent."
			: "The collector is not running: no new people are recorded.");
	h->command = is_down(&st->service.dispatcher) ? "systemctl start cloudinvite-dispatcher"
						      : "systemctl start cloudinvite-collector";
	h->second = both ? "systemctl start cloudinvite-collector" : NULL;
}

static void headline_dry_run(const struct status *st, struct headline *h)
{
	char people[SCREEN_PEOPLE_SIZE];

	h->style = STYLE_WARN;
	if (st->would_be_total > 0)
		str_format(h->text, sizeof(h->text),
			"Dry run: no invitations go out. %s would be invited.",
			screen_people(people, st->would_be_total));
	else
		str_copy(h->text, sizeof(h->text),
			"Dry run: no invitations go out. There is no person to invite so far.");
	h->command = "cloudinvite enable";
}

int64_t status_undecided(const struct status *st)
{
	return st->summary.people[PERSON_HELD] - status_waiting(st, PERSON_HELD, "blocked") -
	       status_waiting(st, PERSON_HELD, "max_mails");
}

/* What an administrator should look at while everything else continues. */
static bool headline_attention(const struct status *st, struct headline *h)
{
	const struct ledger_summary *sum = &st->summary;
	char text[480], people[SCREEN_PEOPLE_SIZE];

	day(st, text, sizeof(text));
	h->style = STYLE_WARN;
	if (sum->oldest_unconfirmed > 0 &&
		st->service.at - sum->oldest_unconfirmed > OLD_UNCONFIRMED) {
		str_format(h->text, sizeof(h->text),
			"A send has been unconfirmed for more than four days. %s.", text);
		h->command = "cloudinvite status --state unconfirmed";
	} else if (sum->people[PERSON_FAILED] > 0) {
		str_format(h->text, sizeof(h->text), "%s failed. %s.",
			screen_people(people, sum->people[PERSON_FAILED]), text);
		h->command = "cloudinvite status --state failed";
	} else if (status_undecided(st) > 0) {
		str_format(h->text, sizeof(h->text), "%s need%s your decision. %s.",
			screen_people(people, status_undecided(st)),
			status_undecided(st) == 1 ? "s" : "", text);
		h->command = "cloudinvite status --state held";
	} else {
		return false;
	}
	return true;
}

static void print(struct screen *s, const struct headline *h)
{
	screen_put(s, h->style, screen_glyph(s, GLYPH_BULLET));
	screen_to_column(s, INDENT);
	screen_wrap(s, h->style == STYLE_GOOD ? STYLE_BOLD : h->style, INDENT, h->text);
	if (h->second)
		screen_newline(s);
	if (h->command)
		screen_remedy(s, INDENT, h->command);
	screen_newline(s);
	if (h->second) {
		screen_remedy(s, INDENT, h->second);
		screen_newline(s);
	}
}

static bool is_stopped(const struct status *st)
{
	return st->service.paused || is_down(&st->service.collector) ||
	       is_down(&st->service.dispatcher);
}

/* Reconcile and dry run are always shown, so that no administrator waits for invitations that are
 * never sent. */
int status_headlines(const struct status *st, struct headline out[STATUS_HEADLINES])
{
	struct headline *h = out;
	char text[480];

	memset(out, 0, STATUS_HEADLINES * sizeof(*out));
	if (st->service.paused)
		headline_paused(st, h++);
	else if (is_stopped(st))
		headline_down(st, h++);
	if (st->service.reconciling)
		headline_reconciling(st, h++);
	if (st->service.dry_run)
		headline_dry_run(st, h++);
	if (h == out && !headline_attention(st, h++)) {
		day(st, text, sizeof(text));
		out->style = STYLE_GOOD;
		str_format(out->text, sizeof(out->text), "All is well. %s.", text);
	}
	return (int)(h - out);
}

void status_headline(const struct status *st, struct screen *s)
{
	struct headline list[STATUS_HEADLINES];
	int count = status_headlines(st, list);

	for (int i = 0; i < count; i++)
		print(s, &list[i]);
}
