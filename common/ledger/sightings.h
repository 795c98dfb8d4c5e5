/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sightings: the accounts that the collector reports, and the verdicts of the rules about them.
 */
#ifndef CLOUDINVITE_LEDGER_SIGHTINGS_H
#define CLOUDINVITE_LEDGER_SIGHTINGS_H

#include "ledger/handle.h"
#include "people/sighting.h"
#include "people/verdict.h"

struct ledger_sighting {
	int64_t id;
	struct sighting seen;
	bool gone; /* the account was deleted */
	enum verdict_kind verdict;
	bool from_template;
	char address[ADDRESS_MAX + 1];
	char rule[64];
	char sentence[256];
	/* To which address it led until now, before a verdict is stored. "": to none, or no person
	 * was told of it. */
	char last_mapped[ADDRESS_MAX + 1];
};

/* ---- from the collector ---- */

/* Stores a sighting. 1: it is new, or the account has come back; 2: the facts have changed, and
 * have not been evaluated; 0: it is known and the same; -1. A known sighting keeps its trigger
 * (ledger_account_trigger) and its first day; one that comes back gets new ones. */
int ledger_account_seen(struct ledger *l, const struct sighting *s, struct fault *fault);
/* A known account was reported with a trigger that matters more: its sighting takes it over and is
 * evaluated again. `first`: it counts for the first time, so its person has not been told of it.
 * 1, 0 (not known, or gone), -1. */
int ledger_account_trigger(struct ledger *l, const char *host, const char *user,
	enum trigger trigger, bool first, struct fault *fault);
/* The account has been deleted from the host. 1, 0 (not known), -1. If it was the last account of a
 * person, the person becomes gone (queued or held without an open intent), or is due at once with
 * the reason "account_removed" (invited). */
int ledger_account_removed(
	struct ledger *l, const char *host, const char *user, struct fault *fault);
/* The uid has another name now. The sighting is evaluated again. 1, 0 (not known), -1. */
int ledger_account_renamed(struct ledger *l, const char *host, const char *user,
	const char *new_user, struct fault *fault);
/* The host has another machine-id: forgets its accounts, but no people. The history of an account
 * stays with its person. */
bool ledger_host_reset(struct ledger *l, const char *host, struct fault *fault);

/* In the collector's transaction: what it reports has this revision. Nothing else notes one, so in
 * a restored ledger it is smaller than the collector remembers, whatever the dispatcher has changed
 * since. */
bool ledger_note_report(struct ledger *l, struct fault *fault);
/* The revision of the last report; 0: none was noted; -1. */
int64_t ledger_last_report(struct ledger *l, struct fault *fault);
/* The accounts of a host that have changed since revision `since`, for markers. `word` is the
 * state of the person, or the verdict if there is no person. Accounts that have not been evaluated,
 * are gone or forgotten are left out. *last is the newest revision; some changes may be reported
 * again the next time. */
bool ledger_changes_since(struct ledger *l, const char *host, int64_t since, int64_t *last,
	bool (*each)(const char *user, enum trigger trigger, const char *word, void *ctx),
	void *ctx, struct fault *fault);

/* ---- verdicts ---- */

/* Sightings that have not been evaluated under `rules` (rules_fingerprint), at most max; their
 * number or -1. */
int ledger_unclassified(struct ledger *l, uint64_t rules, struct ledger_sighting *out, int max,
	struct fault *fault);
/* Stores a verdict, after the blocklist and the other sightings of the host have been consulted. If
 * two accounts of a host get one address from the template alone, both become a collision, and
 * their person is held if queued and not approved. *v is updated. VERDICT_NONE means that the
 * sighting has gone or changed since ledger_unclassified, and must be evaluated again.
 *
 * The caller queues the person of a mapped sighting: a new person, one who was gone, or one held
 * for a collision that is over. A person who loses the last sighting by this verdict is treated as
 * by ledger_account_removed. */
bool ledger_set_verdict(
	struct ledger *l, int64_t id, uint64_t rules, struct verdict *v, struct fault *fault);

/* One account: 1, 0, -1. */
int ledger_sighting(struct ledger *l, const char *host, const char *user,
	struct ledger_sighting *out, struct fault *fault);
/* Every sighting that matches (NULL: any), until `each` returns false. */
bool ledger_each_sighting(struct ledger *l, const char *host, const char *user, const char *address,
	bool (*each)(const struct ledger_sighting *s, void *ctx), void *ctx, struct fault *fault);

#endif
