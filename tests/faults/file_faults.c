/* SPDX-License-Identifier: Apache-2.0 */
/* Files that must be right, when a call fails: they are read completely or not at all, and replaced
 * completely or not at all. */
#include "base/str.h"
#include "base/strbuf.h"
#include "faults.h"

#include "../unit/folder.h"

#include <dirent.h>
#include <errno.h>

#include "base/file.h"

static const char old[] = "the old content\n", new[] = "the new content, which is longer\n";

static void *with_file(void)
{
	void *folder = NULL;

	folder_new(&folder);
	folder_write(folder, "file", old);
	return folder;
}

static void end(void *site)
{
	folder_free(&site);
}

/* ---- reading ---- */

static char taken[64];

static bool read_it(void *site, struct fault *fault)
{
	const struct file_rules rules = {.max_size = 1024, .trusted = true};
	struct strbuf text = {.max = 1024};
	bool good = file_read(folder_path(site, "file"), &rules, &text, FAULT_STORAGE, fault);

	str_copy(taken, sizeof(taken), good ? text.data : "");
	strbuf_free(&text);
	return good;
}

static void whole_or_nothing(void *site, bool good)
{
	(void)site;
	assert_string_equal(taken, good ? old : "");
}

static void what_is_read_is_whole(void **state)
{
	const struct scenario s = {with_file, read_it, whole_or_nothing, end, .silent = false};

	(void)state;
	faults_try(&s);
}

/* ---- replacing ---- */

static bool replace_it(void *site, struct fault *fault)
{
	(void)fault;
	if (file_replace(folder_path(site, "file"), new, sizeof(new) - 1, 0640) == 0)
		return true;
	assert_int_not_equal(errno, 0);
	return false;
}

static void old_or_new_and_no_other_name(void *site, bool good)
{
	char *text = folder_read(site, "file");
	struct folder *folder = site;
	DIR *dir = opendir(folder->path);
	int names = -2;

	if (good || strcmp(text, old) != 0)
		assert_string_equal(text, new);
	free(text);
	assert_non_null(dir);
	while (readdir(dir))
		names++;
	closedir(dir);
	assert_int_equal(names, 1);
}

static void what_is_replaced_is_the_old_or_the_new(void **state)
{
	const struct scenario s = {
		with_file, replace_it, old_or_new_and_no_other_name, end, .silent = true};

	(void)state;
	faults_try(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_is_read_is_whole, faults_teardown),
		cmocka_unit_test_teardown(what_is_replaced_is_the_old_or_the_new, faults_teardown),
	};

	return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
