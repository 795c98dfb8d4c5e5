/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that run once: two never run at a time, who asks disturbs nobody, and a wake-up arrives.
 */
#include "tests/unit/child.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>

#include "base/running.h"

/* A child that holds the lock until it is told to go. */
struct holder {
	const char *run;
	int ready[2], leave[2];
};

static void hold(void *ctx)
{
	struct holder *h = ctx;
	struct fault fault = {0};
	char byte = 'x';
	int lock = running_lock(h->run, "collector", NULL, &fault);

	MUST(lock >= 0);
	MUST(fault.kind == FAULT_NONE);
	MUST(write(h->ready[1], &byte, 1) == 1);
	close(h->leave[1]);
	MUST(read(h->leave[0], &byte, 1) == 0);
}

static pid_t start_holder(struct holder *h, const char *run)
{
	pid_t child;
	char byte;

	h->run = run;
	assert_int_equal(pipe2(h->ready, O_CLOEXEC), 0);
	assert_int_equal(pipe2(h->leave, O_CLOEXEC), 0);
	child = child_start(hold, h);
	close(h->ready[1]);
	close(h->leave[0]);
	assert_int_equal(read(h->ready[0], &byte, 1), 1);
	close(h->ready[0]);
	return child;
}

/* ---- the lock ---- */

static void a_second_program_is_told_who_runs(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	struct holder h;
	char version[32];
	pid_t child = start_holder(&h, f->path), pid = -1;

	assert_int_equal(running_lock(f->path, "collector", &pid, &fault), -1);
	assert_int_equal(fault.kind, FAULT_NONE);
	assert_int_equal(pid, child);
	pid = -1;
	assert_true(running_is(f->path, "collector", &pid, version));
	assert_int_equal(pid, child);
	assert_string_equal(version, CLOUDINVITE_VERSION);
	assert_true(running_is(f->path, "collector", NULL, NULL));
	/* The other program is another. */
	assert_false(running_is(f->path, "dispatcher", &pid, version));
	assert_int_equal(pid, 0);
	assert_string_equal(version, "");
	close(h.leave[1]);
	child_join(child);
}

static void the_lock_goes_with_its_holder_however_that_ends(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	struct holder h;
	pid_t child = start_holder(&h, f->path), pid = -1;
	int lock;

	child_kill(child);
	close(h.leave[1]);
	/* The file is still there, with the dead one's pid. */
	assert_int_equal(access(folder_path(f, "collector.lock"), F_OK), 0);
	assert_false(running_is(f->path, "collector", &pid, NULL));
	assert_int_equal(pid, 0);
	lock = running_lock(f->path, "collector", &pid, &fault);
	assert_true(lock >= 0);
	assert_true(running_is(f->path, "collector", &pid, NULL));
	assert_int_equal(pid, getpid());
	close(lock);
	assert_false(running_is(f->path, "collector", NULL, NULL));
}

static void asking_does_not_lose_the_lock_of_the_process_that_asks(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	int lock = running_lock(f->path, "collector", NULL, &fault);

	assert_true(lock >= 0);
	for (int i = 0; i < 3; i++)
		assert_true(running_is(f->path, "collector", NULL, NULL));
	/* Nor does a child take it along into its own life after exec. */
	assert_true(fcntl(lock, F_GETFD) & FD_CLOEXEC);
	close(lock);
}

static void ask_and_ask(void *ctx)
{
	const struct folder *f = ctx;

	for (;;)
		(void)running_is(f->path, "collector", NULL, NULL);
}

static void whoever_asks_turns_no_starting_program_away(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	pid_t asker = child_start(ask_and_ask, f);

	for (int i = 0; i < 3000; i++) {
		int lock = running_lock(f->path, "collector", NULL, &fault);

		assert_true(lock >= 0);
		close(lock);
	}
	child_kill(asker);
}

static void lock_by_many(void *ctx)
{
	const struct folder *f = ctx;
	int held = open(f->file, O_WRONLY | O_APPEND | O_CLOEXEC);

	for (int i = 0; i < 200; i++) {
		struct fault fault = {0};
		int lock = running_lock(f->path, "dispatcher", NULL, &fault);

		MUST(fault.kind == FAULT_NONE);
		if (lock < 0)
			continue;
		/* While it is held, nobody else writes: every pair stands together. */
		MUST(write(held, "<", 1) == 1);
		MUST(write(held, ">", 1) == 1);
		close(lock);
	}
}

static void of_many_that_start_at_once_one_runs(void **state)
{
	struct folder *f = *state;
	pid_t children[4];
	char *pairs;

	folder_write(f, "pairs", "");
	for (int i = 0; i < 4; i++)
		children[i] = child_start(lock_by_many, f);
	for (int i = 0; i < 4; i++)
		child_join(children[i]);
	pairs = folder_read(f, "pairs");
	assert_true(strlen(pairs) >= 2);
	for (size_t i = 0; pairs[i]; i += 2)
		assert_int_equal(strncmp(pairs + i, "<>", 2), 0);
	free(pairs);
}

