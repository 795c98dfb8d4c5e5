/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests: a directory of its own with files in it, and the findings of settings.
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

/* Where folders are made: "/tmp" unless a test sets it. */
extern const char *folder_where;

struct folder {
	char path[64];
	char file[PATH_MAX]; /* the last path that was requested */
};

int folder_new(void **state);
int folder_free(void **state);
const char *folder_path(struct folder *f, const char *name);

/* Writes a file (mode 0644 whatever the umask) and returns its path, valid until the next call. */
const char *folder_write_bytes(struct folder *f, const char *name, const void *bytes, size_t n);
const char *folder_write(struct folder *f, const char *name, const char *text);
void folder_make(struct folder *f, const char *name);

/* The content of a file; the caller frees it. */
char *folder_read(struct folder *f, const char *name);

/* ---- findings ---- */

struct found {
	int count;
	struct fault faults[16];
};

void found_add(const struct fault *fault, void *ctx);

/* Whether one of them contains both texts. */
bool found_says(const struct found *found, const char *what, const char *remedy);

#endif
