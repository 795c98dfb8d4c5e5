/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit: writes arrivals, as the useradd hook and scripts of the site do. It needs the spool and
 * nothing else: neither ledger nor network nor settings that are right.
 */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"
#include "settings/settings.h"
#include "spool/spool.h"

#define DEFAULT_SPOOL "/var/spool/cloudinvite"

/* A settings error must not lose an account that a hook reports: then it is the default spool. */
static bool find_spool(const struct cli *cli, char *out, size_t size, struct fault *fault)
{
	struct settings *settings = settings_load_checked(cli->settings_path, false, fault);
	bool good;

	if (!settings) {
		cli_fail(fault);
		return text_copy(out, size, DEFAULT_SPOOL);
	}
	good = text_copy(out, size, settings->spool);
	settings_free(settings);
	return good || fault_set(fault, FAULT_SETTINGS, "path", "[storage] spool is too long");
}

static bool emit(
	int box, const char *spool, const char *user, enum spool_reason reason, struct fault *fault)
{
	if (spool_arrive(box, user, reason, true) >= 0)
		return true;
	if (errno == ENAMETOOLONG || errno == EINVAL)
		return fault_set(
			fault, FAULT_USAGE, "name", "'%s' is no name that the spool takes", user);
	return fault_set(fault, FAULT_STORAGE, "spool",
		"%s/" SPOOL_NEW ": %s cannot be written: %s", spool, user, strerror(errno));
}

static int emit_all(const struct cli *cli, enum spool_reason reason, char **users, int count)
{
	struct fault fault = {.kind = FAULT_NONE};
	char spool[SPOOL_PATH_MAX];
	int box, exit_code = EXIT_YES;

	if (!find_spool(cli, spool, sizeof(spool), &fault))
		return cli_fail(&fault);
	box = spool_open(spool, SPOOL_NEW);
	if (box < 0) {
		fault_set(&fault, FAULT_STORAGE, "spool", "%s/" SPOOL_NEW ": %s", spool,
			strerror(errno));
		fault_remedy(&fault, errno == ENOENT
					     ? "Run cloudinvite-collector --prepare as root."
					     : "Run it as root.");
		return cli_fail(&fault);
	}
	for (int i = 0; i < count; i++)
		if (!emit(box, spool, users[i], reason, &fault))
			exit_code = cli_worse(exit_code, cli_fail(&fault));
	file_close(&box);
	return exit_code;
}

int verb_emit(const struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"reason", required_argument, NULL, 'r'},
		{NULL, 0, NULL, 0},
	};
	enum spool_reason reason = SPOOL_ASKED;
	bool given = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 'r' || !spool_reason_parse(optarg, &reason))
			return cli_usage(argv[0]);
		given = true;
	}
	if (!given || optind == argc)
		return cli_usage(argv[0]);
	return emit_all(cli, reason, argv + optind, argc - optind);
}
