/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading for people: the summary behind `status`, the numbers of the report, and history.
 */
#ifndef CLOUDINVITE_LEDGER_REPORTS_H
#define CLOUDINVITE_LEDGER_REPORTS_H

#include "ledger/people.h"
#include "ledger/sightings.h"

/* ---- the summary ---- */

struct ledger_summary {
	int64_t people[PERSON_STATES];
	int64_t sightings[VERDICT_COLLISION + 1]; /* by verdict, without accounts that are gone */
	int64_t queue[PRIO_BACKGROUND + 1];	  /* queued people by priority */
	int64_t oldest_due;			  /* as ledger_next_due */
	int64_t oldest_unconfirmed;		  /* intent_at; 0: none */
	int64_t mails_today; /* sends of this ledger on the day of `now`, in the settings' time zone
			      */
	int64_t blocked;
};
bool ledger_summarise(
	struct ledger *l, int64_t now, struct ledger_summary *out, struct fault *fault);
/* The number of people in `state` for each reason. */
bool ledger_each_reason(struct ledger *l, enum person_state state,
	bool (*each)(const char *reason, int64_t count, void *ctx), void *ctx, struct fault *fault);

/* ---- the report ---- */

/* One account that exists, and the state of its person. */
struct ledger_account_status {
	char host[HOST_MAX + 1];
	enum verdict_kind verdict;
	bool person; /* there is one: state and reason are that person's */
	enum person_state state;
	char reason[48];
};
/* Every account that is not gone, host by host. */
bool ledger_each_account_status(struct ledger *l,
	bool (*each)(const struct ledger_account_status *status, void *ctx), void *ctx,
	struct fault *fault);

/* People, each counted in the week of the first time. Forgotten people are not counted. */
struct ledger_week {
	int64_t start; /* Monday 00:00 UTC */
	int64_t seen, invited, accepted, declined;
};
/* The Monday of the week of `wall`. */
int64_t ledger_week_start(int64_t wall);
/* As far as history goes back. */
bool ledger_count_week(
	struct ledger *l, int64_t start, struct ledger_week *out, struct fault *fault);

/* ---- history ---- */

struct history_entry {
	int64_t at; /* seconds since the epoch; for sightings only the day */
	char subject[USER_MAX + 1 + HOST_MAX + 1]; /* address, or user@host of a sighting */
	char event[32]; /* a stable word: "seen", "evaluated", "queued", "invited", "blocked" … */
	char cause[256];
	char actor[64];
};
/* Adds an entry. `subject`: an address, or "" for the ledger as a whole. The ledger itself writes
 * the entries of sightings. */
bool ledger_note(struct ledger *l, const struct history_entry *e, struct fault *fault);
/* The history of an address with that of its sightings, and of a sighting, oldest first. Any of the
 * three may be NULL; user and host belong together. All three NULL: what concerned the ledger as a
 * whole (enabled, paused, resumed, reconcile). */
bool ledger_each_history(struct ledger *l, const char *address, const char *user, const char *host,
	bool (*each)(const struct history_entry *e, void *ctx), void *ctx, struct fault *fault);

#endif
