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

int box_new(void **state);
int box_free(void **state);

/* The number of names in a directory of the folder. */
int box_count(struct box *b, const char *name);

/* Up to `max` arrivals of new/, as the keeper lists them; -1 and the fault. */
int box_list(struct box *b, struct spool_arrival *out, int max, int *bad, struct fault *fault);

/* Every marker, in the same way. */
bool box_each_mark(struct box *b, int64_t before, bool (*each)(const char *user, void *ctx),
	void *ctx, struct fault *fault);
bool box_has(struct box *b, const char *name);
void box_age(struct box *b, const char *name, time_t when);

#endif
