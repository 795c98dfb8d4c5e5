/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a directory of its own with files in it, and what settings say about them.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_FOLDER_H
#define CLOUDINVITE_TESTS_UNIT_FOLDER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "settings/settings.h"

#define UNUSED __attribute__((unused))

#ifndef FOLDER_WHERE
#define FOLDER_WHERE "/tmp"
#endif

struct folder {
	char path[64];
	char file[PATH_MAX]; /* the last path that was asked for */
};

UNUSED static int folder_new(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	str_copy(f->path, sizeof(f->path), FOLDER_WHERE "/cloudinvite-test-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	*state = f;
	return 0;
}

UNUSED static int folder_remove(
	const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

UNUSED static int folder_free(void **state)
{
	struct folder *f = *state;

	nftw(f->path, folder_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

UNUSED static const char *folder_path(struct folder *f, const char *name)
{
	assert_true(str_format(f->file, sizeof(f->file), "%s/%s", f->path, name));
	return f->file;
}

/* Writes a file (mode 0644 whatever the umask) and returns its path, good until the next call. */
UNUSED static const char *folder_write_bytes(
	struct folder *f, const char *name, const void *bytes, size_t n)
{
	const char *path = folder_path(f, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(close(fd), 0);
	return path;
}

UNUSED static const char *folder_write(struct folder *f, const char *name, const char *text)
{
	return folder_write_bytes(f, name, text, strlen(text));
}

UNUSED static void folder_make(struct folder *f, const char *name)
{
	assert_int_equal(mkdir(folder_path(f, name), 0755), 0);
	assert_int_equal(chmod(f->file, 0755), 0);
}

/* What a file holds; the caller frees it. */
UNUSED static char *folder_read(struct folder *f, const char *name)
{
	FILE *file = fopen(folder_path(f, name), "re");
	char *text = calloc(1, 65536);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, file) < 65535);
	fclose(file);
	return text;
}

/* ---- findings ---- */

struct found {
	int count;
	struct fault faults[16];
};

UNUSED static void found_add(const struct fault *fault, void *ctx)
{
	struct found *found = ctx;

	assert_true(found->count < 16);
	found->faults[found->count++] = *fault;
}

/* Whether one of them says both. */
UNUSED static bool found_says(const struct found *found, const char *what, const char *remedy)
{
	for (int i = 0; i < found->count; i++)
		if (strstr(found->faults[i].what, what) && strstr(found->faults[i].remedy, remedy))
			return true;
	for (int i = 0; i < found->count; i++)
		print_message("# found: %s | %s\n", found->faults[i].what, found->faults[i].remedy);
	return false;
}

#endif
