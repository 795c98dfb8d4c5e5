/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's side of the spool: list and take arrivals, keep marks, quarantine the rest.
 */
#ifndef CLOUDINVITE_SPOOL_READER_H
#define CLOUDINVITE_SPOOL_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "spool/spool.h"

#define SPOOL_BAD_CAP 1000 /* files kept in bad/; more are deleted instead */

struct spool_reader {
	int new_box;
	int seen_box;
	int bad_box;
};

struct spool_arrival {
	char name[SPOOL_NAME_MAX + 1]; /* to be handed back to spool_taken */
	char user[SPOOL_USER_MAX + 1];
	enum spool_reason reason;
	int64_t at; /* mtime, seconds since the epoch */
};

/* What errno says of something in a box. Always false. */
bool spool_fault(const char *box, const char *what, struct fault *fault);

/* Opens the three boxes; verifies owners and modes. */
bool spool_reader_open(struct spool_reader *r, const char *spool, struct fault *fault);
void spool_reader_close(struct spool_reader *r);

/* Up to `max` (1 or more) arrivals, oldest first as far as the directory's order allows. What is no
 * arrival (name, type, owner other than root or us, size, links) is moved to bad/ and logged,
 * counted in *bad. -1 and the fault on error, otherwise their number. A pass costs one directory
 * read. */
int spool_list(
	struct spool_reader *r, struct spool_arrival *out, int max, int *bad, struct fault *fault);
/* The arrival has been committed to the ledger and marked: unlinks it. Absent is success. */
bool spool_taken(struct spool_reader *r, const struct spool_arrival *a, struct fault *fault);

/* Writes (atomically, 0600) or removes a user's mark. `word`: [a-z_]. */
bool spool_mark(struct spool_reader *r, const char *user, const char *word, struct fault *fault);
/* The same for somebody who may have none yet: a mark that is there stays as it is. */
bool spool_mark_first(
	struct spool_reader *r, const char *user, const char *word, struct fault *fault);
bool spool_unmark(struct spool_reader *r, const char *user, struct fault *fault);
/* The marks belong to `ledger_id`: with another id (or none) in `.ledger` all of them are dropped
 * first and it is written. *dropped counts them. */
bool spool_marks_belong(
	struct spool_reader *r, const char *ledger_id, int *dropped, struct fault *fault);
/* Every mark with its user; `age_before`: only those whose mtime is before it (0: all). */
bool spool_each_mark(struct spool_reader *r, int64_t age_before,
	bool (*each)(const char *user, void *ctx), void *ctx, struct fault *fault);

#endif
