/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signal handling for all verbs. The handler ends the child of the verb, runs the cleanup, and then
 * lets the signal end the program, so that a shell sees it. Operations that must not be interrupted
 * hold the signals back.
 */
#include "cli/common/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <sys/wait.h>

#include "base/array.h"

#define TICK_MS	    10
#define GRACE_TICKS 200 /* how long a child has before it is killed: 2 s */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

/* Changed while the signals are held back; read by their handler. */
static interrupt_cleanup *volatile cleanup;
static volatile pid_t child;

/* The child may run as an account whose other processes can stop it, so the wait has a limit. */
static void end_child(int number)
{
	kill(child, number);
	for (int i = 0; waitpid(child, NULL, WNOHANG) == 0 && i < 2 * GRACE_TICKS; i++) {
		if (i == GRACE_TICKS)
			kill(child, SIGKILL);
		poll(NULL, 0, TICK_MS);
	}
}

/* The four signals are blocked here. */
static void end_by(int number)
{
	sigset_t one;

	if (child > 0)
		end_child(number);
	if (cleanup)
		cleanup();
	signal(number, SIG_DFL);
	raise(number);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
}

void interrupt_signals(sigset_t *out)
{
	struct sigaction action;

	sigemptyset(out);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
			sigaddset(out, signals[i]);
}

void interrupt_catch(void)
{
	struct sigaction action = {.sa_handler = end_by};

	interrupt_signals(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigismember(&action.sa_mask, signals[i]))
			sigaction(signals[i], &action, NULL);
}

void interrupt_at_end(interrupt_cleanup *what)
{
	sigset_t before;

	interrupt_hold(&before);
	cleanup = what;
	interrupt_release(&before);
}

void interrupt_hold(sigset_t *before)
{
	sigset_t held;

	interrupt_signals(&held);
	sigprocmask(SIG_BLOCK, &held, before);
}

void interrupt_release(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

void interrupt_child(pid_t pid)
{
	child = pid;
}

void interrupt_forked(void)
{
	cleanup = NULL;
	child = 0;
}
