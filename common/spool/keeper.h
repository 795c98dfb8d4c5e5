/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keeper of the spool: root's only eyes and hands in it. It tells one peer, the collector, of
 * arrivals, and does to arrivals and marks what the peer asks (record.h).
 *
 * Invariants:
 *  - It never waits for the peer: every call on the peer's socket is non-blocking.
 *  - It keeps nothing about people. What it has to say is read from the directories when the peer
 *    has room for it, so that its memory does not grow with arrivals, marks, or a peer that never
 *    reads.
 *  - It looks up no name outside of the spool, renames within seen/ only, and makes at most one
 *    file for each arrival, and beyond these SPOOL_MARKS_MOST.
 *  - An arrival is unlinked only when the peer says so, which it does after its ledger's commit.
 *
 *	idle ──attach──> connected ──N, L──> listing ──A…, K…, E──> connected
 *	                     └──B, S, P──> answering ──E──> connected
 *	A request for an answer while another one is not told yet, or a record that is none, ends
 *the connection. The end of the peer leads back to idle from everywhere.
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
	bool locked; /* new/ is ours: no other keeper serves somebody */
	bool beside; /* another keeper may serve the spool meanwhile: no lock is taken */
	bool lost;   /* new/ is gone, or another directory has its place: for good */

	bool news, told; /* something has come to new/; the peer knows since its last N */
	bool full;	 /* the peer's queue: wait until it reads */
	bool answering;	 /* `answer` is due, after the listing */
	struct spool_record answer;
	struct spool_listing listing;
	char listed;	/* SPOOL_TELL_ARRIVAL or SPOOL_TELL_MARK */
	int64_t left;	/* arrivals that may still be told */
	int64_t before; /* of marks: L's time */
	bool pending;	/* `next` is to be told before the listing goes on */
	struct spool_record next;
	struct spool_record failed; /* the first that could not be done since P; status 0: none */
	int64_t marks;		    /* about as many as there are; -1: not counted yet */
};

/* Opens the spool (reader.h). */
bool spool_keeper_open(struct spool_keeper *k, const char *spool, struct fault *fault);
/* Detaches, too. */
void spool_keeper_close(struct spool_keeper *k);

/* Takes a connected socket over as the peer; an older one is closed: a collector that hangs must
 * not lock out the next. Makes the spool the working directory. False and the fault if the spool
 * cannot be watched; the socket is closed then. */
bool spool_keeper_attach(struct spool_keeper *k, int peer, struct fault *fault);
void spool_keeper_detach(struct spool_keeper *k);

/* Descriptors that somebody sends along are not taken, where the kernel can refuse them (6.16);
 * elsewhere they are dropped when their record is read. */
void spool_keeper_refuse_descriptors(int socket);

/* What to wait for; the number of entries, 0 when idle. *timeout_ms (-1: for ever). */
int spool_keeper_poll(
	const struct spool_keeper *k, struct pollfd fds[SPOOL_KEEPER_FDS], int *timeout_ms);
/* Does what can be done without waiting, a bounded piece of it. When the peer has gone, it is
 * detached; when new/ has gone, `lost` is set. */
void spool_keeper_turn(struct spool_keeper *k);

/* Says that new/ has gone; the exit code for it. */
int spool_keeper_say_lost(void);

/* Starts a keeper in a child: the same account without capabilities, and no descriptor but the
 * spool's and standard error. Returns the peer's end of the connection, whose closing ends the
 * child; -1 and the fault. */
int spool_keeper_fork(const char *spool, struct fault *fault);
/* The same for a command, also while another keeper serves the collector: the command may remove
 * marks (spool_client_unmark) and nothing else, because that takes one unlink. */
int spool_keeper_fork_beside(const char *spool, struct fault *fault);

/* Whether a keeper that has a peer holds the spool of this new/ (opened to be read). */
bool spool_is_served(int new_dir);

#endif
