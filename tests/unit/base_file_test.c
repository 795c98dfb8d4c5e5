/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files: nothing is read that another user may have put there, and nothing blocks.
 */
#include "base/strbuf.h"
#include "tests/unit/child.h"

#include <errno.h>
#include <stdbool.h>

#include "base/array.h"
#include "base/file.h"

/* Reads and discards: returns the fault's code, "" for success. */
static const char *refusal(const char *path, struct file_rules rules)
{
	static struct fault fault;
	struct strbuf text = {0};
	bool good;

	int descriptors = open_descriptors();

	fault_clear(&fault);
	(void)alarm(30); /* a FIFO must not block */
	good = file_read(path, &rules, &text, FAULT_SETTINGS, &fault);
	(void)alarm(0);
	assert_int_equal(open_descriptors(), descriptors);
	assert_int_equal(good, fault.kind == FAULT_NONE);
	assert_true(good || fault.kind == FAULT_SETTINGS);
	/* The fault names the path. */
	assert_true(good || strstr(fault.what, path));
	strbuf_free(&text);
	return fault.code;
}

/* ---- reading ---- */

static void a_file_is_read_whole_and_appended(void **state)
{
	struct folder *f = *state;
	struct strbuf text = {0};
	char bytes[40000];

	memset(bytes, 'b', sizeof(bytes));
	bytes[7] = '\0';
	assert_true(strbuf_add(&text, "a"));
	assert_true(file_read(folder_write_bytes(f, "big", bytes, sizeof(bytes)),
		&(struct file_rules){0}, &text, FAULT_STORAGE, NULL));
	assert_int_equal(text.len, 1 + sizeof(bytes));
	assert_memory_equal(text.data + 1, bytes, sizeof(bytes));
	strbuf_clear(&text);
	assert_true(file_read(
		folder_write(f, "empty", ""), &(struct file_rules){0}, &text, FAULT_STORAGE, NULL));
	assert_int_equal(text.len, 0);
	strbuf_free(&text);
}

static void a_missing_file_is_an_error_unless_it_may_be_missing(void **state)
{
	struct folder *f = *state;
	struct strbuf text = {0};

	assert_string_equal(refusal(folder_path(f, "none"), (struct file_rules){0}), "missing");
	assert_true(file_read(folder_path(f, "none"), &(struct file_rules){.missing_ok = true},
		&text, FAULT_STORAGE, NULL));
	assert_string_equal(text.data, "");
	strbuf_free(&text);
	/* A component of the path is not a directory. */
	folder_write(f, "file", "");
	assert_string_equal(
		refusal(folder_path(f, "file/x"), (struct file_rules){.missing_ok = true}),
		"unreadable");
}

static void only_regular_files_are_read(void **state)
{
	struct folder *f = *state;
	struct file_rules rules = {.missing_ok = true};

	assert_int_equal(mkfifo(folder_path(f, "fifo"), 0600), 0);
	assert_string_equal(refusal(f->file, rules), "not_regular");
	folder_make(f, "directory");
	assert_string_equal(refusal(f->file, rules), "not_regular");
	assert_string_equal(refusal("/dev/zero", rules), "not_regular");
}

static void links_are_followed_only_where_the_rules_say_so(void **state)
{
	struct folder *f = *state;

	folder_write(f, "target", "x");
	assert_int_equal(symlink("target", folder_path(f, "link")), 0);
	assert_string_equal(refusal(f->file, (struct file_rules){0}), "unreadable");
	assert_string_equal(refusal(f->file, (struct file_rules){.follow = true}), "");
	assert_int_equal(symlink("/dev/zero", folder_path(f, "zero")), 0);
	assert_string_equal(refusal(f->file, (struct file_rules){.follow = true}), "not_regular");
	assert_int_equal(symlink("link", folder_path(f, "chain")), 0);
	assert_string_equal(refusal(f->file, (struct file_rules){.follow = true}), "");
	assert_int_equal(symlink("nowhere", folder_path(f, "dangling")), 0);
	assert_string_equal(refusal(f->file, (struct file_rules){.follow = true}), "missing");
	assert_string_equal(
		refusal(f->file, (struct file_rules){.missing_ok = true}), "unreadable");
}

static void a_file_that_is_too_large_is_refused_not_cut(void **state)
{
	struct folder *f = *state;
	struct strbuf small = {.max = 3};
	struct fault fault = {0};

	folder_write(f, "file", "12345");
	assert_string_equal(refusal(f->file, (struct file_rules){.max_size = 5}), "");
	assert_string_equal(refusal(f->file, (struct file_rules){.max_size = 4}), "too_large");
	/* It grows while it is read; such a file claims to be empty. */
	assert_string_equal(
		refusal("/proc/self/status", (struct file_rules){.max_size = 10}), "too_large");
	assert_false(file_read(f->file, &(struct file_rules){0}, &small, FAULT_STORAGE, &fault));
	assert_string_equal(fault.code, "no_memory");
	strbuf_free(&small);
}

static void what_cannot_be_read_says_why_and_what_to_do(void **state)
{
	struct folder *f = *state;
	struct strbuf text = {0};
	struct fault fault = {0};

	/* A regular file whose first byte is an I/O error. */
	assert_string_equal(refusal("/proc/self/mem", (struct file_rules){0}), "unreadable");
	folder_write(f, "target", "x");
	assert_int_equal(symlink("target", folder_path(f, "link")), 0);
	assert_false(file_read(f->file, &(struct file_rules){0}, &text, FAULT_STORAGE, &fault));
	assert_non_null(strstr(fault.what, "is a symbolic link"));
	assert_string_equal(fault.remedy, "Put a regular file in its place.");
	assert_false(file_read(
		folder_path(f, "none"), &(struct file_rules){0}, &text, FAULT_STORAGE, &fault));
	assert_string_equal(fault.remedy, "");
}

