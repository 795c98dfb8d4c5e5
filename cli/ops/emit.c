/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit: writes arrivals, for the useradd hook and for scripts. It needs only the spool: no ledger,
 * no network, and no valid settings.
 */
#include "cli/ops/ops.h"

#include <getopt.h>
#include <stdio.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/ops/spool_writer.h"
#include "settings/settings.h"

#define DEFAULT_SPOOL "/var/spool/cloudinvite"

/* An error in the settings must not lose an account that a hook reports, so the default spool is
 * used then. */
static void find_spool(const struct cli *cli, char out[SPOOL_PATH_MAX])
{
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *settings = settings_load_checked(cli->settings_path, false, &fault);

	if (!settings || !str_copy(out, SPOOL_PATH_MAX, settings->spool)) {
		if (settings)
			fault_set(&fault, FAULT_SETTINGS, "path", "[storage] spool is too long");
		cli_fail(&fault);
		fputs("  The default spool " DEFAULT_SPOOL " is used instead.\n", stderr);
		str_copy(out, SPOOL_PATH_MAX, DEFAULT_SPOOL);
	}
	settings_free(settings);
}

static int emit_all(const struct cli *cli, enum trigger reason, char **users, int count)
{
	struct fault fault = {.kind = FAULT_NONE};
	char spool[SPOOL_PATH_MAX];
	int box, exit_code = EXIT_OK;

	find_spool(cli, spool);
	box = spool_writer_open(spool, &fault);
	if (box < 0)
		return cli_fail(&fault);
	for (int i = 0; i < count; i++)
		if (spool_writer_write(box, spool, users[i], reason, true, &fault) < 0)
			exit_code = cli_max_exit(exit_code, cli_fail(&fault));
	/* The arrival that exists may be the module's, which does not wait for the disk. */
	if (!spool_writer_sync(box, spool, &fault))
		exit_code = cli_max_exit(exit_code, cli_fail(&fault));
	file_close(&box);
	return exit_code;
}

int verb_emit(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"trigger", required_argument, NULL, 't'},
		{NULL, 0, NULL, 0},
	};
	enum trigger reason = TRIGGER_ASKED;
	bool given = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 't' || !trigger_parse(optarg, &reason))
			return cli_usage(cli);
		given = true;
	}
	if (!given || optind == argc)
		return cli_usage(cli);
	return emit_all(cli, reason, argv + optind, argc - optind);
}
