/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What login processes do in the spool: leave arrivals, read markers.
 */
#include "spool_box.h"

#include <signal.h>

#include "base/array.h"

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

static void an_arrival_is_one_empty_file(void **state)
{
	struct box *b = *state;
	mode_t mask = umask(0);
	int before = descriptors();
	struct stat st;

	assert_int_equal(spool_put(b->reader.new_dir, "alice", TRIGGER_LOGIN, false), 1);
	assert_int_equal(spool_put(b->reader.new_dir, "alice", TRIGGER_LOGIN, true), 0);
	assert_int_equal(spool_put(b->reader.new_dir, "alice", TRIGGER_CREATED, true), 1);
	(void)umask(mask);
	assert_int_equal(box_count(b, "new"), 2);
	assert_int_equal(lstat(folder_path(b->folder, "new/alice.login"), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(spool_exists(b->reader.new_dir, "alice.login"), 1);
	assert_int_equal(spool_exists(b->reader.new_dir, "bob.login"), 0);
	assert_int_equal(descriptors(), before);
}

/* As the module and the hook do it: with a directory that was opened only for names. */
static void an_arrival_and_its_box_go_to_the_disk_on_demand(void **state)
{
	struct box *b = *state;
	int before = descriptors();
	int box = spool_open(b->folder->path, SPOOL_NEW);

	assert_true(box >= 0);
	assert_int_equal(spool_put(box, "alice", TRIGGER_LOGIN, true), 1);
	assert_int_equal(spool_put(box, "bob", TRIGGER_MANUAL, false), 1);
	assert_int_equal(spool_sync(box), 0);
	close(box);
	assert_int_equal(spool_sync(box), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(box_count(b, "new"), 2);
	assert_int_equal(descriptors(), before);
}

static void a_name_without_a_place_is_an_error(void **state)
{
	struct box *b = *state;
	char user[300];

	assert_int_equal(spool_put(b->reader.new_dir, "", TRIGGER_LOGIN, false), -1);
	assert_int_equal(errno, EINVAL);
	memset(user, 'a', sizeof(user) - 1);
	user[sizeof(user) - 1] = '\0';
	assert_int_equal(spool_put(b->reader.new_dir, user, TRIGGER_LOGIN, false), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(spool_put(-1, "alice", TRIGGER_LOGIN, false), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(box_count(b, "new"), 0);
}

static void what_was_planted_in_its_place_stays_as_it_is(void **state)
{
	struct box *b = *state;
	int before = descriptors();

	alarm(10);
	assert_int_equal(symlink("/nonexistent/x", folder_path(b->folder, "new/a.login")), 0);
	assert_int_equal(symlink("../elsewhere", folder_path(b->folder, "new/b.login")), 0);
	assert_int_equal(mkfifo(folder_path(b->folder, "new/c.login"), 0600), 0);
	folder_make(b->folder, "new/d.login");
	for (const char *const *user = (const char *const[]){"a", "b", "c", "d", NULL}; *user;
		user++) {
		assert_int_equal(spool_put(b->reader.new_dir, *user, TRIGGER_LOGIN, true), 0);
	}
	alarm(0);
	assert_false(box_has(b, "elsewhere"));
	assert_int_equal(descriptors(), before);
}

static void a_box_is_a_directory_and_no_link(void **state)
{
	struct box *b = *state;
	char path[SPOOL_PATH_MAX + 10];
	int fd;

	fd = spool_open(b->folder->path, SPOOL_NEW);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	assert_int_equal(symlink("new", folder_path(b->folder, "link")), 0);
	assert_int_equal(spool_open(b->folder->path, "link"), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(mkfifo(folder_path(b->folder, "fifo"), 0600), 0);
	alarm(10);
	assert_int_equal(spool_open(b->folder->path, "fifo"), -1);
	assert_int_equal(errno, ENOTDIR);
	alarm(0);
	assert_int_equal(spool_open(b->folder->path, "missing"), -1);
	assert_int_equal(errno, ENOENT);
	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(spool_open(path, SPOOL_NEW), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

/* ---- markers, which may be hostile ---- */

static void a_mark_is_one_word(void **state)
{
	static const struct {
		const char *content;
		const char *word; /* NULL: not accepted */
	} cases[] = {
		{"invited\n", "invited"},
		{"invited", "invited"},
		{"not_invitable\n", "not_invitable"},
		{"a\n", "a"},
		{"", "seen"},
		{"\n", NULL},
		{"Invited\n", NULL},
		{"invited \n", NULL},
		{" invited\n", NULL},
		{"invited\nx", NULL},
		{"invited\n\n", NULL},
		{"invited\r\n", NULL},
		{"in-vited\n", NULL},
		{"\x1b[2Jinvited\n", NULL},
		{"inv\xc3\xadted\n", NULL},
	};
	struct box *b = *state;
	char word[SPOOL_WORD_MAX + 1];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		folder_write(b->folder, "seen/alice", cases[i].content);
		assert_int_equal(
			spool_read_mark(b->reader.seen_dir, "alice", word), !!cases[i].word);
		assert_string_equal(word, cases[i].word ? cases[i].word : "");
	}
	folder_write_bytes(b->folder, "seen/alice", "invited\0\n", 9);
	assert_false(spool_read_mark(b->reader.seen_dir, "alice", word));
}

static void a_mark_has_64_bytes_at_most(void **state)
{
	struct box *b = *state;
	char word[SPOOL_WORD_MAX + 1], content[SPOOL_WORD_MAX + 2];

	memset(content, 'x', sizeof(content));
	folder_write_bytes(b->folder, "seen/alice", content, SPOOL_WORD_MAX);
	assert_true(spool_read_mark(b->reader.seen_dir, "alice", word));
	assert_int_equal(strlen(word), SPOOL_WORD_MAX);
	folder_write_bytes(b->folder, "seen/alice", content, SPOOL_WORD_MAX + 1);
	assert_false(spool_read_mark(b->reader.seen_dir, "alice", word));
	folder_write(b->folder, "seen/alice", "");
	assert_int_equal(truncate(folder_path(b->folder, "seen/alice"), 1 << 30), 0);
	assert_false(spool_read_mark(b->reader.seen_dir, "alice", word));
}

static void a_marker_that_is_not_a_file_is_ignored_and_does_not_block(void **state)
{
	struct box *b = *state;
	char word[SPOOL_WORD_MAX + 1], user[300];
	int before = descriptors();

	alarm(10);
	folder_write(b->folder, "seen/target", "invited\n");
	assert_int_equal(symlink("target", folder_path(b->folder, "seen/a")), 0);
	assert_int_equal(symlink("/dev/zero", folder_path(b->folder, "seen/b")), 0);
	assert_int_equal(mkfifo(folder_path(b->folder, "seen/c"), 0600), 0);
	folder_make(b->folder, "seen/d");
	for (const char *const *name = (const char *const[]){"a", "b", "c", "d", "e", "", NULL};
		*name; name++)
		assert_false(spool_read_mark(b->reader.seen_dir, *name, word));
	memset(user, 'a', sizeof(user) - 1);
	user[sizeof(user) - 1] = '\0';
	assert_false(spool_read_mark(b->reader.seen_dir, user, word));
	assert_false(spool_read_mark(b->reader.seen_dir, "../seen/target", word));
	alarm(0);
	assert_int_equal(descriptors(), before);
}

/* The service's account may hold a lease on its file: open() would wait without O_NONBLOCK. */
static void a_lease_does_not_hold_a_login(void **state)
{
	struct box *b = *state;
	char word[SPOOL_WORD_MAX + 1];
	int fd;

	folder_write(b->folder, "seen/alice", "invited\n");
	fd = open(folder_path(b->folder, "seen/alice"), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	if (fcntl(fd, F_SETLEASE, F_WRLCK) != 0) {
		close(fd);
		skip();
	}
	(void)signal(SIGIO, SIG_IGN);
	alarm(10);
	assert_false(spool_read_mark(b->reader.seen_dir, "alice", word));
	alarm(0);
	(void)fcntl(fd, F_SETLEASE, F_UNLCK);
	close(fd);
	assert_true(spool_read_mark(b->reader.seen_dir, "alice", word));
}

#define T(test) cmocka_unit_test_setup_teardown(test, box_new, box_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_arrival_is_one_empty_file),
		T(an_arrival_and_its_box_go_to_the_disk_on_demand),
		T(a_name_without_a_place_is_an_error),
		T(what_was_planted_in_its_place_stays_as_it_is),
		T(a_box_is_a_directory_and_no_link),
		T(a_mark_is_one_word),
		T(a_mark_has_64_bytes_at_most),
		T(a_marker_that_is_not_a_file_is_ignored_and_does_not_block),
		T(a_lease_does_not_hold_a_login),
	};

	return cmocka_run_group_tests_name("spool arrivals", tests, NULL, NULL);
}