static void read_without_the_right(void *ctx)
{
	struct strbuf text = {0};
	struct fault fault = {0};

	MUST(geteuid() != 0 || setresuid(65534, 65534, 65534) == 0);
	MUST(!file_read(ctx, &(struct file_rules){0}, &text, FAULT_STORAGE, &fault));
	MUST(strstr(fault.what, "Permission denied"));
	MUST(strstr(fault.remedy, "root"));
}

static void a_file_that_cannot_be_read_names_who_can(void **state)
{
	struct folder *f = *state;

	folder_write(f, "file", "x");
	assert_int_equal(chmod(f->path, 0711), 0);
	assert_int_equal(chmod(f->file, 0), 0);
	child_run(read_without_the_right, f->file);
}

static void a_secret_that_others_can_read_is_refused(void **state)
{
	static const struct {
		mode_t mode;
		bool good;
	} cases[] = {{0600, true}, {0400, true}, {0700, true}, {0604, false}, {0602, false},
		{0601, false}, {0620, false}, {0610, false}, {0666, false}};
	struct folder *f = *state;
	struct file_rules rules = {.secret = true};
	struct strbuf text = {0};
	struct fault fault = {0};

	folder_write(f, "key", "secret");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(chmod(f->file, cases[i].mode), 0);
		assert_string_equal(
			refusal(f->file, rules), cases[i].good ? "" : "readable_by_others");
	}
	assert_false(file_read(f->file, &rules, &text, FAULT_CREDENTIALS, &fault));
	assert_non_null(strstr(fault.remedy, "chmod 600"));
	assert_non_null(strstr(fault.remedy, f->file));
	assert_int_equal(text.len, 0);
	strbuf_free(&text);
}

static void a_secrets_group_is_roots_or_the_services(void **state)
{
	struct folder *f = *state;

	if (geteuid() != 0)
		skip(); /* needs root to give files away */
	folder_write(f, "key", "secret");
	assert_int_equal(chmod(f->file, 0640), 0);
	assert_int_equal(chown(f->file, 0, 0), 0);
	assert_string_equal(refusal(f->file, (struct file_rules){.secret = true}), "");
	assert_int_equal(chown(f->file, 0, 4711), 0);
	assert_string_equal(
		refusal(f->file, (struct file_rules){.secret = true}), "readable_by_others");
	assert_string_equal(
		refusal(f->file, (struct file_rules){.secret = true, .group_ok = 4711}), "");
	/* Readable is allowed, writable is not. */
	assert_int_equal(chmod(f->file, 0660), 0);
	assert_string_equal(refusal(f->file, (struct file_rules){.secret = true, .group_ok = 4711}),
		"readable_by_others");
}

static void a_trusted_file_is_roots_or_ours_and_not_writable_by_others(void **state)
{
	struct folder *f = *state;
	struct file_rules rules = {.trusted = true};

	folder_write(f, "settings", "x");
	assert_string_equal(refusal(f->file, rules), "");
	assert_int_equal(chmod(f->file, 0646), 0);
	assert_string_equal(refusal(f->file, rules), "writable_by_others");
	if (geteuid() != 0)
		return;
	assert_int_equal(chmod(f->file, 0664), 0);
	assert_int_equal(chown(f->file, 0, 0), 0);
	assert_string_equal(refusal(f->file, rules), "");
	assert_int_equal(chown(f->file, 0, 4711), 0);
	assert_string_equal(refusal(f->file, rules), "writable_by_others");
	assert_int_equal(chmod(f->file, 0644), 0);
	assert_string_equal(refusal(f->file, rules), "");
	assert_int_equal(chown(f->file, 4711, 0), 0);
	assert_string_equal(refusal(f->file, rules), "wrong_owner");
	assert_string_equal(refusal(f->file, (struct file_rules){0}), "");
}

/* ---- opening and closing ---- */

static void closing_keeps_errno_and_forgets_the_number(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), again;

	(void)state;
	again = fd;
	errno = EPROTO;
	file_close(&fd);
	assert_int_equal(errno, EPROTO);
	assert_int_equal(fd, -1);
	file_close(&fd);
	assert_int_equal(fcntl(again, F_GETFD), -1);
}

static void a_directory_is_opened_only_if_it_is_one(void **state)
{
	struct folder *f = *state;
	int fd = file_open_dir(f->path);

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	file_close(&fd);
	assert_int_equal(file_open_dir(folder_write(f, "file", "")), -1);
	assert_int_equal(symlink(f->path, folder_path(f, "link")), 0);
	assert_int_equal(file_open_dir(f->file), -1);
	assert_int_equal(mkfifo(folder_path(f, "fifo"), 0600), 0);
	assert_int_equal(file_open_dir(f->file), -1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_file_is_read_whole_and_appended),
		T(a_missing_file_is_an_error_unless_it_may_be_missing),
		T(only_regular_files_are_read),
		T(links_are_followed_only_where_the_rules_say_so),
		T(a_file_that_is_too_large_is_refused_not_cut),
		T(what_cannot_be_read_says_why_and_what_to_do),
		T(a_file_that_cannot_be_read_names_who_can),
		T(a_secret_that_others_can_read_is_refused),
		T(a_secrets_group_is_roots_or_the_services),
		T(a_trusted_file_is_roots_or_ours_and_not_writable_by_others),
		T(closing_keeps_errno_and_forgets_the_number),
		T(a_directory_is_opened_only_if_it_is_one),
	};

	return cmocka_run_group_tests_name("base: file", tests, NULL, NULL);
}
