/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening a ledger, transactions, and small values: those that a program stores by name, its
 * heartbeat and its counters.
 */
#ifndef CLOUDINVITE_LEDGER_HANDLE_H
#define CLOUDINVITE_LEDGER_HANDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/limits.h"
#include "settings/settings.h"
#include "telemetry/counters.h"

struct ledger;

/* ---- opening ---- */

enum ledger_open_mode {
	LEDGER_READ,   /* must exist; nothing is changed */
	LEDGER_WRITE,  /* must exist; migrated if its version is older */
	LEDGER_CREATE, /* created if it does not exist */
};
/* Refuses a ledger of another customer, one that is newer than this program, and a damaged one,
 * each with a message of its own (code "ledger_missing" if the file does not exist). The customer
 * of the settings is stored as long as no person in the ledger depends on an answer of Google. */
struct ledger *ledger_open(
	const struct settings *settings, enum ledger_open_mode mode, struct fault *fault);
/* Reads the whole ledger and compares its indexes with its tables, which SQLite does only when it
 * is asked: false with "ledger_damaged". */
bool ledger_check(struct ledger *l, struct fault *fault);
/* The same if the last program did not close the ledger, or one has it open: then its write-ahead
 * log exists, and it may be the log of another file, beside which a backup was put. */
bool ledger_check_unclosed(struct ledger *l, struct fault *fault);
void ledger_close(struct ledger *l);
/* Frees the memory that is needed only for work: for programs that wait for days. */
void ledger_release_memory(struct ledger *l);
/* Whether the path of the open file has another file now, or none. Data that is written then would
 * be lost. For programs that run while an administrator restores a backup. */
bool ledger_moved(const struct ledger *l);
const char *ledger_id(const struct ledger *l); /* 32 hex digits */
int ledger_schema(const struct ledger *l);     /* the version of its tables */
/* Bytes on the disk, without the write-ahead log; -1 if they cannot be determined. */
int64_t ledger_bytes(const struct ledger *l);

/* Gives a restored ledger a new id, so that the collector drops its markers, which speak of people
 * that this ledger does not know. */
bool ledger_take_new_id(struct ledger *l, struct fault *fault);
/* Whether the id has changed since the ledger was opened. False if that cannot be determined. */
bool ledger_has_new_id(struct ledger *l);

/* ---- transactions ---- */

bool ledger_begin(struct ledger *l, struct fault *fault);
bool ledger_commit(struct ledger *l, struct fault *fault);
void ledger_rollback(struct ledger *l);
/* Commits if `good`, and otherwise rolls back. Whether it was committed. */
bool ledger_end(struct ledger *l, bool good, struct fault *fault);

/* ---- small values ---- */

/* Stores a value under a name, for instance "resync_done". A NULL value removes it. */
bool ledger_set(struct ledger *l, const char *key, const char *value, struct fault *fault);
/* 1 found, 0 not found, -1. */
int ledger_get(struct ledger *l, const char *key, char *out, size_t size, struct fault *fault);

struct ledger_worker {
	char program[16]; /* "collector", "dispatcher" */
	char host[HOST_MAX + 1];
	char version[32];
	int64_t pid;
	int64_t last_heartbeat; /* seconds since the epoch */
	int64_t started;
	char status_text[160]; /* for status: "idle", "waiting for the rate limit" */
};
bool ledger_heartbeat(struct ledger *l, const struct ledger_worker *w, struct fault *fault);
bool ledger_each_worker(struct ledger *l, bool (*each)(const struct ledger_worker *w, void *ctx),
	void *ctx, struct fault *fault);

/* Adds the counts of this program since the last call (telemetry/counters.h), in one transaction.
 * After a fault they are added by the next call. Inside a transaction of the caller they count as
 * stored, even if it is rolled back. Does nothing for a ledger that is only read. */
bool ledger_store_counters(struct ledger *l, struct fault *fault);
/* The same as the last change before the ledger is closed. It does not wait for the disk: a power
 * cut may cost these counters, and nothing that was stored before. */
bool ledger_store_last_counters(struct ledger *l, struct fault *fault);
/* Adds `n` to a counter without labels, in the transaction of what is counted. */
bool ledger_count(struct ledger *l, enum counter counter, int64_t n, struct fault *fault);
/* Every counter and gauge that was ever stored, under counter_name(). */
bool ledger_each_counter(struct ledger *l, bool (*each)(const char *name, int64_t n, void *ctx),
	void *ctx, struct fault *fault);

#endif
