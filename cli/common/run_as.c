/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children that act for root as the service's account or as another user. They are started while
 * the signals are held back, so that an interrupt finds either no child or the right one.
 */
#include "cli/common/run_as.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/privdrop.h"
#include "cli/common/interrupt.h"
#include "cli/common/verb.h"

/* Until the child has been waited for, an interrupt ends it as well. */
static int wait_for(pid_t child, const char *user)
{
	struct fault fault = {.kind = FAULT_NONE};
	siginfo_t ended;
	sigset_t before;
	int status = 0;

	while (child > 0 && waitid(P_PID, (id_t)child, &ended, WEXITED | WNOWAIT) < 0 &&
		errno == EINTR)
		continue;
	interrupt_hold(&before);
	if (child > 0)
		waitpid(child, &status, 0);
	interrupt_child(0);
	interrupt_release(&before);
	if (child > 0 && WIFEXITED(status))
		return WEXITSTATUS(status);
	fault_set(&fault, FAULT_STORAGE, "child", "cannot run as %s: %s", user,
		child < 0 ? strerror(errno) : "the child process died");
	return cli_fail(&fault);
}

static pid_t start_child(void)
{
	sigset_t before;
	pid_t child;
	int error;

	fflush(stdout);
	interrupt_hold(&before);
	child = fork();
	error = errno;
	if (child == 0)
		interrupt_forked();
	else if (child > 0)
		interrupt_child(child);
	interrupt_release(&before);
	errno = error;
	return child;
}

static int run_child_as(const char *user, const char *with, int (*act)(void *ctx), void *ctx)
{
	struct fault fault = {.kind = FAULT_NONE};
	pid_t child = start_child();
	int exit_code;

	if (child == 0) {
		exit_code = drop_privileges(user, with, &fault) ? act(ctx) : cli_fail(&fault);
		fflush(stdout);
		_exit(exit_code);
	}
	return wait_for(child, user);
}

int run_as_service(const struct settings *settings, enum local_account account,
	int (*act)(void *ctx), void *ctx)
{
	return run_child_as(settings_account(settings, account), settings->ledger_user, act, ctx);
}

int run_as_user(const char *user, int (*act)(void *ctx), void *ctx)
{
	return run_child_as(user, NULL, act, ctx);
}

int run_in_child(int (*act)(void *ctx), void *ctx)
{
	pid_t child = start_child();
	int exit_code;

	if (child == 0) {
		exit_code = act(ctx);
		fflush(stdout);
		_exit(exit_code);
	}
	return wait_for(child, "the service");
}

struct verb_call {
	struct cli cli;
	int argc;
	char **argv;
};

static int run_verb(void *ctx)
{
	const struct verb_call *verb_call = ctx;

	optind = 0;
	return verb_call->cli.verb->run(&verb_call->cli, verb_call->argc, verb_call->argv);
}

int run_verb_in_child(const struct cli *cli, int argc, char **argv)
{
	struct verb_call verb_call = {*cli, argc, argv};

	verb_call.cli.verb = verb_find(cli->verbs, argv[0]);
	if (!verb_call.cli.verb)
		return cli_usage(cli);
	verb_call.cli.account = verb_call.cli.verb->account;

	return run_in_child(run_verb, &verb_call);
}
