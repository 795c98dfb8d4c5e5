/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history [WHO]: what happened, when, why and by whom; of nobody in particular: what was decided
 * about the whole.
 */
#include "cli/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/json.h"
#include "cli/screen.h"
#include "cli/selector.h"
#include "cli/labels.h"

#define WHAT_COLUMN  18
#define CAUSE_COLUMN 32

/* Whose story: an address, or an account that has none. */
struct story {
	struct store store;
	char address[ADDRESS_MAX + 1];
	char user[USER_MAX + 1], host[HOST_MAX + 1];
	struct screen screen;
	json_t *entries; /* NULL: for people */
	int count;
};

/* ---- whose ---- */

static bool take_account(const struct ledger_sighting *s, void *ctx)
{
	struct story *story = ctx;

	str_copy(story->user, sizeof(story->user), s->seen.user);
	str_copy(story->host, sizeof(story->host), s->seen.host);
	return false;
}

static bool find(struct story *story, const char *typed, struct fault *fault)
{
	if (selector_resolve(
		    story->store.ledger, story->store.settings, typed, story->address, fault))
		return true;
	story->address[0] = '\0';
	if (strcmp(fault->code, "no_address") != 0)
		return false;
	fault_clear(fault);
	selector_each_sighting(story->store.ledger, typed, take_account, story, fault);
	return fault->kind == FAULT_NONE;
}

/* ---- entries ---- */

/* Local time; of what is known by the day only, the day. */
static void format_time(int64_t at, char *out, size_t size)
{
	time_t t = (time_t)at;
	struct tm tm;

	if (at == clock_day_start(at))
		clock_day(at, out);
	else if (!localtime_r(&t, &tm) || strftime(out, size, "%Y-%m-%d %H:%M", &tm) == 0)
		clock_rfc3339(at, out);
}

static bool print_entry(const struct history_entry *e, void *ctx)
{
	struct story *story = ctx;
	struct screen *s = &story->screen;
	char when[CLOCK_TEXT_SIZE], what[sizeof(e->what)];

	format_time(e->at, when, sizeof(when));
	screen_put(s, STYLE_DIM, when);
	screen_to_column(s, WHAT_COLUMN);
	screen_put(s, STYLE_BOLD, label_format(what, sizeof(what), e->what));
	screen_to_column(s, CAUSE_COLUMN);
	if (e->subject[0] != '\0' && strcmp(e->subject, story->address) != 0) {
		screen_wrap(s, STYLE_PLAIN, CAUSE_COLUMN, e->subject);
		if (e->cause[0] != '\0')
			screen_put(s, STYLE_PLAIN, ":");
	}
	screen_wrap(s, STYLE_PLAIN, CAUSE_COLUMN, e->cause);
	if (e->actor[0] != '\0') {
		char actor[80];
		str_format(actor, sizeof(actor), "(%s)", e->actor);
		screen_wrap(s, STYLE_DIM, CAUSE_COLUMN, actor);
	}
	screen_newline(s);
	story->count++;
	return true;
}

static bool add_entry(const struct history_entry *e, void *ctx)
{
	struct story *story = ctx;
	const char *subject = e->subject[0] != '\0' ? e->subject : story->address;

	story->count++;
	return json_array_append_new(story->entries,
		       json_pack("{s:o, s:o, s:o, s:o, s:o}", "at", json_time(e->at), "subject",
			       json_text(subject), "what", json_text(e->what), "cause",
			       json_text(e->cause), "actor", json_text(e->actor))) == 0;
}

static bool read_entries(struct story *story, struct fault *fault)
{
	bool account = story->user[0] != '\0';

	return ledger_each_history(story->store.ledger,
		story->address[0] != '\0' ? story->address : NULL, account ? story->user : NULL,
		account ? story->host : NULL, story->entries ? add_entry : print_entry, story,
		fault);
}

static const char *subject(const struct story *story)
{
	if (story->address[0] != '\0')
		return story->address;
	return story->user[0] != '\0' ? story->user : "all people";
}

static int tell(struct story *story, const char *typed, bool json)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (typed && !find(story, typed, &fault))
		return cli_fail(&fault);
	if (json)
		story->entries = json_array();
	if (!read_entries(story, &fault)) {
		json_decref(story->entries);
		return cli_fail(&fault);
	}
	if (json)
		json_answer(json_pack("{s:i, s:o, s:o}", "schema", JSON_SCHEMA, "address",
			json_text(story->address), "history", story->entries));
	else if (story->count == 0)
		cli_note("cloudinvite: no history of %s", subject(story));
	return story->count > 0 ? EXIT_OK : EXIT_NEGATIVE;
}

int verb_history(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{NULL, 0, NULL, 0},
	};
	struct story story = {.count = 0};
	bool json = false;
	int option, exit_code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'j')
			return cli_usage(argv[0]);
		json = true;
	}
	if (argc - optind > 1)
		return cli_usage(argv[0]);
	if (!cli_open_store(cli, LEDGER_READ, &story.store, &exit_code))
		return exit_code;
	screen_open(&story.screen, cli, stdout);
	exit_code = tell(&story, argv[optind], json);
	cli_close_store(&story.store);
	return exit_code;
}
