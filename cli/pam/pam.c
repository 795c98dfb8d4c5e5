/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pam status|enable|disable: whether logins run our module, and the distribution's way to turn that
 * on and off.
 */
#include "cli/pam/pam.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/strbuf.h"
#include "cli/common/confirm.h"
#include "cli/common/json.h"
#include "cli/common/screen.h"
#include "cli/common/table.h"

struct pam {
	const struct cli *cli;
	struct settings *settings; /* NULL: not usable, and not needed */
	bool json, dry_run, yes;
	struct screen screen;
	/* for status */
	struct table table;
	json_t *services, *findings;
	struct strbuf others, skipped; /* services that use the same stacks but are not logins */
	int present, absent, bad;
};

/* ---- status ---- */

static const struct table_column columns[] = {
	{.title = "login by"},
	{.title = "seen"},
	{.title = "line", .least = 24},
};

static const struct {
	const char *word, *shown;
	enum style style;
} presences[] = {
	[PAM_ABSENT] = {"absent", "no", STYLE_WARN},
	[PAM_PRESENT] = {"present", "yes", STYLE_GOOD},
	[PAM_SKIPPED] = {"skipped", "ignored", STYLE_DIM},
};

static void add_row(struct pam *p, const struct pam_service *service)
{
	table_add(&p->table, STYLE_BOLD, service->name);
	table_add(
		&p->table, presences[service->presence].style, presences[service->presence].shown);
	if (service->file)
		table_addf(&p->table, STYLE_DIM, "%s:%d", service->file, service->line);
	else
		table_add(&p->table, STYLE_PLAIN, "");
	p->present += service->presence == PAM_PRESENT;
	p->absent += service->presence == PAM_ABSENT;
}

static bool add_service(const struct pam_service *service, void *ctx)
{
	struct pam *p = ctx;
	struct strbuf *others = service->presence == PAM_SKIPPED ? &p->skipped : &p->others;

	json_array_append_new(p->services,
		json_pack("{s:o, s:s, s:b, s:o, s:o}", "service", json_text(service->name),
			"presence", presences[service->presence].word, "login", service->login,
			"file", json_text(service->file ? service->file : ""), "line",
			service->file ? json_integer(service->line) : json_null()));
	if (service->login)
		add_row(p, service);
	else
		strbuf_addf(others, " %s", service->name);
	return true;
}

static void add_finding(bool bad, const struct fault *fault, void *ctx)
{
	struct pam *p = ctx;

	json_array_append_new(p->findings,
		json_pack("{s:b, s:o, s:o, s:o}", "bad", bad, "code", json_text(fault->code),
			"message", json_text(fault->what), "remedy", json_text(fault->remedy)));
}

static void show_findings(struct pam *p)
{
	const json_t *finding;
	size_t i;

	json_array_foreach(p->findings, i, finding)
	{
		bool bad = json_is_true(json_object_get(finding, "bad"));
		const char *remedy = json_string_value(json_object_get(finding, "remedy"));

		screen_newline(&p->screen);
		screen_wrap(&p->screen, bad ? STYLE_BAD : STYLE_WARN, 0,
			json_string_value(json_object_get(finding, "message")));
		screen_newline(&p->screen);
		if (remedy) {
			screen_to_column(&p->screen, 2);
			screen_wrap(&p->screen, STYLE_PLAIN, 2, remedy);
			screen_newline(&p->screen);
		}
	}
}

static void show_others(struct pam *p, const char *title, const struct strbuf *names)
{
	if (names->len == 0)
		return;
	screen_put(&p->screen, STYLE_DIM, title);
	screen_wrap(&p->screen, STYLE_DIM, 2, names->data);
	screen_newline(&p->screen);
}

static void show_status(struct pam *p, const struct pam_method *method, bool on)
{
	table_print(&p->table, &p->screen, 0);
	show_others(p, "Also used by (not logins):", &p->others);
	show_others(p, "Ignored on purpose:", &p->skipped);
	show_findings(p);
	if (p->present + p->absent > 0)
		screen_newline(&p->screen);
	screen_putf(&p->screen, on ? STYLE_GOOD : STYLE_WARN, "%s",
		on ? "Logins are monitored." : "Logins are not monitored.");
	screen_putf(&p->screen, STYLE_DIM, " Method on this host: %s.", method->description);
	screen_newline(&p->screen);
	if (!on) {
		screen_remedy(&p->screen, 0, "sudo cloudinvite pam enable");
		screen_newline(&p->screen);
	}
}

