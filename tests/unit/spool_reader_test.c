/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's side: arrivals are listed and removed, and other files are put aside.
 */
#include "base/str.h"
#include "tests/unit/child.h"
#include "tests/unit/spool_box.h"

#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <time.h>

#include "base/array.h"
#include "base/log.h"

#define MOST 16

static void arrive(struct box *b, const char *user, enum trigger trigger)
{
	assert_int_equal(spool_put(b->reader.new_dir, user, trigger, false), 1);
}

static int list(struct box *b, struct spool_arrival *out, int *bad)
{
	struct fault fault = {0};
	int count;

	log_start("test", (enum log_level)0); /* what is put aside is logged */
	(void)alarm(30);		      /* nothing that is planted may block */
	count = box_list(b, out, MOST, bad, &fault);
	(void)alarm(0);
	assert_int_equal(fault.kind, FAULT_NONE);
	return count;
}

/* ---- opening ---- */

static void expect_refused(struct box *b, const char *why)
{
	struct spool_reader reader;
	struct fault fault = {0};
	int descriptors = open_descriptors();

	assert_false(spool_reader_open(&reader, b->folder->path, &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_int_equal(reader.new_dir, -1);
	assert_int_equal(reader.seen_dir, -1);
	assert_int_equal(reader.bad_dir, -1);
	assert_non_null(strstr(fault.what, b->folder->path));
	assert_non_null(strstr(fault.what, why));
	assert_non_null(strstr(fault.remedy, "--prepare"));
	assert_int_equal(open_descriptors(), descriptors);
}

static void boxes_that_are_not_directories_are_refused(void **state)
{
	struct box *b = *state;

	for (const char *const *box = (const char *const[]){"new", "seen", "bad", NULL}; *box;
		box++) {
		const char *path = folder_path(b->folder, *box);

		assert_int_equal(rmdir(path), 0);
		expect_refused(b, "No such file");
		path = folder_path(b->folder, *box);
		assert_int_equal(symlink("/tmp", path), 0);
		expect_refused(b, "Not a directory");
		path = folder_path(b->folder, *box);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkfifo(path, 0600), 0);
		(void)alarm(30);
		expect_refused(b, "Not a directory");
		(void)alarm(0);
		path = folder_path(b->folder, *box);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkdir(path, 0700), 0);
	}
}

/* An account that can open or search one of them can delay every login that looks up a name
 * there. */
static void boxes_that_others_can_open_are_refused(void **state)
{
	static const mode_t modes[] = {0701, 0710, 0740, 0777, 01700, 02700};
	static const char *const names[] = {"", "new", "seen", "bad"};
	struct box *b = *state;
	struct spool_reader reader;
	struct fault fault = {0};

	for (int i = 0; i < 4; i++) {
		for (size_t m = 0; m < ARRAY_SIZE(modes); m++) {
			assert_int_equal(chmod(folder_path(b->folder, names[i]), modes[m]), 0);
			expect_refused(b, "other users could delay logins");
		}
		assert_int_equal(chmod(folder_path(b->folder, names[i]), 0700), 0);
		if (geteuid() != 0)
			continue;
		assert_int_equal(chown(folder_path(b->folder, names[i]), 4711, 0), 0);
		expect_refused(b, "other users could delay logins");
		assert_int_equal(chown(folder_path(b->folder, names[i]), 0, 0), 0);
	}
	assert_true(spool_reader_open(&reader, b->folder->path, &fault));
	spool_reader_close(&reader);
}

/* ---- listing ---- */

