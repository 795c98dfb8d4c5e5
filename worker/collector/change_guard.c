/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard against accidental changes (C7 of README.md): the limits of everyday work, and the
 * pause that a larger change causes. The ledger's pause is the guard's memory; the baseline only
 * records that this host caused it.
 */
#include "worker/collector/change_guard.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "telemetry/counters.h"

#define ADDED_MAX   50
#define REMOVED_MAX 10
#define REMOVED_MIN 2

static const char actor[] = "collector";

/* The limit for deletions is a fifth of the accounts, but not less than 2 or more than 10. */
static bool is_everyday_change(const struct account_diff *diff)
{
	size_t most = diff->in_range_count / 5;

	most = most < REMOVED_MIN ? REMOVED_MIN : most;
	most = most > REMOVED_MAX ? REMOVED_MAX : most;
	return diff->added_count <= ADDED_MAX && diff->removed_count <= most;
}

/* 1: the present pause is ours. 0: it is another one, or there is none. -1: fault. */
static int is_our_pause(struct collector *c, bool *paused, struct fault *fault)
{
	struct ledger_pause p;
	int found = ledger_paused(c->ledger, &p, fault);

	*paused = found > 0;
	return found > 0 ? strcmp(p.kind, "account_changes") == 0 && strcmp(p.actor, actor) == 0
			 : found;
}

static bool trip(struct collector *c, const struct account_diff *diff, struct fault *fault)
{
	struct ledger_pause p = {.kind = "account_changes", .since = clock_wall()};
	char sentences[sizeof(p.text) + sizeof(p.remedy) + 2];

	str_copy(p.actor, sizeof(p.actor), actor);
	str_format(p.text, sizeof(p.text),
		"%s: %zu accounts added and %zu removed in %s at once: these changes are not "
		"applied",
		c->host, diff->added_count, diff->removed_count, c->settings->passwd);
	str_copy(p.remedy, sizeof(p.remedy),
		"If the changes are intended, run `cloudinvite resume`: the next comparison "
		"applies them.");
	if (!c->guard_tripped) {
		counter_add(COUNTER_BREAKER_TRIPS, 1, 0, 1);
		log_about(LOG_LEVEL_ERROR, "guard_tripped",
			&(struct journal_about){
				.reason = "account_changes", .actor = actor, .host = c->host},
			"%s", str_sentences(sentences, sizeof(sentences), p.text, p.remedy));
	}
	return ledger_pause(c->ledger, &p, fault);
}

bool change_guard_allows(struct collector *c, struct host *host, const struct account_diff *diff,
	bool *allowed, struct fault *fault)
{
	bool paused, was_tripped = host->guard_tripped;
	int ours;

	*allowed = is_everyday_change(diff);
	host->guard_tripped = false;
	if (*allowed) {
		c->guard_tripped = false;
		return true;
	}
	ours = is_our_pause(c, &paused, fault);
	if (ours < 0)
		return false;
	if (was_tripped && !paused) {
		log_event(LOG_LEVEL_NOTE, "account_scan",
			"changes accepted by an administrator: %zu accounts added, %zu removed",
			diff->added_count, diff->removed_count);
		*allowed = true;
		c->guard_tripped = false;
		return true;
	}
	/* A pause with higher precedence hides ours. The administrator has not seen ours, so the
	 * end of the other one does not release the change. */
	if (!ours && (!trip(c, diff, fault) || (ours = is_our_pause(c, &paused, fault)) < 0))
		return false;
	c->guard_tripped = true;
	host->guard_tripped = ours > 0;
	return true;
}
