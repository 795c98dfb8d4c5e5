/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/running.h"

/* A process that holds the lock until it is told to go. */
static pid_t start_holder(struct folder *f, const char *name)
{
	struct fault fault = {.kind = FAULT_NONE};
	int ready[2];
	pid_t child;
	char byte;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		if (running_lock(f->path, name, NULL, &fault) < 0)
			_exit(1);
		(void)!write(ready[1], "x", 1);
		pause();
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

static void stop_holder(pid_t child)
{
	int status;

	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
}

static void one_program_holds_the_lock_and_says_who_it_is(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	pid_t holder = start_holder(f, "collector"), seen = -1;
	char version[32];

	assert_int_equal(running_lock(f->path, "collector", &seen, &fault), -1);
	assert_int_equal(fault.kind, FAULT_NONE);
	assert_int_equal(seen, holder);
	assert_true(running_is(f->path, "collector", &seen, version));
	assert_int_equal(seen, holder);
	assert_string_equal(version, CLOUDINVITE_VERSION);
	assert_true(running_is(f->path, "collector", NULL, NULL));
	assert_false(running_is(f->path, "dispatcher", &seen, version));
	assert_int_equal(seen, 0);
	stop_holder(holder);
}

static void the_lock_goes_with_its_process(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	char version[32];
	pid_t seen;
	int fd;

	stop_holder(start_holder(f, "dispatcher"));
	assert_false(running_is(f->path, "dispatcher", &seen, version));
	assert_int_equal(seen, 0);
	assert_string_equal(version, "");
	fd = running_lock(f->path, "dispatcher", &seen, &fault);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
}

/* With flock, a probe at the wrong moment turned away a program that was starting. */
static void asking_never_turns_a_starting_program_away(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	pid_t asker, held_by;
	int fd, status;

	fd = running_lock(f->path, "dispatcher", NULL, &fault);
	assert_true(fd >= 0);
	close(fd);
	asker = fork();
	if (asker == 0)
		for (;;)
			(void)running_is(f->path, "dispatcher", NULL, NULL);
	for (int i = 0; i < 3000; i++) {
		fd = running_lock(f->path, "dispatcher", &held_by, &fault);
		if (fd < 0)
			break;
		close(fd);
	}
	kill(asker, SIGKILL);
	waitpid(asker, &status, 0);
	assert_true(fd >= 0);
}

static void what_is_wrong_with_the_directory_is_said(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	char missing[128];

	text_format(missing, sizeof(missing), "%s/missing", f->path);
	assert_int_equal(running_lock(missing, "collector", NULL, &fault), -1);
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(fault.remedy, "--prepare"));
	assert_int_equal(running_watch(missing, &fault), -1);
	assert_false(running_is(missing, "collector", NULL, NULL));
	running_wake(missing);
	fault_clear(&fault);
	assert_int_equal(symlink("/nonexistent/target", folder_path(f, "dispatcher.lock")), 0);
	assert_int_equal(running_lock(f->path, "dispatcher", NULL, &fault), -1);
	assert_int_equal(fault.kind, FAULT_STORAGE);
}

static void a_hostile_lock_file_says_nothing_wrong(void **state)
{
	static const char *const contents[] = {
		"", "x", "-1 1.0\n", "99999999999999 1.0\n", "0 1.0\n", "12 \x1b[2J\n"};
	struct folder *f = *state;

	for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
		pid_t holder = start_holder(f, "collector"), pid = -1;
		char version[32];

		folder_write(f, "collector.lock", contents[i]);
		assert_true(running_is(f->path, "collector", &pid, version));
		assert_true(pid == 0 || pid == 12);
		assert_null(strchr(version, '\x1b'));
		stop_holder(holder);
	}
}

/* ---- waking up ----------------------------------------------------------------------------------
 */

static bool readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

static void a_touch_wakes_everybody_who_watches(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	int one = running_watch(f->path, &fault), two = running_watch(f->path, &fault);

	assert_true(one >= 0 && two >= 0);
	assert_false(readable(one, 20));
	assert_false(running_drain(one));
	running_wake(f->path);
	running_wake(f->path);
	assert_true(readable(one, 1000));
	assert_true(readable(two, 1000));
	assert_true(running_drain(one));
	assert_false(running_drain(one));
	assert_true(running_drain(two));
	assert_int_equal(futimens(open(folder_path(f, "wake"), O_RDONLY | O_CLOEXEC), NULL), 0);
	assert_true(running_drain(one));
	close(one);
	close(two);
}

static void a_hostile_wake_file_is_left_alone(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	struct stat st;

	alarm(10);
	assert_int_equal(symlink("target", folder_path(f, "wake")), 0);
	running_wake(f->path);
	assert_int_equal(lstat(folder_path(f, "target"), &st), -1);
	assert_int_equal(running_watch(f->path, &fault), -1);
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_int_equal(unlink(folder_path(f, "wake")), 0);
	assert_int_equal(mkfifo(folder_path(f, "wake"), 0600), 0);
	running_wake(f->path);
	alarm(0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_program_holds_the_lock_and_says_who_it_is),
		T(the_lock_goes_with_its_process),
		T(asking_never_turns_a_starting_program_away),
		T(what_is_wrong_with_the_directory_is_said),
		T(a_hostile_lock_file_says_nothing_wrong),
		T(a_touch_wakes_everybody_who_watches),
		T(a_hostile_wake_file_is_left_alone),
	};

	return cmocka_run_group_tests_name("base running", tests, NULL, NULL);
}
