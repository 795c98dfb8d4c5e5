/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup: from an installed package to a host that sees logins and maps them to addresses. It asks
 * at the terminal, or takes all answers from the command line; a second run changes nothing.
 * Nothing is ever sent before `enable`.
 */
#include "cli/setup/setup.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/str.h"
#include "cli/common/confirm.h"
#include "cli/common/interrupt.h"
#include "cli/common/json.h"
#include "cli/common/table.h"

/* ---- reporting ---- */

static int fail(struct setup *s)
{
	s->exit_code = cli_max_exit(s->exit_code, cli_fail(&s->fault));
	return s->exit_code;
}

/* ---- the settings ---- */

static const struct table_column columns[] = {
	{.title = ""}, {.title = "", .least = 16}, {.title = "", .least = 16}};

struct changes {
	struct setup *setup;
	struct table table;
};

static void add_change(
	const char *section, const char *key, const char *old, const char *new, void *ctx)
{
	struct changes *c = ctx;

	table_addf(&c->table, STYLE_BOLD, "[%s] %s", section, key);
	table_addf(&c->table, STYLE_GOOD, "= %s", new);
	table_addf(&c->table, STYLE_DIM, old[0] ? "; was %s" : "%s", old);
	json_array_append_new(
		c->setup->changes, json_pack("{s:s, s:s, s:o, s:o}", "section", section, "key", key,
					   "old", json_text(old), "new", json_text(new)));
}

static int show_changes(struct setup *s)
{
	struct changes c = {.setup = s};
	int count;

	table_open(&c.table, columns, ARRAY_SIZE(columns));
	count = config_draft_changes(&s->draft, add_change, &c);
	if (count > 0) {
		setup_print_title(s, "Settings");
		setup_print(s, STYLE_PLAIN, 0, "In %s%s:", s->path,
			s->draft.is_new ? ", a new file" : "");
	}
	if (!s->json)
		table_print(&c.table, &s->screen, 2);
	table_free(&c.table);
	return count;
}

/* Settings that the dispatcher would refuse are not written, except if they name a copy that is
 * made afterwards. */
static void on_fault(const struct fault *fault, void *ctx)
{
	struct setup *s = ctx;

	if (s->fault.kind == FAULT_NONE && !(s->copy[0] && strstr(fault->what, s->copy)))
		s->fault = *fault;
}

static bool confirm(struct setup *s)
{
	if (s->yes)
		return true;
	if (s->dialogue)
		return setup_yes(s, "Write these settings", true);
	return cli_confirm("Write these settings?");
}

static bool commit(struct setup *s)
{
	sigset_t before;
	bool good;

	interrupt_hold(&before);
	good = config_draft_commit(&s->draft, &s->fault);
	if (good)
		setup_part(s, PART_SETTINGS, PART_WRITTEN);
	interrupt_release(&before);
	return good;
}

static int write_settings(struct setup *s)
{
	int changes = show_changes(s);

	if (changes == 0)
		setup_part(s, PART_SETTINGS, PART_NOT_WANTED);
	if (s->copy[0])
		setup_part(s, PART_CREDENTIAL, PART_OPEN);
	settings_check(s->draft.settings, on_fault, s);
	if (s->fault.kind)
		return fail(s);
	if (s->dry_run || (changes == 0 && !s->copy[0]))
		return EXIT_OK;
	if (changes > 0 && !confirm(s))
		return s->fault.kind ? fail(s) : EXIT_USAGE;
	if (!setup_credential_install(s) || (changes > 0 && !commit(s)))
		return fail(s);
	s->changed = s->changed || changes > 0;
	if (changes > 0)
		setup_print(s, STYLE_GOOD, 0, "%s was written.", s->path);
	if (changes > 0 && !s->draft.is_new)
		setup_print(s, STYLE_PLAIN, 0, "The previous version is in %s" DRAFT_BACKUP_SUFFIX,
			s->path);
	return EXIT_OK;
}

/* ---- PAM ---- */

/* Also after a failure: an interrupt may have cut the change short. */
static bool change_pam(struct setup *s, struct pam_change *change)
{
	sigset_t before;
	bool good;

	interrupt_hold(&before);
	good = pam_change_make(change, true, &s->fault);
	if (good || change->method->enabled())
		setup_part(s, PART_PAM, PART_WRITTEN);
	interrupt_release(&before);
	return good;
}

static void make_pam_change(struct setup *s, struct pam_change *change)
{
	if (!s->json)
		pam_change_show(&s->screen, "Planned changes:", &change->plan);
	if (s->dry_run)
		return;
	if (s->dialogue && !setup_yes(s, "Apply this PAM change", true)) {
		setup_part(s, PART_PAM, PART_NOT_WANTED);
		if (s->fault.kind)
			fail(s);
		return;
	}
	if (!change_pam(s, change)) {
		fail(s);
		return;
	}
	s->changed = true;
	if (!s->json)
		pam_change_show(&s->screen, "Changes made:", &change->made);
	setup_print(s, STYLE_PLAIN, 0, "To undo this: cloudinvite pam disable");
}

