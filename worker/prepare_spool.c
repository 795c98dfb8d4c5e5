/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prepares the spool. A directory in it that another account could have opened is exchanged for a
 * new one in one step, and its contents are recreated there (spool_migrate.c). A lock keeps two
 * programs from doing so at once.
 */
#include "worker/prepare_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "spool/spool.h"
#include "spool/walk.h"
#include "worker/prepare_bounded.h"
#include "worker/prepare_directory.h"
#include "worker/spool_migrate.h"

#define LOCK_TRIES 300 /* of 0.1 s: by then, another --prepare has ended */

static const char *const boxes[] = {SPOOL_NEW, SPOOL_SEEN, SPOOL_BAD};
#define BOXES (ARRAY_SIZE(boxes))

struct preparing {
	const char *path;
	const struct old_owner *old;
	int spool;
};

static bool error_errno(const char *path, const char *box, struct fault *fault)
{
	return fault_set(fault, FAULT_STORAGE, "prepare", "%s%s%s: %s", path, box ? "/" : "",
		box ? box : "",
		errno == ELOOP || errno == ENOTDIR ? "is not a directory" : strerror(errno));
}

static bool wrong_owner(
	const char *path, const char *box, const struct stat *st, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "wrong_owner", "%s%s%s: belongs to uid %u instead of 0",
		path, box ? "/" : "", box ? box : "", (unsigned)st->st_uid);
	return fault_remedy(fault, "Find out who created it, then chown it or move it away.");
}

/* ---- the spool itself ---- */

static bool is_ours(const char *name)
{
	const char *box = name;

	if (strcmp(name, SPOOL_PIN) == 0)
		return true;
	if (str_starts(name, MIGRATE_OLD))
		box = name + strlen(MIGRATE_OLD);
	else if (str_starts(name, MIGRATE_FRESH))
		box = name + strlen(MIGRATE_FRESH);
	for (size_t i = 0; i < BOXES; i++)
		if (strcmp(box, boxes[i]) == 0)
			return true;
	return false;
}

static bool find_others(const char *name, void *ctx)
{
	return *(bool *)ctx = is_ours(name);
}

/* `spool = /tmp`: a directory that root uses for another purpose must not be closed to others
 * because of a line in the settings. */
static bool check_used(const struct preparing *p, const struct stat *st, struct fault *fault)
{
	bool ours = true;

	if (spool_walk(p->spool, find_others, &ours) != 0)
		return error_errno(p->path, NULL, fault);
	if (ours)
		return true;
	fault_set(fault, FAULT_STORAGE, "not_ours",
		"%s: is not empty, and has owner %u:%u and mode %04o", p->path,
		(unsigned)st->st_uid, (unsigned)st->st_gid, (unsigned)(st->st_mode & 07777));
	return fault_remedy(fault, "If the directory belongs to cloudinvite, give it owner 0:0 and "
				   "mode 0700; otherwise set another directory in [storage].");
}

static bool close_spool(const struct preparing *p, struct fault *fault)
{
	struct stat st;

	if (fstat(p->spool, &st) != 0)
		return error_errno(p->path, NULL, fault);
	if (st.st_uid != 0)
		return wrong_owner(p->path, NULL, &st, fault);
	if (st.st_gid == 0 && (st.st_mode & 07777) == 0700)
		return true;
	if (!check_used(p, &st, fault))
		return false;
	/* chown clears mode bits, so the mode comes last. */
	if (fchown(p->spool, 0, 0) != 0 || fchmod(p->spool, 0700) != 0)
		return error_errno(p->path, NULL, fault);
	return true;
}

/* Two programs prepare at the same time when a machine boots. A process that opened the spool while
 * it was accessible could hold this lock, so the wait has a limit. */
static void lock_spool(const struct preparing *p)
{
	const struct timespec tenth = {.tv_nsec = 100000000};

	for (int i = 0; i < LOCK_TRIES && flock(p->spool, LOCK_EX | LOCK_NB) != 0; i++)
		(void)nanosleep(&tenth, NULL);
}

/* ---- one directory of the spool ---- */

