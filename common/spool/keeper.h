/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper of the spool: the only code that works there with root's rights. It reports arrivals
 * to one peer, the collector, and does to arrivals and markers what the peer asks (record.h).
 *
 * Invariants:
 * - It never waits for the peer: every call on the peer's socket is non-blocking.
 * - It stores nothing about people. What it has to send is read from the directories when the peer
 *   has room for it, so its memory does not grow with arrivals, markers, or a peer that never
 * reads.
 * - It looks up no name outside of the spool, renames only within seen/, and makes at most one file
 *   for each arrival, and SPOOL_MARKS_MOST others.
 * - It unlinks an arrival only if the peer asks for it, which it does after the ledger's commit.
 *
 *   idle ──attach──> connected ──N, L──> listing ──A…, K…, E──> connected
 *                        └──B, S, P──> answering ──E──> connected
 *
 * A request that needs an answer while another answer is pending ends the connection, and so does
 * an invalid record. The end of the peer leads back to idle from every state.
 */
#ifndef CLOUDINVITE_SPOOL_KEEPER_H
#define CLOUDINVITE_SPOOL_KEEPER_H

#include <poll.h>
#include <stdbool.h>

#include "base/fault.h"
#include "spool/reader.h"
#include "spool/record.h"

#define SPOOL_KEEPER_FDS 2

struct spool_keeper {
	struct spool_reader dirs;
	int peer;    /* -1: idle */
	int changes; /* inotify on the spool and on new/, while there is a peer */
	int watch_spool, watch_new;
	bool locked; /* new/ is locked: no other keeper serves a peer */
	bool beside; /* another keeper may serve the spool at the same time: no lock is taken */
	bool lost;   /* new/ is gone, or another directory has replaced it; never cleared */

	bool news, told; /* something has come to new/; the peer has been told since its last N */
	bool full;	 /* the peer's queue is full: wait until it reads */
	bool answering;	 /* `answer` follows the listing */
	struct spool_record answer;
	struct spool_listing listing;
	char listed;	/* SPOOL_TELL_ARRIVAL or SPOOL_TELL_MARK */
	int64_t left;	/* arrivals that may still be sent */
	int64_t before; /* for markers: the time of the L */
	bool pending;	/* `next` must be sent before the listing continues */
	struct spool_record next;
	struct spool_record failed; /* the first failure since the last P; status 0: none */
	int64_t marks;		    /* about the number of markers; -1: not counted yet */
};

/* Opens the spool (reader.h). */
bool spool_keeper_open(struct spool_keeper *k, const char *spool, struct fault *fault);
/* Detaches as well. */
void spool_keeper_close(struct spool_keeper *k);

/* Takes ownership of a connected socket as the peer. An older peer is closed: a collector that
 * hangs must not lock out the next one. Makes the spool the working directory. False and the fault
 * if the spool cannot be watched; the socket is then closed. */
bool spool_keeper_attach(struct spool_keeper *k, int peer, struct fault *fault);
void spool_keeper_detach(struct spool_keeper *k);

/* Makes the kernel refuse descriptors that a peer passes, if it can (6.16); otherwise they are
 * dropped when their record is read. */
void spool_keeper_refuse_descriptors(int socket);

/* What to wait for; the number of entries, 0 if idle. *timeout_ms is -1 for no limit. */
int spool_keeper_poll(
	const struct spool_keeper *k, struct pollfd fds[SPOOL_KEEPER_FDS], int *timeout_ms);
/* Does what can be done without waiting, in a bounded amount. A peer that has gone is detached;
 * `lost` is set if new/ has gone. */
void spool_keeper_turn(struct spool_keeper *k);

/* Logs that new/ has gone; returns the exit code for it. */
int spool_keeper_say_lost(void);

/* Starts a keeper in a child: the same account without capabilities, and no descriptors but the
 * spool's and standard error. Returns the peer's end of the connection; closing it ends the child.
 * -1 and the fault on error. */
int spool_keeper_fork(const char *spool, struct fault *fault);
/* The same for a command, possibly while another keeper serves the collector. The command may only
 * remove markers (spool_client_unmark), because that takes one unlink. */
int spool_keeper_fork_beside(const char *spool, struct fault *fault);

/* Whether a keeper with a peer holds the spool of this new/ (opened for reading). */
bool spool_is_served(int new_dir);

#endif
