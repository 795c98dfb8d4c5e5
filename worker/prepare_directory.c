/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/prepare_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "spool/walk.h"
#include "worker/take_over.h"

bool prepare_says(const char *path, struct fault *fault)
{
	return fault_set(fault, FAULT_STORAGE, "prepare", "%s: %s", path,
		errno == ELOOP || errno == ENOTDIR ? "is not a directory" : strerror(errno));
}

/* ---- what is there --------------------------------------------------------------------------- */

static bool stop_at_first(const char *name, void *ctx)
{
	(void)name;
	*(bool *)ctx = false;
	return false;
}

static bool is_empty(int fd)
{
	bool empty = true;

	return spool_walk(fd, stop_at_first, &empty) == 0 && empty;
}

/* `spool = /tmp`, `state = /var/lib`: what root keeps for another purpose must not change hands
 * because of a line in the settings. */
static bool refuse_used(
	const char *path, const struct stat *st, const struct wanted *want, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "not_ours",
		"%s: holds something already, with owner %u:%u and mode %04o", path,
		(unsigned)st->st_uid, (unsigned)st->st_gid, (unsigned)(st->st_mode & 07777));
	return fault_remedy(fault,
		"If it is cloudinvite's, give it owner %u:%u and mode %04o; else name another "
		"place in [storage].",
		(unsigned)want->uid, (unsigned)want->gid, (unsigned)want->mode);
}

/* A stranger's directory is a trap or a mistake. */
static bool refuse_owner(
	const char *path, const struct stat *st, const struct wanted *want, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "wrong_owner", "%s: belongs to uid %u instead of %u", path,
		(unsigned)st->st_uid, (unsigned)want->uid);
	return fault_remedy(fault, "Look who made it; then chown it, or move it out of the way.");
}

static bool set_right(int fd, const char *path, const struct wanted *want, struct fault *fault)
{
	/* chown clears mode bits, so the mode comes last. */
	return (fchown(fd, want->uid, want->gid) == 0 && fchmod(fd, want->mode) == 0) ||
	       prepare_says(path, fault);
}

/* Gives the open directory its owner and mode, if it is root's and empty (new, or a package's),
 * already has its owner, or was the account's of before. */
static bool adjust(int fd, const char *path, const struct wanted *want, struct fault *fault)
{
	bool owned, right;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return prepare_says(path, fault);
	owned = st.st_uid == want->uid && st.st_gid == want->gid;
	right = owned && (st.st_mode & 07777) == want->mode;
	if (right)
		return true;
	if (want->heirs && !owned && take_over_due(&st))
		return take_over(fd, path, want->heirs, want->heir_count, fault) &&
		       set_right(fd, path, want, fault);
	if (st.st_uid != 0 && st.st_uid != want->uid)
		return refuse_owner(path, &st, want, fault);
	/* Its group says that it is ours, unless that is root's. */
	if (st.st_uid == 0 && !want->ours && !(owned && want->gid != 0) && !is_empty(fd))
		return refuse_used(path, &st, want, fault);
	return set_right(fd, path, want, fault);
}

/* -1 with the fault. */
int prepare_at(int parent, const char *name, const char *path, const struct wanted *want,
	struct fault *fault)
{
	int fd = file_make_dir_at(parent, name);

	/* Whichever program made it: files in it that are forced to the disk are lost in a power
	 * cut as long as its own name is not there. */
	if (fd < 0 || fsync(parent) != 0) {
		prepare_says(path, fault);
		file_close(&fd);
	} else if (!adjust(fd, path, want, fault)) {
		file_close(&fd);
	}
	return fd;
}

/* ---- the way there --------------------------------------------------------------------------- */

/* Whoever could rename what is in it could put something else in its place. */
static bool check_above(int fd, const char *path, struct fault *fault)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return prepare_says(path, fault);
	if (st.st_uid == 0 && ((st.st_mode & S_IWOTH) == 0 || (st.st_mode & S_ISVTX)) &&
		((st.st_mode & S_IWGRP) == 0 || st.st_gid == 0))
		return true;
	fault_set(fault, FAULT_STORAGE, "prepare",
		"%s: a directory above it can be changed by uid %u or others", path,
		(unsigned)st.st_uid);
	return fault_remedy(fault, "Choose a place whose directories belong to root alone.");
}

/* Opens a directory on whose way only root can change anything. Links are resolved beforehand;
 * whoever puts a new one in the way afterwards is root. -1: errno, or the fault. */
static int open_trusted(const char *directory, const char *path, struct fault *fault)
{
	char real[PATH_MAX], *save = NULL;
	int fd, next;

	if (!realpath(directory, real))
		return -1;
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (const char *part = strtok_r(real, "/", &save); fd >= 0 && part;
		part = strtok_r(NULL, "/", &save)) {
		next = check_above(fd, path, fault)
			       ? openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			       : -1;
		file_close(&fd);
		fd = next;
	}
	if (fd >= 0 && !check_above(fd, path, fault))
		file_close(&fd);
	return fd;
}

int prepare_open_parent(const char *path, struct fault *fault)
{
	static const struct wanted roots = {.mode = 0755};
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	int above, made, fd;

	if (!slash || !text_format(parent, sizeof(parent), "%.*s", (int)(slash - path), path)) {
		errno = slash ? ENAMETOOLONG : EINVAL;
		prepare_says(path, fault);
		return -1;
	}
	fd = open_trusted(parent[0] ? parent : "/", path, fault);
	if (fd < 0 && fault->kind == FAULT_NONE && errno == ENOENT) {
		above = prepare_open_parent(parent, fault);
		if (above < 0)
			return -1;
		made = prepare_at(above, strrchr(parent, '/') + 1, parent, &roots, fault);
		if (made >= 0)
			fd = open_trusted(parent, path, fault);
		file_close(&made);
		file_close(&above);
	}
	if (fd < 0 && fault->kind == FAULT_NONE)
		prepare_says(parent, fault);
	return fd;
}

/* ---- one of them ---- */

int prepare_open(const char *path, const struct wanted *want, struct fault *fault)
{
	int parent = prepare_open_parent(path, fault);
	int fd = -1;

	if (parent >= 0)
		fd = prepare_at(parent, strrchr(path, '/') + 1, path, want, fault);
	file_close(&parent);
	return fd;
}

bool prepare_as(const char *path, const struct wanted *want, struct fault *fault)
{
	int fd = prepare_open(path, want, fault);
	bool good = fd >= 0;

	file_close(&fd);
	return good;
}
