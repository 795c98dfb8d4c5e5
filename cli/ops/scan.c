/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan: evaluates all present accounts of this host now, as if each had just logged in. With
 * --dry-run it only shows the addresses to which they would be mapped. Only root may write
 * arrivals, so only root can scan.
 */
#include "cli/ops/ops.h"

#include <getopt.h>
#include <stdio.h>

#include "base/array.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/common/confirm.h"
#include "cli/common/json.h"
#include "cli/common/mapping.h"
#include "cli/common/progress.h"
#include "cli/common/screen.h"
#include "cli/common/table.h"
#include "cli/ops/spool_writer.h"
#include "spool/keeper.h"

struct scan {
	const struct cli *cli;
	const struct settings *settings;
	struct mapping mapping;
	struct progress progress;
	bool json;
};

#define SAY_EVERY 4096 /* accounts */

static void update_progress(struct scan *s, size_t done)
{
	if (done % SAY_EVERY == 0)
		progress_update(
			&s->progress, "%zu of %zu accounts", done, s->mapping.accounts.count);
}

/* ---- --dry-run ---- */

static const struct table_column columns[] = {{.title = "user", .least = 8},
	{.title = "uid", .right = true}, {.title = "verdict"}, {.title = "address", .least = 16},
	{.title = "why", .least = 16}};

static bool show_json(const struct account *account, const struct verdict *verdict)
{
	return json_line(json_pack("{s:o,s:I,s:s,s:o,s:o}", "user", json_text(account->user), "uid",
		(json_int_t)account->uid, "verdict", verdict_word(verdict->kind), "address",
		json_text(verdict->address), "explanation", json_text(verdict->sentence)));
}

static void add_row(
	struct table *table, const struct account *account, const struct verdict *verdict)
{
	bool mapped = verdict->kind == VERDICT_MAPPED;

	table_add(table, STYLE_BOLD, account->user);
	table_addf(table, STYLE_PLAIN, "%u", (unsigned)account->uid);
	table_add(table, mapped ? STYLE_GOOD : STYLE_DIM, verdict_word(verdict->kind));
	table_add(table, STYLE_PLAIN, verdict->address);
	table_add(table, STYLE_DIM, verdict->sentence);
}

static void print_above(const struct scan *s, struct screen *screen)
{
	int above = 0;

	for (size_t i = 0; i < s->mapping.accounts.count; i++)
		above += mapping_is_above(&s->mapping, &s->mapping.accounts.accounts[i]);
	if (above == 0)
		return;
	screen_newline(screen);
	screen_putf(screen, STYLE_WARN,
		"%d account%s with a login shell above max_uid (%lld): never invited.", above,
		above == 1 ? "" : "s", (long long)s->settings->max_uid);
}

static void print_totals(const struct scan *s, struct screen *screen, int looked_at, int mapped)
{
	char text[256];

	if (looked_at == 0) {
		screen_putf(screen, STYLE_PLAIN, "%s has no accounts from uid %lld to %lld.",
			s->settings->passwd, (long long)s->settings->min_uid,
			(long long)s->settings->max_uid);
	} else {
		str_format(text, sizeof(text),
			"%d of %d account%s would map to an address, before blocks and collisions "
			"are considered. Nothing was written.",
			mapped, looked_at, looked_at == 1 ? "" : "s");
		screen_newline(screen);
		screen_wrap(screen, STYLE_PLAIN, 0, text);
	}
	print_above(s, screen);
	screen_newline(screen);
}

static int show(struct scan *s)
{
	struct table table = {.count = 0};
	struct screen screen;
	int looked_at = 0, mapped = 0;
	bool good = true;

	screen_open(&screen, s->cli, stdout);
	table_open(&table, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < s->mapping.accounts.count && good; i++) {
		const struct account *account = &s->mapping.accounts.accounts[i];
		struct verdict verdict;

		update_progress(s, i);
		if (!mapping_counts(&s->mapping, account))
			continue;
		mapping_evaluate(&s->mapping, account, &verdict);
		looked_at++;
		mapped += verdict.kind == VERDICT_MAPPED;
		if (s->json)
			good = show_json(account, &verdict);
		else
			add_row(&table, account, &verdict);
	}
	progress_clear(&s->progress);
	if (!s->json && looked_at > 0)
		good = table_print(&table, &screen, 0);
	if (!s->json)
		print_totals(s, &screen, looked_at, mapped);
	table_free(&table);
	return good ? EXIT_OK : EXIT_STORAGE;
}

