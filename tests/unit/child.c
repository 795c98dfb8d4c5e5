/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/child.h"

pid_t child_start(void (*body)(void *ctx), void *ctx)
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

void child_join(pid_t child)
{
	int status = -1;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void child_run(void (*body)(void *ctx), void *ctx)
{
	child_join(child_start(body, ctx));
}

int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

void child_kill(pid_t child)
{
	int status;

	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
}
