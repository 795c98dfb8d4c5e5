/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answers: from the command line, from the existing settings, or asked for at the terminal.
 * Each is written to the draft at once, so that a wrong one is reported where it was typed.
 */
#include "cli/setup/setup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/str.h"
#include "cli/common/run_as.h"

#define ANSWER_MAX 1024

/* ---- one key ---- */

static bool print_fault(struct setup *s)
{
	setup_print(s, STYLE_BAD, 0, "%s", s->fault.what);
	setup_print(s, STYLE_PLAIN, 2, "%s", s->fault.remedy);
	fault_clear(&s->fault);
	return true;
}

/* Asks until the settings accept the answer. A key that the command line has set is not asked
 * for. */
static bool ask_key(struct setup *s, const char *given, const char *question, const char *section,
	const char *key, const char *suggested)
{
	char is[ANSWER_MAX], answer[ANSWER_MAX];

	if (given)
		return true;
	config_draft_get(&s->draft, section, key, is, sizeof(is));
	for (;;) {
		if (!setup_question(s, question, is[0] ? is : suggested, answer, sizeof(answer)))
			return false;
		if (!answer[0])
			setup_print(s, STYLE_BAD, 0, "An answer is required.");
		else if (config_draft_set(&s->draft, section, key, answer, &s->fault))
			return true;
		else
			print_fault(s);
	}
}

/* ---- the credential ---- */

static const struct {
	const char *name, *says;
	enum setup_route route;
} routes[] = {
	{"keyless",
		"nothing to copy: Google signs for the service account (on Google Cloud, or with "
		"workload identity federation)",
		ROUTE_KEYLESS},
	{"key",
		"the key file of a service account; anyone who copies it can use it, and new "
		"organisations forbid creating one",
		ROUTE_KEY},
	{"login", "the login of an administrator; it ends when Google requires a new one",
		ROUTE_LOGIN},
};

enum setup_route setup_route_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (strcmp(name, routes[i].name) == 0 ||
			(name[0] == (char)('1' + (int)i) && !name[1]))
			return routes[i].route;
	return ROUTE_UNKNOWN;
}

static bool ask_route(struct setup *s)
{
	char answer[32];

	setup_print_title(s, "Credential");
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		setup_print(
			s, STYLE_PLAIN, 3, "%zu  %s: %s", i + 1, routes[i].name, routes[i].says);
	while (s->route == ROUTE_UNKNOWN) {
		if (!setup_question(s, "Which", "1", answer, sizeof(answer)))
			return false;
		s->route = setup_route_parse(answer);
	}
	return true;
}

/* The verb `login` makes the login and stores it as the service's own. */
static bool ask_login(struct setup *s)
{
	struct cli cli = *s->cli;
	char file[PATH_MAX];
	char *argv[] = {(char[]){"login"}, (char[]){"--client"}, file, NULL};

	cli.settings_path = s->draft.path;
	cli.settings_text = &s->draft.text;
	str_format(s->login, sizeof(s->login), "%s/" SETTINGS_PRIVATE "/login.json",
		s->draft.settings->state);
	if (!config_draft_set(&s->draft, "google", "subject", "", &s->fault) ||
		!config_draft_set(&s->draft, "google", "credentials", s->login, &s->fault) ||
		!setup_question(s, "The OAuth client file (leave empty to log in later)", "", file,
			sizeof(file)))
		return false;
	if (!file[0])
		return true;
	if (stat(s->login, &s->login_before) != 0)
		s->login_before = (struct stat){.st_ino = 0};
	setup_part(s, PART_LOGIN, PART_OPEN);
	if (run_verb_in_child(&cli, 3, argv) == EXIT_OK) {
		setup_part(s, PART_LOGIN, PART_WRITTEN);
		return true;
	}
	setup_print(s, STYLE_WARN, 0,
		"There is no login yet. To log in: sudo cloudinvite login --client FILE");
	return true;
}

