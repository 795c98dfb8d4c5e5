/* SPDX-License-Identifier: Apache-2.0 */
/*
 * enable [--yes] [--approve]: shows who would have been invited, writes mode = send into the
 * settings, and asks whether the people who wait are invited as well. Those who were approved in
 * dry run are invited in any case.
 *
 * The settings are root's, and root itself only writes that file. A child with the ledger's account
 * reads the ledger, and one with the dispatcher's account signals the dispatcher. So root's rights
 * never touch a ledger or a pid that was planted in the run directory.
 */
#include "cli/people/people.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/instance.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "cli/common/confirm.h"
#include "cli/common/run_as.h"
#include "cli/common/screen.h"

#define SHOWN_MAX 10

struct enabling {
	const struct cli *cli;
	const struct settings *settings;
	struct screen screen;
	bool yes, approve;
	int64_t held;	  /* for the dry run, … */
	int64_t approved; /* … approved meanwhile, … */
	int64_t since;	  /* … and since when the first one of them has waited */
	int64_t queued;
	int shown;
};

/* ---- as the service ---- */

static void print_finding(const struct fault *fault, void *ctx)
{
	(void)ctx;
	cli_fail(fault);
}

/* With settings that stop the dispatcher, mode = send would have no effect. The check runs as the
 * service, because the service must be able to read the files that the settings name. */
static int check_settings(void *ctx)
{
	struct enabling *e = ctx;
	struct fault fault;
	int findings = settings_check(e->settings, print_finding, NULL);

	if (findings == 0)
		return EXIT_OK;
	fault_set(&fault, FAULT_SETTINGS, "findings",
		"the dispatcher cannot work with these settings");
	fault_remedy(&fault, "Correct them first. The mode was not changed.");
	return cli_fail(&fault);
}

static bool count_person(const struct person *p, void *ctx)
{
	struct enabling *e = ctx;

	if (p->reason != REASON_DRY_RUN)
		return true;
	e->held++;
	e->approved += p->approved;
	if (e->since == 0 || p->changed < e->since)
		e->since = p->changed;
	return true;
}

static bool count_held(struct enabling *e, struct ledger *ledger, struct fault *fault)
{
	e->held = e->approved = e->since = 0;
	return ledger_each_person(ledger, PERSON_HELD, NULL, 0, count_person, e, fault);
}

static bool show_person(const struct person *p, void *ctx)
{
	struct enabling *e = ctx;

	if (p->reason != REASON_DRY_RUN)
		return true;
	screen_to_column(&e->screen, 2);
	screen_putf(&e->screen, STYLE_PLAIN, "%s%s", p->address, p->approved ? " (approved)" : "");
	screen_newline(&e->screen);
	return ++e->shown < SHOWN_MAX;
}

static void show_what_follows(struct enabling *e)
{
	struct screen *s = &e->screen;
	char line[320], people[SCREEN_PEOPLE_SIZE];

	if (e->held > e->shown) {
		screen_putf(
			s, STYLE_DIM, "  and %s more", screen_number(people, e->held - e->shown));
		screen_newline(s);
	}
	if (e->queued > 0) {
		str_format(line, sizeof(line),
			"%s still to be checked: those with an unmanaged account are invited.",
			screen_people(people, e->queued));
		screen_wrap(s, STYLE_PLAIN, 0, line);
		screen_newline(s);
	}
	screen_newline(s);
	str_format(line, sizeof(line),
		"From now on, people with an unmanaged account are invited when they are first "
		"seen, up to %" PRId64 " a day.%s",
		e->settings->sends_per_day,
		e->held == 0 ? ""
		: e->approve ? " The people above are invited as well."
		: e->yes     ? " The people above stay held, except those who are approved, until: "
			       "cloudinvite approve --reason dry_run"
			     : "");
	screen_wrap(s, STYLE_PLAIN, 0, line);
	screen_newline(s);
}

static bool show_ledger(struct enabling *e, struct ledger *ledger, struct fault *fault)
{
	struct ledger_summary summary;
	char people[SCREEN_PEOPLE_SIZE], day[CLOCK_TEXT_SIZE];

	if (!count_held(e, ledger, fault) ||
		!ledger_summarise(ledger, clock_wall(), &summary, fault))
		return false;
	e->queued = summary.people[PERSON_QUEUED];
	screen_putf(&e->screen, STYLE_BOLD, "In dry run, %s would have been invited",
		screen_people(people, e->held));
	if (e->held > 0)
		screen_putf(&e->screen, STYLE_BOLD, ", the first on %s:", clock_day(e->since, day));
	else
		screen_put(&e->screen, STYLE_BOLD, ".");
	screen_newline(&e->screen);
	if (e->held > 0 && !ledger_each_person(ledger, PERSON_HELD, NULL, 0, show_person, e, fault))
		return false;
	show_what_follows(e);
	return true;
}

