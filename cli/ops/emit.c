/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit: writes arrivals, for the useradd hook and for scripts. It needs only the spool: no ledger,
 * no network, and no valid settings.
 */
#include "cli/ops/ops.h"

#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/ops/spool_writer.h"
#include "settings/settings.h"

#define DEFAULT_SPOOL	 "/var/spool/cloudinvite"
#define SETTINGS_MOST_MS 3000

/* What the child read from the settings. */
struct answer {
	char spool[SPOOL_PATH_MAX]; /* empty: the fault says why */
	struct fault fault;
};

static void read_settings(const char *path, struct answer *out)
{
	struct settings *settings = settings_load_checked(path, false, &out->fault);

	if (settings && !str_copy(out->spool, sizeof(out->spool), settings->spool)) {
		fault_set(&out->fault, FAULT_SETTINGS, "path", "[storage] spool is too long");
		out->spool[0] = '\0';
	}
	settings_free(settings);
}

/* Runs in the child, which may hang forever. It closes the standard files, because the caller of
 * emit may wait for their end. */
static void answer_to(int fd, const char *path)
{
	struct answer answer = {.spool = ""};

	for (int std = STDIN_FILENO; std <= STDERR_FILENO; std++)
		(void)close(std);
	read_settings(path, &answer);
	_exit(file_write_all(fd, &answer, sizeof(answer)) == 0 ? 0 : 1);
}

/* False if no answer came in time. An answer fits into a pipe, so one read gets all of it. */
static bool wait_for_answer(int fd, struct answer *out)
{
	struct pollfd answered = {.fd = fd, .events = POLLIN};

	return poll(&answered, 1, SETTINGS_MOST_MS) == 1 &&
	       read(fd, out, sizeof(*out)) == (ssize_t)sizeof(*out);
}

/* Every local user may open /etc/cloudinvite, and can lock it so that a lookup there waits in the
 * kernel; useradd would then wait for its hook. So a child reads the settings, and emit waits only
 * a few seconds for it. */
static void ask_settings(const char *path, struct answer *out)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0) {
		read_settings(path, out);
		return;
	}
	child = fork();
	if (child == 0)
		answer_to(ends[1], path);
	file_close(&ends[1]);
	if (child > 0 && wait_for_answer(ends[0], out)) {
		(void)waitpid(child, NULL, 0);
	} else {
		*out = (struct answer){.spool = ""};
		fault_set(&out->fault, FAULT_SETTINGS, "settings_held",
			"the settings could not be read within %d s", SETTINGS_MOST_MS / 1000);
		fault_remedy(&out->fault, "Another user may hold their directory. See which "
					  "processes have it open: fuser -v /etc/cloudinvite");
		if (child > 0)
			(void)kill(child, SIGKILL);
	}
	file_close(&ends[0]);
}

/* An error in the settings must not lose an account that a hook reports, so the default spool is
 * used then. */
static void find_spool(const struct cli *cli, char out[SPOOL_PATH_MAX])
{
	struct answer answer = {.spool = ""};

	ask_settings(cli->settings_path, &answer);
	if (answer.spool[0] == '\0') {
		cli_fail(&answer.fault);
		fputs("  The default spool " DEFAULT_SPOOL " is used instead.\n", stderr);
		str_copy(answer.spool, sizeof(answer.spool), DEFAULT_SPOOL);
	}
	str_copy(out, SPOOL_PATH_MAX, answer.spool);
}

static int emit_all(const struct cli *cli, enum trigger trigger, char **users, int count)
{
	struct fault fault = {.kind = FAULT_NONE};
	char spool[SPOOL_PATH_MAX];
	int box, exit_code = EXIT_OK;

	find_spool(cli, spool);
	box = spool_writer_open(spool, &fault);
	if (box < 0)
		return cli_fail(&fault);
	for (int i = 0; i < count; i++)
		if (spool_writer_write(box, spool, users[i], trigger, true, &fault) < 0)
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
	enum trigger trigger = TRIGGER_MANUAL;
	bool given = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option != 't' || !trigger_parse(optarg, &trigger))
			return cli_usage(cli);
		given = true;
	}
	if (!given || optind == argc)
		return cli_usage(cli);
	return emit_all(cli, trigger, argv + optind, argc - optind);
}