static void print_pam_enabled(struct setup *s)
{
	setup_part(s, PART_PAM, PART_NOT_WANTED);
	setup_print(s, STYLE_GOOD, 0, "Logins are already monitored.");
}

static void enable_pam(struct setup *s)
{
	struct pam_change change;

	if (s->no_pam)
		return;
	setup_print_title(s, "Logins");
	if (!s->pam && !s->dialogue) {
		bool on = pam_method()->enabled();
		setup_print(s, on ? STYLE_GOOD : STYLE_WARN, 0,
			on ? "Logins are monitored."
			   : "Logins are not monitored. To turn this on: sudo cloudinvite pam "
			     "enable");
		return;
	}
	if (!pam_change_plan(&change, true, &s->fault))
		fail(s);
	else if (change.needed)
		make_pam_change(s, &change);
	else
		print_pam_enabled(s);
	if (!s->fault.kind)
		s->pam_change = pam_change_json(&change, true, s->dry_run);
	pam_change_free(&change);
}

/* ---- the end ---- */

/* What Google recommends, and what makes administrators remove such programs again. */
static void print_before_sending(struct setup *s)
{
	static const char *const advice[] = {
		"Announce it to your people: /usr/share/doc/cloudinvite/announcement.md is a mail "
		"to copy.",
		"Decide where accepted accounts should go: organisational unit, licence.",
		"Exclude addresses without a known owner and people who have left: exclude_users, "
		"the map, `cloudinvite block`."};

	setup_print(s, STYLE_BOLD, 0, "Before `enable`:");
	for (size_t i = 0; i < ARRAY_SIZE(advice); i++)
		setup_print(s, STYLE_PLAIN, 2, "%s", advice[i]);
}

static void print_next_steps(struct setup *s)
{
	bool sends = s->draft.settings->mode == MODE_SEND;

	setup_print_title(s, "Next steps");
	setup_print(s, STYLE_PLAIN, 2,
		"systemctl enable --now cloudinvite-collector cloudinvite-dispatcher");
	setup_print(s, STYLE_PLAIN, 2, "sudo cloudinvite doctor");
	if (!sends)
		setup_print(s, STYLE_PLAIN, 2, "sudo cloudinvite enable");
	setup_print(s, sends ? STYLE_WARN : STYLE_PLAIN, 0,
		sends ? "Sending is on: everyone found with an unmanaged account is invited."
		      : "No invitations are sent until `enable`. `cloudinvite status` shows who "
			"would be invited.");
	if (!sends)
		print_before_sending(s);
	setup_print(s, STYLE_PLAIN, 0,
		"For a golden image, include the package and these settings, but not %s, %s and "
		"%s: they hold the spool, ledger and tokens of one machine.",
		s->draft.settings->spool, s->draft.settings->state, s->draft.settings->tokens);
}

static int print_result(struct setup *s)
{
	int answered;

	if (s->json) {
		answered = json_answer(json_pack("{s:i, s:s, s:b, s:b, s:O, s:O?, s:O?, s:O?}",
			"schema", JSON_SCHEMA, "file", s->path, "changed", s->changed, "dry_run",
			s->dry_run, "settings", s->changes, "accounts", s->accounts, "checks",
			s->checks, "pam", s->pam_change));
		return cli_max_exit(answered, s->exit_code);
	}
	screen_newline(&s->screen);
	if (s->dry_run)
		setup_print(s, STYLE_BOLD, 0, "Nothing was written.");
	else if (!s->changed)
		setup_print(s, STYLE_BOLD, 0,
			"Nothing to change: these settings are already in place.");
	if (s->exit_code == EXIT_OK && !s->dry_run)
		print_next_steps(s);
	else if (!s->dry_run)
		setup_print(s, STYLE_BAD, 0,
			"Fix the lines marked BAD and run setup again. The settings written so far "
			"are kept.");
	return s->exit_code;
}

static int run_setup(struct setup *s)
{
	int written;

	if (!config_draft_open(&s->draft, s->path, &s->fault) || !setup_apply_options(s) ||
		(s->dialogue ? !setup_ask(s) : !setup_is_complete(s)))
		return fail(s);
	setup_accounts(s);
	setup_print_hosts(s);
	written = write_settings(s);
	if (written != EXIT_OK)
		return written;
	if (!s->no_check && !s->dry_run)
		setup_check(s);
	if (s->fault.kind) /* the input has ended */
		return fail(s);
	enable_pam(s);
	return print_result(s);
}

/* ---- the command line ---- */

