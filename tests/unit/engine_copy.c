/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/engine_copy.h"

static void copy_file(const char *from, const char *to)
{
	char bytes[65536];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		assert_int_equal(fwrite(bytes, 1, n, out), n);
	fclose(in);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(to, 0600), 0);
}

static void path_of(struct site *s, const char *name, char out[200])
{
	str_copy(out, 200, folder_path(s->folder, name));
}

void drop_ledger(struct site *s)
{
	unlink(folder_path(s->folder, "ledger.db"));
	unlink(folder_path(s->folder, "ledger.db-wal"));
	unlink(folder_path(s->folder, "ledger.db-shm"));
}

void back_up(struct site *s)
{
	char from[200], to[200];

	path_of(s, "ledger.db", from);
	path_of(s, "copy", to);
	site_close(s);
	copy_file(from, to);
	site_open(s);
}

bool has_copy(struct site *s)
{
	return access(folder_path(s->folder, "copy"), F_OK) == 0;
}

void restore(struct site *s)
{
	char from[200], to[200];

	path_of(s, "copy", from);
	path_of(s, "ledger.db", to);
	site_close(s);
	drop_ledger(s);
	copy_file(from, to);
	site_open(s);
}

void drop_copy(struct site *s)
{
	unlink(folder_path(s->folder, "copy"));
}
