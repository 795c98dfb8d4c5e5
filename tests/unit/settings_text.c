/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/settings_text.h"

struct settings *good(struct folder *f, const char *text)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *s = settings_load(folder_write(f, MAIN, text), &fault);

	if (!s)
		print_message("# %s | %s\n", fault.what, fault.remedy);
	assert_non_null(s);
	assert_int_equal(fault.kind, FAULT_NONE);
	return s;
}

struct found bad_bytes(struct folder *f, const char *text, size_t n)
{
	struct found found = {.count = 0};
	struct fault fault = {.kind = FAULT_NONE};
	const char *path = folder_write_bytes(f, MAIN, text, n);
	int count = 0;

	assert_null(settings_load(path, &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
	settings_free(settings_inspect(path, found_add, &found, &count));
	assert_int_equal(count, found.count);
	assert_true(count > 0);
	assert_string_equal(fault.what, found.faults[0].what);
	return found;
}

struct found bad(struct folder *f, const char *text)
{
	return bad_bytes(f, text, strlen(text));
}

void expect(struct folder *f, const char *text, const char *what, const char *remedy)
{
	struct found found = bad(f, text);

	assert_int_equal(found.count, 1);
	assert_true(found_says(&found, what, remedy));
	assert_true(str_starts(found.faults[0].what, f->path));
}

bool look(const char *section, const char *key, const char *value, const char *origin,
	const char *help, void *ctx)
{
	struct wanted *w = ctx;

	assert_true(strlen(section) > 0 && strlen(help) > 10);
	if (strcmp(key, w->key) != 0)
		return true;
	assert_string_equal(value, w->value);
	assert_true(str_ends(origin, w->origin));
	w->found = true;
	return false;
}

void assert_setting(
	const struct settings *s, const char *key, const char *value, const char *origin)
{
	struct wanted w = {key, value, origin, false};

	assert_false(settings_each(s, look, &w));
	assert_true(w.found);
}