static void arrivals_are_listed_with_user_reason_and_time(void **state)
{
	static const char *const users[] = {"alice", "..", "a/b\n", "alice.login"};
	struct box *b = *state;
	struct spool_arrival out[MOST];
	int bad = -1;

	for (int i = 0; i < 4; i++) {
		const struct timespec times[2] = {{2000 - i, 0}, {2000 - i, 0}};
		char name[SPOOL_NAME_MAX + 1];

		arrive(b, users[i], (enum trigger)i);
		assert_true(spool_arrival_name(name, users[i], (enum trigger)i));
		assert_int_equal(utimensat(b->reader.new_dir, name, times, 0), 0);
	}
	assert_int_equal(list(b, out, &bad), 4);
	assert_int_equal(bad, 0);
	for (int i = 0; i < 4; i++) {
		assert_string_equal(out[i].user, users[out[i].trigger]);
		assert_int_equal(out[i].at, 2000 - (int)out[i].trigger);
	}
	/* Listing removes nothing: a crash before the ledger's commit loses no account. */
	assert_int_equal(box_count(b, "new"), 4);
}

static void whoever_comes_in_several_ways_is_listed_for_each(void **state)
{
	struct box *b = *state;
	struct spool_arrival out[MOST];
	int bad;

	arrive(b, "alice", TRIGGER_LOGIN);
	arrive(b, "alice", TRIGGER_CREATED);
	arrive(b, "alice", TRIGGER_MANUAL);
	assert_int_equal(list(b, out, &bad), 3);
}

static void listing_in_passes_returns_each_arrival_once(void **state)
{
	struct box *b = *state;
	struct spool_arrival out[MOST];
	struct fault fault = {0};
	bool seen[100] = {false};
	char user[16];
	int bad, count, total = 0;

	for (int i = 0; i < 100; i++) {
		str_format(user, sizeof(user), "u%d", i);
		arrive(b, user, TRIGGER_LOGIN);
	}
	while ((count = list(b, out, &bad)) > 0) {
		assert_true(count <= MOST);
		for (int i = 0; i < count; i++) {
			long long number;

			assert_true(str_number(out[i].user + 1, 0, 99, &number));
			assert_false(seen[number]);
			seen[number] = true;
			assert_true(spool_remove(&b->reader, out[i].name, &fault));
			total++;
		}
	}
	assert_int_equal(total, 100);
	assert_int_equal(box_count(b, "new"), 0);
	/* A second time is not an error: the file may be gone already. */
	assert_true(spool_remove(&b->reader, out[0].name, &fault));
}

/* ---- other files ---- */

static void plant_a_link(const char *path)
{
	assert_int_equal(symlink("/etc/passwd", path), 0);
}

static void plant_a_fifo(const char *path)
{
	assert_int_equal(mkfifo(path, 0600), 0);
}

static void plant_a_directory(const char *path)
{
	assert_int_equal(mkdir(path, 0700), 0);
}

