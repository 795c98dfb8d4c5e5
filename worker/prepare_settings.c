/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files beside the settings: those that the old account could read become readable for the new
 * accounts, and only the dispatcher may search private/. A directory that not only root can write
 * is left as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "spool/walk.h"
#include "worker/prepare.h"
#include "worker/prepare_directory.h"
#include "worker/take_over.h"

/* These directories are the administrator's: if one is missing, or not only root can write it,
 * nothing is done. */
static int open_beside(int etc, const char *name)
{
	int fd = openat(etc, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) != 0 || st.st_uid != 0 || (st.st_mode & 022) != 0))
		file_close(&fd);
	return fd;
}

/* Not every user may see who is invited. A file of root and root's group came so from a package,
 * `make install` or cp: the programs, and no other account, become able to read it. A file with
 * another group, or one that only root may read, is as the administrator wants it. */
static void close_file(int dir, const char *name, gid_t gid)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
		st.st_nlink != 1 || st.st_uid != 0 || st.st_gid != 0 || (st.st_mode & 044) == 0)
		return;
	/* The group comes last: an interruption before that leaves a file that the next run still
	 * handles. */
	if (fchmodat(dir, name, (st.st_mode & 0700) | 0040, 0) != 0 ||
		fchownat(dir, name, 0, gid, AT_SYMLINK_NOFOLLOW) != 0)
		log_event(LOG_LEVEL_WARN, "prepare", "%s: %s", name, strerror(errno));
}

struct drop_ins {
	int fd;
	gid_t gid;
};

static bool close_drop_in(const char *name, void *ctx)
{
	const struct drop_ins *d = ctx;

	if (str_ends(name, ".conf"))
		close_file(d->fd, name, d->gid);
	return true;
}

static void close_drop_ins(int etc, gid_t gid)
{
	struct drop_ins d = {open_beside(etc, "conf.d"), gid};

	if (d.fd >= 0 && spool_walk(d.fd, close_drop_in, &d) != 0)
		log_event(LOG_LEVEL_WARN, "prepare", "conf.d: %s", strerror(errno));
	file_close(&d.fd);
}

/* The settings, the drafts that `setup` has left, and the map if it lies beside them. Another
 * directory may belong to other programs too. */
static void close_files(int etc, const struct settings *s, gid_t gid)
{
	const char *path = settings_path(s), *name = strrchr(path, '/') + 1;
	char kept[NAME_MAX + 1];
	int dir = open_beside(etc, ".");

	if (dir < 0)
		return;
	close_file(dir, name, gid);
	if (str_format(kept, sizeof(kept), "%s.before", name))
		close_file(dir, kept, gid);
	if (strncmp(s->map, path, (size_t)(name - path)) == 0 &&
		!strchr(s->map + (name - path), '/'))
		close_file(dir, s->map + (name - path), gid);
	file_close(&dir);
	close_drop_ins(etc, gid);
}

static void close_private(int fd, gid_t gid)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0 || (st.st_gid == gid && (st.st_mode & 07777) == 0710))
		return;
	if (fchown(fd, 0, gid) != 0 || fchmod(fd, 0710) != 0)
		log_event(LOG_LEVEL_WARN, "prepare", SETTINGS_PRIVATE ": %s", strerror(errno));
}

void prepare_settings_files(const struct settings *s)
{
	static const char *const names[] = {".", "conf.d", SETTINGS_PRIVATE};
	struct fault fault = {.kind = FAULT_NONE};
	int etc, fd = -1;
	struct accounts a;

	if (geteuid() != 0 || !prepare_find_accounts(s, &a, &fault))
		return;
	etc = prepare_open_parent(settings_path(s), &fault);
	for (size_t i = 0; etc >= 0 && i < ARRAY_SIZE(names); i++) {
		fd = open_beside(etc, names[i]);
		if (fd >= 0)
			take_over_readers(fd, names[i], a.ledger_group, a.dispatcher_group);
		if (strcmp(names[i], SETTINGS_PRIVATE) == 0)
			close_private(fd, a.dispatcher_group);
		file_close(&fd);
	}
	/* If the programs run as root, other accounts may be meant to read the files. */
	if (etc >= 0 && a.ledger_group != 0)
		close_files(etc, s, a.ledger_group);
	file_close(&etc);
}