static const struct option options[] = {
	{"customer", required_argument, NULL, 'c'},
	{"domain", required_argument, NULL, 'd'},
	{"address", required_argument, NULL, 'a'},
	{"credentials", required_argument, NULL, 'k'},
	{"install-credentials", no_argument, NULL, 'i'},
	{"subject", required_argument, NULL, 's'},
	{"service-account", required_argument, NULL, 'S'},
	{"hosts", required_argument, NULL, 'h'},
	{"requests-per-minute", required_argument, NULL, 'r'},
	{"sends-per-day", required_argument, NULL, 'm'},
	{"pam", no_argument, NULL, 'p'},
	{"no-pam", no_argument, NULL, 'P'},
	{"no-check", no_argument, NULL, 'C'},
	{"wait", required_argument, NULL, 'w'},
	{"guide", optional_argument, NULL, 'g'},
	{"yes", no_argument, NULL, 'y'},
	{"json", no_argument, NULL, 'j'},
	{"dry-run", no_argument, NULL, 'n'},
	{NULL, 0, NULL, 0},
};

static bool parse_flag(struct setup *s, int option)
{
	const struct {
		int option;
		bool *flag;
	} flags[] = {{'i', &s->install}, {'p', &s->pam}, {'P', &s->no_pam}, {'C', &s->no_check},
		{'y', &s->yes}, {'j', &s->json}, {'n', &s->dry_run}};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (flags[i].option == option) {
			*flags[i].flag = true;
			return true;
		}
	}
	return false;
}

static bool parse_number(struct setup *s, int option)
{
	const struct {
		int option;
		long long *number, most;
		const char *name;
	} numbers[] = {{'h', &s->hosts, SETUP_HOSTS_MAX, "--hosts"},
		{'r', &s->rate, 600, "--requests-per-minute"},
		{'m', &s->sends, 100000, "--sends-per-day"}, {'w', &s->wait, 1440, "--wait"}};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i].option == option)
			return str_number(optarg, 1, numbers[i].most, numbers[i].number) ||
			       fault_set(&s->fault, FAULT_USAGE, "bad_number",
				       "%s: '%s' is not a number from 1 to %lld", numbers[i].name,
				       optarg, numbers[i].most);
	return false;
}

static bool parse_option(struct setup *s, int option)
{
	const struct {
		int option;
		const char **word;
	} words[] = {{'c', &s->customer}, {'d', &s->domains}, {'a', &s->address},
		{'k', &s->credentials}, {'s', &s->subject}, {'S', &s->service_account}};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (words[i].option == option) {
			*words[i].word = optarg;
			return true;
		}
	}
	if (option == 'g')
		s->guide = optarg ? optarg : "keyless";
	return option == 'g' || parse_flag(s, option) || parse_number(s, option);
}

static int parse(struct setup *s, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!parse_option(s, option))
			return s->fault.kind ? fail(s) : cli_usage(s->cli);
	if (optind < argc || (s->pam && s->no_pam) || (s->json && !s->yes && !s->dry_run))
		return cli_usage(s->cli);
	s->dialogue = !s->yes && !s->json && !s->dry_run && isatty(STDIN_FILENO) == 1 &&
		      isatty(STDOUT_FILENO) == 1;
	return EXIT_OK;
}

static int guide(struct setup *s)
{
	enum setup_route route = setup_route_parse(s->guide);

	if (route == ROUTE_UNKNOWN) {
		fault_set(
			&s->fault, FAULT_USAGE, "bad_route", "--guide: unknown way '%s'", s->guide);
		fault_remedy(&s->fault, "Use --guide=keyless, --guide=key or --guide=login.");
		return fail(s);
	}
	setup_guide_cloud(s, route, NULL);
	setup_guide_admin(s, route, NULL);
	return EXIT_OK;
}

static int run(struct setup *s)
{
	if (s->guide)
		return guide(s);
	setup_progress_begin(s);
	if (s->dry_run || geteuid() == 0)
		return run_setup(s);
	fault_set(&s->fault, FAULT_USAGE, "not_root",
		"only root can change the settings and PAM files");
	fault_remedy(&s->fault,
		"Run it as root: sudo cloudinvite setup. With --dry-run, it changes nothing.");
	return fail(s);
}

int verb_setup(const struct cli *cli, int argc, char **argv)
{
	struct setup s = {.cli = cli, .path = cli->settings_path};
	int exit_code = parse(&s, argc, argv);

	if (exit_code != EXIT_OK)
		return exit_code;
	if (!s.path)
		s.path = SETTINGS_FILE;
	screen_open(&s.screen, cli, stdout);
	s.changes = json_array();
	exit_code = run(&s);
	config_draft_close(&s.draft);
	setup_progress_end();
	json_decref(s.changes);
	json_decref(s.checks);
	json_decref(s.accounts);
	json_decref(s.pam_change);
	return exit_code;
}