static void what_the_file_says_is_not_believed_blindly(void **state)
{
	static const struct {
		const char *said, *version;
		pid_t pid;
	} cases[] = {
		{"", "", 0},
		{"1234", "", 1234},
		{"1234 0.1\n", "0.1", 1234},
		{"-1 0.1\n", "0.1", 0},
		{"0 0.1\n", "0.1", 0},
		{"99999999999 0.1\n", "0.1", 0},
		{"1;reboot 0.1\n", "0.1", 0},
		{"7 \033[2J\n", "\\x1b[2J", 7},
		{"7 0123456789012345678901234567890123456789012345678901234567890123456789",
			"0123456789012345678901234567\xe2\x80\xa6", 7},
	};
	struct folder *f = *state;
	struct fault fault = {0};
	int lock = running_lock(f->path, "collector", NULL, &fault);

	assert_true(lock >= 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char version[32];
		pid_t pid = -1;

		folder_write(f, "collector.lock", cases[i].said);
		assert_true(running_is(f->path, "collector", &pid, version));
		assert_int_equal(pid, cases[i].pid);
		assert_string_equal(version, cases[i].version);
	}
	close(lock);
}

static void a_run_directory_that_is_not_there_is_a_fault_with_a_remedy(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	pid_t pid = -1;

	folder_path(f, "none");
	assert_int_equal(running_lock(f->file, "collector", &pid, &fault), -1);
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_int_equal(pid, 0);
	assert_non_null(strstr(fault.what, f->file));
	assert_non_null(strstr(fault.remedy, "--prepare"));
	fault_clear(&fault);
	assert_int_equal(running_watch(f->file, &fault), -1);
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(fault.remedy, "--prepare"));
	assert_false(running_is(f->file, "collector", NULL, NULL));
	running_wake(f->file); /* silent */
}

static void what_was_planted_in_place_of_lock_or_wake_is_a_fault(void **state)
{
	struct folder *f = *state;
	struct fault fault;
	char *victim;

	(void)alarm(30);
	folder_write(f, "victim", "untouched");
	for (int planted = 0; planted < 3; planted++) {
		for (const char *const *name = (const char *const[]){"x.lock", "wake", NULL}; *name;
			name++) {
			(void)remove(folder_path(f, *name));
			if (planted == 0)
				assert_int_equal(symlink("victim", f->file), 0);
			else if (planted == 1)
				assert_int_equal(mkdir(f->file, 0700), 0);
			else
				assert_int_equal(mkfifo(f->file, 0600), 0);
		}
		fault_clear(&fault);
		assert_int_equal(running_lock(f->path, "x", NULL, &fault), -1);
		assert_int_equal(fault.kind, FAULT_STORAGE);
		fault_clear(&fault);
		assert_int_equal(running_watch(f->path, &fault), -1);
		assert_int_equal(fault.kind, FAULT_STORAGE);
		assert_false(running_is(f->path, "x", NULL, NULL));
		running_wake(f->path);
	}
	(void)alarm(0);
	victim = folder_read(f, "victim");
	assert_string_equal(victim, "untouched");
	free(victim);
}

/* ---- the wake-up ---- */

static bool becomes_readable(int watch, int milliseconds)
{
	struct pollfd fd = {.fd = watch, .events = POLLIN};

	return poll(&fd, 1, milliseconds) == 1;
}

static void wake(void *ctx)
{
	const struct folder *f = ctx;

	running_wake(f->path);
}

static void another_process_wakes_us_once(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	int watch;

	running_wake(f->path); /* before anybody watches: nobody is woken */
	watch = running_watch(f->path, &fault);
	assert_true(watch >= 0);
	assert_false(running_drain(watch));
	for (int i = 0; i < 3; i++) {
		child_run(wake, f);
		assert_true(becomes_readable(watch, 10000));
		assert_true(running_drain(watch));
		assert_false(running_drain(watch));
	}
	/* touch(1) does it, too. */
	assert_int_equal(utimensat(AT_FDCWD, folder_path(f, "wake"), NULL, 0), 0);
	assert_true(running_drain(watch));
	for (int i = 0; i < 1000; i++)
		running_wake(f->path);
	assert_true(running_drain(watch));
	assert_false(running_drain(watch));
	close(watch);
}

static void every_program_that_watches_is_woken(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	int one = running_watch(f->path, &fault), two = running_watch(f->path, &fault);

	child_run(wake, f);
	assert_true(becomes_readable(one, 10000) && becomes_readable(two, 10000));
	assert_true(running_drain(one) && running_drain(two));
	close(one);
	close(two);
}

static void nothing_else_in_the_directory_wakes_anybody(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	int watch = running_watch(f->path, &fault), lock;

	lock = running_lock(f->path, "collector", NULL, &fault);
	assert_true(lock >= 0);
	assert_true(running_is(f->path, "collector", NULL, NULL));
	close(lock);
	folder_write(f, "file", "x");
	assert_int_equal(access(folder_path(f, "wake"), R_OK), 0);
	assert_false(running_drain(watch));
	close(watch);
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_second_program_is_told_who_runs),
		T(the_lock_goes_with_its_holder_however_that_ends),
		T(asking_does_not_lose_the_lock_of_the_process_that_asks),
		T(whoever_asks_turns_no_starting_program_away),
		T(of_many_that_start_at_once_one_runs),
		T(what_the_file_says_is_not_believed_blindly),
		T(a_run_directory_that_is_not_there_is_a_fault_with_a_remedy),
		T(what_was_planted_in_place_of_lock_or_wake_is_a_fault),
		T(another_process_wakes_us_once),
		T(every_program_that_watches_is_woken),
		T(nothing_else_in_the_directory_wakes_anybody),
	};

	return cmocka_run_group_tests_name("base: running", tests, NULL, NULL);
}
