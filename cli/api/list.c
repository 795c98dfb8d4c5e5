/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list: all invitations that Google has, page by page, as a table, as JSON lines or as CSV.
 */
#include "cli/api/api.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "cli/api/session.h"
#include "cli/common/csv.h"
#include "cli/common/json.h"
#include "cli/common/labels.h"
#include "cli/common/table.h"

#define PAGE_SIZE 200 /* Google's maximum */

enum list_form { FORM_TABLE, FORM_JSON, FORM_CSV };

struct listing {
	struct api_session session;
	struct table table;
	enum list_form form;
	char filter[64];   /* "" if none */
	const char *order; /* NULL: Google's own order */
	char *page_token;  /* of the next page; NULL at the end */
	bool stuck;	   /* Google gave the same page token twice */
	int64_t count;
};

static const struct table_column columns[] = {
	{"address", false, 16},
	{"state", false, 0},
	{"mails", true, 0},
	{"changed", false, 0},
};

static const char *const csv_names[] = {"address", "state", "mails_sent", "updated"};

/* ---- one invitation ---- */

static void print_csv(const struct invitation *i)
{
	char when[CLOCK_TEXT_SIZE] = "", mails[24];
	const char *fields[] = {i->address, invitation_state_word(i->state), mails, when};

	str_format(mails, sizeof(mails), "%" PRId64, i->mails);
	if (i->updated > 0)
		clock_rfc3339(i->updated, when);
	csv_record(stdout, fields, ARRAY_SIZE(fields));
}

static void print_json_line(const struct invitation *i)
{
	json_line(json_pack("{s:o, s:s, s:I, s:o}", "address", json_text(i->address), "state",
		invitation_state_word(i->state), "mails_sent", (json_int_t)i->mails, "updated",
		json_time(i->updated)));
}

static void add_row(struct table *t, const struct invitation *i)
{
	char when[CLOCK_TEXT_SIZE] = "";

	table_add(t, STYLE_PLAIN, i->address);
	table_add(t, label_invitation_style(i->state), invitation_state_word(i->state));
	table_addf(t, STYLE_PLAIN, "%" PRId64, i->mails);
	if (i->updated > 0)
		clock_relative(i->updated, clock_wall(), when);
	table_add(t, STYLE_DIM, when);
}

/* ---- pages ---- */

static void store_page_token(struct listing *l, const char *token)
{
	char *old = l->page_token;

	l->page_token = token ? strdup(token) : NULL;
	l->stuck = old && l->page_token && strcmp(old, l->page_token) == 0;
	free(old);
}

static void on_wait(int64_t wait_ms, void *ctx)
{
	struct listing *l = ctx;

	progress_wait(wait_ms, &l->session.progress);
}

static void on_page(const struct google_reply *reply, void *ctx)
{
	struct listing *l = ctx;

	progress_clear(&l->session.progress);
	for (size_t i = 0; i < reply->page_count; i++) {
		if (l->form == FORM_CSV)
			print_csv(&reply->page[i]);
		else if (l->form == FORM_JSON)
			print_json_line(&reply->page[i]);
		else
			add_row(&l->table, &reply->page[i]);
	}
	l->count += (int64_t)reply->page_count;
	if (l->form == FORM_TABLE)
		table_print(&l->table, &l->session.screen, 0);
	fflush(stdout);
	store_page_token(l, reply->next_page_token);
	if (l->page_token)
		progress_update(&l->session.progress, "%" PRId64 " so far", l->count);
}

static int read_pages(struct listing *l)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct google_call call = {
		.method = GOOGLE_LIST,
		.list_page_size = PAGE_SIZE,
		.list_filter = l->filter[0] != '\0' ? l->filter : NULL,
		.list_order = l->order,
	};

	do {
		call.list_page_token = l->page_token;
		if (l->count == 0)
			progress_update(&l->session.progress, "asking Google for the list");
		engine_list(l->session.engine, &call, on_wait, l, on_page, &fault);
		if (fault.kind == FAULT_NONE && l->stuck)
			fault_set(&fault, FAULT_TRANSIENT, "page_token_repeats",
				"Google returned the same page token twice: the list is "
				"incomplete");
	} while (fault.kind == FAULT_NONE && l->page_token && !ferror(stdout));
	progress_clear(&l->session.progress);
	return fault.kind != FAULT_NONE ? cli_fail(&fault) : EXIT_OK;
}

static void print_end(struct listing *l)
{
	char number[SCREEN_NUMBER_SIZE];

	if (l->form != FORM_TABLE)
		return;
	if (l->count > 0)
		screen_newline(&l->session.screen);
	screen_putf(&l->session.screen, STYLE_DIM, "%s invitation%s",
		screen_number(number, l->count), l->count == 1 ? "" : "s");
	screen_newline(&l->session.screen);
}

/* ---- the command line ---- */

static const struct option options[] = {
	{"state", required_argument, NULL, 's'},
	{"order-by", required_argument, NULL, 'o'},
	{"json", no_argument, NULL, 'j'},
	{"csv", no_argument, NULL, 'c'},
	{NULL, 0, NULL, 0},
};

/* state=='invited': Google's own samples have the literal in lower case. */
static bool set_filter(struct listing *l, const char *typed)
{
	char word[32];
	enum invitation_state state;

	if (!label_parse(word, sizeof(word), typed))
		return false;
	state = invitation_state_parse(word);
	if (state == INVITATION_OTHER || state == INVITATION_UNSPECIFIED)
		return false;
	return str_format(l->filter, sizeof(l->filter), "state=='%s'", word);
}

static bool set_order(struct listing *l, const char *typed)
{
	static const char *const orders[] = {"email", "email asc", "email desc", "update_time",
		"update_time asc", "update_time desc"};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++)
		if (str_equal_nocase(typed, orders[i]))
			l->order = orders[i];
	return l->order;
}

static int error_option(const char *option, const char *value, const char *remedy)
{
	struct fault fault;

	fault_set(&fault, FAULT_USAGE, "bad_value", "%s: unknown value '%s'", option, value);
	fault_remedy(&fault, "%s", remedy);
	return cli_fail(&fault);
}

static int parse(const struct cli *cli, struct listing *l, int argc, char **argv)
{
	int option, forms = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's' && !set_filter(l, optarg))
			return error_option("--state", optarg,
				"Use one of not_yet_sent, invited, accepted, declined.");
		if (option == 'o' && !set_order(l, optarg))
			return error_option("--order-by", optarg,
				"Use email or update_time, optionally followed by ' asc' or ' "
				"desc'.");
		if (option == 'j' || option == 'c') {
			l->form = option == 'j' ? FORM_JSON : FORM_CSV;
			forms++;
		}
		if (option == '?')
			return cli_usage(cli);
	}
	return optind < argc || forms > 1 ? cli_usage(cli) : EXIT_OK;
}

int verb_list(const struct cli *cli, int argc, char **argv)
{
	struct listing l = {.form = FORM_TABLE};
	int exit_code = parse(cli, &l, argc, argv);

	if (exit_code != EXIT_OK)
		return exit_code;
	if (!api_session_open(&l.session, cli, l.form == FORM_JSON, &exit_code))
		return exit_code;
	table_open(&l.table, columns, ARRAY_SIZE(columns));
	if (l.form == FORM_CSV)
		csv_record(stdout, csv_names, ARRAY_SIZE(csv_names));
	exit_code = read_pages(&l);
	if (exit_code == EXIT_OK)
		print_end(&l);
	table_free(&l.table);
	free(l.page_token);
	api_session_close(&l.session);
	return exit_code;
}
