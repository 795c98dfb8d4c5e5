/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's side of the spool: it asks the keeper (record.h), and can open nothing there
 * itself.
 *
 * What marks and takes returns at once; spool_client_flush says whether it was done. Everything
 * else waits for its answer. A keeper that is gone, hangs, or says what no honest one says is a
 * fault, after which the connection is closed (`fd` is -1).
 */
#ifndef CLOUDINVITE_SPOOL_CLIENT_H
#define CLOUDINVITE_SPOOL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "spool/reader.h"
#include "spool/record.h"

struct spool_client {
	int fd;	      /* the connection; -1: none */
	bool arrived; /* something has come into new/; the caller's to clear */
};

/* Connects to the keeper's socket, of RUN the run directory: RUN-keeper/socket. */
bool spool_client_connect(struct spool_client *c, const char *run, struct fault *fault);
/* Whether there is such a socket: a keeper that an init system has started, or starts. */
bool spool_client_has_socket(const char *run);
/* Takes over a connected descriptor (spool_keeper_fork). */
void spool_client_attach(struct spool_client *c, int fd);
void spool_client_close(struct spool_client *c);

/* Reads what the keeper has told unasked, without waiting. False and the fault if it is gone. */
bool spool_client_look(struct spool_client *c, struct fault *fault);

/* Up to `max` (1 to SPOOL_LIST_MOST) arrivals, oldest first as far as the directory's order allows.
 * Their number, -1 and the fault. */
int spool_client_list(
	struct spool_client *c, struct spool_arrival *out, int max, struct fault *fault);
/* The arrival has been committed to the ledger: with `mark`, its user is marked as seen if there is
 * no mark yet; then it is taken. */
bool spool_client_take(
	struct spool_client *c, const struct spool_arrival *a, bool mark, struct fault *fault);

/* How a mark is written. */
enum spool_marking {
	SPOOL_MARK_ANY,	   /* in any case */
	SPOOL_MARK_CHANGE, /* only where there is one */
	SPOOL_MARK_FIRST,  /* only where there is none */
};
/* Writes (`word`: [a-z_]) or removes a user's mark. A name that is too long has none. */
bool spool_client_mark(struct spool_client *c, const char *user, const char *word,
	enum spool_marking how, struct fault *fault);
bool spool_client_unmark(struct spool_client *c, const char *user, struct fault *fault);
/* Whether all that was asked for since the last flush has been done. */
bool spool_client_flush(struct spool_client *c, struct fault *fault);

/* The marks belong to `ledger_id`: those of another ledger are dropped, and *dropped counts them.
 */
bool spool_client_bind(
	struct spool_client *c, const char *ledger_id, int *dropped, struct fault *fault);
/* Every mark with its user; `before`: only those whose mtime is before it (0: all). `each` may mark
 * and unmark; what it returns false for ends with a false without a fault of ours. */
bool spool_client_each_mark(struct spool_client *c, int64_t before,
	bool (*each)(const char *user, void *ctx), void *ctx, struct fault *fault);
/* How much lies in `box` (new or bad), and the oldest mtime (0: there is nothing). */
bool spool_client_stat(struct spool_client *c, const char *box, int64_t *count, int64_t *oldest,
	struct fault *fault);

#endif
