/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: what only another process can try, how it says that it failed, and what a process
 * holds.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_CHILD_H
#define CLOUDINVITE_TESTS_UNIT_CHILD_H

#include "tests/unit/folder.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

/* In a child: says what was not so and ends it. (cmocka's own asserts would jump into the copy of
 * the parent's loop.) */
#define MUST(condition)                                                                   \
	do {                                                                              \
		if (!(condition)) {                                                       \
			fprintf(stderr, "# %s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1);                                                         \
		}                                                                         \
	} while (0)

/* Starts a child that runs `body`. It dies with its parent's patience: 60 seconds. */
UNUSED static pid_t child_start(void (*body)(void *ctx), void *ctx)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)alarm(60);
		body(ctx);
		_exit(0);
	}
	return child;
}

/* Waits for it; it must have found everything as it should be. */
UNUSED static void child_join(pid_t child)
{
	int status = -1;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

UNUSED static void child_run(void (*body)(void *ctx), void *ctx)
{
	child_join(child_start(body, ctx));
}

/* How many descriptors this process has open (and those of opendir). */
UNUSED static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

UNUSED static void child_kill(pid_t child)
{
	int status;

	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
}

#endif
