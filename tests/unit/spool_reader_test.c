/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's side: arrivals are listed and taken, what is none is put aside.
 */
#include "spool_box.h"

#include <sys/sysmacros.h>

#include "base/log.h"

#define MOST 8

/* One pass; how many were put aside goes to *bad. */
static int list(struct box *b, struct spool_arrival *out, int *bad)
{
	struct fault fault = {.kind = FAULT_NONE};
	int n = spool_list(&b->reader, out, MOST, bad, &fault);

	assert_int_equal(fault.kind, FAULT_NONE);
	return n;
}

/* Nothing in new/ is an arrival, and afterwards new/ is empty. */
static void all_put_aside(struct box *b, int expected)
{
	struct spool_arrival out[MOST];
	int bad = -1;

	assert_int_equal(list(b, out, &bad), 0);
	assert_int_equal(bad, expected);
	assert_int_equal(box_count(b, "new"), 0);
}

static void arrivals_are_listed_oldest_first_and_taken(void **state)
{
	struct box *b = *state;
	struct fault fault = {.kind = FAULT_NONE};
	struct spool_arrival out[MOST];
	int bad = -1;

	spool_arrive(b->reader.new_box, "young", SPOOL_LOGIN, false);
	spool_arrive(b->reader.new_box, "a/b", SPOOL_CREATED, false);
	spool_arrive(b->reader.new_box, "old.one", SPOOL_ASKED, false);
	box_age(b, "new/young.login", 3000);
	box_age(b, "new/a%2Fb.created", 2000);
	box_age(b, "new/old.one.asked", 1000);
	assert_int_equal(list(b, out, &bad), 3);
	assert_int_equal(bad, 0);
	assert_string_equal(out[0].user, "old.one");
	assert_int_equal(out[0].reason, SPOOL_ASKED);
	assert_int_equal(out[0].at, 1000);
	assert_string_equal(out[1].user, "a/b");
	assert_int_equal(out[1].reason, SPOOL_CREATED);
	assert_string_equal(out[2].user, "young");
	/* Listing takes nothing: a crash before the ledger's commit loses nobody. */
	assert_int_equal(box_count(b, "new"), 3);
	for (int i = 0; i < 3; i++) {
		assert_true(spool_taken(&b->reader, &out[i], &fault));
		assert_true(spool_taken(&b->reader, &out[i], &fault));
	}
	assert_int_equal(box_count(b, "new"), 0);
}

static void a_batch_is_no_larger_than_asked_and_nobody_is_left(void **state)
{
	struct box *b = *state;
	struct fault fault = {.kind = FAULT_NONE};
	struct spool_arrival out[MOST];
	int taken = 0, n, bad;

	for (int i = 0; i < 50; i++) {
		char user[16];

		text_format(user, sizeof(user), "user%d", i);
		assert_int_equal(spool_arrive(b->reader.new_box, user, SPOOL_LOGIN, false), 1);
	}
	while ((n = list(b, out, &bad)) > 0) {
		assert_true(n <= MOST);
		for (int i = 0; i < n; i++)
			assert_true(spool_taken(&b->reader, &out[i], &fault));
		taken += n;
	}
	assert_int_equal(taken, 50);
}

/* ---- what is no arrival -------------------------------------------------------------------------
 */

static void names_that_are_no_arrivals_are_put_aside(void **state)
{
	static const char *const names[] = {"alice", ".hidden.login", "a b.login", "alice.login~",
		"a%2f.login", "-", "\xff.login", "a\nb.login", "x.dpkg-new"};
	struct box *b = *state;
	const int count = (int)(sizeof(names) / sizeof(names[0]));
	char path[64];

	for (int i = 0; i < count; i++) {
		text_format(path, sizeof(path), "new/%s", names[i]);
		folder_write(b->folder, path, "");
	}
	all_put_aside(b, count);
	assert_int_equal(box_count(b, "bad"), count);
}

static void planted_things_are_put_aside(void **state)
{
	struct box *b = *state;

	assert_int_equal(symlink("/etc/passwd", folder_path(b->folder, "new/a.login")), 0);
	assert_int_equal(mkfifo(folder_path(b->folder, "new/b.login"), 0600), 0);
	folder_make(b->folder, "new/c.login");
	folder_write(b->folder, "new/d.login", "content");
	alarm(10);
	all_put_aside(b, 4);
	alarm(0);
	assert_true(box_has(b, "bad/a.login"));
	assert_true(box_has(b, "bad/b.login"));
	assert_true(box_has(b, "bad/d.login"));
}