static int status(struct pam *p)
{
	const struct pam_site site = {.root = "",
		.module = PAM_MODULE_PATH,
		.spool = p->settings ? p->settings->spool : NULL,
		.settings = p->settings};
	const struct pam_method *method = pam_method();
	struct fault fault = {.kind = FAULT_NONE};
	bool on = method->enabled();
	int answered = EXIT_OK;

	if (!pam_each_service(&site, add_service, p, &fault))
		return cli_fail(&fault);
	p->bad = pam_lint(&site, add_finding, p);
	if (p->json)
		answered = json_answer(json_pack("{s:i, s:b, s:s, s:s, s:O, s:O}", "schema",
			JSON_SCHEMA, "enabled", on, "method", method->name, "module",
			PAM_MODULE_PATH, "services", p->services, "findings", p->findings));
	else
		show_status(p, method, on);
	return cli_max_exit(answered, on && p->bad == 0 ? EXIT_OK : EXIT_NEGATIVE);
}

/* ---- enable, disable ---- */

static int answer(const struct pam *p, const struct pam_change *change, bool enable)
{
	return json_answer(pam_change_json(change, enable, p->dry_run));
}

static bool is_root(struct fault *fault)
{
	if (geteuid() == 0)
		return true;
	fault_set(fault, FAULT_USAGE, "not_root", "only root can change PAM files");
	return fault_remedy(fault, "Run it as root: sudo cloudinvite pam …");
}

static int nothing_to_do(const struct pam *p, const struct pam_change *change, bool enable)
{
	if (p->json)
		return answer(p, change, enable);
	cli_print("It is already %s. Nothing was changed.", enable ? "on" : "off");
	return EXIT_OK;
}

static int make(struct pam *p, struct pam_change *change, bool enable)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (!p->json)
		pam_change_show(&p->screen, "Planned changes:", &change->plan);
	if (p->dry_run)
		return p->json ? answer(p, change, enable) : EXIT_OK;
	if (!is_root(&fault))
		return cli_fail(&fault);
	if (!p->yes && !cli_confirm("Apply these changes?"))
		return EXIT_USAGE;
	if (!pam_change_make(change, enable, &fault))
		return cli_fail(&fault);
	if (p->json)
		return answer(p, change, enable);
	pam_change_show(&p->screen, "Changes made:", &change->made);
	cli_print(enable ? "Logins are monitored from now on. To undo this: cloudinvite pam disable"
			 : "Logins are no longer monitored.");
	return EXIT_OK;
}

static int change_it(struct pam *p, bool enable)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct pam_change change;
	int exit_code;

	if (!pam_change_plan(&change, enable, &fault))
		exit_code = cli_fail(&fault);
	else if (!change.needed)
		exit_code = nothing_to_do(p, &change, enable);
	else
		exit_code = make(p, &change, enable);
	pam_change_free(&change);
	return exit_code;
}

/* ---- the verb ---- */

static bool parse(struct pam *p, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"dry-run", no_argument, NULL, 'n'},
		{"yes", no_argument, NULL, 'y'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == '?')
			return false;
		p->json = p->json || option == 'j';
		p->dry_run = p->dry_run || option == 'n';
		p->yes = p->yes || option == 'y';
	}
	return optind == argc - 1;
}

int verb_pam(const struct cli *cli, int argc, char **argv)
{
	struct pam p = {.cli = cli};
	int exit_code;

	if (!parse(&p, argc, argv))
		return cli_usage(cli);
	screen_open(&p.screen, cli, stdout);
	p.settings = settings_load(cli->settings_path, NULL);
	p.services = json_array();
	p.findings = json_array();
	table_open(&p.table, columns, ARRAY_SIZE(columns));
	if (strcmp(argv[optind], "status") == 0)
		exit_code = status(&p);
	else if (strcmp(argv[optind], "enable") == 0)
		exit_code = change_it(&p, true);
	else if (strcmp(argv[optind], "disable") == 0)
		exit_code = change_it(&p, false);
	else
		exit_code = cli_usage(cli);
	table_free(&p.table);
	strbuf_free(&p.others);
	strbuf_free(&p.skipped);
	json_decref(p.services);
	json_decref(p.findings);
	settings_free(p.settings);
	return exit_code;
}
