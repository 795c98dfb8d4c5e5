/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions of an administrator: the blocklist, forgetting and retention, the one pause.
 */
#ifndef CLOUDINVITE_LEDGER_ADMINISTRATION_H
#define CLOUDINVITE_LEDGER_ADMINISTRATION_H

#include "ledger/handle.h"

/* ---- the blocklist ---- */

/* A person who is queued is held for "blocked". One who is held keeps the reason, because an
 * unconfirmed send must not be forgotten, and cannot be queued. A send in flight is not stopped: a
 * program that commits an intent calls ledger_blocked in the same transaction. */
bool ledger_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault);
/* 1, 0 (was not blocked), -1. Sightings of the address are evaluated again, and a person who was
 * held for "blocked" is queued and due at once. FAULT_POLICY while a person who was forgotten may
 * have a mail that Google does not show yet. */
int ledger_unblock(struct ledger *l, const char *address, const char *actor, struct fault *fault);
/* 1 (and why; `text` may be NULL), 0, -1. */
int ledger_blocked(
	struct ledger *l, const char *address, char *text, size_t size, struct fault *fault);
bool ledger_each_block(struct ledger *l,
	bool (*each)(
		const char *address, const char *text, const char *actor, int64_t at, void *ctx),
	void *ctx, struct fault *fault);

/* Whether the copy of the block list beside the ledger agrees with it: 1 (*count: how many), 0, -1.
 */
int ledger_block_copy_agrees(struct ledger *l, int64_t *count, struct fault *fault);

/* ---- forgetting ---- */

/* Why a block is left behind, and who did it. */
struct ledger_block_note {
	const char *text, *actor;
};
/* Erases person, sightings and history, and the address in the sends. A block stays, or is left
 * behind (`block`, or NULL), with the date of the last mail. The caller removes the markers. 1, 0
 * (not known), -1; FAULT_TRANSIENT while the person is leased. */
int ledger_forget(struct ledger *l, const char *address, const struct ledger_block_note *block,
	struct fault *fault);
/* The same for an account that is mapped to no address. */
int ledger_forget_sighting(
	struct ledger *l, const char *host, const char *user, struct fault *fault);
/* [privacy]: deletes at most `max` rows whose retention is over; their number or -1. History and
 * sends after retain_history. Accounts that are gone after retain_gone, and so people without an
 * account who were never invited. Other people without an account retain_history after their last
 * change. */
int ledger_expire(struct ledger *l, const struct settings *settings, int64_t now, int max,
	struct fault *fault);
/* Whether it would delete anything, or nearly: people who were mailed may stay. 1, 0, -1. */
int ledger_has_expired(
	struct ledger *l, const struct settings *settings, int64_t now, struct fault *fault);

/* ---- the pause ---- */

struct ledger_pause {
	char kind[16];	  /* "operator", "setup", "breaker", "account_changes" */
	char text[320];	  /* why, for people */
	char remedy[640]; /* what to change */
	char actor[64];
	int64_t since;
	int64_t probe_at; /* setup: when the control call is tried next; 0: never */
	int probes;
};
int ledger_paused(struct ledger *l, struct ledger_pause *out, struct fault *fault); /* 1, 0, -1 */
/* Sets the pause. It replaces one of the same or a lower precedence: setup, then breaker and
 * account_changes, then operator. Otherwise nothing changes, and the result is true. */
bool ledger_pause(struct ledger *l, const struct ledger_pause *p, struct fault *fault);
/* Clears the pause, of any kind (NULL) or only of this one. 1 cleared, 0 there was none, -1. */
int ledger_resume(struct ledger *l, const char *kind, const char *actor, struct fault *fault);

#endif