static void files_with_two_names_are_put_aside_wherever_the_other_is(void **state)
{
	struct box *b = *state;
	char other[PATH_MAX];

	folder_write(b->folder, "outside", "");
	text_copy(other, sizeof(other), b->folder->file);
	assert_int_equal(link(other, folder_path(b->folder, "new/a.login")), 0);
	folder_write(b->folder, "bad/b.login", "");
	text_copy(other, sizeof(other), b->folder->file);
	assert_int_equal(link(other, folder_path(b->folder, "new/b.login")), 0);
	all_put_aside(b, 2);
	assert_int_equal(box_count(b, "bad"), 2);
}

static void somebody_elses_files_and_devices_are_put_aside(void **state)
{
	struct box *b = *state;

	if (geteuid() != 0)
		skip();
	folder_write(b->folder, "new/a.login", "");
	assert_int_equal(chown(b->folder->file, 65534, 0), 0);
	if (mknod(folder_path(b->folder, "new/b.login"), S_IFCHR | 0600, makedev(1, 5)) != 0)
		folder_write(b->folder, "new/b.login", "no devices here");
	all_put_aside(b, 2);
}

static void quarantine_has_a_cap(void **state)
{
	struct box *b = *state;
	struct spool_arrival out[MOST];
	char path[64];
	int bad = 0;

	for (int i = 0; i < SPOOL_BAD_CAP - 3; i++) {
		text_format(path, sizeof(path), "bad/old%d", i);
		folder_write(b->folder, path, "");
	}
	for (int i = 0; i < 10; i++) {
		text_format(path, sizeof(path), "new/junk%d", i);
		folder_write(b->folder, path, "");
	}
	spool_arrive(b->reader.new_box, "alice", SPOOL_LOGIN, false);
	assert_int_equal(list(b, out, &bad), 1);
	assert_int_equal(bad, 10);
	assert_int_equal(box_count(b, "new"), 1);
	assert_int_equal(box_count(b, "bad"), SPOOL_BAD_CAP);
}

static void a_full_directory_in_the_way_hides_nobody(void **state)
{
	struct box *b = *state;
	struct spool_arrival out[MOST];
	int bad;

	folder_make(b->folder, "new/junk");
	folder_write(b->folder, "new/junk/file", "");
	folder_make(b->folder, "bad/junk");
	folder_write(b->folder, "bad/junk/file", "");
	spool_arrive(b->reader.new_box, "alice", SPOOL_LOGIN, false);
	for (int pass = 0; pass < 3; pass++)
		assert_int_equal(list(b, out, &bad), 1);
	assert_string_equal(out[0].user, "alice");
}

/* ---- opening ------------------------------------------------------------------------------------
 */

static void refused(struct box *b, const char *what)
{
	struct spool_reader r;
	struct fault fault = {.kind = FAULT_NONE};

	assert_false(spool_reader_open(&r, b->folder->path, &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(fault.what, what));
	assert_non_null(strstr(fault.remedy, "--prepare"));
	assert_int_equal(r.new_box, -1);
	assert_int_equal(r.seen_box, -1);
	assert_int_equal(r.bad_box, -1);
}

static void boxes_that_others_could_write_are_refused(void **state)
{
	struct box *b = *state;

	assert_int_equal(chmod(folder_path(b->folder, "seen"), 0777), 0);
	refused(b, "/seen: ");
	assert_int_equal(chmod(folder_path(b->folder, "seen"), 0755), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(folder_path(b->folder, "bad"), 65534, 0), 0);
		refused(b, "/bad: ");
		assert_int_equal(chown(folder_path(b->folder, "bad"), 0, 0), 0);
		assert_int_equal(chown(folder_path(b->folder, "new"), 0, 5), 0);
		refused(b, "/new: ");
		assert_int_equal(chown(folder_path(b->folder, "new"), 0, 0), 0);
	}
	assert_int_equal(rmdir(folder_path(b->folder, "new")), 0);
	refused(b, "/new: ");
	assert_int_equal(symlink("seen", folder_path(b->folder, "new")), 0);
	refused(b, "/new: ");
}

#define T(test) cmocka_unit_test_setup_teardown(test, box_new, box_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(arrivals_are_listed_oldest_first_and_taken),
		T(a_batch_is_no_larger_than_asked_and_nobody_is_left),
		T(names_that_are_no_arrivals_are_put_aside),
		T(planted_things_are_put_aside),
		T(files_with_two_names_are_put_aside_wherever_the_other_is),
		T(somebody_elses_files_and_devices_are_put_aside),
		T(quarantine_has_a_cap),
		T(a_full_directory_in_the_way_hides_nobody),
		T(boxes_that_others_could_write_are_refused),
	};

	/* Each file that is put aside is a warning. */
	log_start("spool_reader_test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("spool reader", tests, NULL, NULL);
}
