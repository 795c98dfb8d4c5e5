/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/folder.h"

const char *folder_where = "/tmp";

int folder_new(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "%s/cloudinvite-test-XXXXXX", folder_where);
	assert_non_null(mkdtemp(f->path));
	*state = f;
	return 0;
}

static int folder_remove(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

int folder_free(void **state)
{
	struct folder *f = *state;

	nftw(f->path, folder_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

const char *folder_path(struct folder *f, const char *name)
{
	assert_true(str_format(f->file, sizeof(f->file), "%s/%s", f->path, name));
	return f->file;
}

const char *folder_write_bytes(struct folder *f, const char *name, const void *bytes, size_t n)
{
	const char *path = folder_path(f, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(close(fd), 0);
	return path;
}

const char *folder_write(struct folder *f, const char *name, const char *text)
{
	return folder_write_bytes(f, name, text, strlen(text));
}

void folder_make(struct folder *f, const char *name)
{
	assert_int_equal(mkdir(folder_path(f, name), 0755), 0);
	assert_int_equal(chmod(f->file, 0755), 0);
}

char *folder_read(struct folder *f, const char *name)
{
	FILE *file = fopen(folder_path(f, name), "re");
	char *text = calloc(1, 65536);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, file) < 65535);
	fclose(file);
	return text;
}

void found_add(const struct fault *fault, void *ctx)
{
	struct found *found = ctx;

	assert_true(found->count < 16);
	found->faults[found->count++] = *fault;
}

bool found_says(const struct found *found, const char *what, const char *remedy)
{
	for (int i = 0; i < found->count; i++)
		if (strstr(found->faults[i].what, what) && strstr(found->faults[i].remedy, remedy))
			return true;
	for (int i = 0; i < found->count; i++)
		print_message("# found: %s | %s\n", found->faults[i].what, found->faults[i].remedy);
	return false;
}