static int can_read(void *path)
{
	return access(path, R_OK) == 0 ? EXIT_OK : EXIT_NEGATIVE;
}

/* The service cannot read a file in root's home, so a copy of its own is offered. */
static bool offer_copy(struct setup *s, char *path)
{
	if (path[0] != '/' || s->install || geteuid() != 0 ||
		run_as_service(s->draft.settings, ACCOUNT_DISPATCHER, can_read, path) !=
			EXIT_NEGATIVE)
		return true;
	s->install = setup_yes(s,
		"The service cannot read the file there. Copy it beside the settings, readable by "
		"the service only",
		true);
	return s->fault.kind == FAULT_NONE;
}

/* Asks for the file, or metadata:, until the answer can be used. */
static bool ask_file(struct setup *s, struct setup_credential *known)
{
	char path[PATH_MAX];

	for (;;) {
		if (!setup_question(s,
			    s->route == ROUTE_KEY
				    ? "The key file"
				    : "metadata: or the path of the configuration file",
			    s->route == ROUTE_KEY ? "" : "metadata:", path, sizeof(path)))
			return false;
		if (path[0] && setup_credential_read(s, path, known) && offer_copy(s, path) &&
			(path[0] != '/' || setup_credential_place(s, path, sizeof(path))) &&
			config_draft_set(&s->draft, "google", "credentials", path, &s->fault))
			return true;
		if (s->fault.kind)
			print_fault(s);
	}
}

static bool ask_service_account(struct setup *s)
{
	if (strcmp(s->draft.settings->credentials, "metadata:") != 0)
		return true;
	return ask_key(s, s->service_account, "The service account with the delegation", "google",
		"service_account", "");
}

static bool ask_credential(struct setup *s)
{
	struct setup_credential known = {.route = ROUTE_UNKNOWN};

	if (s->credentials)
		return true;
	if (setup_has_credential(s) && setup_yes(s, "Keep the current credential", true))
		return true;
	if (s->fault.kind || !ask_route(s))
		return false;
	setup_guide_cloud(s, s->route, NULL);
	if (s->route == ROUTE_LOGIN) {
		setup_guide_admin(s, s->route, NULL);
		screen_newline(&s->screen);
		return ask_login(s);
	}
	screen_newline(&s->screen);
	if (!ask_file(s, &known))
		return false;
	setup_guide_admin(s, s->route, &known);
	screen_newline(&s->screen);
	return ask_service_account(s);
}

/* ---- everything ---- */

static bool ask_subject(struct setup *s)
{
	if (s->route == ROUTE_LOGIN || str_ends(s->draft.settings->credentials, "/login.json"))
		return true;
	return ask_key(s, s->subject, "The administrator to act as", "google", "subject", "");
}

static bool ask_hosts(struct setup *s)
{
	char answer[16];

	if (s->hosts)
		return true;
	if (!setup_question(s, "How many hosts will run cloudinvite for the organisation", "1",
		    answer, sizeof(answer)))
		return false;
	if (!str_number(answer, 1, SETUP_HOSTS_MAX, &s->hosts))
		return ask_hosts(s);
	if (s->hosts == 1)
		s->hosts = 0; /* the rate stays as it is */
	return setup_divide_budget(s);
}

bool setup_ask(struct setup *s)
{
	char first[ANSWER_MAX], rule[ANSWER_MAX + 16];

	setup_print_title(s, "Your organisation");
	if (!ask_key(s, s->customer,
		    "Customer ID (Admin console, Account, Account settings; or my_customer)",
		    "google", "customer", "my_customer") ||
		!ask_key(s, s->domains, "The organisation's domains", "people", "domains", ""))
		return false;
	str_copy(first, sizeof(first), s->draft.settings->domains);
	first[strcspn(first, ", ")] = '\0';
	str_format(rule, sizeof(rule), "{user}@%s", first);
	return ask_key(s, s->address, "The address of a user", "people", "address", rule) &&
	       ask_credential(s) && ask_subject(s) && ask_hosts(s);
}
