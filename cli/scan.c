/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scan: looks at all present accounts of this host now, as if each had just logged in (a bulk
 * start), or with
 * --dry-run only shows whom they would be mapped to. Arrivals are the spool's: so only root scans.
 */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/identity.h"
#include "base/running.h"
#include "base/text.h"
#include "cli/json.h"
#include "cli/screen.h"
#include "cli/table.h"
#include "people/verdict.h"
#include "spool/spool.h"

#define ASK_ABOVE 10

/* This host's accounts, and what the rules need. */
struct scan {
	const struct cli *cli;
	const struct settings *settings;
	struct account_table accounts;
	struct group_table *groups;
	struct address_map *map;
	bool json;
};

static bool scan_open(struct scan *s, struct fault *fault)
{
	const struct settings *settings = s->settings;
	char names[2048];

	if (!text_format(names, sizeof(names), "%s %s", settings->include_groups,
		    settings->exclude_groups))
		return fault_set(fault, FAULT_SETTINGS, "groups",
			"[people] include_groups and exclude_groups are too long");
	if (!account_read(settings->passwd, &s->accounts, fault))
		return false;
	s->groups = group_read(settings->group, names, fault);
	if (s->groups == NULL)
		return false;
	s->map = map_load(settings->map, fault);
	return s->map != NULL;
}

static void scan_close(struct scan *s)
{
	map_free(s->map);
	group_table_free(s->groups);
	account_table_free(&s->accounts);
}

static bool counts(const struct scan *s, const struct account *account)
{
	return (int64_t)account->uid >= s->settings->min_uid &&
	       (int64_t)account->uid <= s->settings->max_uid;
}

/* ---- --dry-run ---- */

static const struct table_column columns[] = {{.title = "user", .least = 8},
	{.title = "uid", .right = true}, {.title = "verdict"}, {.title = "address", .least = 16},
	{.title = "why", .least = 16}};

static void judge(const struct scan *s, const struct account *account, struct verdict *verdict)
{
	struct sighting sighting = {.reason = SEEN_ASKED};

	identity_host(sighting.host, sizeof(sighting.host));
	text_copy(sighting.user, sizeof(sighting.user), account->user);
	sighting_facts(&sighting, account, s->groups, s->settings);
	verdict_judge(&sighting, s->settings, s->map, verdict);
}

static bool show_json(const struct account *account, const struct verdict *verdict)
{
	return json_line(json_pack("{s:o,s:I,s:s,s:o,s:o}", "user", json_text(account->user), "uid",
		(json_int_t)account->uid, "verdict", verdict_word(verdict->kind), "address",
		json_text(verdict->address), "why", json_text(verdict->sentence)));
}

static void add_row(
	struct table *table, const struct account *account, const struct verdict *verdict)
{
	bool mapped = verdict->kind == VERDICT_MAPPED;

	table_add(table, INK_BOLD, account->user);
	table_addf(table, INK_PLAIN, "%u", (unsigned)account->uid);
	table_add(table, mapped ? INK_GOOD : INK_DIM, verdict_word(verdict->kind));
	table_add(table, INK_PLAIN, verdict->address);
	table_add(table, INK_DIM, verdict->sentence);
}

static int show(const struct scan *s)
{
	struct table table = {.count = 0};
	struct screen screen;
	bool good = true;

	screen_open(&screen, s->cli, stdout);
	table_open(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < s->accounts.count && good; i++) {
		struct verdict verdict;

		if (!counts(s, &s->accounts.accounts[i]))
			continue;
		judge(s, &s->accounts.accounts[i], &verdict);
		if (s->json)
			good = show_json(&s->accounts.accounts[i], &verdict);
		else
			add_row(&table, &s->accounts.accounts[i], &verdict);
	}
	if (!s->json)
		good = table_print(&table, &screen, 0);
	table_free(&table);
	return good ? EXIT_YES : fault_exit_code(FAULT_STORAGE);
}

/* ---- for real ---- */

static int spool_fault(const char *spool)
{
	int why = errno;
	struct fault fault;

	fault_set(&fault, FAULT_STORAGE, "spool", "%s/" SPOOL_NEW ": %s", spool, strerror(why));
	fault_remedy(&fault, why == ENOENT ? "Run cloudinvite-collector --prepare as root."
					   : "Run it as root: sudo cloudinvite scan");
	return cli_fail(&fault);
}

/* One fsync of the directory at the end stands for all of them: who is lost in a power cut before
 * it is still in the passwd file for the next scan. */
static int write_arrivals(const struct scan *s)
{
	int box = spool_open(s->settings->spool, SPOOL_NEW);
	int written = 0, waiting = 0, exit_code = EXIT_YES;

	if (box < 0)
		return spool_fault(s->settings->spool);
	for (size_t i = 0; i < s->accounts.count; i++) {
		int result;

		if (!counts(s, &s->accounts.accounts[i]))
			continue;
		result = spool_arrive(box, s->accounts.accounts[i].user, SPOOL_ASKED, false);
		if (result < 0 && errno != ENAMETOOLONG) {
			exit_code = spool_fault(s->settings->spool);
			break;
		}
		written += result > 0;
		waiting += result == 0;
	}
	if (exit_code == EXIT_YES && fsync(box) != 0)
		exit_code = spool_fault(s->settings->spool);
	file_close(&box);
	running_wake(s->settings->run);
	if (s->json && exit_code == EXIT_YES)
		return json_answer(json_pack("{s:i,s:i}", "reported", written, "waiting", waiting));
	printf("%d accounts were reported to the collector%s.\n", written,
		waiting > 0 ? " (others were waiting already)" : "");
	return exit_code;
}

static int really(const struct scan *s, bool yes)
{
	char question[128];
	int count = 0;

	for (size_t i = 0; i < s->accounts.count; i++)
		count += counts(s, &s->accounts.accounts[i]);
	text_format(question, sizeof(question),
		"Look at all %d accounts of this host as if each had just logged in?", count);
	if (count > ASK_ABOVE && !yes && !cli_confirm(question))
		return fault_exit_code(FAULT_POLICY);
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
			return cli_usage(argv[0]);
		dry = dry || option == 'n';
		s.json = s.json || option == 'j';
		yes = yes || option == 'y';
	}
	if (optind < argc)
		return cli_usage(argv[0]);
	settings = settings_load_checked(cli->settings_path, false, &fault);
	if (settings == NULL)
		return cli_fail(&fault);
	s.settings = settings;
	if (!scan_open(&s, &fault))
		exit_code = cli_fail(&fault);
	else
		exit_code = dry ? show(&s) : really(&s, yes);
	scan_close(&s);
	settings_free(settings);
	return exit_code;
}
