/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: the only memory, and the only thing that collector and dispatcher share. Synchronous
 * and batched. What a ledger can do is said here; SQLite is the engine of one host
 * (ledger/sqlite.h).
 *
 * Every function returns false (or -1) with a FAULT_STORAGE in `fault` on error. Functions that
 * change something may be called inside ledger_begin/ledger_commit, which group them into one
 * commit, or outside, where each commits by itself. A fault inside a group breaks it: nothing of it
 * is committed any more, and only ledger_rollback (or a failing ledger_commit) ends it. Groups do
 * not nest.
 *
 * The functions called `each` may ask the ledger other things, but not change it.
 */
#ifndef CLOUDINVITE_LEDGER_LEDGER_H
#define CLOUDINVITE_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fault.h"
#include "people/sighting.h"
#include "people/verdict.h"
#include "person/event.h"
#include "settings/settings.h"
#include "telemetry/counters.h"

struct ledger;

/* ---- opening ---- */

enum ledger_open_mode {
	LEDGER_READ,   /* must exist; nothing is changed */
	LEDGER_WRITE,  /* must exist; migrated if it is older */
	LEDGER_CREATE, /* made if absent */
};
/* Refuses a ledger of another customer, one that is newer than this program, and a corrupted one,
 * each with its own sentence (code "ledger_missing" when there is none). The customer is taken over
 * from the settings as long as nobody in the ledger has been asked about at Google. */
struct ledger *ledger_open(
	const struct settings *settings, enum ledger_open_mode mode, struct fault *fault);
void ledger_close(struct ledger *l);
/* Gives back the memory that only work needs: for programs that wait for days. */
void ledger_release_memory(struct ledger *l);
/* Whether another file, or none, is in the place of the one that is open: what is written to it
 * then is lost. For programs that run while somebody restores a copy. */
bool ledger_moved(const struct ledger *l);
const char *ledger_id(const struct ledger *l); /* 32 hex digits */
int ledger_schema(const struct ledger *l);
/* Bytes on the disk, without what is still in the log; -1 if that cannot be told. */
int64_t ledger_bytes(const struct ledger *l);

bool ledger_begin(struct ledger *l, struct fault *fault);
bool ledger_commit(struct ledger *l, struct fault *fault);
void ledger_rollback(struct ledger *l);

/* Small values that must survive: "resync_at", "control_ok_at", … NULL value removes. */
bool ledger_set(struct ledger *l, const char *key, const char *value, struct fault *fault);
/* 1 found, 0 not, -1 fault. */
int ledger_get(struct ledger *l, const char *key, char *out, size_t size, struct fault *fault);

/* ---- sightings ---- */

struct ledger_sighting {
	int64_t id;
	struct sighting seen;
	bool gone; /* the account was deleted */
	enum verdict_kind verdict;
	bool from_template;
	char address[ADDRESS_MAX + 1];
	char rule[64];
	char sentence[256];
};

/* Writes what the collector saw. 1 new (or come back after it was gone), 2 facts changed (then not
 * judged any more), 0 known and the same, -1. A known sighting keeps its reason and first day; one
 * that comes back has new ones. */
int ledger_account_seen(struct ledger *l, const struct sighting *s, struct fault *fault);
/* The account is gone from the host. 1, 0 (not known), -1. When it was the last one that led to its
 * person, who is still queued or held (with no intent open) is gone, too, and who is invited is due
 * at once with the reason "account_removed". */
int ledger_account_removed(
	struct ledger *l, const char *host, const char *user, struct fault *fault);
/* The same uid under another name. The new name is judged anew. 1, 0, -1. */
int ledger_account_renamed(struct ledger *l, const char *host, const char *user,
	const char *new_user, struct fault *fault);
/* Another machine-id: what is known of this host's accounts is forgotten, never people. Their
 * history stays with the people that they led to. */
bool ledger_host_reset(struct ledger *l, const char *host, struct fault *fault);

/* Sightings that `rules` (rules_fingerprint) has not judged yet, at most max; their number or -1.
 */
int ledger_unclassified(struct ledger *l, uint64_t rules, struct ledger_sighting *out, int max,
	struct fault *fault);
/* Stores the verdict, after looking at the block list and at the other sightings of that host (two
 * accounts that the template alone maps to one address: both become a collision, and the person, if
 * queued and not approved, is held for it). *v is updated; VERDICT_NONE: what was judged has gone
 * or changed since ledger_unclassified, and waits to be judged anew. To queue the person of a
 * mapped sighting (a new one, one who is gone, one held for a collision that is over) is the
 * caller's. The person of whom no sighting is left because of this verdict is treated as by
 * ledger_account_removed. */
