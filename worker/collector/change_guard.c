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

static bool trip(struct collector *c, const char *text, bool said, struct fault *fault)
{
	struct ledger_pause p = {.kind = "account_changes", .since = clock_wall()};
	char sentences[sizeof(p.text) + sizeof(p.remedy) + 2];

	str_copy(p.actor, sizeof(p.actor), actor);
	str_copy(p.text, sizeof(p.text), text);
	str_copy(p.remedy, sizeof(p.remedy),
		"If the changes are intended, run `cloudinvite resume`: the next comparison "
		"applies them.");
	if (!said) {
		counter_add(COUNTER_BREAKER_TRIPS, 1, 0, 1);
		log_about(LOG_LEVEL_ERROR, "guard_tripped",
			&(struct journal_about){
				.reason = "account_changes", .actor = actor, .host = c->host},
			"%s", str_sentences(sentences, sizeof(sentences), p.text, p.remedy));
	}
	return ledger_pause(c->ledger, &p, fault);
}

/* The change is too large. *tripped: whether our pause is in force because of it; *passes: an
 * administrator has ended that pause. `said`: the pause has been logged. */
static bool stop_change(struct collector *c, const char *text, bool said, bool *tripped,
	bool *passes, struct fault *fault)
{
	bool paused, was_tripped = *tripped;
	int ours = is_our_pause(c, &paused, fault);

	*tripped = false;
	*passes = ours >= 0 && was_tripped && !paused;
	if (ours < 0 || *passes)
		return ours >= 0;
	/* A pause with higher precedence hides ours. The administrator has not seen ours, so the
	 * end of the other one does not release the change. */
	if (!ours && (!trip(c, text, said, fault) || (ours = is_our_pause(c, &paused, fault)) < 0))
		return false;
	*tripped = ours > 0;
	return true;
}

bool change_guard_allows(struct collector *c, struct host *host, const struct account_diff *diff,
	bool *allowed, struct fault *fault)
{
	char text[sizeof(((struct ledger_pause *)0)->text)];

	*allowed = is_everyday_change(diff);
	if (*allowed) {
		c->guard_tripped = host->guard_tripped = false;
		return true;
	}
	str_format(text, sizeof(text),
		"%s: %zu accounts added and %zu removed in %s at once: these changes are not "
		"applied",
		c->host, diff->added_count, diff->removed_count, c->settings->passwd);
	if (!stop_change(c, text, c->guard_tripped, &host->guard_tripped, allowed, fault))
		return false;
	if (*allowed)
		log_event(LOG_LEVEL_NOTE, "account_scan",
			"changes accepted by an administrator: %zu accounts added, %zu removed",
			diff->added_count, diff->removed_count);
	c->guard_tripped = !*allowed;
	return true;
}

bool change_guard_readmits(struct collector *c, struct fault *fault)
{
	struct readmissions *r = &c->readmissions;
	char text[sizeof(((struct ledger_pause *)0)->text)];
	bool was_tripped = r->tripped, passes = false;

	r->tripped = r->tripped && readmissions_are_many(r);
	if (!readmissions_are_many(r)) {
		r->changed = r->changed || was_tripped;
		return true;
	}
	str_format(text, sizeof(text),
		"%s: %zu accounts were excluded and are not any more, after a change of %s or %s: "
		"they stay excluded",
		c->host, r->counted, c->settings->passwd, c->settings->group);
	if (!stop_change(c, text, was_tripped, &r->tripped, &passes, fault))
		return false;
	if (passes) {
		log_event(LOG_LEVEL_NOTE, "account_scan",
			"changes accepted by an administrator: %zu accounts are not excluded any "
			"more",
			r->counted);
		r->passed = true;
		c->facts_due = clock_wall();
	}
	r->changed = r->changed || was_tripped != r->tripped || passes;
	return true;
}
