/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrivals: listed, taken, and put aside where they are none.
 */
#include "spool/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "spool/walk.h"

bool spool_fault(const char *box, const char *what, struct fault *fault)
{
	int why = errno;

	fault_set(fault, FAULT_STORAGE, "spool", "%s/: %s: %s", box, what, strerror(why));
	if (why == ENOSPC || why == EDQUOT)
		return fault_remedy(
			fault, "Make room on the spool's file system; nothing is lost meanwhile.");
	if (why == EACCES || why == EPERM)
		return fault_remedy(
			fault, "Correct it: run cloudinvite-collector --prepare as root.");
	return fault_remedy(
		fault, "It is tried again by itself; if it stays so, the kernel's log says more.");
}

/* Nobody but root and the service may write a box. */
static bool is_ours(const struct stat *st)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return false;
	if ((st->st_mode & S_IWGRP) && st->st_gid != 0 && st->st_gid != getegid())
		return false;
	return (st->st_mode & S_IWOTH) == 0;
}

static bool open_box(int *box, const char *spool, const char *name, struct fault *fault)
{
	int path = spool_open(spool, name);
	struct stat st;

	/* Opened again to be read and synced. */
	*box = path >= 0 ? openat(path, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	file_close(&path);
	if (*box < 0 || fstat(*box, &st) != 0) {
		fault_set(fault, FAULT_STORAGE, "spool", "%s/%s: %s", spool, name, strerror(errno));
		return fault_remedy(fault, "Make it: run cloudinvite-collector --prepare as root.");
	}
	if (!is_ours(&st)) {
		fault_set(fault, FAULT_STORAGE, "spool",
			"%s/%s: owner %u:%u, mode %04o: others could write it", spool, name,
			(unsigned)st.st_uid, (unsigned)st.st_gid, (unsigned)(st.st_mode & 07777));
		return fault_remedy(
			fault, "Correct it: run cloudinvite-collector --prepare as root.");
	}
	return true;
}

bool spool_reader_open(struct spool_reader *r, const char *spool, struct fault *fault)
{
	*r = (struct spool_reader){-1, -1, -1};
	if (open_box(&r->new_box, spool, SPOOL_NEW, fault) &&
		open_box(&r->seen_box, spool, SPOOL_SEEN, fault) &&
		open_box(&r->bad_box, spool, SPOOL_BAD, fault))
		return true;
	spool_reader_close(r);
	return false;
}

void spool_reader_close(struct spool_reader *r)
{
	file_close(&r->new_box);
	file_close(&r->seen_box);
	file_close(&r->bad_box);
}

/* Why it is no arrival, or NULL; fills in `a`. */
static const char *judge_arrival(const char *name, const struct stat *st, struct spool_arrival *a)
{
	if (!spool_parse_arrival(name, a->user, &a->reason))
		return "its name is no arrival's";
	if (!S_ISREG(st->st_mode))
		return "it is not a regular file";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "it belongs neither to root nor to the service";
	if (st->st_size != 0)
		return "it is not empty";
	if (st->st_nlink != 1)
		return "it has more than one name";
	text_copy(a->name, sizeof(a->name), name);
	a->at = (int64_t)st->st_mtim.tv_sec;
	return NULL;
}

static bool count_one(const char *name, void *ctx)
{
	int *count = ctx;

	(void)name;
	return ++*count < SPOOL_BAD_CAP;
}

/* How many names bad/ holds, at most the cap; the cap if it cannot be read. */
static int count_bad(const struct spool_reader *r)
{
	int count = 0;

	return spool_walk(r->bad_box, count_one, &count) == 0 ? count : SPOOL_BAD_CAP;
}

/* `held`: how many bad/ holds. */
static void quarantine(struct spool_reader *r, const char *name, const char *why, int *held)
{
	const char *action = "moved to " SPOOL_BAD "/";

	/* A name that is there already gives way: of two links to one file rename would keep both.
	 */
	(void)unlinkat(r->bad_box, name, 0);
	if (*held < SPOOL_BAD_CAP && renameat(r->new_box, name, r->bad_box, name) == 0) {
		(*held)++;
	} else {
		action = "deleted";
		/* A directory is neither emptied nor removed when it holds something: it stays and
		 * is said. */
		if (unlinkat(r->new_box, name, 0) != 0 &&
			unlinkat(r->new_box, name, AT_REMOVEDIR) != 0)
			action = strerror(errno);
	}
	log_event(LOG_LEVEL_WARN, "bad_arrival", "%s: %s; %s", name, why, action);
}

static int by_age(const void *a, const void *b)
{
	const struct spool_arrival *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

struct listing {
	struct spool_reader *reader;
	struct spool_arrival *out;
	int count, max;
	int bad;
	int held; /* in bad/; -1: not counted yet */
};

static bool list_one(const char *name, void *ctx)
{
	struct listing *l = ctx;
	const char *why;
	struct stat st;

	if (fstatat(l->reader->new_box, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT) /* gone meanwhile */
			log_event(LOG_LEVEL_WARN, "bad_arrival", "%s: %s; left where it is", name,
				strerror(errno));
		return true;
	}
	why = judge_arrival(name, &st, &l->out[l->count]);
	if (!why)
		return ++l->count < l->max;
	if (l->held < 0)
		l->held = count_bad(l->reader);
	quarantine(l->reader, name, why, &l->held);
	l->bad++;
	return true;
}

int spool_list(
	struct spool_reader *r, struct spool_arrival *out, int max, int *bad, struct fault *fault)
{
	struct listing l = {.reader = r, .out = out, .max = max, .held = -1};
	int result = spool_walk(r->new_box, list_one, &l);

	*bad = l.bad;
	if (result != 0) {
		spool_fault(SPOOL_NEW, "cannot be listed", fault);
		return -1;
	}
	if (l.count > 1)
		qsort(out, (size_t)l.count, sizeof(*out), by_age);
	return l.count;
}

bool spool_taken(struct spool_reader *r, const struct spool_arrival *a, struct fault *fault)
{
	if (unlinkat(r->new_box, a->name, 0) == 0 || errno == ENOENT)
		return true;
	return spool_fault(SPOOL_NEW, a->name, fault);
}
