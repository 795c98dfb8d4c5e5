/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every name in a box.
 */
#ifndef CLOUDINVITE_SPOOL_WALK_H
#define CLOUDINVITE_SPOOL_WALK_H

#include <stdbool.h>
#include <stdint.h>

/* Calls `each` for every name but "." and "..", until it says false. Names may be unlinked
 * meanwhile. 0, or -1 and errno if the box could not be read to where it was asked to stop. */
int spool_walk(int box, bool (*each)(const char *name, void *ctx), void *ctx);

/* What lies in a box. */
struct spool_content {
	int64_t count;
	int64_t oldest; /* mtime, seconds since the epoch; 0: there is nothing */
};
/* False and errno if it could not be read. Of more than some ten thousand the oldest is a guess. */
bool spool_stat(int box, struct spool_content *out);

#endif
