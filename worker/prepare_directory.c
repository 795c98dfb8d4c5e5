/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes one directory, or brings it into its state. Every directory above it is opened and checked
 * on the way, so that only root can have put it there; a directory with an unexpected owner is
 * refused.
 */
#include "worker/prepare_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "spool/walk.h"
#include "worker/prepare_bounded.h"
#include "worker/take_over.h"

bool prepare_error(const char *path, struct fault *fault)
{
	return fault_set(fault, FAULT_STORAGE, "prepare", "%s: %s", path,
		errno == ELOOP || errno == ENOTDIR ? "is not a directory" : strerror(errno));
}

/* ---- checking a directory ---- */

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

/* `spool = /tmp`, `state = /var/lib`: a directory that root uses for another purpose must not
 * change its owner because of a line in the settings. */
static bool error_used(const char *path, const struct stat *st, const struct directory_spec *want,
	struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "not_ours",
		"%s: is not empty, and has owner %u:%u and mode %04o", path, (unsigned)st->st_uid,
		(unsigned)st->st_gid, (unsigned)(st->st_mode & 07777));
	return fault_remedy(fault,
		"If the directory belongs to cloudinvite, give it owner %u:%u and mode %04o; "
		"otherwise set another directory in [storage].",
		(unsigned)want->uid, (unsigned)want->gid, (unsigned)want->mode);
}

/* A directory of another account is a trap or a mistake. */
static bool error_owner(const char *path, const struct stat *st, const struct directory_spec *want,
	struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "wrong_owner", "%s: belongs to uid %u instead of %u", path,
		(unsigned)st->st_uid, (unsigned)want->uid);
	return fault_remedy(fault, "Find out who created it, then chown it or move it away.");
}

static bool fix_mode(
	int fd, const char *path, const struct directory_spec *want, struct fault *fault)
{
	/* chown clears mode bits, so the mode comes last. */
	return (fchown(fd, want->uid, want->gid) == 0 && fchmod(fd, want->mode) == 0) ||
	       prepare_error(path, fault);
}

/* Gives the open directory its owner and mode, if it is root's and empty (new, or a package's),
 * already has its owner, or belonged to the old account. */
static bool adjust(int fd, const char *path, const struct directory_spec *want, struct fault *fault)
{
	bool owned, right;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return prepare_error(path, fault);
	owned = st.st_uid == want->uid && st.st_gid == want->gid;
	right = owned && (st.st_mode & 07777) == want->mode;
	if (right)
		return true;
	if (want->owner_rules && !owned && take_over_due(&st))
		return take_over(fd, path, want->owner_rules, want->owner_rule_count, fault) &&
		       fix_mode(fd, path, want, fault);
	if (st.st_uid != 0 && st.st_uid != want->uid)
		return error_owner(path, &st, want, fault);
	/* Its group shows that it is ours, unless that is root's. */
	if (st.st_uid == 0 && !want->ours && !(owned && want->gid != 0) && !is_empty(fd))
		return error_used(path, &st, want, fault);
	return fix_mode(fd, path, want, fault);
}

/* -1 with the fault. */
int prepare_at(int parent, const char *name, const char *path, const struct directory_spec *want,
	struct fault *fault)
{
	int fd;

	prepare_works_at(path);
	fd = file_make_dir_at(parent, name);
	/* Whichever program made the directory: as long as its name is not on the disk, a power
	 * failure loses the files in it, even if they were forced to the disk. */
	if (fd < 0 || fsync(parent) != 0) {
		prepare_error(path, fault);
		file_close(&fd);
	} else if (!adjust(fd, path, want, fault)) {
		file_close(&fd);
	}
	return fd;
}

/* ---- walking the path ---- */

/* The rest of a path that is walked from the root directory on. */
struct way {
	const char *path; /* as written in the settings, for faults */
	int fd;		  /* the directory reached so far */
	int links;
	char rest[PATH_MAX];
};

#define LINKS_MAX 40 /* as in the kernel */

/* A user who can rename entries could replace them. In a sticky directory, others cannot rename
 * root's entries, but they can make new ones: a link there may be anybody's, and a hard link may
 * have made it root's if the kernel lets users do that. */
static bool is_roots(const struct stat *st, bool sticky_ok)
{
	return st->st_uid == 0 &&
	       ((st->st_mode & S_IWOTH) == 0 || (sticky_ok && (st->st_mode & S_ISVTX))) &&
	       ((st->st_mode & S_IWGRP) == 0 || st->st_gid == 0);
}

