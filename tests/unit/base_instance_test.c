/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs that run once: two never run at the same time, queries disturb no program, and a wake-up
 * arrives.
 */
#include "tests/unit/child.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdbool.h>

#include "base/array.h"
#include "base/instance.h"

/* A child that holds the lock until it is told to end. */
struct holder {
	const char *run;
	int ready[2], leave[2];
};

static void hold(void *ctx)
{
	struct holder *h = ctx;
	struct fault fault = {0};
	char byte = 'x';
	struct instance r;

	MUST(instance_lock(&r, h->run, "collector", NULL, &fault));
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

static void a_second_program_learns_the_pid_of_the_first(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	struct holder h;
	char version[32];
	pid_t child = start_holder(&h, f->path), pid = -1;
	struct instance r;

	assert_false(instance_lock(&r, f->path, "collector", &pid, &fault));
	assert_int_equal(fault.kind, FAULT_NONE);
	assert_int_equal(pid, child);
	assert_true(r.lock == -1 && r.visible == -1);
	pid = -1;
	assert_true(instance_is_running(f->path, "collector", &pid, version));
	assert_int_equal(pid, child);
	assert_string_equal(version, CLOUDINVITE_VERSION);
	assert_true(instance_is_running(f->path, "collector", NULL, NULL));
	/* The other program is not affected. */
	assert_false(instance_is_running(f->path, "dispatcher", &pid, version));
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
	struct instance r;

	child_kill(child);
	close(h.leave[1]);
	/* The file is still there, with the dead process's pid. */
	assert_int_equal(access(folder_path(f, "collector.lock"), F_OK), 0);
	assert_false(instance_is_running(f->path, "collector", &pid, NULL));
	assert_int_equal(pid, 0);
	assert_true(instance_lock(&r, f->path, "collector", &pid, &fault));
	assert_true(instance_is_running(f->path, "collector", &pid, NULL));
	assert_int_equal(pid, getpid());
	instance_unlock(&r);
	assert_false(instance_is_running(f->path, "collector", NULL, NULL));
}

static void asking_does_not_lose_the_lock_of_the_process_that_asks(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	struct instance r;

	assert_true(instance_lock(&r, f->path, "collector", NULL, &fault));
	for (int i = 0; i < 3; i++)
		assert_true(instance_is_running(f->path, "collector", NULL, NULL));
	/* A child does not keep it after exec. */
	assert_true(fcntl(r.lock, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(r.visible, F_GETFD) & FD_CLOEXEC);
	instance_unlock(&r);
}

static void ask_and_ask(void *ctx)
{
	const struct folder *f = ctx;

	for (;;)
		(void)instance_is_running(f->path, "collector", NULL, NULL);
}

static void whoever_asks_turns_no_starting_program_away(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	pid_t asker = child_start(ask_and_ask, f);

	for (int i = 0; i < 3000; i++) {
		struct instance r;

		assert_true(instance_lock(&r, f->path, "collector", NULL, &fault));
		instance_unlock(&r);
	}
	child_kill(asker);
}

static void lock_by_many(void *ctx)
{
	const struct folder *f = ctx;
	int held = open(f->file, O_WRONLY | O_APPEND | O_CLOEXEC);

	for (int i = 0; i < 200; i++) {
		struct fault fault = {0};
		struct instance r;

		if (!instance_lock(&r, f->path, "dispatcher", NULL, &fault)) {
			MUST(fault.kind == FAULT_NONE);
			continue;
		}
		/* While it is held, no other process writes: the pairs stay together. */
		MUST(write(held, "<", 1) == 1);
		MUST(write(held, ">", 1) == 1);
		instance_unlock(&r);
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

static void the_content_of_the_file_is_checked(void **state)
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
	struct instance r;

	assert_true(instance_lock(&r, f->path, "collector", NULL, &fault));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char version[32];
		pid_t pid = -1;

		folder_write(f, "collector.lock", cases[i].said);
		assert_true(instance_is_running(f->path, "collector", &pid, version));
		assert_int_equal(pid, cases[i].pid);
		assert_string_equal(version, cases[i].version);
	}
	instance_unlock(&r);
}

static void a_run_directory_that_is_not_there_is_a_fault_with_a_remedy(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	struct instance r;
	pid_t pid = -1;

	folder_path(f, "none");
	assert_false(instance_lock(&r, f->file, "collector", &pid, &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_int_equal(pid, 0);
	assert_non_null(strstr(fault.what, f->file));
	assert_non_null(strstr(fault.remedy, "--prepare"));
	fault_clear(&fault);
	assert_int_equal(wakeup_watch(f->file, &fault), -1);
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(fault.remedy, "--prepare"));
	assert_false(instance_is_running(f->file, "collector", NULL, NULL));
	wakeup_send(f->file); /* silent */
}

static void plant(struct folder *f, const char *name, int what)
{
	(void)remove(folder_path(f, name));
	if (what == 0)
		assert_int_equal(symlink("victim", f->file), 0);
	else if (what == 1)
		assert_int_equal(mkdir(f->file, 0700), 0);
	else
		assert_int_equal(mkfifo(f->file, 0600), 0);
}

static void refused(struct folder *f)
{
	struct fault fault = {0};
	struct instance r;

	assert_false(instance_lock(&r, f->path, "collector", NULL, &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(fault.remedy, "--prepare"));
	assert_true(r.lock == -1 && r.visible == -1);
	assert_false(instance_is_running(f->path, "collector", NULL, NULL));
	wakeup_send(f->path);
}

static void a_path_that_is_not_a_plain_file_is_a_fault_and_not_followed(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	char *victim;

	(void)alarm(30);
	folder_write(f, "victim", "untouched");
	for (int what = 0; what < 3; what++) {
		plant(f, "collector.lock", what);
		refused(f);
		assert_int_equal(remove(folder_path(f, "collector.lock")), 0);
		plant(f, "collector.wake", what);
		refused(f);
		assert_int_equal(wakeup_watch(f->path, &fault), -1);
		assert_int_equal(fault.kind, FAULT_STORAGE);
		assert_int_equal(remove(folder_path(f, "collector.wake")), 0);
	}
	(void)alarm(0);
	victim = folder_read(f, "victim");
	assert_string_equal(victim, "untouched");
	free(victim);
}

/* ---- two accounts ---- */

#define ONE   4711
#define OTHER 4712
#define SHARE 4713

static void own(struct folder *f, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	assert_int_equal(chown(folder_path(f, name), uid, gid), 0);
	assert_int_equal(chmod(f->file, mode), 0);
}

/* As --prepare makes it: the directory is root's, each file an account's. */
static void furnish(struct folder *f)
{
	static const struct {
		const char *name;
		uid_t uid;
	} files[] = {{"collector", ONE}, {"dispatcher", OTHER}, {"commands", 4714}};
	char name[INSTANCE_FILE_MAX];

	own(f, "", 0, SHARE, 0750);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		instance_lock_file(name, files[i].name);
		folder_write(f, name, "");
		own(f, name, files[i].uid, files[i].uid, INSTANCE_LOCK_MODE);
		wakeup_file(name, files[i].name);
		folder_write(f, name, "");
		own(f, name, files[i].uid, SHARE, WAKEUP_FILE_MODE);
	}
}

static void become(uid_t uid)
{
	MUST(setgroups(1, (gid_t[]){SHARE}) == 0);
	MUST(setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0);
}

static void read_lock(struct folder *f, const char *name)
{
	struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	int fd = open(folder_path(f, name), O_RDONLY | O_CLOEXEC);

	MUST(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0);
}

/* A dispatcher that has been taken over does what its account may do to the collector's files. */
struct hostile {
	struct folder *folder;
	int ready[2];
};

static void be_hostile(void *ctx)
{
	const struct hostile *h = ctx;
	struct folder *f = h->folder;

	become(OTHER);
	MUST(open(folder_path(f, "collector.lock"), O_RDONLY) == -1 && errno == EACCES);
	MUST(open(folder_path(f, "collector.wake"), O_WRONLY) == -1 && errno == EACCES);
	MUST(unlink(folder_path(f, "collector.lock")) == -1 && errno == EACCES);
	MUST(rename(folder_path(f, "dispatcher.lock"), "/tmp/x") == -1);
	MUST(open(folder_path(f, "new"), O_CREAT | O_WRONLY, 0600) == -1 && errno == EACCES);
	read_lock(f, "collector.wake");
	MUST(write(h->ready[1], "x", 1) == 1);
	pause();
}

static void run_beside(void *ctx)
{
	struct folder *f = ctx;
	struct fault fault = {0};
	struct instance r;

	become(ONE);
	MUST(instance_lock(&r, f->path, "collector", NULL, &fault));
	instance_unlock(&r);
}

static void neither_account_can_keep_the_other_from_running(void **state)
{
	struct folder *f = *state;
	struct hostile h = {.folder = f};
	pid_t hostile;
	char byte;

	if (geteuid() != 0)
		skip();
	furnish(f);
	assert_int_equal(pipe2(h.ready, O_CLOEXEC), 0);
	hostile = child_start(be_hostile, &h);
	close(h.ready[1]);
	assert_int_equal(read(h.ready[0], &byte, 1), 1);
	close(h.ready[0]);
	for (int i = 0; i < 50; i++)
		child_run(run_beside, f);
	child_kill(hostile);
}

static void see_and_wake(void *ctx)
{
	struct folder *f = ctx;
	struct fault fault = {0};
	pid_t pid = -1;
	int watch;

	become(OTHER);
	MUST(instance_is_running(f->path, "collector", &pid, NULL) && pid == 0);
	MUST(!instance_is_running(f->path, "dispatcher", &pid, NULL));
	watch = wakeup_watch(f->path, &fault);
	MUST(watch >= 0);
	wakeup_send(f->path);
	MUST(wakeup_drain(watch));
}

static void each_account_sees_and_wakes_the_other(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	struct instance r;
	int watch;

	if (geteuid() != 0)
		skip();
	furnish(f);
	assert_true(instance_lock(&r, f->path, "collector", NULL, &fault));
	watch = wakeup_watch(f->path, &fault);
	assert_true(watch >= 0);
	child_run(see_and_wake, f);
	assert_true(wakeup_drain(watch));
	instance_unlock(&r);
	close(watch);
}

/* A verb that only wakes makes no file: a file of root's would lock the programs out. */
static void a_wake_up_makes_no_file(void **state)
{
	struct folder *f = *state;

	wakeup_send(f->path);
	assert_int_equal(access(folder_path(f, "commands.wake"), F_OK), -1);
	assert_int_equal(rmdir(f->path), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
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

	wakeup_send(f->path);
}

static void another_process_wakes_us_once(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	int watch;

	wakeup_send(f->path); /* before a watch exists: it wakes no program */
	watch = wakeup_watch(f->path, &fault);
	assert_true(watch >= 0);
	assert_false(wakeup_drain(watch));
	for (int i = 0; i < 3; i++) {
		child_run(wake, f);
		assert_true(becomes_readable(watch, 10000));
		assert_true(wakeup_drain(watch));
		assert_false(wakeup_drain(watch));
	}
	/* It does not matter whose file it is, and touch(1) works too. */
	for (const char *const *name = (const char *const[]){"collector.wake", "dispatcher.wake",
		     "commands.wake", NULL};
		*name; name++) {
		assert_int_equal(utimensat(AT_FDCWD, folder_path(f, *name), NULL, 0), 0);
		assert_true(wakeup_drain(watch));
	}
	for (int i = 0; i < 1000; i++)
		wakeup_send(f->path);
	assert_true(wakeup_drain(watch));
	assert_false(wakeup_drain(watch));
	close(watch);
}

static void every_program_that_watches_is_woken(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	int one = wakeup_watch(f->path, &fault), two = wakeup_watch(f->path, &fault);

	child_run(wake, f);
	assert_true(becomes_readable(one, 10000) && becomes_readable(two, 10000));
	assert_true(wakeup_drain(one) && wakeup_drain(two));
	close(one);
	close(two);
}

static void other_files_in_the_directory_wake_no_program(void **state)
{
	struct folder *f = *state;
	struct fault fault = {0};
	int watch = wakeup_watch(f->path, &fault);
	struct instance r;

	assert_true(instance_lock(&r, f->path, "collector", NULL, &fault));
	assert_true(instance_is_running(f->path, "collector", NULL, NULL));
	instance_unlock(&r);
	folder_write(f, "file", "x");
	assert_int_equal(access(folder_path(f, "commands.wake"), R_OK), 0);
	assert_false(wakeup_drain(watch));
	close(watch);
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_second_program_learns_the_pid_of_the_first),
		T(the_lock_goes_with_its_holder_however_that_ends),
		T(asking_does_not_lose_the_lock_of_the_process_that_asks),
		T(whoever_asks_turns_no_starting_program_away),
		T(of_many_that_start_at_once_one_runs),
		T(the_content_of_the_file_is_checked),
		T(a_run_directory_that_is_not_there_is_a_fault_with_a_remedy),
		T(a_path_that_is_not_a_plain_file_is_a_fault_and_not_followed),
		T(neither_account_can_keep_the_other_from_running),
		T(each_account_sees_and_wakes_the_other),
		T(a_wake_up_makes_no_file),
		T(another_process_wakes_us_once),
		T(every_program_that_watches_is_woken),
		T(other_files_in_the_directory_wake_no_program),
	};

	return cmocka_run_group_tests_name("base: running", tests, NULL, NULL);
}