bool ledger_set_verdict(
	struct ledger *l, int64_t id, uint64_t rules, struct verdict *v, struct fault *fault);
/* Every sighting that fits (NULL: any); stops when `each` returns false. */
bool ledger_each_sighting(struct ledger *l, const char *host, const char *user, const char *address,
	bool (*each)(const struct ledger_sighting *s, void *ctx), void *ctx, struct fault *fault);

/* ---- people ---- */

/* 1 found, 0 not, -1. */
int ledger_person(struct ledger *l, const char *address, struct person *out, struct fault *fault);
/* Stores the person as given: inserts or replaces, ends the lease, and appends to the history when
 * state or reason differ from before. `cause`: a stable word or short sentence ("check: not
 * invitable"); `actor`: "dispatcher", "root". What a person becomes is decided by person_step(). */
bool ledger_person_put(struct ledger *l, const struct person *p, const char *cause,
	const char *actor, struct fault *fault);
/* Stores step->next in the same way, and how its send ended (step->outcome). With an `owner` the
 * person stays leased: for an intent, whose result is still to come. */
bool ledger_person_store(struct ledger *l, const struct person_step *step, const char *owner,
	int64_t lease_until, const char *actor, struct fault *fault);
/* Applies an event to a person who is in no job (a lease is neither needed nor ended): loads,
 * steps, stores. `policy` may be NULL for events that need none; the block list is asked here. 1
 * stored, 0 nothing to store (step->refusal may say why), -1. `step` may be NULL. */
int ledger_person_apply(struct ledger *l, const char *address, const struct person_event *event,
	const struct send_policy *policy, const char *actor, struct person_step *step,
	struct fault *fault);
/* The most urgent people with due <= now and no living lease, class by class, oldest due first;
 * each gets a lease for `owner` until `lease_until`. Only these states: queued, unconfirmed,
 * sending (an intent whose process died), invited where due says so. Their number or -1. Leases are
 * for at most a day: a later end was written under a wrong clock, and is dead. */
int ledger_claim(struct ledger *l, int64_t now, enum priority last, const char *owner,
	int64_t lease_until, struct person *out, int max, struct fault *fault);
/* Leases one person; 1, 0 (leased by somebody else, or not there), -1. */
int ledger_lease(struct ledger *l, const char *address, const char *owner, int64_t now,
	int64_t lease_until, struct person *out, struct fault *fault);
/* Whether one could lease the person; nothing is changed. As ledger_lease. */
int ledger_may_lease(struct ledger *l, const char *address, const char *owner, int64_t now,
	struct person *out, struct fault *fault);
/* Gives leases back unchanged: one address, or (NULL) all of the owner's. */
bool ledger_release(struct ledger *l, const char *owner, const char *address, struct fault *fault);
/* The clock has been set back, by so many seconds where that is known, else 0: whoever is due is
 * due so much sooner; whoever is still due later than any wait can last is due now. */
bool ledger_reschedule(struct ledger *l, int64_t now, int64_t back, struct fault *fault);
/* The same for those beyond every kind of wait; costs nothing where there are none. */
bool ledger_clamp_schedule(struct ledger *l, int64_t now, struct fault *fault);
/* Whether more than so many people are queued and due whom nobody has looked at yet: then all of
 * them are put behind everybody else (PRIO_BACKGROUND), and a number above more_than is returned
 * (not all are counted); else 0, -1. */
int64_t ledger_demote_backlog(
	struct ledger *l, int64_t now, int64_t more_than, struct fault *fault);
/* When the next person can be claimed: due, or the end of the lease if that is later; 0: nobody. */
bool ledger_next_due(struct ledger *l, int64_t *due, struct fault *fault);

/* People in order of address after `after` (NULL: from the start), at most `limit` (0: all), those
 * in `state` only (-1: any). */
bool ledger_each_person(struct ledger *l, int state, const char *after, int limit,
	bool (*each)(const struct person *p, void *ctx), void *ctx, struct fault *fault);

struct ledger_summary {
	int64_t people[PERSON_STATES];
	int64_t sightings[VERDICT_COLLISION + 1]; /* by verdict, without the gone */
	int64_t queue[PRIO_BACKGROUND + 1];	  /* queued people by class */
	int64_t oldest_due;			  /* as ledger_next_due */
	int64_t oldest_unconfirmed;		  /* intent_at; 0: none */
	int64_t mails_today; /* sends of this ledger since midnight, local time */
	int64_t blocked;
};
bool ledger_summarise(
	struct ledger *l, int64_t now, struct ledger_summary *out, struct fault *fault);
