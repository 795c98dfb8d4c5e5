/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Visiting every name in a directory of the spool.
 */
#ifndef CLOUDINVITE_SPOOL_WALK_H
#define CLOUDINVITE_SPOOL_WALK_H

#include <stdbool.h>
#include <stdint.h>

/* Calls `each` for every name but "." and "..", until it returns false. Names may be unlinked
 * meanwhile. 0, or -1 and errno if the directory could not be read so far. */
int spool_walk(int box, bool (*each)(const char *name, void *ctx), void *ctx);

/* What a directory of the spool contains. */
struct spool_content {
	int64_t count;
	int64_t oldest; /* mtime, seconds since the epoch; 0: it is empty */
};
/* False and errno if it could not be read. With more than some ten thousand files, the oldest mtime
 * is an estimate. */
bool spool_stat(int box, struct spool_content *out);

#endif
