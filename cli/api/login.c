/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login --client FILE: a person's consent, stored as a credential.
 */
#include "cli/api/login.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cli/api/api.h"
#include "cli/common/json.h"
#include "google/auth/token.h"
#include "google/types.h"
#include "people/verdict.h"

/* ---- the command line ---- */

static const struct option options[] = {
	{"client", required_argument, NULL, 'c'},
	{"headless", no_argument, NULL, 'h'},
	{"no-browser", no_argument, NULL, 'n'},
	{"port", required_argument, NULL, 'p'},
	{"output", required_argument, NULL, 'o'},
	{"account", required_argument, NULL, 'a'},
	{"login-hint", required_argument, NULL, 'a'},
	{"json", no_argument, NULL, 'j'},
	{NULL, 0, NULL, 0},
};

static bool parse_port(struct login *l, const char *typed)
{
	long long port;

	if (!str_number(typed, 1, 65535, &port))
		return fault_set(&l->fault, FAULT_USAGE, "bad_port",
			"--port: '%s' is not a port number", typed);
	l->port = (uint16_t)port;
	return true;
}

static bool parse_account(struct login *l, const char *typed)
{
	return address_plain(typed, l->account) ||
	       fault_set(&l->fault, FAULT_USAGE, "bad_account",
		       "--account: '%s' is not a mail address", typed);
}

static bool parse_option(struct login *l, int option)
{
	switch (option) {
	case 'c':
		l->client_file = optarg;
		return true;
	case 'o':
		l->output = optarg;
		return true;
	case 'h':
		l->headless = true;
		return true;
	case 'n':
		l->no_browser = true;
		return true;
	case 'j':
		l->json = true;
		return true;
	case 'p':
		return parse_port(l, optarg);
	case 'a':
		return parse_account(l, optarg);
	default:
		return false;
	}
}

static int parse(struct login *l, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (!parse_option(l, option))
			return l->fault.kind ? cli_fail(&l->fault) : cli_usage(l->cli);
	}
	return optind < argc || !l->client_file || (l->headless && l->no_browser)
		       ? cli_usage(l->cli)
		       : EXIT_OK;
}

/* ---- the result ---- */

static void print_settings(const struct login *l)
{
	const struct settings *s = l->settings;
	bool other = strcmp(s->credentials, l->path) != 0;
	bool subject = *s->subject && !str_equal_nocase(s->subject, l->account);

	if (!other && !subject && !*s->key)
		return;
	cli_print("To use it, set in section [google] of %s:", settings_path(s));
	if (other)
		cli_print("  credentials = %s", l->path);
	if (subject)
		cli_print("  subject =");
	if (*s->key)
		cli_print("  key =");
}

/* The scopes that are asked for do not tell who logged in. */
static void print_account(const struct login *l)
{
	cli_print("Google does not report which account logged in (the one scope that cloudinvite "
		  "requests does not include it).");
	if (*l->account)
		cli_print("--account %s was only a hint to the browser: if you chose another "
			  "account there, log in again.",
			l->account);
	if (strcmp(l->settings->customer, "my_customer") == 0)
		cli_print("my_customer means the organisation of that account, whichever it is. "
			  "Set customer to your organisation's ID, and accounts of other "
			  "organisations are rejected.");
}

static int answer_json(const struct login *l)
{
	json_t *json = json_pack("{s:o, s:o, s:b, s:s}", "credentials", json_text(l->path),
		"account", json_text(l->account), "account_confirmed", 0, "scope", GOOGLE_SCOPE);

	if (json && l->fault.kind)
		json_object_set_new(json, "error", json_fault(&l->fault));
	return json_answer(json);
}

/* The login is stored, whatever the first call returns. */
static int print_result(struct login *l, bool tried)
{
	int exit_code = l->fault.kind ? fault_exit_code(l->fault.kind) : EXIT_OK;

	if (l->json)
		return cli_max_exit(answer_json(l), exit_code);
	cli_print("The login is stored in %s", l->path);
	if (tried && !l->fault.kind)
		cli_print("The login works: Google lists the invitations of %s.",
			l->settings->customer);
	else if (!tried)
		cli_print("The login has not been tested yet: [google] customer is not set.");
	print_account(l);
	print_settings(l);
	if (l->fault.kind) {
		cli_fail(&l->fault);
		fflush(stderr);
	}
	return exit_code;
}

/* ---- the verb ---- */

static bool exchange(struct login *l)
{
	struct http *http = http_open(l->settings, &l->fault);
	bool ok = http &&
		  oauth_exchange(&l->request, l->settings, http, l->code, &l->granted, &l->fault);

	http_close(http);
	return ok;
}

static int log_in(struct login *l)
{
	bool tried;

	if (!login_place(l) || !login_ask(l) || !exchange(l) || !login_keep(l))
		return cli_fail(&l->fault);
	tried = *l->settings->customer != '\0';
	if (tried)
		(void)login_try(l);
	return print_result(l, tried);
}

/* The client's file is read before the change to the service's account: it is in the home of the
 * user who typed its name, and only that user may be able to read it. */
int verb_login(const struct cli *cli, int argc, char **argv)
{
	struct login l = {.cli = cli, .as_root = geteuid() == 0};
	int exit_code = parse(&l, argc, argv);

	if (exit_code != EXIT_OK)
		return exit_code;
	if (!oauth_client_load(&l.client, l.client_file, &l.fault))
		return cli_fail(&l.fault);
	l.settings = cli_settings(cli, &exit_code);
	if (l.settings)
		exit_code = log_in(&l);
	explicit_bzero(l.code, sizeof(l.code));
	oauth_end(&l.request);
	token_response_free(&l.granted);
	oauth_client_free(&l.client);
	settings_free(l.settings);
	return exit_code;
}
