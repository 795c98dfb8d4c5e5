/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program of the distribution in a process group of its own, with a fixed environment, and
 * reads its output until it ends or its time is over. It then gets SIGTERM, and later SIGKILL.
 */
#include "cli/common/run_program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/strbuf.h"
#include "cli/common/context.h"
#include "cli/common/interrupt.h"

#define OUTPUT_MAX ((size_t)64 * 1024)
#define TOLD_MAX   200	/* bytes of the end of its output in a fault */
#define GRACE_MS   5000 /* from an interrupt to SIGTERM, and from SIGTERM to SIGKILL */
#define TICK_MS	   10

static char *const environment[] = {
	(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
	(char[]){"HOME=/"},
	(char[]){"LC_ALL=C"},
	(char[]){"DEBIAN_FRONTEND=noninteractive"},
	NULL,
};

/* In the child: with a process group of its own, Ctrl-C does not reach the program. */
__attribute__((noreturn)) static void exec_program(const char *const argv[], int output)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	setpgid(0, 0);
	interrupt_forked();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
		dup2(output, STDERR_FILENO) >= 0 && chdir("/") == 0)
		execve(argv[0], (char *const *)(uintptr_t)argv, environment);
	_exit(127);
}

struct program {
	const char *name;
	pid_t pid;
	int output;
	int interrupts; /* signalfd: readable while a signal is held back; -1: not watched any more
			 */
	int64_t end;	/* clock_boot_ms() at which the program is ended */
	bool open;	/* its output is open */
};

static void read_output(struct program *p, struct strbuf *out)
{
	char bytes[4096];
	ssize_t n = read(p->output, bytes, sizeof(bytes));

	if (n > 0 && out->len + (size_t)n < OUTPUT_MAX)
		strbuf_add_bytes(out, bytes, (size_t)n);
	p->open = n > 0 || (n < 0 && errno == EINTR);
}

/* The signal stays pending, and ends us after the program has ended. */
static void terminate_child(struct program *p)
{
	int64_t soon = clock_boot_ms() + GRACE_MS;

	cli_note("cloudinvite: stopping when %s has finished", p->name);
	if (soon < p->end)
		p->end = soon;
	p->interrupts = -1;
}

/* Reads until the program closes its output; false if the time was over first. */
static bool poll_output(struct program *p, struct strbuf *out)
{
	while (p->open) {
		struct pollfd wait[] = {{.fd = p->output, .events = POLLIN},
			{.fd = p->interrupts, .events = POLLIN}};
		int64_t left = p->end - clock_boot_ms();

		if (left <= 0)
			return false;
		if (poll(wait, 2, (int)left) <= 0)
			continue;
		if (wait[0].revents)
			read_output(p, out);
		if (wait[1].revents)
			terminate_child(p);
	}
	return true;
}

/* Waits for at most that long; false if the program has not ended by then. */
static bool has_ended(pid_t pid, int64_t milliseconds, int *status)
{
	int64_t end = clock_boot_ms() + milliseconds;
	pid_t ended;

	while ((ended = waitpid(pid, status, WNOHANG)) == 0 && clock_boot_ms() < end)
		poll(NULL, 0, TICK_MS);
	return ended != 0;
}

/* The exit status, or -1. When the time is over, the program and everything that it started are
 * ended. One that hangs in the kernel is not waited for: SIGKILL ends it when it returns from
 * there. */
static int wait_for(const struct program *p, bool *in_time)
{
	int status = -1;

	*in_time = *in_time && has_ended(p->pid, p->end - clock_boot_ms(), &status);
	if (!*in_time) {
		kill(-p->pid, SIGTERM);
		if (!has_ended(p->pid, GRACE_MS, &status)) {
			kill(-p->pid, SIGKILL);
			(void)has_ended(p->pid, GRACE_MS, &status);
		}
	}
	return *in_time && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int supervise(struct program *p, struct strbuf *out, bool *in_time)
{
	sigset_t signals;
	int interrupts, status;

	setpgid(p->pid, p->pid);
	interrupt_signals(&signals);
	interrupts = signalfd(-1, &signals, SFD_CLOEXEC);
	p->interrupts = interrupts;
	p->end = clock_boot_ms() + (int64_t)RUN_SECONDS * 1000;
	p->open = true;
	*in_time = poll_output(p, out);
	status = wait_for(p, in_time);
	file_close(&interrupts);
	return status;
}

int run_program(const char *const argv[], struct strbuf *out, struct fault *fault)
{
	struct program p = {.name = argv[0], .pid = -1, .output = -1};
	int pipe_ends[2] = {-1, -1}, status = -1;
	bool in_time = true;
	sigset_t before;

	out->max = OUTPUT_MAX;
	interrupt_hold(&before);
	if (access(argv[0], X_OK) == 0 && pipe2(pipe_ends, O_CLOEXEC) == 0)
		p.pid = fork();
	if (p.pid == 0)
		exec_program(argv, pipe_ends[1]);
	if (p.pid < 0)
		fault_set(fault, FAULT_STORAGE, "cannot_run", "%s: cannot be started: %s", argv[0],
			strerror(errno));
	file_close(&pipe_ends[1]);
	if (p.pid > 0) {
		p.output = pipe_ends[0];
		status = supervise(&p, out, &in_time);
	}
	if (!in_time)
		fault_set(fault, FAULT_STORAGE, "too_slow",
			"%s: did not finish in time and was killed", argv[0]);
	else if (p.pid > 0 && status < 0)
		fault_set(fault, FAULT_STORAGE, "died", "%s: died", argv[0]);
	file_close(&pipe_ends[0]);
	interrupt_release(&before);
	return status;
}

bool run_checked(const char *const argv[], struct strbuf *out, struct fault *fault)
{
	int status = run_program(argv, out, fault);
	const char *told = out->data ? out->data : "";
	size_t n = strlen(told);

	if (status == 0)
		return true;
	if (status < 0)
		return false;
	fault_set(fault, FAULT_STORAGE, "failed", "%s: exit status %d", argv[0], status);
	return fault_remedy(fault, "It said: %s",
		n == 0 ? "nothing" : told + (n > TOLD_MAX ? n - TOLD_MAX : 0));
}
