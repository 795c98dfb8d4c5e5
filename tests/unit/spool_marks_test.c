/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Markers: every evaluated account has one, it is complete at every moment, and after the loss of a
 * ledger no account is locked out by old ones.
 */
#include "base/str.h"
#include "tests/unit/child.h"
#include "tests/unit/spool_box.h"

#include <time.h>

/* The user's word as the module reads it; "" if there is none. */
static const char *word_of(struct box *b, const char *user)
{
	static char word[SPOOL_WORD_MAX + 1];
	bool good;

	(void)alarm(30);
	good = spool_read_mark(b->reader.seen_dir, user, word);
	(void)alarm(0);
	assert_int_equal(good, word[0] != '\0');
	return word;
}

static void mark(struct box *b, const char *user, const char *word)
{
	struct fault fault = {0};

	assert_true(spool_mark(&b->reader, user, word, &fault));
	assert_int_equal(fault.kind, FAULT_NONE);
}

/* ---- writing ---- */

static void a_mark_is_one_private_word(void **state)
{
	struct box *b = *state;
	struct stat st;
	char *text;

	mark(b, "alice", "queued");
	mark(b, "..", "not_invitable");
	assert_string_equal(word_of(b, "alice"), "queued");
	assert_string_equal(word_of(b, ".."), "not_invitable");
	assert_string_equal(word_of(b, "bob"), "");
	text = folder_read(b->folder, "seen/alice");
	assert_string_equal(text, "queued\n");
	free(text);
	assert_int_equal(lstat(folder_path(b->folder, "seen/alice"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(box_has(b, "seen/%2E."));
	assert_int_equal(box_count(b, "seen"), 2);
}

static void the_same_word_again_touches_nothing(void **state)
{
	struct box *b = *state;
	struct stat before, after;

	mark(b, "alice", "queued");
	assert_int_equal(lstat(folder_path(b->folder, "seen/alice"), &before), 0);
	mark(b, "alice", "queued");
	assert_int_equal(lstat(folder_path(b->folder, "seen/alice"), &after), 0);
	assert_int_equal(after.st_ino, before.st_ino);
	mark(b, "alice", "invited");
	assert_string_equal(word_of(b, "alice"), "invited");
}

static void a_first_mark_leaves_a_later_word_alone(void **state)
{
	struct box *b = *state;
	struct fault fault = {0};
	struct stat st;

	assert_true(spool_mark_first(&b->reader, "alice", "seen", &fault));
	assert_string_equal(word_of(b, "alice"), "seen");
	mark(b, "alice", "invited");
	assert_true(spool_mark_first(&b->reader, "alice", "seen", &fault));
	assert_string_equal(word_of(b, "alice"), "invited");
	assert_int_equal(lstat(folder_path(b->folder, "seen/alice"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	/* A marker that a crash left empty counts as present, and gets the next word. */
	folder_write(b->folder, "seen/bob", "");
	assert_true(spool_mark_first(&b->reader, "bob", "queued", &fault));
	assert_string_equal(word_of(b, "bob"), "seen");
	mark(b, "bob", "invited");
	assert_string_equal(word_of(b, "bob"), "invited");
}

static void change_often(void *ctx)
{
	struct box *b = ctx;

	for (int i = 0; i < 1000; i++)
		MUST(spool_mark(&b->reader, "alice", i % 2 ? "not_invitable" : "invited", NULL));
}

static void a_reader_never_meets_half_a_mark_or_none(void **state)
{
	struct box *b = *state;
	int seen[2] = {0, 0}, status;
	pid_t writer;

	mark(b, "alice", "invited");
	writer = child_start(change_often, b);
	while (waitpid(writer, &status, WNOHANG) == 0) {
		const char *word = word_of(b, "alice");

		if (strcmp(word, "invited") == 0)
			seen[0]++;
		else if (strcmp(word, "not_invitable") == 0)
			seen[1]++;
		else
			fail_msg("a reader met '%s'", word);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(seen[0] > 0 && seen[1] > 0);
}

static void a_stale_temporary_file_does_not_prevent_writing(void **state)
{
	struct box *b = *state;
	char *text;

	folder_write(b->folder, "seen/.mark", "half a wor");
	mark(b, "alice", "queued");
	assert_string_equal(word_of(b, "alice"), "queued");
	folder_write(b->folder, "victim", "untouched");
	assert_int_equal(symlink("../victim", folder_path(b->folder, "seen/.mark")), 0);
	mark(b, "alice", "invited");
	assert_string_equal(word_of(b, "alice"), "invited");
	assert_int_equal(symlink("../victim", folder_path(b->folder, "seen/bob")), 0);
	mark(b, "bob", "invited");
	assert_string_equal(word_of(b, "bob"), "invited");
	assert_int_equal(mkfifo(folder_path(b->folder, "seen/carol"), 0600), 0);
	mark(b, "carol", "invited");
	assert_string_equal(word_of(b, "carol"), "invited");
	text = folder_read(b->folder, "victim");
	assert_string_equal(text, "untouched");
	free(text);
	assert_int_equal(box_count(b, "seen"), 3);
}

static void a_mark_that_cannot_be_written_is_a_fault_and_leaves_nothing(void **state)
{
	struct box *b = *state;
	struct fault fault = {0};
	char word[SPOOL_WORD_MAX + 1];

	folder_make(b->folder, "seen/alice");
	assert_false(spool_mark(&b->reader, "alice", "queued", &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(fault.what, "alice"));
	fault_clear(&fault);
	assert_false(spool_unmark(&b->reader, "alice", &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	memset(word, 'w', SPOOL_WORD_MAX);
	word[SPOOL_WORD_MAX] = '\0';
	assert_false(spool_mark(&b->reader, "bob", word, &fault));
	word[SPOOL_WORD_MAX - 1] = '\0';
	assert_true(spool_mark(&b->reader, "bob", word, &fault));
	assert_string_equal(word_of(b, "bob"), word);
	assert_int_equal(box_count(b, "seen"), 2);
}

static void a_user_without_a_name_in_the_spool_needs_no_marker(void **state)
{
	struct box *b = *state;
	char user[300];

	memset(user, 'a', sizeof(user) - 1);
	user[sizeof(user) - 1] = '\0';
	assert_true(spool_mark(&b->reader, user, "queued", NULL));
	assert_true(spool_mark_first(&b->reader, user, "queued", NULL));
	assert_true(spool_unmark(&b->reader, user, NULL));
	assert_string_equal(word_of(b, user), "");
	assert_int_equal(box_count(b, "seen"), 0);
}

static void unmarking_twice_is_not_an_error(void **state)
{
	struct box *b = *state;
	struct fault fault = {0};

	mark(b, "a/b", "queued");
	assert_true(spool_unmark(&b->reader, "a/b", &fault));
	assert_true(spool_unmark(&b->reader, "a/b", &fault));
	assert_int_equal(box_count(b, "seen"), 0);
}

/* ---- all markers ---- */

struct users {
	int count, most;
	char names[8][SPOOL_USER_MAX + 1];
};

static bool remember(const char *user, void *ctx)
{
	struct users *u = ctx;

	assert_true(u->count < 8);
	str_copy(u->names[u->count++], sizeof(u->names[0]), user);
	return u->count < u->most;
}

static bool has(const struct users *u, const char *user)
{
	for (int i = 0; i < u->count; i++)
		if (strcmp(u->names[i], user) == 0)
			return true;
	return false;
}

static void every_marker_is_listed_with_its_user(void **state)
{
	static const char *const names[] = {"alice", "..", "a/b\n", "bob.login", ".ledger"};
	struct box *b = *state;
	struct users all = {.most = 8}, some = {.most = 2};

	for (size_t i = 0; i < 5; i++)
		mark(b, names[i], "queued");
	folder_write(b->folder, "seen/.ledger", "id");
	folder_write(b->folder, "seen/.mark", "x");
	folder_write(b->folder, "seen/%61lice", "x");
	folder_write(b->folder, "seen/x y", "x");
	assert_true(box_each_mark(b, 0, remember, &all, NULL));
	assert_int_equal(all.count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_true(has(&all, names[i]));
	assert_true(box_each_mark(b, 0, remember, &some, NULL));
	assert_int_equal(some.count, 2);
}

static void markers_can_be_listed_by_age(void **state)
{
	const struct timespec times[2] = {{1000, 0}, {1000, 0}};
	struct box *b = *state;
	struct users old = {.most = 8}, none = {.most = 8};

	mark(b, "alice", "queued");
	mark(b, "bob", "queued");
	assert_int_equal(utimensat(b->reader.seen_dir, "alice", times, 0), 0);
	assert_true(box_each_mark(b, 1001, remember, &old, NULL));
	assert_int_equal(old.count, 1);
	assert_string_equal(old.names[0], "alice");
	assert_true(box_each_mark(b, 1000, remember, &none, NULL));
	assert_int_equal(none.count, 0);
}

static void marks_that_cannot_be_listed_are_a_fault(void **state)
{
	struct box *b = *state;
	struct box broken = *b;
	struct users users = {.most = 8};
	struct fault fault = {0};
	int dropped;

	broken.reader.seen_dir = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_false(box_each_mark(&broken, 0, remember, &users, &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_false(spool_bind_ledger(&broken.reader, "id", 0, &dropped, &(bool){false}, &fault));
	close(broken.reader.seen_dir);
}

/* ---- the ledger of the markers ---- */

/* The number of markers that were removed because they belong to another ledger than `id`. */
static int belong(struct box *b, const char *id)
{
	struct fault fault = {0};
	int dropped = -1;
	char *text;

	assert_true(spool_bind_ledger(&b->reader, id, 0, &dropped, &(bool){false}, &fault));
	assert_int_equal(fault.kind, FAULT_NONE);
	text = folder_read(b->folder, "seen/.ledger");
	assert_string_equal(text, id);
	free(text);
	return dropped;
}

static void marks_of_another_ledger_are_dropped_and_ours_are_kept(void **state)
{
	struct box *b = *state;

	assert_int_equal(belong(b, "one"), 0);
	mark(b, "alice", "invited");
	mark(b, "..", "queued");
	mark(b, "a/b", "queued");
	assert_int_equal(belong(b, "one"), 0);
	assert_string_equal(word_of(b, "alice"), "invited");
	assert_int_equal(belong(b, "two"), 3);
	assert_string_equal(word_of(b, "alice"), "");
	assert_int_equal(box_count(b, "seen"), 1); /* .ledger */
	mark(b, "alice", "queued");
	assert_int_equal(belong(b, "two"), 0);
	assert_string_equal(word_of(b, "alice"), "queued");
}

static void markers_without_a_ledger_are_removed(void **state)
{
	struct box *b = *state;
	char longest[200];

	mark(b, "alice", "invited");
	assert_int_equal(belong(b, "one"), 1);
	for (int broken = 0; broken < 5; broken++) {
		const char *path;

		mark(b, "alice", "invited");
		path = folder_path(b->folder, "seen/.ledger");
		assert_int_equal(unlink(path), 0);
		memset(longest, 'o', sizeof(longest));
		(void)alarm(30);
		if (broken == 0)
			folder_write(b->folder, "seen/.ledger", "");
		else if (broken == 1)
			folder_write_bytes(b->folder, "seen/.ledger", longest, sizeof(longest));
		else if (broken == 2)
			folder_write_bytes(b->folder, "seen/.ledger", "one\0two", 7);
		else if (broken == 3)
			assert_int_equal(mkfifo(path, 0600), 0);
		else
			assert_int_equal(symlink("alice", path), 0);
		assert_int_equal(belong(b, "one"), 1);
		(void)alarm(0);
	}
	/* An editor's newline does not make it another ledger. */
	mark(b, "alice", "invited");
	folder_write(b->folder, "seen/.ledger", "one\n");
	assert_true(spool_bind_ledger(&b->reader, "one", 0, &(int){0}, &(bool){false}, NULL));
	assert_string_equal(word_of(b, "alice"), "invited");
}

static void a_thousand_marks_are_dropped_to_the_last(void **state)
{
	struct box *b = *state;
	char user[32];

	assert_int_equal(belong(b, "one"), 0);
	for (int i = 0; i < 1000; i++) {
		str_format(user, sizeof(user), "user%d", i);
		mark(b, user, "queued");
	}
	assert_int_equal(belong(b, "two"), 1000);
	assert_int_equal(box_count(b, "seen"), 1);
}

static void an_interrupted_drop_is_finished_at_the_next_start(void **state)
{
	struct box *b = *state;
	struct fault fault = {0};
	int dropped;

	assert_int_equal(belong(b, "one"), 0);
	mark(b, "alice", "queued");
	/* A marker that cannot be removed stops it: the new id must not be there yet. */
	folder_make(b->folder, "seen/bob");
	assert_false(spool_bind_ledger(&b->reader, "two", 0, &dropped, &(bool){false}, &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(fault.what, "bob"));
	assert_int_equal(rmdir(folder_path(b->folder, "seen/bob")), 0);
	mark(b, "carol", "queued");
	assert_true(belong(b, "two") >= 1);
	assert_int_equal(box_count(b, "seen"), 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, box_new, box_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_mark_is_one_private_word),
		T(the_same_word_again_touches_nothing),
		T(a_first_mark_leaves_a_later_word_alone),
		T(a_reader_never_meets_half_a_mark_or_none),
		T(a_stale_temporary_file_does_not_prevent_writing),
		T(a_mark_that_cannot_be_written_is_a_fault_and_leaves_nothing),
		T(a_user_without_a_name_in_the_spool_needs_no_marker),
		T(unmarking_twice_is_not_an_error),
		T(every_marker_is_listed_with_its_user),
		T(markers_can_be_listed_by_age),
		T(marks_that_cannot_be_listed_are_a_fault),
		T(marks_of_another_ledger_are_dropped_and_ours_are_kept),
		T(markers_without_a_ledger_are_removed),
		T(a_thousand_marks_are_dropped_to_the_last),
		T(an_interrupted_drop_is_finished_at_the_next_start),
	};

	return cmocka_run_group_tests_name("spool: marks", tests, NULL, NULL);
}
