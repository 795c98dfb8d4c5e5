/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/identity.h"
#include "base/text.h"
#include "spool/walk.h"
#include "worker/prepare_spool.h"

/* A directory as it must be. The worker owns only leaves, so that no path to a file of root's leads
 * through a directory that the worker can change. */
struct wanted {
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

static bool says(const char *path, struct fault *fault)
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

/* Gives the open directory its owner and mode, if it is root's and empty (new, or a package's) or
 * already has its owner; any other owner is somebody's trap or mistake. */
static bool adjust(int fd, const char *path, const struct wanted *want, struct fault *fault)
{
	bool owned, right;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return says(path, fault);
	if (st.st_uid != 0 && st.st_uid != want->uid) {
		fault_set(fault, FAULT_STORAGE, "wrong_owner",
			"%s: belongs to uid %u instead of %u", path, (unsigned)st.st_uid,
			(unsigned)want->uid);
		return fault_remedy(
			fault, "Look who made it; then chown it, or move it out of the way.");
	}
	owned = st.st_uid == want->uid && st.st_gid == want->gid;
	right = owned && (st.st_mode & 07777) == want->mode;
	if (!right && st.st_uid == 0 && !is_empty(fd))
		return refuse_used(path, &st, want, fault);
	if (!owned && fchown(fd, want->uid, want->gid) != 0)
		return says(path, fault);
	/* chown clears mode bits, so the mode comes last. */
	if (!right && fchmod(fd, want->mode) != 0)
		return says(path, fault);
	return true;
}

static bool prepare_at(int parent, const char *name, const char *path, const struct wanted *want,
	struct fault *fault)
{
	bool good = false;
	int fd;

	if (mkdirat(parent, name, 0700) != 0 && errno != EEXIST)
		return says(path, fault);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Whoever made it: files in it that are forced to the disk are lost in a power cut all the
	 * same as long as its own name is not there. */
	if (fd < 0 || fsync(parent) != 0)
		says(path, fault);
	else
		good = adjust(fd, path, want, fault);
	file_close(&fd);
	return good;
}

/* ---- the way there --------------------------------------------------------------------------- */

/* Whoever could rename what is in it could put something else in its place. */
static bool check_above(int fd, const char *path, struct fault *fault)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return says(path, fault);
	if (st.st_uid == 0 && ((st.st_mode & S_IWOTH) == 0 || (st.st_mode & S_ISVTX)) &&
		((st.st_mode & S_IWGRP) == 0 || st.st_gid == 0 || (st.st_mode & S_ISVTX)))
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
	int above, fd;

	if (!slash || !text_format(parent, sizeof(parent), "%.*s", (int)(slash - path), path)) {
		errno = slash ? ENAMETOOLONG : EINVAL;
		says(path, fault);
		return -1;
	}
	fd = open_trusted(parent[0] ? parent : "/", path, fault);
	if (fd < 0 && fault->kind == FAULT_NONE && errno == ENOENT) {
		above = prepare_open_parent(parent, fault);
		if (above < 0)
			return -1;
		if (prepare_at(above, strrchr(parent, '/') + 1, parent, &roots, fault))
			fd = open_trusted(parent, path, fault);
		file_close(&above);
	}
	if (fd < 0 && fault->kind == FAULT_NONE)
		says(parent, fault);
	return fd;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static bool prepare(const char *path, uid_t uid, gid_t gid, mode_t mode, struct fault *fault)
{
	const struct wanted want = {uid, gid, mode};
	int parent = prepare_open_parent(path, fault);
	bool good;

	if (parent < 0)
		return false;
	good = prepare_at(parent, strrchr(path, '/') + 1, path, &want, fault);
	file_close(&parent);
	return good;
}

/* Not root: nothing can be made, but what is there may do. O_PATH, because the spool is root's. */
static bool all_there(const struct settings *s, struct fault *fault)
{
	const char *const paths[] = {s->spool, s->state, s->tokens, s->run};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		int fd = open(paths[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0) {
			says(paths[i], fault);
			return fault_remedy(
				fault, "Run it as root: only root can make the directories.");
		}
		file_close(&fd);
	}
	return true;
}

bool prepare_directories(const struct settings *s, struct fault *fault)
{
	uid_t uid = 0;
	gid_t gid = 0;

	if (geteuid() != 0)
		return all_there(s, fault);
	if (strcmp(s->user, "root") != 0 && !identity_find(s->user, &uid, &gid, fault))
		return false;
	return prepare_spool(
		       s->spool, &(struct old_owner){settings_collector_user(s), uid}, fault) &&
	       prepare(s->state, uid, gid, 0700, fault) &&
	       prepare(s->tokens, uid, gid, 0700, fault) && prepare(s->run, uid, gid, 0755, fault);
}
