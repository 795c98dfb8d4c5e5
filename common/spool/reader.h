/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper's hands in the spool: tell and take arrivals, keep marks, quarantine the rest. All of
 * it happens below a directory that only the keeper's account (root) can open.
 */
#ifndef CLOUDINVITE_SPOOL_READER_H
#define CLOUDINVITE_SPOOL_READER_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "spool/spool.h"

#define SPOOL_BAD_MAX	 1000	/* files kept in bad/; more are deleted instead */
#define SPOOL_MARKS_MOST 100000 /* marks up to which those without an arrival are written */

struct spool_reader {
	int spool;
	int new_dir;
	int seen_dir;
	int bad_dir;
};

struct spool_arrival {
	char name[SPOOL_NAME_MAX + 1]; /* of the file in new/ */
	char user[SPOOL_USER_MAX + 1];
	enum trigger reason;
	int64_t at; /* mtime, seconds since the epoch */
};

/* What errno says of something in a box; keeps errno. Always false. */
bool spool_fault(const char *box, const char *what, struct fault *fault);

/* Whether a directory is the keeper's alone: of root (or, where the keeper is not root, of its own
 * account), and 0700. */
bool spool_is_closed(const struct stat *st);

/* Opens the spool and its three dirs; each must be the keeper's alone. */
bool spool_reader_open(struct spool_reader *r, const char *spool, struct fault *fault);
void spool_reader_close(struct spool_reader *r);

/* A box that is being listed. A listing costs one read of the directory; what comes while it runs
 * may be told or not. */
struct spool_listing {
	struct spool_reader *reader;
	DIR *dir; /* NULL: none is open */
	int bad;  /* what was no arrival */
	int held; /* names in bad/; -1: not counted yet */
};

/* Begins to list `box` (one of the reader's). False and errno. */
bool spool_listing_open(struct spool_listing *l, struct spool_reader *r, int box);
void spool_listing_close(struct spool_listing *l);
/* The next arrival of new/: 1, 0 at the end, -1 and errno. What is no arrival (name, type, owner
 * other than root or us, size, links) is moved to bad/ and logged. */
int spool_next_arrival(struct spool_listing *l, struct spool_arrival *out);
/* The arrival of this name: 1, 0 if there is none, -1 and errno (EINVAL: it is something else). */
int spool_find_arrival(const struct spool_reader *r, const char *name, struct spool_arrival *out);
/* The next mark of seen/ with its file's name and mtime; `before`: only those whose mtime is before
 * it (0: all). */
int spool_next_mark(
	struct spool_listing *l, int64_t before, char name[SPOOL_NAME_MAX + 1], int64_t *at);

/* The arrival of this name has been committed to the ledger: unlinks it. Absent is success. */
bool spool_remove(struct spool_reader *r, const char *name, struct fault *fault);

/* Writes (atomically, 0600) or removes a user's mark. `word`: [a-z_]. */
bool spool_mark(struct spool_reader *r, const char *user, const char *word, struct fault *fault);
/* The same for somebody who may have none yet: a mark that is there stays as it is. */
bool spool_mark_first(
	struct spool_reader *r, const char *user, const char *word, struct fault *fault);
/* The same, with the file of an arrival, which is linked: an empty mark says `seen`. */
bool spool_mark_arrival(
	struct spool_reader *r, const struct spool_arrival *arrival, struct fault *fault);
bool spool_unmark(struct spool_reader *r, const char *user, struct fault *fault);
/* The marks belong to `ledger_id`: with another id (or none) in `.ledger` all of them are dropped
 * first and it is written. *dropped counts them. */
bool spool_bind_ledger(
	struct spool_reader *r, const char *ledger_id, int *dropped, struct fault *fault);

#endif
