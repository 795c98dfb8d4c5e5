/* SPDX-License-Identifier: Apache-2.0 */
/*
 * block and unblock: the blocklist.
 */
#include "cli/people/people.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/instance.h"
#include "cli/common/selector.h"

typedef int one_person(
	const struct cli *cli, const struct store *store, const char *address, const char *reason);

static int block_one(
	const struct cli *cli, const struct store *store, const char *address, const char *reason)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (!ledger_block(store->ledger, address, reason, cli->actor, &fault))
		return cli_fail(&fault);
	cli_log_decision(cli, "blocked", address, reason);
	cli_print("%s: blocked", address);
	return EXIT_OK;
}

static int unblock_one(
	const struct cli *cli, const struct store *store, const char *address, const char *reason)
{
	struct fault fault = {.kind = FAULT_NONE};
	int done = ledger_unblock(store->ledger, address, cli->actor, &fault);

	(void)reason;
	if (done < 0)
		return cli_fail(&fault);
	if (done > 0)
		cli_log_decision(cli, "unblocked", address, NULL);
	cli_print("%s: %s", address, done > 0 ? "no longer blocked" : "was not blocked");
	return done > 0 ? EXIT_OK : EXIT_NEGATIVE;
}

/* All names are resolved before anything is changed. */
static int for_each_person(const struct cli *cli, char **typed, int n, const char *reason,
	one_person *one, enum ledger_open_mode mode)
{
	struct store store;
	struct target *list;
	int count, exit_code;
	bool understood;

	if (!cli_open_store(cli, mode, &store, &exit_code))
		return exit_code;
	list = selector_resolve_all(store.ledger, store.settings, typed, n, &count);
	exit_code = list ? selector_print_faults(list, count) : EXIT_STORAGE;
	understood = exit_code == EXIT_OK;
	for (int i = 0; understood && i < count; i++)
		exit_code = cli_max_exit(exit_code, one(cli, &store, list[i].address, reason));
	wakeup_send(store.settings->run);
	free(list);
	cli_close_store(&store);
	return exit_code;
}

static int parse(const struct cli *cli, int argc, char **argv, const struct option *options,
	const char **reason)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'r')
			return cli_usage(cli);
		*reason = optarg;
	}
	return optind < argc ? EXIT_OK : cli_usage(cli);
}

int verb_block(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"reason", required_argument, NULL, 'r'},
		{NULL, 0, NULL, 0},
	};
	const char *reason = "";
	struct fault fault;

	if (parse(cli, argc, argv, options, &reason) != EXIT_OK)
		return EXIT_USAGE;
	if (reason[0] == '\0') {
		fault_set(&fault, FAULT_USAGE, "needs_reason", "a block requires a reason");
		fault_remedy(&fault, "Give the reason, for the next administrator: --reason TEXT");
		return cli_fail(&fault);
	}
	return for_each_person(cli, argv + optind, argc - optind, reason, block_one, LEDGER_CREATE);
}

int verb_unblock(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {{NULL, 0, NULL, 0}};
	const char *reason = "";

	if (parse(cli, argc, argv, options, &reason) != EXIT_OK)
		return EXIT_USAGE;
	return for_each_person(
		cli, argv + optind, argc - optind, reason, unblock_one, LEDGER_WRITE);
}