static bool check_above(int fd, const char *path, struct fault *fault)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return prepare_error(path, fault);
	if (is_roots(&st, true))
		return true;
	fault_set(fault, FAULT_STORAGE, "prepare",
		"%s: a parent directory can be changed by users other than root (owner %u, mode "
		"%04o)",
		path, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777));
	return fault_remedy(
		fault, "Choose a directory whose parent directories only root can change.");
}

static bool check_link(const struct way *w, const char *name, struct fault *fault)
{
	struct stat above, link;

	if (fstat(w->fd, &above) != 0 || fstatat(w->fd, name, &link, AT_SYMLINK_NOFOLLOW) != 0)
		return prepare_error(w->path, fault);
	if (is_roots(&above, false) && link.st_uid == 0)
		return true;
	fault_set(fault, FAULT_STORAGE, "prepare",
		"%s: the symbolic link '%s' in this path can be changed by users other than root "
		"(owner %u)",
		w->path, name, (unsigned)link.st_uid);
	return fault_remedy(fault, "Write the path without the link, or create the link in a "
				   "directory that only root can change.");
}

/* Copies the rest up to the next slash into `name`. */
static bool take_part(struct way *w, char name[NAME_MAX + 1])
{
	size_t slashes = strspn(w->rest, "/"), n = strcspn(w->rest + slashes, "/");

	if (n == 0)
		return false;
	str_format(name, NAME_MAX + 1, "%.*s", (int)n, w->rest + slashes);
	memmove(w->rest, w->rest + slashes + n, strlen(w->rest + slashes + n) + 1);
	return true;
}

static int open_root(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Puts the link's target in its place in the rest of the path. */
static bool follow(struct way *w, const char *name, const char *target, struct fault *fault)
{
	char rest[PATH_MAX];

	if (!check_link(w, name, fault))
		return false;
	errno = ++w->links > LINKS_MAX ? ELOOP : ENAMETOOLONG;
	if (w->links > LINKS_MAX || !str_format(rest, sizeof(rest), "%s/%s", target, w->rest))
		return false;
	str_copy(w->rest, sizeof(w->rest), rest);
	if (target[0] == '/') {
		file_close(&w->fd);
		w->fd = open_root();
	}
	return w->fd >= 0;
}

static bool step(struct way *w, const char *name, struct fault *fault)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(w->fd, name, target, sizeof(target) - 1);
	int next;

	if (n >= 0) {
		target[n] = '\0';
		return follow(w, name, target, fault);
	}
	next = openat(w->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	file_close(&w->fd);
	w->fd = next;
	return next >= 0;
}

/* Opens a directory along a path on which only root can change anything, including the targets of
 * links: realpath() would not check the directories of a target. -1: errno, or the fault. */
static int open_trusted(const char *directory, const char *path, struct fault *fault)
{
	struct way w = {.path = path, .fd = -1};
	char name[NAME_MAX + 1], here[PATH_MAX];
	bool good;

	errno = ENAMETOOLONG;
	if (directory[0] == '/')
		good = str_copy(w.rest, sizeof(w.rest), directory);
	else
		good = getcwd(here, sizeof(here)) &&
		       str_format(w.rest, sizeof(w.rest), "%s/%s", here, directory);
	if (good)
		w.fd = open_root();
	good = w.fd >= 0 && check_above(w.fd, path, fault);
	while (good && take_part(&w, name))
		good = step(&w, name, fault) && check_above(w.fd, path, fault);
	if (!good)
		file_close(&w.fd);
	return w.fd;
}

int prepare_open_parent(const char *path, struct fault *fault)
{
	static const struct directory_spec roots = {.mode = 0755};
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX];
	int above, made, fd;

	prepare_works_at(path);
	if (!slash || !str_format(parent, sizeof(parent), "%.*s", (int)(slash - path), path)) {
		errno = slash ? ENAMETOOLONG : EINVAL;
		prepare_error(path, fault);
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
		prepare_error(parent, fault);
	return fd;
}

/* ---- one directory ---- */

int prepare_open(const char *path, const struct directory_spec *want, struct fault *fault)
{
	int parent = prepare_open_parent(path, fault);
	int fd = -1;

	if (parent >= 0)
		fd = prepare_at(parent, strrchr(path, '/') + 1, path, want, fault);
	file_close(&parent);
	return fd;
}

bool prepare_as(const char *path, const struct directory_spec *want, struct fault *fault)
{
	int fd = prepare_open(path, want, fault);
	bool good = fd >= 0;

	file_close(&fd);
	return good;
}
