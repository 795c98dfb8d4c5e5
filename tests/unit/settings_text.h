/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: settings from a text that is right, findings from one that is not.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_SETTINGS_TEXT_H
#define CLOUDINVITE_TESTS_UNIT_SETTINGS_TEXT_H

#include "base/str.h"
#include "folder.h"

#define MAIN "cloudinvite.conf"

/* Loads what must load. */
UNUSED static struct settings *good(struct folder *f, const char *text)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *s = settings_load(folder_write(f, MAIN, text), &fault);

	if (!s)
		print_message("# %s | %s\n", fault.what, fault.remedy);
	assert_non_null(s);
	assert_int_equal(fault.kind, FAULT_NONE);
	return s;
}

/* All findings of a file that must not load. */
UNUSED static struct found bad_bytes(struct folder *f, const char *text, size_t n)
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

UNUSED static struct found bad(struct folder *f, const char *text)
{
	return bad_bytes(f, text, strlen(text));
}

UNUSED static void expect(struct folder *f, const char *text, const char *what, const char *remedy)
{
	struct found found = bad(f, text);

	assert_int_equal(found.count, 1);
	assert_true(found_says(&found, what, remedy));
	assert_true(str_starts(found.faults[0].what, f->path));
}

struct wanted {
	const char *key, *value, *origin;
	bool found;
};

UNUSED static bool look(const char *section, const char *key, const char *value, const char *origin,
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

UNUSED static void assert_setting(
	const struct settings *s, const char *key, const char *value, const char *origin)
{
	struct wanted w = {key, value, origin, false};

	assert_false(settings_each(s, look, &w));
	assert_true(w.found);
}

#endif