/* People held or queued, counted by reason. */
bool ledger_each_reason(struct ledger *l, enum person_state state,
	bool (*each)(const char *reason, int64_t count, void *ctx), void *ctx, struct fault *fault);

/* ---- figures for a report ---- */

/* One account that is there, and what became of whom it leads to. */
struct ledger_account_status {
	char host[HOST_MAX + 1];
	enum verdict_kind verdict;
	bool person; /* state and reason are those of the person */
	enum person_state state;
	char reason[48];
};
/* Every account that is not gone, host by host. */
bool ledger_each_account_status(struct ledger *l,
	bool (*each)(const struct ledger_account_status *status, void *ctx), void *ctx,
	struct fault *fault);

/* People, each counted in the week of the first time; who was forgotten is in none. */
struct ledger_week {
	int64_t start; /* Monday 00:00 UTC */
	int64_t seen, invited, accepted, declined;
};
/* The Monday of the week of `wall`. */
int64_t ledger_week_start(int64_t wall);
/* As far as history goes back. */
bool ledger_count_week(
	struct ledger *l, int64_t start, struct ledger_week *out, struct fault *fault);

/* What has changed for one host since change number `since`: for marks. `word` is the person's
 * state, or the verdict's word where there is no person. Accounts not judged yet, gone or forgotten
 * are passed over. Returns the newest number in *last; some of it may be told again next time. */
bool ledger_changes_since(struct ledger *l, const char *host, int64_t since, int64_t *last,
	bool (*each)(const char *user, const char *word, void *ctx), void *ctx,
	struct fault *fault);

/* ---- sends: the journal behind the cap of the day ---- */

/* Opens the journal of one send, in the same commit as the person's intent. The id, or -1. */
int64_t ledger_send_begin(
	struct ledger *l, const char *address, int64_t now, const char *actor, struct fault *fault);
/* How it ended. Acts on the newest send of that address that may still change. */
bool ledger_send_end(
	struct ledger *l, const char *address, enum send_outcome outcome, struct fault *fault);
/* Sends since `since` that mailed or may have mailed: all but the refused and settled_unsent. -1.
 */
int64_t ledger_sends_since(struct ledger *l, int64_t since, struct fault *fault);

/* ---- history ---- */

struct history_entry {
	int64_t at; /* seconds since the epoch; for sightings only the day */
	char subject[USER_MAX + 1 + HOST_MAX + 1]; /* address, or user@host of a sighting */
	char event[32]; /* event word: "seen", "judged", "queued", "invited", "blocked", … */
	char cause[256];
	char actor[64];
};
/* `subject`: an address, or "" for the ledger as a whole; sightings' own are written by the ledger.
 */
bool ledger_note(struct ledger *l, const struct history_entry *e, struct fault *fault);
/* The story of an address, with that of the sightings that led to it, and of a sighting (any of the
 * three may be NULL; user and host go together), oldest first. All three NULL: what concerned the
 * ledger as a whole (enabled, paused, resumed, reconcile). */
bool ledger_each_history(struct ledger *l, const char *address, const char *user, const char *host,
	bool (*each)(const struct history_entry *e, void *ctx), void *ctx, struct fault *fault);

/* ---- decisions of the administrator ---- */

/* Who is queued is held for "blocked"; who is held already keeps the reason, because an unconfirmed
 * send must not be forgotten over it, and cannot be queued. A send under way is not stopped: who
 * commits an intent asks ledger_blocked in the same commit. */
bool ledger_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault);
/* 1 was blocked, 0 was not, -1. Sightings of that address are judged anew, and who was held for
 * "blocked" is queued again, due at once. */
int ledger_unblock(struct ledger *l, const char *address, const char *actor, struct fault *fault);
/* 1 (and why, `text` may be NULL), 0, -1. */
int ledger_blocked(
	struct ledger *l, const char *address, char *text, size_t size, struct fault *fault);
bool ledger_each_block(struct ledger *l,
	bool (*each)(
		const char *address, const char *text, const char *actor, int64_t at, void *ctx),
	void *ctx, struct fault *fault);
/* Erases person, sightings and history, and the address from the journal of sends; a block stays.
 * The accounts' seen marks are the caller's to remove. 1, 0 (not known), -1; FAULT_TRANSIENT while
 * somebody works on this person. */
