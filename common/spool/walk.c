/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One loop over a directory for all that need one.
 */
#include "spool/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"

static bool is_name(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int spool_walk(int box, bool (*each)(const char *name, void *ctx), void *ctx)
{
	/* A file description of its own: readdir must not move the caller's offset. */
	int copy = openat(box, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	int why;

	if (!dir) {
		file_close(&copy);
		return -1;
	}
	do {
		/* Only errno distinguishes the end from an error. */
		errno = 0;
		entry = readdir(dir);
		why = errno;
	} while (entry && (!is_name(entry->d_name) || each(entry->d_name, ctx)));
	(void)closedir(dir);
	errno = why;
	return !entry && why != 0 ? -1 : 0;
}

/* ---- contents ---- */

#define LOOKED_AT 20000

struct measure {
	int box;
	struct spool_content *out;
};

static bool measure_one(const char *name, void *ctx)
{
	struct measure *m = ctx;
	struct stat st;

	if (m->out->count++ < LOOKED_AT && fstatat(m->box, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(m->out->oldest == 0 || st.st_mtime < m->out->oldest))
		m->out->oldest = st.st_mtime;
	return true;
}

bool spool_stat(int box, struct spool_content *out)
{
	struct measure m = {box, out};

	*out = (struct spool_content){.count = 0};
	return spool_walk(box, measure_one, &m) == 0;
}
