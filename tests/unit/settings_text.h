/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: settings from a text that is valid, findings from one that is not.
 */
#ifndef CLOUDINVITE_TESTS_UNIT_SETTINGS_TEXT_H
#define CLOUDINVITE_TESTS_UNIT_SETTINGS_TEXT_H

#include "base/str.h"
#include "folder.h"

#define MAIN "cloudinvite.conf"

/* Loads a text that must load. */
struct settings *good(struct folder *f, const char *text);

/* All findings of a file that must not load. */
struct found bad_bytes(struct folder *f, const char *text, size_t n);
struct found bad(struct folder *f, const char *text);
void expect(struct folder *f, const char *text, const char *what, const char *remedy);

struct wanted {
	const char *key, *value, *origin;
	bool found;
};

bool look(const char *section, const char *key, const char *value, const char *origin,
	const char *help, void *ctx);
void assert_setting(
	const struct settings *s, const char *key, const char *value, const char *origin);

#endif
