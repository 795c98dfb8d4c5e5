/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a spool of its own with its three boxes, opened as the collector opens it.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_SPOOL_BOX_H
#define CLOUDINVITE_TESTS_UNIT_SPOOL_BOX_H

#include "tests/unit/child.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>

#include "spool/reader.h"

struct spool {
	struct folder folder; /* first: a test's state is both */
	struct spool_reader reader;
};

UNUSED static void spool_make(struct folder *f)
{
	static const struct {
		const char *name;
		mode_t mode;
	} boxes[] = {{SPOOL_NEW, 0770}, {SPOOL_SEEN, 0700}, {SPOOL_BAD, 0700}};

	for (size_t i = 0; i < sizeof(boxes) / sizeof(boxes[0]); i++) {
		folder_make(f, boxes[i].name);
		assert_int_equal(chmod(f->file, boxes[i].mode), 0);
	}
}

UNUSED static int spool_new(void **state)
{
	struct spool *s = calloc(1, sizeof(*s));
	struct fault fault = {0};

	assert_non_null(s);
	text_copy(s->folder.path, sizeof(s->folder.path), "/tmp/cloudinvite-spool-XXXXXX");
	assert_non_null(mkdtemp(s->folder.path));
	spool_make(&s->folder);
	assert_true(spool_reader_open(&s->reader, s->folder.path, &fault));
	*state = s;
	return 0;
}

UNUSED static int spool_free(void **state)
{
	struct spool *s = *state;

	spool_reader_close(&s->reader);
	return folder_free(state);
}

UNUSED static bool is_there(struct spool *s, const char *box, const char *name)
{
	char path[400];
	struct stat st;

	assert_true(text_format(path, sizeof(path), "%s/%s", box, name));
	return lstat(folder_path(&s->folder, path), &st) == 0;
}

/* How many names a box holds, whatever they are. */
UNUSED static int names_in(struct spool *s, const char *box)
{
	DIR *dir = opendir(folder_path(&s->folder, box));
	int count = -2; /* . and .. */

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

UNUSED static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

#endif
