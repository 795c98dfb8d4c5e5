/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history [TARGET]: what happened, when, why, and who did it. Without TARGET: decisions about the
 * whole service.
 */
#include "cli/people/people.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/common/json.h"
#include "cli/common/labels.h"
#include "cli/common/screen.h"
#include "cli/common/selector.h"
#include "cli/common/verb.h"

#define WHAT_COLUMN  18
#define CAUSE_COLUMN 32

/* The subject: an address, or an account that has none. */
struct history_query {
	struct store store;
	char address[ADDRESS_MAX + 1];
	char user[USER_MAX + 1], host[HOST_MAX + 1];
	struct screen screen;
	json_t *entries; /* NULL: for readers */
	int count;
};

/* ---- the subject ---- */

static bool on_account(const struct ledger_sighting *s, void *ctx)
{
	struct history_query *query = ctx;

	str_copy(query->user, sizeof(query->user), s->seen.user);
	str_copy(query->host, sizeof(query->host), s->seen.host);
	return false;
}

static bool find(struct history_query *query, const char *typed, struct fault *fault)
{
	if (selector_resolve(
		    query->store.ledger, query->store.settings, typed, query->address, fault))
		return true;
	query->address[0] = '\0';
	if (strcmp(fault->code, "no_address") != 0)
		return false;
	fault_clear(fault);
	selector_each_sighting(query->store.ledger, typed, on_account, query, fault);
	return fault->kind == FAULT_NONE;
}

/* ---- entries ---- */

/* Local time; only the day if no more is known. */
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
	struct history_query *query = ctx;
	struct screen *s = &query->screen;
	char when[CLOCK_TEXT_SIZE], what[sizeof(e->event)];

	format_time(e->at, when, sizeof(when));
	screen_put(s, STYLE_DIM, when);
	screen_to_column(s, WHAT_COLUMN);
	screen_put(s, STYLE_BOLD, label_format(what, sizeof(what), e->event));
	screen_to_column(s, CAUSE_COLUMN);
	if (e->subject[0] != '\0' && strcmp(e->subject, query->address) != 0) {
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
	query->count++;
	return true;
}

static bool add_entry(const struct history_entry *e, void *ctx)
{
	struct history_query *query = ctx;
	const char *subject = e->subject[0] != '\0' ? e->subject : query->address;

	query->count++;
	return json_array_append_new(query->entries,
		       json_pack("{s:o, s:o, s:o, s:o, s:o}", "at", json_time(e->at), "subject",
			       json_text(subject), "event", json_text(e->event), "cause",
			       json_text(e->cause), "actor", json_text(e->actor))) == 0;
}

static bool read_entries(struct history_query *query, struct fault *fault)
{
	bool account = query->user[0] != '\0';

	return ledger_each_history(query->store.ledger,
		query->address[0] != '\0' ? query->address : NULL, account ? query->user : NULL,
		account ? query->host : NULL, query->entries ? add_entry : print_entry, query,
		fault);
}

static const char *subject(const struct history_query *query)
{
	if (query->address[0] != '\0')
		return query->address;
	return query->user[0] != '\0' ? query->user : "all people";
}

static int print_history(struct history_query *query, const char *typed, bool json)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (typed && !find(query, typed, &fault))
		return cli_fail(&fault);
	if (json)
		query->entries = json_array();
	if (!read_entries(query, &fault)) {
		json_decref(query->entries);
		return cli_fail(&fault);
	}
	if (json)
		json_answer(json_pack("{s:i, s:o, s:o}", "schema", JSON_SCHEMA, "address",
			json_text(query->address), "history", query->entries));
	else if (query->count == 0)
		cli_note("cloudinvite: no history of %s", subject(query));
	return query->count > 0 ? EXIT_OK : EXIT_NEGATIVE;
}

int verb_history(const struct cli *cli, int argc, char **argv)
{
	struct history_query query = {.count = 0};
	bool json;
	int exit_code;

	if (!verb_parse_json(argc, argv, &json) || argc - optind > 1)
		return cli_usage(cli);
	if (!cli_open_store(cli, LEDGER_READ, &query.store, &exit_code))
		return exit_code;
	screen_open(&query.screen, cli, stdout);
	exit_code = print_history(&query, argv[optind], json);
	cli_close_store(&query.store);
	return exit_code;
}
