/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks: who has been seen, for which ledger.
 */
#include "spool_box.h"

static void mark(struct box *b, const char *user, const char *word)
{
	struct fault fault = {.kind = FAULT_NONE};

	if (!spool_mark(&b->reader, user, word, &fault))
		fail_msg("%s", fault.what);
}

static void belong(struct box *b, const char *ledger, int expected)
{
	struct fault fault = {.kind = FAULT_NONE};
	int dropped = -1;

	if (!spool_marks_belong(&b->reader, ledger, &dropped, &fault))
		fail_msg("%s", fault.what);
	assert_int_equal(dropped, expected);
}

static void a_mark_is_written_read_changed_and_removed(void **state)
{
	struct box *b = *state;
	struct fault fault = {.kind = FAULT_NONE};
	char word[SPOOL_WORD_MAX + 1];
	mode_t mask = umask(0);
	struct stat st;

	mark(b, "a/b", "queued");
	(void)umask(mask);
	assert_int_equal(lstat(folder_path(b->folder, "seen/a%2Fb"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(spool_read_mark(b->reader.seen_box, "a/b", word));
	assert_string_equal(word, "queued");
	mark(b, "a/b", "invited");
	assert_true(spool_read_mark(b->reader.seen_box, "a/b", word));
	assert_string_equal(word, "invited");
	assert_int_equal(box_count(b, "seen"), 1);
	assert_true(spool_unmark(&b->reader, "a/b", &fault));
	assert_true(spool_unmark(&b->reader, "a/b", &fault));
	assert_int_equal(box_count(b, "seen"), 0);
}

static void the_same_word_again_writes_nothing(void **state)
{
	struct box *b = *state;
	struct stat before, after;

	mark(b, "alice", "invited");
	assert_int_equal(lstat(folder_path(b->folder, "seen/alice"), &before), 0);
	mark(b, "alice", "invited");
	assert_int_equal(lstat(folder_path(b->folder, "seen/alice"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void hostile_names_and_words_have_their_place_or_none(void **state)
{
	struct box *b = *state;
	struct fault fault = {.kind = FAULT_NONE};
	char user[300], word[100];

	mark(b, "..", "seen");
	mark(b, ".ledger", "seen");
	assert_true(box_has(b, "seen/%2E."));
	assert_true(box_has(b, "seen/%2Eledger"));
	assert_false(box_has(b, "seen/.ledger"));
	memset(user, 'a', sizeof(user) - 1);
	user[sizeof(user) - 1] = '\0';
	mark(b, user, "seen");
	mark(b, "", "seen");
	assert_true(spool_unmark(&b->reader, user, &fault));
	assert_int_equal(box_count(b, "seen"), 2);
	memset(word, 'w', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_false(spool_mark(&b->reader, "alice", word, &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
}

static void a_planted_mark_is_replaced_not_followed(void **state)
{
	struct box *b = *state;
	char word[SPOOL_WORD_MAX + 1];

	folder_write(b->folder, "outside", "untouched");
	assert_int_equal(symlink("../outside", folder_path(b->folder, "seen/alice")), 0);
	assert_int_equal(symlink("../outside", folder_path(b->folder, "seen/.mark")), 0);
	assert_int_equal(mkfifo(folder_path(b->folder, "seen/bob"), 0600), 0);
	alarm(10);
	mark(b, "alice", "invited");
	mark(b, "bob", "invited");
	alarm(0);
	assert_true(spool_read_mark(b->reader.seen_box, "alice", word));
	assert_true(spool_read_mark(b->reader.seen_box, "bob", word));
	char *outside = folder_read(b->folder, "outside");
	assert_string_equal(outside, "untouched");
	free(outside);
}

/* ---- the ledger that they belong to -------------------------------------------------------------
 */

static void with_another_ledger_nobody_has_been_seen(void **state)
{
	struct box *b = *state;
	char *id;

	belong(b, "ledger-one", 0);
	mark(b, "alice", "invited");
	mark(b, "..", "queued");
	belong(b, "ledger-one", 0);
	assert_int_equal(box_count(b, "seen"), 3);
	belong(b, "ledger-two", 2);
	assert_int_equal(box_count(b, "seen"), 1);
	id = folder_read(b->folder, "seen/.ledger");
	assert_string_equal(id, "ledger-two");
	free(id);
	belong(b, "ledger-two", 0);
}

static void marks_without_or_with_a_wrong_ledger_id_are_dropped(void **state)
{
	static const char *const ids[] = {
		NULL, "", "ledger-on", "ledger-one2", "\xff", "x\nledger-one"};
	struct box *b = *state;
	char huge[1000];

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		mark(b, "alice", "invited");
		if (ids[i])
			folder_write(b->folder, "seen/.ledger", ids[i]);
		else
			(void)unlink(folder_path(b->folder, "seen/.ledger"));
		belong(b, "ledger-one", 1);
	}
	memset(huge, 'x', sizeof(huge));
	folder_write_bytes(b->folder, "seen/.ledger", huge, sizeof(huge));
	mark(b, "alice", "invited");
	belong(b, "ledger-one", 1);
	folder_write(b->folder, "seen/.ledger", "ledger-one\n");
	mark(b, "alice", "invited");
	belong(b, "ledger-one", 0);
}

static void a_planted_ledger_id_is_not_followed(void **state)
{
	struct box *b = *state;

	folder_write(b->folder, "outside", "ledger-one");
	assert_int_equal(symlink("../outside", folder_path(b->folder, "seen/.ledger")), 0);
	mark(b, "alice", "invited");
	belong(b, "ledger-one", 1);
	assert_int_equal(unlink(folder_path(b->folder, "seen/.ledger")), 0);
	assert_int_equal(mkfifo(folder_path(b->folder, "seen/.ledger"), 0600), 0);
	mark(b, "alice", "invited");
	alarm(10);
	belong(b, "ledger-one", 1);
	alarm(0);
}

/* A mark that cannot be dropped must not be counted as the new ledger's. */
static void a_mark_that_cannot_be_dropped_is_a_fault(void **state)
{
	struct box *b = *state;
	struct fault fault = {.kind = FAULT_NONE};
	int dropped;

	folder_make(b->folder, "seen/alice");
	assert_false(spool_marks_belong(&b->reader, "ledger-one", &dropped, &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(fault.what, "alice"));
	assert_false(box_has(b, "seen/.ledger"));
}

/* ---- looking through them -----------------------------------------------------------------------
 */

static bool count(const char *user, void *ctx)
{
	int *counted = ctx;

	(*counted)++;
	return strcmp(user, "stop") != 0;
}

static void marks_are_told_by_age(void **state)
{
	struct box *b = *state;
	struct fault fault = {.kind = FAULT_NONE};
	int counted = 0;

	belong(b, "ledger-one", 0);
	mark(b, "old", "not_found");
	mark(b, "a/b", "not_found");
	mark(b, "young", "not_found");
	box_age(b, "seen/old", 1000);
	box_age(b, "seen/a%2Fb", 1999);
	box_age(b, "seen/young", 2000);
	folder_write(b->folder, "seen/no%mark", "");
	assert_true(spool_each_mark(&b->reader, 2000, count, &counted, &fault));
	assert_int_equal(counted, 2);
	counted = 0;
	assert_true(spool_each_mark(&b->reader, 0, count, &counted, &fault));
	assert_int_equal(counted, 3);
	assert_true(spool_unmark(&b->reader, "old", &fault));
	assert_true(spool_unmark(&b->reader, "a/b", &fault));
	assert_true(spool_unmark(&b->reader, "young", &fault));
	mark(b, "stop", "seen");
	counted = 0;
	assert_true(spool_each_mark(&b->reader, 0, count, &counted, &fault));
	assert_int_equal(counted, 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, box_new, box_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_mark_is_written_read_changed_and_removed),
		T(the_same_word_again_writes_nothing),
		T(hostile_names_and_words_have_their_place_or_none),
		T(a_planted_mark_is_replaced_not_followed),
		T(with_another_ledger_nobody_has_been_seen),
		T(marks_without_or_with_a_wrong_ledger_id_are_dropped),
		T(a_planted_ledger_id_is_not_followed),
		T(a_mark_that_cannot_be_dropped_is_a_fault),
		T(marks_are_told_by_age),
	};

	return cmocka_run_group_tests_name("spool marks", tests, NULL, NULL);
}