/* ---- without --dry-run ---- */

struct reported {
	int written, waiting, left; /* left: names that do not fit into the spool */
};

/* One fsync at the end is enough for all: an account that a power failure loses before it is still
 * in the passwd file for the next scan. */
static bool report(struct scan *s, int box, struct reported *r, struct fault *fault)
{
	const char *spool = s->settings->spool;

	for (size_t i = 0; i < s->mapping.accounts.count; i++) {
		const struct account *account = &s->mapping.accounts.accounts[i];
		int result;

		update_progress(s, i);
		if (!mapping_counts(&s->mapping, account))
			continue;
		result =
			spool_writer_write(box, spool, account->user, TRIGGER_MANUAL, false, fault);
		if (result < 0 && fault->kind != FAULT_USAGE)
			return false;
		if (result < 0) {
			progress_clear(&s->progress);
			cli_fail(fault);
		}
		r->written += result > 0;
		r->waiting += result == 0;
		r->left += result < 0;
	}
	return spool_writer_sync(box, spool, fault);
}

/* The run directory would show too whether the programs run. But it is the service's, and root does
 * not look up names in a directory that others can open. */
static int print_summary(const struct scan *s, const struct reported *r, bool served)
{
	char waiting[64] = "";

	if (s->json)
		return json_answer(json_pack("{s:i,s:i,s:i}", "reported", r->written,
			"already_queued", r->waiting, "skipped", r->left));
	if (r->waiting > 0)
		str_format(waiting, sizeof(waiting), ", %d %s already in the spool", r->waiting,
			r->waiting == 1 ? "was" : "were");
	cli_print("%d account%s reported to the collector%s.", r->written,
		r->written == 1 ? " was" : "s were", waiting);
	if (!served)
		cli_print("The collector is not running: it will process them when it starts.");
	return EXIT_OK;
}

static int write_arrivals(struct scan *s)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct reported reported = {.written = 0};
	int box = spool_writer_open(s->settings->spool, &fault);
	int exit_code;

	bool good = box >= 0 && report(s, box, &reported, &fault);

	progress_clear(&s->progress);
	if (good)
		exit_code = print_summary(s, &reported, spool_is_served(box));
	else
		exit_code = cli_fail(&fault);
	file_close(&box);
	return exit_code;
}

static int really(struct scan *s, bool yes)
{
	char question[128];
	int count = 0;

	for (size_t i = 0; i < s->mapping.accounts.count; i++)
		count += mapping_counts(&s->mapping, &s->mapping.accounts.accounts[i]);
	progress_clear(&s->progress);
	str_format(question, sizeof(question),
		"Process all %d accounts of this host as if each had just logged in?", count);
	if (count > CONFIRM_ABOVE && !yes && !cli_confirm(question))
		return EXIT_USAGE;
	return write_arrivals(s);
}

int verb_scan(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"dry-run", no_argument, NULL, 'n'},
		{"json", no_argument, NULL, 'j'},
		{"yes", no_argument, NULL, 'y'},
		{NULL, 0, NULL, 0},
	};
	struct scan s = {.cli = cli};
	struct fault fault = {.kind = FAULT_NONE};
	bool dry = false, yes = false;
	struct settings *settings;
	int option, exit_code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return cli_usage(cli);
		dry = dry || option == 'n';
		s.json = s.json || option == 'j';
		yes = yes || option == 'y';
	}
	if (optind < argc)
		return cli_usage(cli);
	settings = settings_load_checked(cli->settings_path, false, &fault);
	if (!settings)
		return cli_fail(&fault);
	s.settings = settings;
	progress_start(&s.progress, cli);
	progress_update(&s.progress, "reading %s", settings->passwd);
	if (mapping_open(&s.mapping, settings, &fault)) {
		exit_code = dry ? show(&s) : really(&s, yes);
	} else {
		progress_clear(&s.progress);
		exit_code = cli_fail(&fault);
	}
	progress_end(&s.progress);
	mapping_close(&s.mapping);
	settings_free(settings);
	return exit_code;
}
