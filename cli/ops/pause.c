/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pause and resume: the pause of all that the dispatcher asks and sends. If there is no pause,
 * resume ends a reconcile (ledger/ledger.h).
 */
#include "cli/ops/ops.h"

#include <getopt.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/instance.h"
#include "base/str.h"

static int set_pause(const struct cli *cli, const struct store *store, const char *reason)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct ledger_pause pause = {.since = clock_wall()};

	str_copy(pause.kind, sizeof(pause.kind), "operator");
	str_safe(pause.text, sizeof(pause.text), reason);
	str_copy(pause.actor, sizeof(pause.actor), cli->actor);
	if (!ledger_pause(store->ledger, &pause, &fault))
		return cli_fail(&fault);
	cli_log_decision(cli, "paused", NULL, pause.text);
	wakeup_send(store->settings->run);
	cli_print("Paused: no requests and no invitations until `cloudinvite resume`.");
	return EXIT_OK;
}

int verb_pause(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"reason", required_argument, NULL, 'r'},
		{NULL, 0, NULL, 0},
	};
	const char *reason = "";
	struct store store;
	struct fault fault;
	int option, exit_code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'r')
			return cli_usage(cli);
		reason = optarg;
	}
	if (optind < argc)
		return cli_usage(cli);
	if (reason[0] == '\0') {
		fault_set(&fault, FAULT_USAGE, "needs_reason", "a pause requires a reason");
		fault_remedy(&fault, "Give the reason, for the next administrator: --reason TEXT");
		return cli_fail(&fault);
	}
	if (!cli_open_store(cli, LEDGER_CREATE, &store, &exit_code))
		return exit_code;
	exit_code = set_pause(cli, &store, reason);
	cli_close_store(&store);
	return exit_code;
}

/* The pause ends first: an administrator who ends it may not know of the reconcile. */
static int clear_reconcile(const struct cli *cli, const struct store *store)
{
	struct fault fault = {.kind = FAULT_NONE};
	int ended =
		ledger_reconciled(store->ledger, "ended by an administrator", cli->actor, &fault);

	if (ended < 0)
		return cli_fail(&fault);
	if (ended == 0) {
		cli_print("Nothing was paused.");
		return EXIT_OK;
	}
	cli_log_decision(cli, "resumed", NULL, "reconcile");
	wakeup_send(store->settings->run);
	cli_print("Resumed. Invitations are sent again, also to people whose last mail Google may "
		  "not show yet.");
	return EXIT_OK;
}

static void print_remaining(const struct store *store)
{
	struct ledger_reconcile reconcile;

	if (ledger_reconciling(store->ledger, &reconcile, NULL) <= 0)
		return;
	cli_print("No invitations are sent for now: %s", reconcile.text);
	cli_print("To end that as well: cloudinvite resume");
}

static int clear_pause(const struct cli *cli, const struct store *store)
{
	char since[CLOCK_TEXT_SIZE];
	struct fault fault = {.kind = FAULT_NONE};
	struct ledger_pause pause;
	int paused = ledger_paused(store->ledger, &pause, &fault);

	if (paused > 0)
		paused = ledger_resume(store->ledger, NULL, cli->actor, &fault);
	if (paused < 0)
		return cli_fail(&fault);
	if (paused == 0)
		return clear_reconcile(cli, store);
	cli_log_decision(cli, "resumed", NULL, pause.kind);
	wakeup_send(store->settings->run);
	cli_print("Resumed. The pause was set %s by %s: %s",
		clock_relative(pause.since, clock_wall(), since), pause.actor, pause.text);
	print_remaining(store);
	return EXIT_OK;
}

int verb_resume(const struct cli *cli, int argc, char **argv)
{
	struct store store;
	int exit_code;

	(void)argv;
	if (argc > 1)
		return cli_usage(cli);
	if (!cli_open_store(cli, LEDGER_WRITE, &store, &exit_code))
		return exit_code;
	exit_code = clear_pause(cli, &store);
	cli_close_store(&store);
	return exit_code;
}
