/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the spool: a spool in a folder, opened by its reader.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_SPOOL_BOX_H
#define CLOUDINVITE_TESTS_UNIT_SPOOL_BOX_H

#include "folder.h"

#include <dirent.h>
#include <errno.h>

#include "spool/reader.h"

struct box {
	struct folder *folder;
	struct spool_reader reader;
};

UNUSED static int box_new(void **state)
{
	struct box *b = calloc(1, sizeof(*b));
	struct fault fault = {.kind = FAULT_NONE};

	assert_non_null(b);
	assert_int_equal(folder_new((void **)&b->folder), 0);
	folder_make(b->folder, "new");
	folder_make(b->folder, "seen");
	folder_make(b->folder, "bad");
	assert_int_equal(chmod(folder_path(b->folder, "new"), 0770), 0);
	assert_true(spool_reader_open(&b->reader, b->folder->path, &fault));
	*state = b;
	return 0;
}

UNUSED static int box_free(void **state)
{
	struct box *b = *state;

	spool_reader_close(&b->reader);
	folder_free((void **)&b->folder);
	free(b);
	return 0;
}

/* How many names a directory of the folder holds. */
UNUSED static int box_count(struct box *b, const char *name)
{
	DIR *dir = opendir(folder_path(b->folder, name));
	int count = -2;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

UNUSED static bool box_has(struct box *b, const char *name)
{
	struct stat st;

	return lstat(folder_path(b->folder, name), &st) == 0;
}

UNUSED static void box_age(struct box *b, const char *name, time_t when)
{
	const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};

	assert_int_equal(utimensat(AT_FDCWD, folder_path(b->folder, name), times, 0), 0);
}

#endif
