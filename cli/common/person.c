/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One person on the screen, one named value on each line: state, mails, times, the next step, the
 * accounts that lead to the address, and the commands that help.
 */
#include "cli/common/person.h"

#include <inttypes.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "cli/common/labels.h"
#include "cli/common/table.h"

void person_line(struct screen *s, const char *name, enum style style, const char *value)
{
	screen_to_column(s, PERSON_INDENT);
	screen_put(s, STYLE_DIM, name);
	screen_to_column(s, PERSON_VALUE);
	screen_wrap(s, style, PERSON_VALUE, value);
	screen_newline(s);
}

static void show_state(struct screen *s, const struct person *p)
{
	char line[160], reason[96];

	if (p->reason != REASON_NONE)
		str_format(line, sizeof(line), "%s: %s", label_state(p->state),
			label_reason(reason, sizeof(reason), person_reason_word(p)));
	else
		str_copy(line, sizeof(line), label_state(p->state));
	person_line(s, "state", label_state_style(p->state), line);
}

static void show_mails(struct screen *s, const struct person *p)
{
	char line[96];

	if (p->mails < 0 && p->our_mails == 0)
		return;
	if (p->mails < 0)
		str_format(line, sizeof(line), "%" PRId64 " by this ledger", p->our_mails);
	else
		str_format(line, sizeof(line), "%" PRId64 ", %" PRId64 " of them by this ledger",
			p->mails, p->our_mails);
	person_line(s, "mails", STYLE_PLAIN, line);
}

static void show_times(
	struct screen *s, const struct person *p, const struct service_state *service)
{
	char line[2 * CLOCK_TEXT_SIZE], when[CLOCK_TEXT_SIZE];

	if (p->next_attempt > 0)
		person_line(s, "due", STYLE_PLAIN,
			p->next_attempt <= service->at
				? "now"
				: clock_relative(p->next_attempt, service->at, when));
	if (p->changed > 0) {
		str_copy(line, sizeof(line), clock_relative(p->changed, service->at, when));
		person_line(s, "since", STYLE_PLAIN, line);
	}
	if (p->first_day > 0)
		person_line(s, "first seen", STYLE_PLAIN, clock_day(p->first_day, when));
}

void person_show(struct screen *s, const struct person *p, const struct service_state *service)
{
	char next[320];

	screen_put(s, STYLE_BOLD, p->address);
	screen_newline(s);
	show_state(s, p);
	show_mails(s, p);
	show_times(s, p, service);
	if (p->fault_text[0] != '\0')
		person_line(s, "last error", STYLE_WARN, p->fault_text);
	person_line(s, "next", STYLE_PLAIN, label_next_step(next, sizeof(next), p, service));
}

/* ---- accounts ---- */

static bool add_account(const struct ledger_sighting *found, void *ctx)
{
	struct table *t = ctx;
	char day[CLOCK_TEXT_SIZE] = "";

	table_addf(t, STYLE_PLAIN, "%s@%s", found->seen.user, found->seen.host);
	if (found->seen.uid >= 0)
		table_addf(t, STYLE_PLAIN, "%" PRId64, found->seen.uid);
	else
		table_add(t, STYLE_PLAIN, "");
	table_add(t, STYLE_PLAIN, found->gone ? "gone" : label_verdict(found->verdict));
	if (found->seen.first_seen > 0)
		clock_day(found->seen.first_seen, day);
	table_add(t, STYLE_PLAIN, day);
	return true;
}

bool person_accounts(
	struct screen *s, const struct store *store, const char *address, struct fault *fault)
{
	static const struct table_column columns[] = {
		{"account", false, 12},
		{"uid", true, 0},
		{"verdict", false, 8},
		{"first seen", false, 0},
	};
	struct table table;
	bool ok;

	table_open(&table, columns, ARRAY_SIZE(columns));
	ok = ledger_each_sighting(store->ledger, NULL, NULL, address, add_account, &table, fault);
	if (ok && table.used > 0)
		table_print(&table, s, PERSON_INDENT);
	table_free(&table);
	return ok;
}

/* ---- commands ---- */

struct commands {
	struct screen *s;
	int count;
	int width;
	bool measuring;
};

static void on_command(const char *command, const char *summary, void *ctx)
{
	struct commands *c = ctx;
	int columns = screen_text_width(command);

	if (c->measuring) {
		c->width = columns > c->width ? columns : c->width;
		return;
	}
	screen_to_column(c->s, PERSON_INDENT);
	screen_put(c->s, STYLE_DIM, c->count++ == 0 ? "you can" : "");
	screen_to_column(c->s, PERSON_VALUE);
	screen_put(c->s, STYLE_BOLD, command);
	if (PERSON_VALUE + c->width + 2 + screen_text_width(summary) <= c->s->width) {
		screen_to_column(c->s, PERSON_VALUE + c->width + 2);
		screen_put(c->s, STYLE_PLAIN, summary);
	} else {
		screen_newline(c->s);
		screen_to_column(c->s, PERSON_VALUE + 2);
		screen_put(c->s, STYLE_PLAIN, summary);
	}
	screen_newline(c->s);
}

void person_commands(struct screen *s, const struct person *p, const struct service_state *service)
{
	struct commands commands = {.s = s, .measuring = true};

	label_commands(p, service, on_command, &commands);
	commands.measuring = false;
	label_commands(p, service, on_command, &commands);
}
