/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/service.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/identity.h"

static int wait_for(pid_t child, const char *user)
{
	struct fault fault = {.kind = FAULT_NONE};
	int status = 0;

	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (child > 0 && WIFEXITED(status))
		return WEXITSTATUS(status);
	fault_set(&fault, FAULT_STORAGE, "child", "cannot act as %s: %s", user,
		child < 0 ? strerror(errno) : "the process died");
	return cli_fail(&fault);
}

/* The parent may have its own way to end. */
static void end_as_usual(void)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
}

int service_run(const char *user, int (*act)(void *ctx), void *ctx)
{
	struct fault fault = {.kind = FAULT_NONE};
	int exit_code;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		end_as_usual();
		exit_code = identity_become(user, &fault) ? act(ctx) : cli_fail(&fault);
		fflush(stdout);
		_exit(exit_code);
	}
	return wait_for(child, user);
}

int service_apart(int (*act)(void *ctx), void *ctx)
{
	pid_t child;
	int exit_code;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		end_as_usual();
		exit_code = act(ctx);
		fflush(stdout);
		_exit(exit_code);
	}
	return wait_for(child, "the service");
}

struct typed {
	verb_function *verb;
	const struct cli *cli;
	int argc;
	char **argv;
};

static int run_typed(void *ctx)
{
	const struct typed *typed = ctx;

	optind = 0;
	return typed->verb(typed->cli, typed->argc, typed->argv);
}

int service_verb(verb_function *verb, const struct cli *cli, int argc, char **argv)
{
	struct typed typed = {verb, cli, argc, argv};

	return service_apart(run_typed, &typed);
}
