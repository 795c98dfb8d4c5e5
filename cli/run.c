/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

#define OUTPUT_MAX ((size_t)64 * 1024)
#define TOLD_MAX   200 /* bytes of its last words in a fault */

static char *const environment[] = {
	(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
	(char[]){"HOME=/"},
	(char[]){"LC_ALL=C"},
	(char[]){"DEBIAN_FRONTEND=noninteractive"},
	NULL,
};

/* In the child: a process group of its own, so that Ctrl-C at our question does not tear it. */
__attribute__((noreturn)) static void become_it(const char *const argv[], int output)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
		dup2(output, STDERR_FILENO) >= 0 && chdir("/") == 0)
		execve(argv[0], (char *const *)(uintptr_t)argv, environment);
	_exit(127);
}

static void take(int fd, struct text *out, bool *open)
{
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n > 0 && out->len + (size_t)n < OUTPUT_MAX)
		text_add_bytes(out, bytes, (size_t)n);
	*open = n > 0 || (n < 0 && errno == EINTR);
}

/* Until it has closed its output; false when the time was up first. */
static bool listen_to(int fd, struct text *out)
{
	int64_t end = clock_boot_ms() + (int64_t)RUN_SECONDS * 1000;
	bool open = true;

	while (open) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left = end - clock_boot_ms();

		if (left <= 0)
			return false;
		if (poll(&wait, 1, (int)left) > 0)
			take(fd, out, &open);
	}
	return true;
}

static int wait_for(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int run_program(const char *const argv[], struct text *out, struct fault *fault)
{
	int pipe_ends[2] = {-1, -1}, status = -1;
	bool in_time = true;
	pid_t child = -1;

	out->cap = OUTPUT_MAX;
	if (access(argv[0], X_OK) == 0 && pipe2(pipe_ends, O_CLOEXEC) == 0)
		child = fork();
	if (child == 0)
		become_it(argv, pipe_ends[1]);
	file_close(&pipe_ends[1]);
	if (child > 0) {
		in_time = listen_to(pipe_ends[0], out);
		if (!in_time)
			kill(child, SIGTERM);
		status = wait_for(child);
	}
	if (child < 0)
		fault_set(fault, FAULT_STORAGE, "cannot_run", "%s: cannot be run: %s", argv[0],
			strerror(errno));
	else if (!in_time)
		fault_set(fault, FAULT_STORAGE, "too_slow", "%s: not done after %d s, and ended",
			argv[0], RUN_SECONDS);
	else if (status < 0)
		fault_set(fault, FAULT_STORAGE, "died", "%s: died", argv[0]);
	file_close(&pipe_ends[0]);
	return in_time ? status : -1;
}

bool run_well(const char *const argv[], struct text *out, struct fault *fault)
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
