/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives directories and files of the old shared account to the new accounts, by rules for the
 * beginning of their names. A directory becomes root's, with a mode that nothing else has, before
 * anything in it is changed; so an interrupted run can be continued.
 */
#include "worker/take_over.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "spool/walk.h"

#define TAKING 01700

struct takeover {
	int fd;
	const char *path;
	const struct owner_rule *owner_rules;
	size_t count;
	bool good;
	struct fault *fault;
};

bool take_over_due(const struct stat *st)
{
	uid_t uid;
	gid_t gid;

	if (st->st_uid == 0)
		return st->st_gid == 0 && (st->st_mode & 07777) == TAKING;
	return passwd_find(TAKE_OVER_ACCOUNT, &uid, &gid, NULL) && uid == st->st_uid;
}

/* ---- files of root's that the old account could read ---- */

struct readers {
	int fd;
	const char *path;
	uid_t old;
	gid_t old_group, settings_group, secrets_group;
};

static bool change_reader(const char *name, void *ctx)
{
	const struct readers *r = ctx;
	struct stat st;
	gid_t gid;

	if (fstatat(r->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode) ||
		st.st_nlink != 1 || (st.st_uid != r->old && st.st_gid != r->old_group))
		return true;
	gid = str_ends(name, ".conf") || str_ends(name, ".map") ? r->settings_group
								: r->secrets_group;
	if (fchownat(r->fd, name, 0, gid, AT_SYMLINK_NOFOLLOW) == 0 &&
		fchmodat(r->fd, name, 0640, 0) == 0)
		log_event(LOG_LEVEL_NOTE, "take_over", "%s/%s: owner changed to root, mode 0640",
			r->path, name);
	else
		log_event(LOG_LEVEL_WARN, "take_over", "%s/%s: %s", r->path, name, strerror(errno));
	return true;
}

void take_over_readers(int fd, const char *path, gid_t settings_group, gid_t secrets_group)
{
	struct readers r = {.fd = fd,
		.path = path,
		.settings_group = settings_group,
		.secrets_group = secrets_group};

	if (!passwd_find(TAKE_OVER_ACCOUNT, &r.old, &r.old_group, NULL))
		return;
	if (spool_walk(fd, change_reader, &r) != 0)
		log_event(LOG_LEVEL_WARN, "take_over", "%s: %s", path, strerror(errno));
}

/* ---- files of the old account ---- */

/* The owner comes first: as long as it is another account, that account could change the mode
 * back. */
static bool close_directory(int fd)
{
	return fchown(fd, 0, 0) == 0 && fchmod(fd, TAKING) == 0;
}

static const struct owner_rule *owner_rule_of(const struct takeover *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (str_starts(name, t->owner_rules[i].prefix))
			return &t->owner_rules[i];
	return NULL;
}

static bool failed(const struct takeover *t, const char *name)
{
	return fault_set(
		t->fault, FAULT_STORAGE, "take_over", "%s/%s: %s", t->path, name, strerror(errno));
}

static bool error_refused(const struct takeover *t, const char *name, const char *what)
{
	fault_set(t->fault, FAULT_STORAGE, "take_over", "%s/%s: %s", t->path, name, what);
	return fault_remedy(t->fault,
		"The account " TAKE_OVER_ACCOUNT " of an earlier version left it there. Check its "
		"content, move it away, and run --prepare again.");
}

/* A program of an older version that still runs writes to the same ledger, and the new ones do not
 * see it. */
static bool is_locked(const struct takeover *t, const char *name)
{
	struct flock asked = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(t->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool locked = fd >= 0 && fcntl(fd, F_OFD_GETLK, &asked) == 0 && asked.l_type != F_UNLCK;

	file_close(&fd);
	return locked;
}

static bool move_into(const struct takeover *t, const char *name, const char *into)
{
	int dir = file_make_dir_at(t->fd, into);
	bool good = dir >= 0 && close_directory(dir) && renameat(t->fd, name, dir, name) == 0;

	file_close(&dir);
	return good || failed(t, name);
}

static bool give(const struct takeover *t, const char *name, const struct owner_rule *rule)
{
	if (rule->drop)
		return unlinkat(t->fd, name, 0) == 0 || failed(t, name);
	/* chown clears mode bits, so the mode comes last. */
	if (fchownat(t->fd, name, rule->uid, rule->gid, AT_SYMLINK_NOFOLLOW) != 0 ||
		fchmodat(t->fd, name, rule->mode, 0) != 0)
		return failed(t, name);
	return !rule->into || move_into(t, name, rule->into);
}

static bool take_file(const struct takeover *t, const char *name)
{
	const struct owner_rule *rule = owner_rule_of(t, name);
	struct stat st;

	if (fstatat(t->fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return failed(t, name);
	if (!rule || S_ISDIR(st.st_mode))
		return true;
	if (rule->drop && !rule->lock)
		return give(t, name, rule);
	if (!S_ISREG(st.st_mode))
		return error_refused(t, name, "is not a plain file");
	if (st.st_nlink != 1)
		return error_refused(t, name, "has another hard link");
	if (rule->lock && is_locked(t, name)) {
		fault_set(t->fault, FAULT_STORAGE, "still_running",
			"%s/%s: a program running as " TAKE_OVER_ACCOUNT " has it open", t->path,
			name);
		return fault_remedy(t->fault, "Stop it first: systemctl stop cloudinvite-collector "
					      "cloudinvite-dispatcher");
	}
	return give(t, name, rule);
}

static bool take_directory_entry(const char *name, void *ctx)
{
	struct takeover *t = ctx;

	t->good = take_file(t, name);
	return t->good;
}

bool take_over(int fd, const char *path, const struct owner_rule *owner_rules, size_t count,
	struct fault *fault)
{
	struct takeover takeover = {fd, path, owner_rules, count, true, fault};

	if (!close_directory(fd) || spool_walk(fd, take_directory_entry, &takeover) != 0)
		return fault_set(
			fault, FAULT_STORAGE, "take_over", "%s: %s", path, strerror(errno));
	return takeover.good;
}