int ledger_forget(struct ledger *l, const char *address, struct fault *fault);
/* The same for an account that led to nobody. */
int ledger_forget_sighting(
	struct ledger *l, const char *host, const char *user, struct fault *fault);
/* [privacy]: deletes what is past retention; at most `max` rows a call; their number or -1. History
 * and sends after retain_history; gone accounts, and people who were never invited and have no
 * account any more, after retain_gone; other such people retain_history after their last change. */
int ledger_expire(struct ledger *l, const struct settings *settings, int64_t now, int max,
	struct fault *fault);

/* The one pause. kind: "operator", "setup", "breaker". */
struct ledger_pause {
	char kind[16];
	char text[320];	  /* why, for people */
	char remedy[640]; /* what to change */
	char actor[64];
	int64_t since;
	int64_t probe_at; /* setup: when the control call is tried next; 0: never by itself */
	int probes;
};
int ledger_paused(struct ledger *l, struct ledger_pause *out, struct fault *fault); /* 1, 0, -1 */
/* Sets it. A weaker one never replaces a stronger one (operator, brake, setup, in this order): then
 * nothing changes, and true is returned. */
bool ledger_pause(struct ledger *l, const struct ledger_pause *p, struct fault *fault);
/* Clears it: any (kind NULL) or only one of that kind. 1 cleared, 0 there was none, -1. */
int ledger_resume(struct ledger *l, const char *kind, const char *actor, struct fault *fault);

/* ---- reconcile: mails may be out that this ledger does not know of ---- */

struct ledger_reconcile {
	char cause[32];	   /* "restored", "other_ledger", "mails_elsewhere" */
	char text[320];	   /* for people */
	int64_t since;	   /* our clock, for people */
	int64_t mail_date; /* Google's clock: no such mail is later than that; 0: not known yet */
	bool list_read;	   /* a whole list has been read since */
};
/* 1, 0, -1. */
int ledger_reconciling(struct ledger *l, struct ledger_reconcile *out, struct fault *fault);
/* Begins it, or carries it on with other values. With its beginning (or another cause), and with
 * its end, the answers that had cleared somebody's way for a mail do not count any more. */
bool ledger_reconcile(
	struct ledger *l, const struct ledger_reconcile *r, const char *actor, struct fault *fault);
/* Ends it: who was queued for "reconcile" is due at once. 1, 0 there was none, -1. */
int ledger_reconciled(struct ledger *l, const char *cause, const char *actor, struct fault *fault);
/* How many sends were ever begun: whatever the clock does and retention deletes, it only grows. -1.
 */
int64_t ledger_sends_begun(struct ledger *l, struct fault *fault);
/* In the commit of so many intents; their number afterwards, or -1. */
int64_t ledger_count_sends(struct ledger *l, int sends, struct fault *fault);
/* For a ledger that was restored: as another one it makes the collector drop its marks, which tell
 * of people whom it does not know any more. */
bool ledger_take_new_id(struct ledger *l, struct fault *fault);
/* Whether it has done so since it was opened here; also false when that cannot be told. */
bool ledger_has_new_id(struct ledger *l);

/* ---- meters ---- */

/* Adds what this program has counted since the last time (telemetry/counters.h). In one commit;
 * after a fault it is still to be added. Inside a group it counts as stored, whatever becomes of
 * that. Nothing where the ledger is only read. */
bool ledger_store_counters(struct ledger *l, struct fault *fault);
/* One more of a counter without labels, in the commit of what is counted. */
bool ledger_count(struct ledger *l, enum counter counter, int64_t n, struct fault *fault);
/* Every counter and value that was ever stored, under counter_name(). */
bool ledger_each_counter(struct ledger *l, bool (*each)(const char *name, int64_t n, void *ctx),
	void *ctx, struct fault *fault);

/* ---- programs that work on this ledger ---- */

struct ledger_worker {
	char program[16]; /* "collector", "dispatcher" */
	char host[HOST_MAX + 1];
	char version[32];
	int64_t pid;
	int64_t last_heartbeat; /* seconds since the epoch */
	int64_t started;
	char status_text[160]; /* what it is doing, for status: "idle", "waiting for the rate limit"
				*/
};
bool ledger_heartbeat(struct ledger *l, const struct ledger_worker *w, struct fault *fault);
bool ledger_each_worker(struct ledger *l, bool (*each)(const struct ledger_worker *w, void *ctx),
	void *ctx, struct fault *fault);

#endif
