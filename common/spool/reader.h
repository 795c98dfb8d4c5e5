/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the keeper does in the spool: list and remove arrivals, write markers, move the rest to
 * quarantine. All of it happens below a directory that only the keeper's account (root) can open.
 */
#ifndef CLOUDINVITE_SPOOL_READER_H
#define CLOUDINVITE_SPOOL_READER_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "spool/spool.h"

#define SPOOL_BAD_MAX 1000 /* files kept in bad/; further ones are deleted */
#define SPOOL_MARKS_MOST \
	100000 /* with more markers, only those that replace an arrival are written */

struct spool_reader {
	int spool;
	int new_dir;
	int seen_dir;
	int bad_dir;
};

struct spool_arrival {
	char name[SPOOL_NAME_MAX + 1]; /* the name of its file in new/ */
	char user[SPOOL_USER_MAX + 1];
	enum trigger trigger;
	int64_t at; /* mtime, seconds since the epoch */
};

/* Fills in the fault with errno for something in a directory of the spool; keeps errno. Always
 * false. */
bool spool_fault(const char *box, const char *what, struct fault *fault);

/* Whether only the keeper can use a directory: it belongs to root (or, if the keeper is not root,
 * to its own account) and has mode 0700. */
bool spool_is_closed(const struct stat *st);

/* Opens the spool and its three directories; only the keeper may be able to use each. */
bool spool_reader_open(struct spool_reader *r, const char *spool, struct fault *fault);
void spool_reader_close(struct spool_reader *r);

/* A listing in progress. It reads the directory once; what arrives meanwhile may be missing. */
struct spool_listing {
	struct spool_reader *reader;
	DIR *dir; /* NULL: not open */
	int bad;  /* entries that are not arrivals */
	int held; /* names in bad/; -1: not counted yet */
};

/* Begins to list `box` (one of the reader's directories). False and errno. */
bool spool_listing_open(struct spool_listing *l, struct spool_reader *r, int box);
void spool_listing_close(struct spool_listing *l);
/* The next arrival in new/: 1, 0 at the end, -1 and errno. An entry that is not an arrival (name,
 * type, owner other than root or us, size, links) is moved to bad/ and logged. */
int spool_next_arrival(struct spool_listing *l, struct spool_arrival *out);
/* Finds the arrival of this name: 1; 0 if there is none; -1 and errno (EINVAL: not an arrival). */
int spool_find_arrival(const struct spool_reader *r, const char *name, struct spool_arrival *out);
/* The next marker in seen/ with its file's name and mtime; `before`: only those with an earlier
 * mtime (0: all). */
int spool_next_mark(
	struct spool_listing *l, int64_t before, char name[SPOOL_NAME_MAX + 1], int64_t *at);

/* Unlinks the arrival of this name, which has been committed to the ledger. A missing file is a
 * success. */
bool spool_remove(struct spool_reader *r, const char *name, struct fault *fault);

/* Writes (atomically, 0600) or removes a user's marker. `word`: [a-z_]. */
bool spool_mark(struct spool_reader *r, const char *user, const char *word, struct fault *fault);
/* The same for a user who may have none yet: an existing marker stays as it is. */
bool spool_mark_first(
	struct spool_reader *r, const char *user, const char *word, struct fault *fault);
/* The same for the word `seen`, by a hard link to the arrival's empty file. */
bool spool_mark_arrival(
	struct spool_reader *r, const struct spool_arrival *arrival, struct fault *fault);
bool spool_unmark(struct spool_reader *r, const char *user, struct fault *fault);
/* The markers belong to `ledger_id` as of `revision`. If `.ledger` has another id or none, all
 * markers are removed first; *dropped counts them. *older: `.ledger` has this id with a later
 * revision, so the ledger was restored from a backup; nothing is changed. */
bool spool_bind_ledger(struct spool_reader *r, const char *ledger_id, int64_t revision,
	int *dropped, bool *older, struct fault *fault);

#endif