/* Whether only root can ever have opened it. */
static bool is_closed(const struct stat *st)
{
	return st->st_uid == 0 && (st->st_mode & 07777) == 0700;
}

static bool make_closed(int parent, const char *name)
{
	/* The umask, which may be anything, restricts mkdir's mode. */
	return mkdirat(parent, name, 0700) == 0 && fchmodat(parent, name, 0700, 0) == 0 &&
	       fchownat(parent, name, 0, 0, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Puts a new directory in place of the old one, which stays as `.old-BOX`. In one step if the file
 * system can, so that a login in between never finds none. */
static bool exchange(const struct preparing *p, const char *box)
{
	char fresh[32], old[32];

	str_format(fresh, sizeof(fresh), MIGRATE_FRESH "%s", box);
	str_format(old, sizeof(old), MIGRATE_OLD "%s", box);
	if (unlinkat(p->spool, fresh, AT_REMOVEDIR) != 0 && errno != ENOENT)
		return false;
	if (!make_closed(p->spool, fresh))
		return false;
	if (renameat2(p->spool, fresh, p->spool, box, RENAME_EXCHANGE) == 0)
		return renameat(p->spool, fresh, p->spool, old) == 0;
	return (errno == EINVAL || errno == ENOSYS) &&
	       renameat(p->spool, box, p->spool, old) == 0 &&
	       renameat(p->spool, fresh, p->spool, box) == 0;
}

/* Completes an exchange that was interrupted: the old directory has the new one's name. */
static bool finish_exchange(const struct preparing *p, const char *box)
{
	char fresh[32], old[32];
	struct stat st;

	str_format(fresh, sizeof(fresh), MIGRATE_FRESH "%s", box);
	str_format(old, sizeof(old), MIGRATE_OLD "%s", box);
	if (fstatat(p->spool, fresh, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT;
	return is_closed(&st) || renameat(p->spool, fresh, p->spool, old) == 0;
}

static bool prepare_box(const struct preparing *p, const char *box, struct fault *fault)
{
	struct stat st;

	prepare_works_at(p->path);
	if (!finish_exchange(p, box))
		return error_errno(p->path, box, fault);
	if (fstatat(p->spool, box, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return (errno == ENOENT && make_closed(p->spool, box)) ||
		       error_errno(p->path, box, fault);
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return error_errno(p->path, box, fault);
	}
	if (st.st_uid != 0 && st.st_uid != p->old->uid)
		return wrong_owner(p->path, box, &st, fault);
	if (is_closed(&st))
		return true;
	log_event(LOG_LEVEL_NOTE, "spool",
		"%s/%s: was accessible to uid %u: created again, accessible to root only", p->path,
		box, (unsigned)(st.st_uid ? st.st_uid : p->old->uid));
	return exchange(p, box) || error_errno(p->path, box, fault);
}

/* ---- everything ---- */

static bool prepare_open_spool(const struct preparing *p, struct fault *fault)
{
	if (!close_spool(p, fault))
		return false;
	lock_spool(p);
	/* First what an earlier run has left, because its name is needed. */
	spool_migrate(p->path, p->spool, p->old, fault);
	for (size_t i = 0; i < BOXES; i++)
		if (!prepare_box(p, boxes[i], fault))
			return false;
	spool_migrate(p->path, p->spool, p->old, fault);
	if (fsync(p->spool) != 0)
		return error_errno(p->path, NULL, fault);
	return true;
}

bool prepare_spool(const char *spool, const struct old_owner *old, struct fault *fault)
{
	struct preparing p = {.path = spool, .old = old, .spool = -1};
	int parent = prepare_open_parent(spool, fault);
	const char *name = strrchr(spool, '/') + 1;
	bool good = false;

	if (parent < 0)
		return false;
	if (mkdirat(parent, name, 0700) == 0 || errno == EEXIST)
		p.spool = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* As long as the name of the directory is not on the disk, a power failure loses the files
	 * in it, even if they were forced to the disk. */
	if (p.spool < 0 || fsync(parent) != 0)
		error_errno(spool, NULL, fault);
	else
		good = prepare_open_spool(&p, fault);
	file_close(&p.spool);
	file_close(&parent);
	return good;
}