static int show_held(void *ctx)
{
	struct enabling *e = ctx;
	struct fault fault = {.kind = FAULT_NONE};
	struct ledger *ledger = ledger_open(e->settings, LEDGER_READ, &fault);
	bool ok;

	if (!ledger && strcmp(fault.code, "ledger_missing") == 0) {
		cli_print("No people have been seen yet.");
		return EXIT_OK;
	}
	if (!ledger)
		return cli_fail(&fault);
	ok = show_ledger(e, ledger, &fault);
	ledger_close(ledger);
	return ok ? EXIT_OK : cli_fail(&fault);
}

static int signal_dispatcher(void *ctx)
{
	struct enabling *e = ctx;
	pid_t pid = 0;

	if (instance_is_running(e->settings->run, "dispatcher", &pid, NULL) && pid > 1 &&
		kill(pid, SIGHUP) == 0) {
		cli_print("The dispatcher is reloading its settings.");
		return EXIT_OK;
	}
	if (pid > 0)
		cli_print("Reload the dispatcher: systemctl reload cloudinvite-dispatcher");
	else
		cli_print("The dispatcher is not running. Start it: systemctl start "
			  "cloudinvite-dispatcher");
	return EXIT_OK;
}

/* Counts, and writes to the history. A ledger that does not exist yet has neither. */
static bool note_enabled(struct enabling *e, struct fault *fault)
{
	struct ledger *ledger = ledger_open(e->settings, LEDGER_WRITE, fault);
	struct history_entry entry = {.at = clock_wall(), .event = "enabled"};
	char people[SCREEN_PEOPLE_SIZE];
	bool good;

	if (!ledger)
		return strcmp(fault->code, "ledger_missing") == 0;
	good = count_held(e, ledger, fault);
	str_copy(entry.actor, sizeof(entry.actor), e->cli->actor);
	str_format(entry.cause, sizeof(entry.cause),
		"mode = send; held since the dry run until approved: %s",
		screen_people(people, e->held));
	good = good && ledger_note(ledger, &entry, fault);
	ledger_close(ledger);
	if (good)
		cli_log_decision(e->cli, "enabled", NULL, entry.cause);
	return good;
}

static bool wants_held(struct enabling *e)
{
	char question[96], people[SCREEN_PEOPLE_SIZE];

	if (e->approve || e->yes)
		return e->approve;
	str_format(question, sizeof(question), "Invite the %s who waited for this as well?",
		screen_people(people, e->held));
	return cli_ask(question);
}

static int release_held(void *ctx)
{
	struct enabling *e = ctx;
	struct fault fault = {.kind = FAULT_NONE};
	bool all;

	if (!note_enabled(e, &fault))
		return cli_fail(&fault);
	if (e->held == 0)
		return EXIT_OK;
	all = e->held > e->approved && wants_held(e);
	if (!all && e->held > e->approved)
		cli_print("The others stay held until: cloudinvite approve --reason dry_run");
	return all || e->approved > 0 ? approve_dry_run(e->cli, all) : EXIT_OK;
}

/* ---- as root ---- */

static int write_mode(const struct settings *settings)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (settings_write(settings_path(settings), "invitations", "mode", "send", &fault)) {
		cli_print("%s: mode = send", settings_path(settings));
		return EXIT_OK;
	}
	if (geteuid() != 0)
		fault_remedy(&fault, "Run it as root: sudo cloudinvite enable");
	return cli_fail(&fault);
}

static int as_dispatcher(struct enabling *e, int (*act)(void *ctx))
{
	return run_as_service(e->settings, ACCOUNT_DISPATCHER, act, e);
}

static int as_ledger(struct enabling *e, int (*act)(void *ctx))
{
	return run_as_service(e->settings, ACCOUNT_LEDGER, act, e);
}

static int enable(struct enabling *e)
{
	int exit_code = as_dispatcher(e, check_settings), told;

	if (exit_code == EXIT_OK)
		exit_code = as_ledger(e, show_held);
	if (exit_code != EXIT_OK)
		return exit_code;
	if (!e->yes && !cli_confirm("Start sending?"))
		return EXIT_USAGE;
	exit_code = write_mode(e->settings);
	if (exit_code != EXIT_OK)
		return exit_code;
	exit_code = as_ledger(e, release_held);
	told = as_dispatcher(e, signal_dispatcher);
	return exit_code != EXIT_OK ? exit_code : told;
}

int verb_enable(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"approve", no_argument, NULL, 'a'},
		{"yes", no_argument, NULL, 'y'},
		{NULL, 0, NULL, 0},
	};
	struct enabling e = {.cli = cli};
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *settings;
	int option, exit_code = EXIT_OK;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'a')
			e.approve = true;
		else if (option == 'y')
			e.yes = true;
		else
			return cli_usage(cli);
	}
	if (optind < argc)
		return cli_usage(cli);
	settings = settings_load(cli->settings_path, &fault);
	if (!settings)
		return cli_fail(&fault);
	e.settings = settings;
	screen_open(&e.screen, cli, stdout);
	if (settings->mode == MODE_SEND)
		cli_print("Sending is already on: mode = send.");
	else
		exit_code = enable(&e);
	settings_free(settings);
	return exit_code;
}
