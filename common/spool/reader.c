/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories of the spool. Arrivals are listed and removed; other files are put aside.
 */
#include "spool/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "spool/walk.h"

bool spool_fault(const char *box, const char *what, struct fault *fault)
{
	int why = errno;

	fault_set(fault, FAULT_STORAGE, "spool", "%s/: %s: %s", box, what, strerror(why));
	if (why == ENOSPC || why == EDQUOT)
		fault_remedy(fault,
			"Free some space on the spool's file system. Nothing is lost until then.");
	else if (why == EACCES || why == EPERM)
		fault_remedy(
			fault, "To correct this, run cloudinvite-collector --prepare as root.");
	else
		fault_remedy(fault, "The collector retries automatically. If this persists, see "
				    "the kernel log.");
	errno = why;
	return false;
}

bool spool_is_closed(const struct stat *st)
{
	return S_ISDIR(st->st_mode) && st->st_uid == geteuid() && (st->st_mode & 07777) == S_IRWXU;
}

static bool check_closed(int fd, const char *path, struct fault *fault)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		fault_set(fault, FAULT_STORAGE, "spool", "%s: %s", path, strerror(errno));
		return fault_remedy(
			fault, "To create it, run cloudinvite-collector --prepare as root.");
	}
	if (!spool_is_closed(&st)) {
		fault_set(fault, FAULT_STORAGE, "spool",
			"%s: owner %u, mode %04o instead of %u, 0700: other users could delay "
			"logins",
			path, (unsigned)st.st_uid, (unsigned)(st.st_mode & 07777),
			(unsigned)geteuid());
		return fault_remedy(
			fault, "To correct this, run cloudinvite-collector --prepare as root.");
	}
	return true;
}

