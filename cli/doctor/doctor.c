/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor [--json] [--offline]: walks every step from the module's file to Google's answer, a line
 * each, and names the remedy of what is wrong.
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

#define STEP_COLUMN 7
#define WHAT_COLUMN 20

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

/* ---- findings ---- */

static const struct {
	const char *word, *shown;
	enum style style;
} healths[] = {
	[HEALTH_OK] = {"ok", "ok", STYLE_GOOD},
	[HEALTH_SKIPPED] = {"skipped", "-", STYLE_DIM},
	[HEALTH_NOTE] = {"note", "note", STYLE_WARN},
	[HEALTH_BAD] = {"bad", "BAD", STYLE_BAD},
};

static void print_finding(
	struct doctor *d, enum health health, const char *what, const char *remedy)
{
	struct screen *s = &d->screen;

	progress_clear(&d->progress);
	screen_put(s, healths[health].style, healths[health].shown);
	screen_to_column(s, STEP_COLUMN);
	screen_put(s, health == HEALTH_BAD ? STYLE_BOLD : STYLE_DIM, d->step);
	screen_to_column(s, WHAT_COLUMN);
	screen_wrap(s, health == HEALTH_SKIPPED ? STYLE_DIM : STYLE_PLAIN, WHAT_COLUMN, what);
	screen_newline(s);
	if (!remedy || !*remedy)
		return;
	screen_to_column(s, WHAT_COLUMN);
	screen_put(s, STYLE_BOLD, screen_glyph(s, GLYPH_ARROW));
	screen_put(s, STYLE_PLAIN, " ");
	screen_wrap(s, STYLE_PLAIN, WHAT_COLUMN + 2, remedy);
	screen_newline(s);
}

static void report(struct doctor *d, enum health health, const char *code, const char *what,
	const char *remedy)
{
	char safe[640];

	d->count[health]++;
	str_safe(safe, sizeof(safe), what);
	if (d->json)
		json_array_append_new(d->findings,
			json_pack("{s:s, s:s, s:o, s:o, s:o}", "step", d->step, "result",
				healths[health].word, "code", json_text(code ? code : ""), "what",
				json_text(safe), "remedy", json_text(remedy ? remedy : "")));
	else
		print_finding(d, health, safe, remedy);
	fflush(stdout);
}

void doctor_ok(struct doctor *d, const char *format, ...)
{
	char what[640];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	report(d, HEALTH_OK, NULL, what, NULL);
}

void doctor_skip(struct doctor *d, const char *format, ...)
{
	char what[640];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	report(d, HEALTH_SKIPPED, NULL, what, NULL);
}

void doctor_note(struct doctor *d, const char *code, const char *remedy, const char *format, ...)
{
	char what[640];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	report(d, HEALTH_NOTE, code, what, remedy);
}

void doctor_bad(struct doctor *d, const struct fault *fault)
{
	int code = fault_exit_code(fault->kind);

	d->exit_code = cli_max_exit(d->exit_code, code == EXIT_OK ? EXIT_NEGATIVE : code);
	str_copy(d->bad_code, sizeof(d->bad_code), fault->code);
	report(d, HEALTH_BAD, fault->code, fault->what, fault->remedy);
}

/* ---- the walk ---- */

/* What needs root's eyes comes first, and reads only what is root's (a home is read as its account,
 * in a child); then the service's user goes on, who sees what the programs see. */
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
