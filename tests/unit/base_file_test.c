/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/file.h"

static const struct file_rules plain = {.max_size = 100};

static bool reads(
	struct folder *f, const char *name, const struct file_rules *rules, const char *content)
{
	struct text t = {.cap = 1000};
	struct fault fault = {.kind = FAULT_NONE};
	bool good = file_read(folder_path(f, name), rules, &t, FAULT_SETTINGS, &fault);

	if (good)
		assert_string_equal(t.data, content);
	else
		assert_null(t.data);
	assert_int_equal(fault.kind, good ? FAULT_NONE : FAULT_SETTINGS);
	/* A fault names the file. */
	assert_true(good || strstr(fault.what, name) != NULL);
	text_free(&t);
	return good;
}

static void says(struct folder *f, const char *name, const struct file_rules *rules,
	const char *code, const char *remedy)
{
	struct text t = {.cap = 1000};
	struct fault fault = {.kind = FAULT_NONE};

	assert_false(file_read(folder_path(f, name), rules, &t, FAULT_CREDENTIALS, &fault));
	assert_int_equal(fault.kind, FAULT_CREDENTIALS);
	assert_string_equal(fault.code, code);
	assert_non_null(strstr(fault.remedy, remedy));
	text_free(&t);
}

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void a_regular_file_is_read_whole(void **state)
{
	struct folder *f = *state;
	char big[101] = "";

	memset(big, 'x', 100);
	folder_write(f, "file", "a\nb\n");
	folder_write(f, "empty", "");
	folder_write(f, "full", big);
	assert_true(reads(f, "file", &plain, "a\nb\n"));
	assert_true(reads(f, "full", &plain, big));
	struct text t = {.cap = 0};
	assert_true(file_read(folder_path(f, "empty"), &plain, &t, FAULT_STORAGE, NULL));
	assert_int_equal(t.len, 0);
	text_free(&t);
}

static void nothing_but_a_regular_file_is_read_and_nothing_blocks(void **state)
{
	static const struct file_rules follow = {.max_size = 100, .follow = true};
	struct folder *f = *state;
	int before = descriptors();

	folder_write(f, "target", "t");
	folder_make(f, "directory");
	assert_int_equal(mkfifo(folder_path(f, "fifo"), 0600), 0);
	assert_int_equal(symlink("target", folder_path(f, "link")), 0);
	assert_int_equal(symlink("link", folder_path(f, "chain")), 0);
	assert_int_equal(symlink("nowhere", folder_path(f, "dangling")), 0);
	alarm(10);
	says(f, "fifo", &plain, "not_regular", "regular file");
	says(f, "directory", &plain, "not_regular", "regular file");
	says(f, "link", &plain, "unreadable", "regular file");
	says(f, "missing", &plain, "missing", "");
	says(f, "dangling", &follow, "missing", "");
	assert_true(reads(f, "link", &follow, "t"));
	assert_true(reads(f, "chain", &follow, "t"));
	assert_false(reads(f, "fifo", &follow, ""));
	alarm(0);
	struct text t = {.cap = 0};
	assert_false(file_read("/dev/zero", &plain, &t, FAULT_STORAGE, NULL));
	text_free(&t);
	assert_int_equal(descriptors(), before);
}

static void a_missing_file_may_be_an_empty_one(void **state)
{
	static const struct file_rules optional = {.max_size = 100, .missing_ok = true};

	assert_true(reads(*state, "missing", &optional, ""));
	assert_false(reads(*state, "no/directory/and/slash/", &plain, ""));
}

static void too_large_a_file_is_refused(void **state)
{
	struct folder *f = *state;
	char big[102] = "";

	memset(big, 'x', 101);
	folder_write(f, "big", big);
	says(f, "big", &plain, "too_large", "");
	/* procfs says size 0: what is read counts. */
	struct text t = {.cap = 0};
	assert_false(file_read("/proc/self/maps", &plain, &t, FAULT_STORAGE, NULL));
	text_free(&t);
}

static void a_secret_is_its_owners(void **state)
{
	static const struct file_rules secret = {.max_size = 100, .secret = true, .group_ok = 77};
	static const struct {
		mode_t mode;
		gid_t group;
		bool good;
	} cases[] = {
		{0600, 0, true},
		{0400, 0, true},
		{0640, 0, true},
		{0640, 77, true},
		{0640, 78, false},
		{0660, 77, false},
		{0620, 0, false},
		{0604, 0, false},
		{0601, 0, false},
		{0666, 0, false},
	};
	struct folder *f = *state;

	if (geteuid() != 0)
		skip();
	folder_write(f, "key", "k");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(chown(folder_path(f, "key"), 0, cases[i].group), 0);
		assert_int_equal(chmod(f->file, cases[i].mode), 0);
		assert_int_equal(reads(f, "key", &secret, "k"), cases[i].good);
	}
	says(f, "key", &secret, "readable_by_others", "chmod 600");
}

