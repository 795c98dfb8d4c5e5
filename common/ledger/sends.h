/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends: one row for each, on which the daily limit depends; and the reconcile, in which mails may
 * be out that the ledger does not know of.
 */
#ifndef CLOUDINVITE_LEDGER_SENDS_H
#define CLOUDINVITE_LEDGER_SENDS_H

#include "ledger/handle.h"
#include "person/event.h"

/* Begins a send, in the same transaction as the person's intent. Its id, or -1. */
int64_t ledger_send_begin(
	struct ledger *l, const char *address, int64_t now, const char *actor, struct fault *fault);
/* How it ended. Applies to the newest send of that address that may still change. */
bool ledger_send_end(
	struct ledger *l, const char *address, enum send_outcome outcome, struct fault *fault);
/* Sends since `since` that mailed or may have mailed: all except the refused and the
 * resolved_unsent. -1 on a fault. */
int64_t ledger_sends_since(struct ledger *l, int64_t since, struct fault *fault);

/* How many sends were ever begun. It only grows, whatever the clock does and retention deletes. -1
 * on a fault. */
int64_t ledger_sends_begun(struct ledger *l, struct fault *fault);
/* Adds to that number, in the transaction of that many intents. The new number, or -1. */
int64_t ledger_count_sends(struct ledger *l, int sends, struct fault *fault);

/* ---- reconcile ---- */

struct ledger_reconcile {
	char cause[32];	   /* "restored", "other_ledger", "other_machine", "mails_elsewhere" */
	char text[320];	   /* for people */
	int64_t since;	   /* our clock, for people */
	int64_t mail_date; /* Google's clock: no such mail is later; 0: not known yet */
	bool list_read;	   /* the whole list has been read since */
};
/* 1, 0, -1. */
int ledger_reconciling(struct ledger *l, struct ledger_reconcile *out, struct fault *fault);
/* Begins it, or continues it with other values. At its beginning (also with another cause) and at
 * its end, earlier answers of Google no longer permit a send. */
bool ledger_reconcile(
	struct ledger *l, const struct ledger_reconcile *r, const char *actor, struct fault *fault);
/* Ends it: people who were queued for "reconcile" are due at once. 1, 0 (there was none), -1. */
int ledger_reconciled(struct ledger *l, const char *cause, const char *actor, struct fault *fault);

#define LEDGER_MACHINE "machine_id" /* in meta: of the machine on which the ledger is used */

/* The collector has found that this ledger is a copy: `cause` is "restored" or "other_machine",
 * which outranks it. The ledger keeps the cause until the engine has begun a reconcile for it. The
 * caller also gives the ledger a new id (ledger_take_new_id), in the same transaction. */
bool ledger_note_copy(struct ledger *l, const char *cause, struct fault *fault);
/* 1 and the cause, 0, -1. Also reads the id again. */
int ledger_noted_copy(struct ledger *l, char *cause, size_t size, struct fault *fault);
bool ledger_forget_copy(struct ledger *l, struct fault *fault);

#endif
