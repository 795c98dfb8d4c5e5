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
pid_t child_start(void (*body)(void *ctx), void *ctx);

/* Waits for it; it must have found everything as it should be. */
void child_join(pid_t child);
void child_run(void (*body)(void *ctx), void *ctx);

/* How many descriptors this process has open (and those of opendir). */
int open_descriptors(void);
void child_kill(pid_t child);

#endif