static void a_trusted_file_is_roots_or_ours_and_nobody_elses_to_write(void **state)
{
	static const struct file_rules trusted = {.max_size = 100, .trusted = true};
	struct folder *f = *state;

	folder_write(f, "rules", "r");
	assert_true(reads(f, "rules", &trusted, "r"));
	assert_int_equal(chmod(folder_path(f, "rules"), 0646), 0);
	says(f, "rules", &trusted, "writable_by_others", "chmod go-w");
	if (geteuid() != 0)
		skip();
	assert_int_equal(chmod(folder_path(f, "rules"), 0664), 0);
	assert_int_equal(chown(f->file, 0, 5), 0);
	says(f, "rules", &trusted, "writable_by_others", "chmod go-w");
	assert_int_equal(chmod(folder_path(f, "rules"), 0644), 0);
	assert_int_equal(chown(f->file, 65534, 0), 0);
	says(f, "rules", &trusted, "wrong_owner", "chown root");
}

/* ---- replacing ----------------------------------------------------------------------------------
 */

static int entries(struct folder *f)
{
	DIR *dir = opendir(f->path);
	int count = -2;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void a_file_is_replaced_as_a_whole_and_leaves_nothing_else(void **state)
{
	struct folder *f = *state;
	mode_t mask = umask(0777);
	struct stat st;
	int before = descriptors();

	assert_int_equal(file_replace(folder_path(f, "file"), "one", 3, 0640), 0);
	assert_int_equal(file_replace(folder_path(f, "file"), "two!", 4, 0600), 0);
	(void)umask(mask);
	assert_int_equal(stat(f->file, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(reads(f, "file", &plain, "two!"));
	assert_int_equal(entries(f), 1);
	assert_int_equal(descriptors(), before);
}

static void a_link_in_its_place_is_replaced_not_followed(void **state)
{
	struct folder *f = *state;
	struct stat st;

	folder_write(f, "target", "t");
	assert_int_equal(symlink("target", folder_path(f, "link")), 0);
	assert_int_equal(file_replace(folder_path(f, "link"), "new", 3, 0600), 0);
	assert_int_equal(lstat(f->file, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_true(reads(f, "target", &plain, "t"));
}

static void without_a_slash_the_file_is_here(void **state)
{
	struct folder *f = *state;
	char here[PATH_MAX];

	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(f->path), 0);
	assert_int_equal(file_replace("file", "x", 1, 0600), 0);
	assert_int_equal(chdir(here), 0);
	assert_true(reads(f, "file", &plain, "x"));
}

static void a_failed_replacement_keeps_the_old_and_cleans_up(void **state)
{
	struct folder *f = *state;
	char name[NAME_MAX + 2];
	int status = -1;
	pid_t child;

	folder_write(f, "file", "old");
	folder_make(f, "directory");
	assert_int_equal(file_replace(folder_path(f, "directory"), "x", 1, 0600), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(file_replace(folder_path(f, "none/file"), "x", 1, 0600), -1);
	assert_int_equal(errno, ENOENT);
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(file_replace(folder_path(f, name), "x", 1, 0600), -1);
	child = fork();
	if (child == 0) {
		const struct rlimit none = {0, 0};

		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &none);
		_exit(file_replace(folder_path(f, "file"), "new", 3, 0600) == -1 && errno == EFBIG
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(reads(f, "file", &plain, "old"));
	assert_int_equal(entries(f), 2);
}

static void a_directory_is_opened_only_as_one(void **state)
{
	struct folder *f = *state;
	int fd;

	folder_make(f, "directory");
	folder_write(f, "file", "");
	assert_int_equal(symlink("directory", folder_path(f, "link")), 0);
	fd = file_open_dir(folder_path(f, "directory"));
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	errno = EPERM;
	file_close(&fd);
	assert_int_equal(fd, -1);
	file_close(&fd);
	assert_int_equal(errno, EPERM);
	assert_int_equal(file_open_dir(folder_path(f, "link")), -1);
	assert_int_equal(file_open_dir(folder_path(f, "file")), -1);
	assert_int_equal(errno, ENOTDIR);
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_regular_file_is_read_whole),
		T(nothing_but_a_regular_file_is_read_and_nothing_blocks),
		T(a_missing_file_may_be_an_empty_one),
		T(too_large_a_file_is_refused),
		T(a_secret_is_its_owners),
		T(a_trusted_file_is_roots_or_ours_and_nobody_elses_to_write),
		T(a_file_is_replaced_as_a_whole_and_leaves_nothing_else),
		T(a_link_in_its_place_is_replaced_not_followed),
		T(without_a_slash_the_file_is_here),
		T(a_failed_replacement_keeps_the_old_and_cleans_up),
		T(a_directory_is_opened_only_as_one),
	};

	return cmocka_run_group_tests_name("base file", tests, NULL, NULL);
}
