/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor [--json] [--offline]: checks every step from the module's file to Google's answer, prints
 * a line for each, and names the remedy of what is wrong.
 */
#include "cli/doctor/doctor.h"

#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "cli/common/json.h"

static const struct {
	const char *name;
	doctor_step *run;
} steps[] = {
	{"module", doctor_module},
	{"pam", doctor_pam},
	{"hook", doctor_hook},
	{"isolation", doctor_isolation},
	{"settings", doctor_settings},
	{"directories", doctor_directories},
	{"accounts", doctor_accounts},
	{"ledger", doctor_ledger},
	{"programs", doctor_workers},
	{"backlog", doctor_backlog},
	{"pause", doctor_pause},
	{"people", doctor_people},
	{"network", doctor_network},
	{"clock", doctor_clock},
	{"credential", doctor_credential},
	{"secrets", doctor_secrets},
	{"token", doctor_token},
	{"api", doctor_api},
	{"quota", doctor_quota},
};

/* ---- running the checks ---- */

/* Steps that need root come first, and read only what is root's (a home is read in a child, as its
 * account). Then the command becomes the service's user, who sees what the programs see. */
static bool needs_root(doctor_step *run)
{
	return run == doctor_module || run == doctor_pam || run == doctor_hook ||
	       run == doctor_isolation;
}

static bool become_service(struct doctor *d)
{
	struct fault fault = {.kind = FAULT_NONE};

	doctor_read_spool(d);
	if (!d->settings || settings_run_as(d->settings, ACCOUNT_DISPATCHER, &fault))
		return true;
	d->step = "user";
	doctor_bad(d, &fault);
	return false;
}

static void run_steps(struct doctor *d)
{
	bool us = false;

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		if (!us && !needs_root(steps[i].run) && !(us = become_service(d)))
			return;
		d->step = steps[i].name;
		progress_update(&d->progress, "%s", d->step);
		steps[i].run(d);
	}
}

static int print_result(struct doctor *d)
{
	struct screen *s = &d->screen;
	int answered;

	if (d->json) {
		answered = json_answer(json_pack("{s:i, s:O, s:i, s:i, s:i, s:i}", "schema",
			JSON_SCHEMA, "steps", d->findings, "ok", d->count[HEALTH_OK], "notes",
			d->count[HEALTH_NOTE], "bad", d->count[HEALTH_BAD], "skipped",
			d->count[HEALTH_SKIPPED]));
		return answered ? answered : d->exit_code;
	}
	screen_newline(s);
	if (d->count[HEALTH_BAD] == 0)
		screen_putf(s, STYLE_GOOD, "No problems found%s",
			d->count[HEALTH_SKIPPED] ? "; some checks were skipped." : ".");
	else
		screen_putf(s, STYLE_BAD, "%d problem%s. %s", d->count[HEALTH_BAD],
			d->count[HEALTH_BAD] == 1 ? "" : "s",
			d->count[HEALTH_BAD] == 1
				? "Fix it and run doctor again."
				: "Fix the first one first; the others may follow from it.");
	screen_newline(s);
	return d->exit_code;
}

int verb_doctor(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"offline", no_argument, NULL, 'o'},
		{NULL, 0, NULL, 0},
	};
	struct doctor d = {.cli = cli, .exit_code = EXIT_OK};
	int option, exit_code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return cli_usage(cli);
		d.json = d.json || option == 'j';
		d.offline = d.offline || option == 'o';
	}
	if (optind < argc)
		return cli_usage(cli);
	signal(SIGPIPE, SIG_IGN);
	screen_open(&d.screen, cli, stdout);
	progress_start(&d.progress, cli);
	d.findings = json_array();
	d.settings = settings_load(cli->settings_path, NULL);
	run_steps(&d);
	progress_end(&d.progress);
	exit_code = print_result(&d);
	json_decref(d.findings);
	credential_free(d.credential);
	http_close(d.http);
	ledger_close(d.ledger);
	settings_free(d.settings);
	return exit_code;
}