static bool open_dir(int *box, int spool, const char *path, const char *name, struct fault *fault)
{
	char whole[SPOOL_PATH_MAX];

	if (!str_format(whole, sizeof(whole), "%s/%s", path, name))
		return fault_set(
			fault, FAULT_SETTINGS, "path", "[storage] spool: the path is too long");
	*box = openat(spool, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return check_closed(*box, whole, fault);
}

/* The spool is checked before anything in it is looked up: in a directory that others can open,
 * they can delay a lookup without end. */
bool spool_reader_open(struct spool_reader *r, const char *spool, struct fault *fault)
{
	*r = (struct spool_reader){-1, -1, -1, -1};
	r->spool = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (check_closed(r->spool, spool, fault) &&
		open_dir(&r->new_dir, r->spool, spool, SPOOL_NEW, fault) &&
		open_dir(&r->seen_dir, r->spool, spool, SPOOL_SEEN, fault) &&
		open_dir(&r->bad_dir, r->spool, spool, SPOOL_BAD, fault))
		return true;
	spool_reader_close(r);
	return false;
}

void spool_reader_close(struct spool_reader *r)
{
	file_close(&r->spool);
	file_close(&r->new_dir);
	file_close(&r->seen_dir);
	file_close(&r->bad_dir);
}

/* Whether the arrival is already its user's marker, because of a crash between link and unlink
 * (spool_mark_arrival). */
static bool is_marked(const struct spool_reader *r, const char *user, const struct stat *st)
{
	char name[SPOOL_NAME_MAX + 1];
	struct stat mark;

	return st->st_nlink == 2 && spool_mark_name(name, user) &&
	       fstatat(r->seen_dir, name, &mark, AT_SYMLINK_NOFOLLOW) == 0 &&
	       mark.st_dev == st->st_dev && mark.st_ino == st->st_ino;
}

/* Why it is not an arrival, or NULL; fills in `a`. */
static const char *check_arrival(const struct spool_reader *r, const char *name,
	const struct stat *st, struct spool_arrival *a)
{
	if (!spool_parse_arrival(name, a->user, &a->trigger))
		return "its name is not the name of an arrival";
	if (!S_ISREG(st->st_mode))
		return "it is not a regular file";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it does not belong to root or the service";
	if (st->st_size != 0)
		return "it is not empty";
	if (st->st_nlink != 1 && !is_marked(r, a->user, st))
		return "it has more than one hard link";
	str_copy(a->name, sizeof(a->name), name);
	a->at = (int64_t)st->st_mtim.tv_sec;
	return NULL;
}

static bool count_one(const char *name, void *ctx)
{
	int *count = ctx;

	(void)name;
	return ++*count < SPOOL_BAD_MAX;
}

/* The number of names in bad/, at most the limit; the limit if it cannot be read. */
static int count_bad(const struct spool_reader *r)
{
	int count = 0;

	return spool_walk(r->bad_dir, count_one, &count) == 0 ? count : SPOOL_BAD_MAX;
}

/* Links and unlinks instead of renaming: a rename between two directories takes a lock of the whole
 * file system, which any local user can hold. A directory cannot be linked: an empty one is
 * removed, another one stays and is logged. */
static const char *put_aside(struct spool_listing *l, const char *name)
{
	struct spool_reader *r = l->reader;
	const char *action = "deleted";

	if (l->held < 0)
		l->held = count_bad(r);
	/* An existing file of that name is removed. */
	(void)unlinkat(r->bad_dir, name, 0);
	if (l->held < SPOOL_BAD_MAX && linkat(r->new_dir, name, r->bad_dir, name, 0) == 0) {
		l->held++;
		action = "moved to " SPOOL_BAD "/";
	}
	if (unlinkat(r->new_dir, name, 0) != 0 && unlinkat(r->new_dir, name, AT_REMOVEDIR) != 0)
		action = strerror(errno);
	return action;
}

/* ---- listing ---- */

bool spool_listing_open(struct spool_listing *l, struct spool_reader *r, int box)
{
	/* A file description of its own: readdir must not move the reader's offset. */
	int copy = openat(box, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*l = (struct spool_listing){.reader = r, .held = -1};
	l->dir = copy >= 0 ? fdopendir(copy) : NULL;
	if (!l->dir)
		file_close(&copy);
	return l->dir;
}

void spool_listing_close(struct spool_listing *l)
{
	if (l->dir)
		(void)closedir(l->dir);
	l->dir = NULL;
}

/* The next name; NULL at the end and on an error, which sets errno. */
static const char *next_name(struct spool_listing *l)
{
	const struct dirent *entry;

	do {
		errno = 0;
		entry = readdir(l->dir);
	} while (entry && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0));
	return entry ? entry->d_name : NULL;
}

int spool_next_arrival(struct spool_listing *l, struct spool_arrival *out)
{
	const char *name, *why;
	struct stat st;

	while ((name = next_name(l))) {
		if (fstatat(l->reader->new_dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno != ENOENT) /* gone meanwhile */
				log_event(LOG_LEVEL_WARN, "bad_arrival", "%s: %s; left in place",
					name, strerror(errno));
			continue;
		}
		why = check_arrival(l->reader, name, &st, out);
		if (!why)
			return 1;
		log_event(
			LOG_LEVEL_WARN, "bad_arrival", "%s: %s; %s", name, why, put_aside(l, name));
		l->bad++;
	}
	return errno == 0 ? 0 : -1;
}

int spool_find_arrival(const struct spool_reader *r, const char *name, struct spool_arrival *out)
{
	struct stat st;

	if (fstatat(r->new_dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!check_arrival(r, name, &st, out))
		return 1;
	errno = EINVAL;
	return -1;
}

int spool_next_mark(
	struct spool_listing *l, int64_t before, char name[SPOOL_NAME_MAX + 1], int64_t *at)
{
	char user[SPOOL_USER_MAX + 1];
	const char *found;
	struct stat st;

	while ((found = next_name(l))) {
		if (!spool_parse_mark(found, user))
			continue;
		if (fstatat(l->reader->seen_dir, found, &st, AT_SYMLINK_NOFOLLOW) != 0) {
			if (errno == ENOENT) /* gone meanwhile */
				continue;
			return -1;
		}
		*at = (int64_t)st.st_mtim.tv_sec;
		if (before == 0 || *at < before)
			return str_copy(name, SPOOL_NAME_MAX + 1, found);
	}
	return errno == 0 ? 0 : -1;
}

bool spool_remove(struct spool_reader *r, const char *name, struct fault *fault)
{
	if (unlinkat(r->new_dir, name, 0) == 0 || errno == ENOENT)
		return true;
	return spool_fault(SPOOL_NEW, name, fault);
}
