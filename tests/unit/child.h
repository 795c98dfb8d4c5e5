/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: what only another process can try, how it reports a failure, and which resources a
 * process holds.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_CHILD_H
#define CLOUDINVITE_TESTS_UNIT_CHILD_H

#include "tests/unit/folder.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

/* In a child: reports a condition that does not hold, and ends it. (cmocka's own asserts would
 * continue in the copy of the parent's loop.) */
#define MUST(condition)                                                                   \
	do {                                                                              \
		if (!(condition)) {                                                       \
			fprintf(stderr, "# %s:%d: %s\n", __FILE__, __LINE__, #condition); \
			_exit(1);                                                         \
		}                                                                         \
	} while (0)

/* Starts a child that runs `body`. It dies when the parent's patience ends: 60 seconds. */
pid_t child_start(void (*body)(void *ctx), void *ctx);

/* Waits for it; the child must have succeeded. */
void child_join(pid_t child);
void child_run(void (*body)(void *ctx), void *ctx);

/* The number of descriptors that this process has open (including those of opendir). */
int open_descriptors(void);
void child_kill(pid_t child);

#endif
