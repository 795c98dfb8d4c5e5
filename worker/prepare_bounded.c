/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child, the shared memory in which it stores its path and fault, and the wait with a limit.
 */
#include "worker/prepare_bounded.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define SAY_AFTER_MS 5000
#define STEP_NS	     2000000

/* Shared memory of both processes. */
struct shared {
	bool done, good;
	struct fault fault;
	char place[256];
};

static struct shared *shared;

void prepare_works_at(const char *path)
{
	if (shared)
		str_copy(shared->place, sizeof(shared->place), path);
}

static bool say_held(const char *place, int64_t ms, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "prepare_held",
		"%s: a system call on it has not returned for %lld s", place, (long long)ms / 1000);
	return fault_remedy(fault,
		"A process that has a directory open can block it. Find these processes with "
		"fuser -v, end them, and start again.");
}

static bool say_died(struct fault *fault)
{
	return fault_set(fault, FAULT_STORAGE, "child", "--prepare: its process died");
}

/* The child is not killed: if it hangs in the kernel, a signal takes effect only when it returns
 * from there. */
static bool wait_for(pid_t child, const struct shared *s, int64_t most_ms, struct fault *fault)
{
	const struct timespec step = {.tv_nsec = STEP_NS};
	int64_t begun = clock_boot_ms(), waited;
	bool said = false;

	while (waitpid(child, NULL, WNOHANG) == 0) {
		waited = clock_boot_ms() - begun;
		if (waited >= most_ms) {
			(void)kill(child, SIGKILL);
			return say_held(s->place, waited, fault);
		}
		if (!said && waited >= SAY_AFTER_MS) {
			log_event(LOG_LEVEL_NOTE, "prepare", "waiting for %s", s->place);
			said = true;
		}
		(void)nanosleep(&step, NULL);
	}
	if (!s->done)
		return say_died(fault);
	if (!s->good)
		*fault = s->fault;
	return s->good;
}

bool prepare_bounded(prepare_act *act, const void *ctx, int64_t most_ms, struct fault *fault)
{
	struct shared *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool good = false;
	pid_t child;

	if (s == MAP_FAILED)
		return fault_no_memory(fault, FAULT_STORAGE);
	str_copy(s->place, sizeof(s->place), "the settings");
	child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		shared = s;
		s->good = act(ctx, &s->fault);
		s->done = true;
		_exit(0);
	}
	if (child > 0)
		good = wait_for(child, s, most_ms, fault);
	else
		fault_set(fault, FAULT_STORAGE, "child", "--prepare: no process: %s",
			strerror(errno));
	(void)munmap(s, sizeof(*s));
	return good;
}
