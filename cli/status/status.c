/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status [--json] [--all] [--after ADDRESS] [--state STATE] [--watch[=SECONDS]] [TARGET…]
 */
#include "cli/status/status.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/str.h"
#include "cli/common/labels.h"
#include "cli/status/watch.h"

#define WATCH_SECONDS 2

/* ---- showing ---- */

static bool show(const struct store *store, const struct status_request *request,
	const struct cli *cli, FILE *out, struct fault *fault)
{
	struct status st;

	if (!status_read(store, &st, fault))
		return false;
	if (request->json)
		return status_write(&st, request, fault);
	if (request->target || request->state >= 0)
		return status_draw_people(&st, request, cli, out, fault);
	status_draw(&st, cli, out);
	return true;
}

struct watched {
	const struct store *store;
	const struct status_request *request;
};

static bool draw(const struct cli *cli, FILE *out, void *ctx, struct fault *fault)
{
	const struct watched *w = ctx;

	return show(w->store, w->request, cli, out, fault);
}

static bool watch(const struct store *store, const struct status_request *request,
	const struct cli *cli, struct fault *fault)
{
	const struct timespec pause = {.tv_sec = request->seconds};
	struct watched watched = {store, request};

	if (cli->terminal && !request->json)
		return watch_run(cli, request->seconds, draw, &watched, fault);
	for (;;) {
		if (!show(store, request, cli, stdout, fault))
			return false;
		if (fflush(stdout) != 0)
			return true;
		nanosleep(&pause, NULL);
		if (!request->json)
			putchar('\n');
	}
}

/* ---- the command line ---- */

static const struct option options[] = {
	{"json", no_argument, NULL, 'j'},
	{"all", no_argument, NULL, 'a'},
	{"after", required_argument, NULL, 'f'},
	{"state", required_argument, NULL, 's'},
	{"watch", optional_argument, NULL, 'w'},
	{NULL, 0, NULL, 0},
};

/* --watch=5 and --watch 5. */
static bool parse_seconds(struct status_request *request, int argc, char **argv)
{
	long long seconds = WATCH_SECONDS;
	bool ok = true;

	if (optarg)
		ok = str_number(optarg, 1, 86400, &seconds);
	else if (optind < argc && str_number(argv[optind], 1, 86400, &seconds))
		optind++;
	request->watch = true;
	request->seconds = seconds;
	return ok;
}

static bool parse_state(struct status_request *request, const char *typed)
{
	enum person_state state;
	char word[32];

	if (!label_parse(word, sizeof(word), typed))
		return false;
	if (!person_state_parse(word, &state))
		return false;
	request->state = (int)state;
	return true;
}

static int error_option(const char *option, const char *value, const char *remedy)
{
	struct fault fault;

	fault_set(&fault, FAULT_USAGE, "bad_value", "%s: unknown value '%s'", option, value);
	fault_remedy(&fault, "%s", remedy);
	return cli_fail(&fault);
}

static int parse(const struct cli *cli, struct status_request *request, int argc, char **argv)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j')
			request->json = true;
		else if (option == 'a')
			request->all = true;
		else if (option == 'f')
			request->after = optarg;
		else if (option == 's' && !parse_state(request, optarg))
			return error_option("--state", optarg,
				"Use one of queued, not_invitable, sending, unconfirmed, invited, "
				"accepted, declined, cancelled, held, failed, gone.");
		else if (option == 'w' && !parse_seconds(request, argc, argv))
			return error_option(
				"--watch", optarg, "Use a number of seconds from 1 to 86400.");
		else if (option == '?')
			return cli_usage(cli);
	}
	return EXIT_OK;
}

static int status(
	const struct cli *cli, const struct store *store, const struct status_request *request)
{
	struct fault fault = {.kind = FAULT_NONE};
	bool ok = request->watch ? watch(store, request, cli, &fault)
				 : show(store, request, cli, stdout, &fault);

	if (ok)
		return EXIT_OK;
	return fault.kind != FAULT_NONE ? cli_fail(&fault) : EXIT_NEGATIVE;
}

int verb_status(const struct cli *cli, int argc, char **argv)
{
	struct status_request request = {.state = -1};
	struct target *list = NULL;
	struct store store;
	int exit_code = parse(cli, &request, argc, argv);

	if (exit_code != EXIT_OK || !cli_open_store(cli, LEDGER_READ, &store, &exit_code))
		return exit_code;
	if (optind < argc) {
		list = selector_resolve_all(store.ledger, store.settings, argv + optind,
			argc - optind, &request.target_count);
		exit_code = list ? selector_print_faults(list, request.target_count) : EXIT_STORAGE;
		request.target = list;
	}
	if (exit_code == EXIT_OK)
		exit_code = status(cli, &store, &request);
	free(list);
	cli_close_store(&store);
	return exit_code;
}
