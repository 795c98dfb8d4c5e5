/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/spool_box.h"

/* A directory that only its owner can use. */
static void box_make(struct folder *f, const char *name)
{
	folder_make(f, name);
	assert_int_equal(chmod(folder_path(f, name), 0700), 0);
}

int box_new(void **state)
{
	struct box *b = calloc(1, sizeof(*b));
	struct fault fault = {.kind = FAULT_NONE};

	assert_non_null(b);
	assert_int_equal(folder_new((void **)&b->folder), 0);
	box_make(b->folder, "new");
	box_make(b->folder, "seen");
	box_make(b->folder, "bad");
	assert_true(spool_reader_open(&b->reader, b->folder->path, &fault));
	*state = b;
	return 0;
}

int box_free(void **state)
{
	struct box *b = *state;

	spool_reader_close(&b->reader);
	folder_free((void **)&b->folder);
	free(b);
	return 0;
}

int box_count(struct box *b, const char *name)
{
	DIR *dir = opendir(folder_path(b->folder, name));
	int count = -2;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

int box_list(struct box *b, struct spool_arrival *out, int max, int *bad, struct fault *fault)
{
	struct spool_listing l;
	int count = 0, got = -1;

	*bad = 0;
	if (spool_listing_open(&l, &b->reader, b->reader.new_dir)) {
		while (count < max && (got = spool_next_arrival(&l, &out[count])) > 0)
			count++;
		*bad = l.bad;
		got = got < 0 ? -1 : count;
	}
	if (got < 0)
		spool_fault(SPOOL_NEW, "cannot be listed", fault);
	spool_listing_close(&l);
	return got;
}

bool box_each_mark(struct box *b, int64_t before, bool (*each)(const char *user, void *ctx),
	void *ctx, struct fault *fault)
{
	char name[SPOOL_NAME_MAX + 1], user[SPOOL_USER_MAX + 1];
	struct spool_listing l;
	int64_t at;
	int got = -1;

	if (spool_listing_open(&l, &b->reader, b->reader.seen_dir))
		while ((got = spool_next_mark(&l, before, name, &at)) > 0) {
			assert_true(spool_parse_mark(name, user));
			if (!each(user, ctx))
				break;
		}
	if (got < 0)
		spool_fault(SPOOL_SEEN, "cannot be listed", fault);
	spool_listing_close(&l);
	return got >= 0;
}

bool box_has(struct box *b, const char *name)
{
	struct stat st;

	return lstat(folder_path(b->folder, name), &st) == 0;
}

void box_age(struct box *b, const char *name, time_t when)
{
	const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};

	assert_int_equal(utimensat(AT_FDCWD, folder_path(b->folder, name), times, 0), 0);
}
