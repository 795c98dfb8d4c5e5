/* SPDX-License-Identifier: Apache-2.0 */
#include "worker/collector/brake.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/counters.h"
#include "base/str.h"

#define CAME_MOST  50
#define WENT_MOST  10
#define WENT_LEAST 2

static const char actor[] = "collector";

/* Deletions: a fifth of the accounts, but never fewer than 2 or more than 10. */
static bool everyday(const struct account_diff *diff)
{
	size_t most = diff->in_range_count / 5;

	most = most < WENT_LEAST ? WENT_LEAST : most;
	most = most > WENT_MOST ? WENT_MOST : most;
	return diff->added_count <= CAME_MOST && diff->removed_count <= most;
}

/* 1: the pause that stands is ours. 0: it is another's, or there is none. -1: fault. */
static int stands(struct collector *c, bool *paused, struct fault *fault)
{
	struct ledger_pause p;
	int found = ledger_paused(c->ledger, &p, fault);

	*paused = found > 0;
	return found > 0 ? strcmp(p.kind, "brake") == 0 && strcmp(p.actor, actor) == 0 : found;
}

static bool pull(struct collector *c, const struct account_diff *diff, struct fault *fault)
{
	struct ledger_pause p = {.kind = "brake", .since = clock_wall()};
	char sentences[sizeof(p.text) + sizeof(p.remedy) + 2];

	str_copy(p.actor, sizeof(p.actor), actor);
	str_format(p.text, sizeof(p.text),
		"%s: %zu accounts added and %zu removed in %s at once: these changes are not "
		"applied",
		c->host, diff->added_count, diff->removed_count, c->settings->passwd);
	str_copy(p.remedy, sizeof(p.remedy),
		"If the changes are intended, run `cloudinvite resume`: the next comparison "
		"applies them.");
	if (!c->braked) {
		counter_add(COUNTER_BREAKER_TRIPS, 1, 0, 1);
		log_about(LOG_LEVEL_ERROR, "brake",
			&(struct journal_about){
				.reason = "accounts", .actor = actor, .host = c->host},
			"%s", str_sentences(sentences, sizeof(sentences), p.text, p.remedy));
	}
	return ledger_pause(c->ledger, &p, fault);
}

bool brake_allows(struct collector *c, struct host *host, const struct account_diff *diff,
	bool *allowed, struct fault *fault)
{
	bool paused, was_braked = host->braked;
	int ours;

	*allowed = everyday(diff);
	host->braked = false;
	if (*allowed) {
		c->braked = false;
		return true;
	}
	ours = stands(c, &paused, fault);
	if (ours < 0)
		return false;
	if (was_braked && !paused) {
		log_event(LOG_LEVEL_NOTE, "compare",
			"changes accepted by an administrator: %zu accounts added, %zu removed",
			diff->added_count, diff->removed_count);
		*allowed = true;
		c->braked = false;
		return true;
	}
	/* Under a stronger pause ours does not stand: nobody has read it, so the end of the other
	 * one releases nothing. */
	if (!ours && (!pull(c, diff, fault) || (ours = stands(c, &paused, fault)) < 0))
		return false;
	c->braked = true;
	host->braked = ours > 0;
	return true;
}
