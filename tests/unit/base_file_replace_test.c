/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files are replaced completely or not at all, and writes are completed.
 */
#include "tests/unit/child.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "base/file.h"

static int names_in(const struct folder *f)
{
	DIR *dir = opendir(f->path);
	int count = -2; /* . and .. */

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* ---- replacing ---- */

static void a_file_is_replaced_with_its_mode_whatever_the_umask(void **state)
{
	struct folder *f = *state;
	mode_t old = umask(0777);
	char *text;
	struct stat st;

	assert_int_equal(file_replace(folder_path(f, "file"), "one", 3, 0644), 0);
	assert_int_equal(file_replace(f->file, "two", 3, 0640), 0);
	(void)umask(old);
	text = folder_read(f, "file");
	assert_string_equal(text, "two");
	free(text);
	assert_int_equal(stat(f->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(names_in(f), 1);
}

static void a_link_is_replaced_and_not_followed(void **state)
{
	struct folder *f = *state;
	char *text;

	folder_write(f, "victim", "untouched");
	assert_int_equal(symlink("victim", folder_path(f, "file")), 0);
	assert_int_equal(file_replace(f->file, "new", 3, 0600), 0);
	text = folder_read(f, "victim");
	assert_string_equal(text, "untouched");
	free(text);
}

static void without_a_slash_the_file_is_here(void **state)
{
	struct folder *f = *state;
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *text;

	assert_int_equal(chdir(f->path), 0);
	assert_int_equal(file_replace("file", "x", 1, 0600), 0);
	assert_int_equal(fchdir(here), 0);
	close(here);
	text = folder_read(f, "file");
	assert_string_equal(text, "x");
	free(text);
}

static void a_reader_sees_the_old_or_the_new_and_nothing_between(void **state)
{
	struct folder *f = *state;
	char bytes[8192], *seen;

	memset(bytes, 'a', sizeof(bytes));
	folder_write_bytes(f, "file", bytes, sizeof(bytes));
	int old = open(f->file, O_RDONLY | O_CLOEXEC);
	assert_int_equal(file_replace(f->file, "new", 3, 0600), 0);
	/* A process that had it open still has the old file. */
	assert_int_equal(lseek(old, 0, SEEK_END), sizeof(bytes));
	close(old);
	seen = folder_read(f, "file");
	assert_string_equal(seen, "new");
	free(seen);
}

static void expect_untouched(struct folder *f, const char *path, int names, int why)
{
	int descriptors = open_descriptors();

	assert_int_equal(file_replace(path, "new", 3, 0600), -1);
	assert_int_equal(errno, why);
	assert_int_equal(open_descriptors(), descriptors);
	assert_int_equal(names_in(f), names);
}

static void a_failed_replacement_leaves_no_temporary_behind(void **state)
{
	struct folder *f = *state;
	char name[NAME_MAX + 2];

	expect_untouched(f, folder_path(f, "nowhere/file"), 0, ENOENT);
	folder_make(f, "directory");
	folder_make(f, "directory/full");
	expect_untouched(f, folder_path(f, "directory"), 1, EISDIR);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	expect_untouched(f, folder_path(f, name), 1, ENAMETOOLONG);
	expect_untouched(f, folder_path(f, ""), 1, ENOENT);
}

static void replace_beyond_the_limit(void *ctx)
{
	const struct rlimit small = {1000, 1000};
	struct folder *f = ctx;
	char bytes[5000] = "";

	(void)signal(SIGXFSZ, SIG_IGN);
	MUST(setrlimit(RLIMIT_FSIZE, &small) == 0);
	MUST(file_replace(folder_path(f, "file"), bytes, sizeof(bytes), 0600) == -1);
	MUST(errno == EFBIG);
}

static void a_file_size_limit_leaves_the_old_file_alone(void **state)
{
	struct folder *f = *state;
	char *text;

	folder_write(f, "file", "old");
	child_run(replace_beyond_the_limit, f);
	text = folder_read(f, "file");
	assert_string_equal(text, "old");
	free(text);
	assert_int_equal(names_in(f), 1);
}

static void replace_on_a_full_disk(void *ctx)
{
	static char bytes[128 * 1024];
	struct folder *f = ctx;
	char *text;

	MUST(unshare(CLONE_NEWNS) == 0);
	MUST(mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0);
	MUST(mount("tmpfs", f->path, "tmpfs", 0, "size=64k,mode=700") == 0);
	folder_write(f, "file", "old");
	MUST(file_replace(f->file, bytes, sizeof(bytes), 0600) == -1);
	MUST(errno == ENOSPC);
	MUST(names_in(f) == 1);
	text = folder_read(f, "file");
	MUST(strcmp(text, "old") == 0);
	free(text);
	/* Now there is room again. */
	MUST(file_replace(f->file, "new", 3, 0600) == 0);
	MUST(mount("none", f->path, "none", MS_REMOUNT | MS_RDONLY, "size=64k") == 0);
	MUST(file_replace(f->file, "newer", 5, 0600) == -1);
	MUST(errno == EROFS);
}

static void a_full_or_read_only_disk_leaves_the_old_file_alone(void **state)
{
	struct folder *f = *state;

	if (geteuid() != 0)
		skip(); /* needs root to mount a small disk */
	child_run(replace_on_a_full_disk, f);
	assert_int_equal(names_in(f), 0);
}

/* ---- pipes and signals ---- */

static volatile sig_atomic_t interruptions;

static void interrupt(int number)
{
	(void)number;
	interruptions++;
}

static void read_slowly(void *ctx)
{
	const int *fds = ctx;
	static unsigned char bytes[3000];
	unsigned expected = 0;
	size_t total = 0;
	ssize_t n;

	close(fds[1]);
	usleep(100 * 1000); /* meanwhile the pipe is full and the writer is interrupted */
	while ((n = read(fds[0], bytes, sizeof(bytes))) != 0) {
		MUST(n > 0);
		for (ssize_t i = 0; i < n; i++, expected++)
			MUST(bytes[i] == (unsigned char)(expected % 251));
		total += (size_t)n;
	}
	MUST(total == 1000000);
}

static void everything_is_written_over_signals_and_short_writes(void **state)
{
	static unsigned char bytes[1000 * 1000];
	const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
	struct sigaction action = {.sa_handler = interrupt}; /* no SA_RESTART */
	int fds[2];
	pid_t reader;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i % 251);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	reader = child_start(read_slowly, fds);
	close(fds[0]);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	assert_int_equal(file_write_all(fds[1], bytes, sizeof(bytes)), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	(void)signal(SIGALRM, SIG_DFL);
	assert_true(interruptions > 3);
	close(fds[1]);
	child_join(reader);
	assert_int_equal(file_write_all(-1, "x", 1), -1);
	assert_int_equal(errno, EBADF);
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_file_is_replaced_with_its_mode_whatever_the_umask),
		T(a_link_is_replaced_and_not_followed),
		T(without_a_slash_the_file_is_here),
		T(a_reader_sees_the_old_or_the_new_and_nothing_between),
		T(a_failed_replacement_leaves_no_temporary_behind),
		T(a_file_size_limit_leaves_the_old_file_alone),
		T(a_full_or_read_only_disk_leaves_the_old_file_alone),
		T(everything_is_written_over_signals_and_short_writes),
	};

	return cmocka_run_group_tests_name("base: file, replacing", tests, NULL, NULL);
}
