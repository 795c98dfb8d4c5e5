/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The collector's side of the spool: it asks the keeper (record.h), because it can open nothing
 * there.
 *
 * Functions that mark or remove return at once; spool_client_flush reports whether it was done. All
 * others wait for their answer. If the keeper is gone, hangs, or sends a record that an honest
 * keeper never sends, that is a fault, and the connection is closed (`fd` is -1).
 */
#ifndef CLOUDINVITE_SPOOL_CLIENT_H
#define CLOUDINVITE_SPOOL_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "spool/reader.h"
#include "spool/record.h"

struct spool_client {
	int fd;	      /* the connection; -1 if closed */
	bool arrived; /* something has come into new/; the caller clears it */
};

/* Connects to the keeper's socket beside the run directory RUN: RUN-keeper/socket. */
bool spool_client_connect(struct spool_client *c, const char *run, struct fault *fault);
/* Whether the socket exists: an init system has started the keeper, or starts it on demand. */
bool spool_client_has_socket(const char *run);
/* Takes ownership of a connected descriptor (spool_keeper_fork). */
void spool_client_attach(struct spool_client *c, int fd);
void spool_client_close(struct spool_client *c);

/* Reads what the keeper has announced, without waiting. False and the fault if the keeper is
 * gone. */
bool spool_client_look(struct spool_client *c, struct fault *fault);

/* Up to `max` (1 to SPOOL_LIST_MOST) arrivals, oldest first as far as the directory's order allows.
 * Returns their number, or -1 and the fault. */
int spool_client_list(
	struct spool_client *c, struct spool_arrival *out, int max, struct fault *fault);
/* The arrival has been committed to the ledger: removes it from the spool. With `mark`, its user
 * first gets the marker `seen`, unless there is a marker. */
bool spool_client_take(
	struct spool_client *c, const struct spool_arrival *a, bool mark, struct fault *fault);

/* When a marker is written. */
enum spool_marking {
	SPOOL_MARK_ANY,	   /* always */
	SPOOL_MARK_CHANGE, /* only if there is one */
	SPOOL_MARK_FIRST,  /* only if there is none */
};
/* Writes (`word`: [a-z_]) or removes a user's marker. A name that is too long has none. */
bool spool_client_mark(struct spool_client *c, const char *user, const char *word,
	enum spool_marking how, struct fault *fault);
bool spool_client_unmark(struct spool_client *c, const char *user, struct fault *fault);
/* Whether everything that was requested since the last flush has been done. */
bool spool_client_flush(struct spool_client *c, struct fault *fault);

/* The markers belong to `ledger_id` as of `revision`: those of another ledger are removed, and
 * *dropped counts them. *older: they belong to a later revision of this ledger, and stay. */
bool spool_client_bind(struct spool_client *c, const char *ledger_id, int64_t revision,
	int *dropped, bool *older, struct fault *fault);
/* Calls `each` for every marker with its user; `before`: only those whose mtime is earlier (0:
 * all). `each` may mark and unmark. If it returns false, the call returns false and leaves the
 * fault to it. */
bool spool_client_each_mark(struct spool_client *c, int64_t before,
	bool (*each)(const char *user, void *ctx), void *ctx, struct fault *fault);
/* The number of files in `box` (new or bad), and the oldest mtime (0: none). */
bool spool_client_stat(struct spool_client *c, const char *box, int64_t *count, int64_t *oldest,
	struct fault *fault);

#endif