static void plant_a_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(str_copy(address.sun_path, sizeof(address.sun_path), path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static void plant_content(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
}

static void plant_a_second_name(const char *path)
{
	char outside[PATH_MAX];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	close(fd);
	assert_true(str_copy(outside, sizeof(outside), path));
	str_copy(strrchr(outside, '/'), 32, "/../outside");
	assert_int_equal(link(path, outside), 0);
}

static void plant_a_device(const char *path)
{
	if (mknod(path, S_IFCHR | 0600, makedev(1, 5)) != 0) /* /dev/zero */
		plant_a_fifo(path);
}

static void plant_of_another_owner(const char *path)
{
	plant_content(path);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(chown(path, 4711, 4711), 0);
}

static void planted_files_are_put_aside_and_do_no_harm(void **state)
{
	static void (*const planters[])(const char *path) = {plant_a_link, plant_a_fifo,
		plant_a_directory, plant_a_socket, plant_content, plant_a_second_name,
		plant_a_device, plant_of_another_owner};
	struct box *b = *state;
	struct spool_arrival out[MOST];
	int bad;

	for (size_t i = 0; i < ARRAY_SIZE(planters); i++) {
		if (planters[i] == plant_of_another_owner && geteuid() != 0)
			continue; /* only root can give files away */
		planters[i](folder_path(b->folder, "new/mallory.login"));
		arrive(b, "alice", TRIGGER_LOGIN);
		assert_int_equal(list(b, out, &bad), 1);
		assert_int_equal(bad, 1);
		assert_string_equal(out[0].user, "alice");
		assert_true(spool_remove(&b->reader, out[0].name, NULL));
		assert_int_equal(box_count(b, "new"), 0);
		/* A directory cannot be linked, so it is removed. */
		assert_int_equal(box_has(b, "bad/mallory.login"), planters[i] != plant_a_directory);
		(void)remove(folder_path(b->folder, "bad/mallory.login"));
	}
	assert_int_equal(access("/etc/passwd", R_OK), 0);
}

static void names_that_we_would_not_write_are_put_aside(void **state)
{
	static const char *const names[] = {"alice", ".alice.login", "%41lice.login",
		"alice.login~", "a\nb.login", "\xff.login", "-", "alice.login.tmp", ".x",
		"%2f.login"};
	struct box *b = *state;
	struct spool_arrival out[MOST];
	char path[300], longest[256];
	int bad, count = (int)(ARRAY_SIZE(names));

	for (int i = 0; i < count; i++) {
		str_format(path, sizeof(path), "new/%s", names[i]);
		folder_write(b->folder, path, "");
	}
	memset(longest, 'a', 255);
	longest[255] = '\0';
	str_format(path, sizeof(path), "new/%s", longest);
	folder_write(b->folder, path, "");
	assert_int_equal(list(b, out, &bad), 0);
	assert_int_equal(bad, count + 1);
	assert_int_equal(box_count(b, "new"), 0);
	assert_int_equal(box_count(b, "bad"), count + 1);
}

static void quarantine_holds_a_thousand_and_no_more(void **state)
{
	struct box *b = *state;
	struct spool_arrival out[MOST];
	char path[64];
	int bad;

	for (int i = 0; i < SPOOL_BAD_MAX - 2; i++) {
		str_format(path, sizeof(path), "bad/old%d", i);
		folder_write(b->folder, path, "");
	}
	for (int i = 0; i < 5; i++) {
		str_format(path, sizeof(path), "new/junk%d", i);
		folder_write(b->folder, path, "");
	}
	folder_make(b->folder, "new/junkdir");
	arrive(b, "alice", TRIGGER_LOGIN);
	assert_int_equal(list(b, out, &bad), 1);
	assert_int_equal(bad, 6);
	assert_int_equal(box_count(b, "bad"), SPOOL_BAD_MAX);
	assert_int_equal(box_count(b, "new"), 1);
	folder_write(b->folder, "new/more", "");
	assert_int_equal(list(b, out, &bad), 1);
	assert_int_equal(box_count(b, "bad"), SPOOL_BAD_MAX);
	assert_int_equal(box_count(b, "new"), 1);
}

static void the_same_name_put_aside_twice_is_kept_once(void **state)
{
	struct box *b = *state;
	struct spool_arrival out[MOST];
	char *text;
	int bad;

	folder_write(b->folder, "new/junk", "first");
	assert_int_equal(list(b, out, &bad), 0);
	folder_write(b->folder, "new/junk", "second");
	assert_int_equal(list(b, out, &bad), 0);
	assert_int_equal(box_count(b, "bad"), 1);
	text = folder_read(b->folder, "bad/junk");
	assert_string_equal(text, "second");
	free(text);
	/* Two names of one file: rename alone would keep both. */
	assert_int_equal(linkat(b->reader.bad_dir, "junk", b->reader.new_dir, "junk", 0), 0);
	assert_int_equal(list(b, out, &bad), 0);
	assert_int_equal(box_count(b, "new"), 0);
	assert_int_equal(box_count(b, "bad"), 1);
}

static void a_full_directory_in_new_hides_no_arrival(void **state)
{
	struct box *b = *state;
	struct spool_arrival out[MOST];
	int bad;

	folder_make(b->folder, "new/junk");
	folder_write(b->folder, "new/junk/file", "");
	folder_make(b->folder, "bad/junk");
	folder_write(b->folder, "bad/junk/file", "");
	arrive(b, "alice", TRIGGER_LOGIN);
	for (int pass = 0; pass < 3; pass++)
		assert_int_equal(list(b, out, &bad), 1);
	assert_string_equal(out[0].user, "alice");
}

static void a_box_that_cannot_be_read_is_a_fault(void **state)
{
	struct box *b = *state;
	struct box broken = *b;
	struct spool_arrival out[MOST];
	struct fault fault = {0};
	int bad = -1;

	broken.reader.new_dir = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(box_list(&broken, out, MOST, &bad, &fault), -1);
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_int_equal(bad, 0);
	fault_clear(&fault);
	assert_false(spool_remove(&broken.reader, "alice.login", &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(fault.what, "alice.login"));
	close(broken.reader.new_dir);
}

static void an_arrival_of_an_earlier_version_is_listed_and_removed(void **state)
{
	struct box *b = *state;
	struct spool_arrival out[MOST];
	struct fault fault = {0};
	int bad;

	folder_write(b->folder, "new/alice.asked", "");
	assert_int_equal(list(b, out, &bad), 1);
	assert_int_equal(bad, 0);
	assert_int_equal(out[0].trigger, TRIGGER_MANUAL);
	assert_true(spool_remove(&b->reader, out[0].name, &fault));
	assert_int_equal(box_count(b, "new"), 0);
}

static void a_pass_leaves_no_descriptor_open(void **state)
{
	struct box *b = *state;
	struct spool_arrival out[MOST];
	int descriptors = open_descriptors(), bad;

	arrive(b, "alice", TRIGGER_LOGIN);
	folder_write(b->folder, "new/junk", "");
	assert_int_equal(list(b, out, &bad), 1);
	assert_int_equal(open_descriptors(), descriptors);
}

/* ---- many arrivals ---- */

static void arrive_often(void *ctx)
{
	const struct box *b = ctx;

	for (int i = 0; i < 500; i++)
		MUST(spool_put(b->reader.new_dir, "alice", TRIGGER_LOGIN, false) >= 0);
}

static void a_storm_of_logins_while_we_take_them_is_never_a_fault(void **state)
{
	struct box *b = *state;
	struct spool_arrival out[MOST];
	struct fault fault = {0};
	pid_t children[3];
	int bad, taken = 0;

	for (int i = 0; i < 3; i++)
		children[i] = child_start(arrive_often, b);
	for (int i = 0; i < 2000; i++) {
		if (list(b, out, &bad) == 1) {
			assert_true(spool_remove(&b->reader, out[0].name, &fault));
			taken++;
		}
		assert_int_equal(bad, 0);
	}
	for (int i = 0; i < 3; i++)
		child_join(children[i]);
	assert_true(taken + list(b, out, &bad) >= 1);
	assert_int_equal(box_count(b, "bad"), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, box_new, box_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(boxes_that_are_not_directories_are_refused),
		T(boxes_that_others_can_open_are_refused),
		T(arrivals_are_listed_with_user_reason_and_time),
		T(whoever_comes_in_several_ways_is_listed_for_each),
		T(listing_in_passes_returns_each_arrival_once),
		T(planted_files_are_put_aside_and_do_no_harm),
		T(names_that_we_would_not_write_are_put_aside),
		T(quarantine_holds_a_thousand_and_no_more),
		T(the_same_name_put_aside_twice_is_kept_once),
		T(a_full_directory_in_new_hides_no_arrival),
		T(a_box_that_cannot_be_read_is_a_fault),
		T(an_arrival_of_an_earlier_version_is_listed_and_removed),
		T(a_pass_leaves_no_descriptor_open),
		T(a_storm_of_logins_while_we_take_them_is_never_a_fault),
	};

	return cmocka_run_group_tests_name("spool: arrivals", tests, NULL, NULL);
}
