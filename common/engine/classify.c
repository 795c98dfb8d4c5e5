/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From sightings to people: each sighting gets its verdict, and the person that it leads to hears
 * of it. What a verdict takes back (a collision, a person's last account) the ledger reports to the
 * person itself.
 */
#include "engine/engine_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/minmax.h"
#include "base/str.h"

#define BATCH 256

/* ---- people ---- */

static bool tell_person(
	struct engine *e, const struct ledger_sighting *s, const char *address, struct fault *fault)
{
	struct person_event event = engine_event(e, EVENT_SIGHTED);
	char cause[160];

	if (!trigger_counts(s->seen.trigger, e->settings))
		return true;
	str_format(cause, sizeof(cause), "%s of %.60s on %.60s", trigger_word(s->seen.trigger),
		s->seen.user, s->seen.host);
	event.text = cause;
	event.evaluated_before = s->address[0] != '\0';
	return ledger_person_apply(e->ledger, address, &event, NULL, e->actor, NULL, fault) >= 0;
}

/* ---- one sighting ---- */

static void log_verdict(
	const struct engine *e, const struct ledger_sighting *s, const struct verdict *v)
{
	log_about(LOG_LEVEL_INFO, "decision",
		&(struct journal_about){.person = log_address(v->address),
			.reason = verdict_word(v->kind),
			.actor = e->actor,
			.host = s->seen.host},
		"%s@%s: %s", s->seen.user, s->seen.host, verdict_word(v->kind));
}

static bool classify(struct engine *e, const struct ledger_sighting *s,
	const struct address_map *map, uint64_t rules, struct fault *fault)
{
	struct verdict v;

	verdict_evaluate(&s->seen, e->settings, map, &v);
	if (!ledger_set_verdict(e->ledger, s->id, rules, &v, fault))
		return false;
	if (v.kind == VERDICT_NONE)
		return true;
	if (v.kind != s->verdict || strcmp(v.address, s->address) != 0) {
		e->changed = true;
		if (!v.repeated)
			log_verdict(e, s, &v);
	}
	return v.kind != VERDICT_MAPPED || tell_person(e, s, v.address, fault);
}

/* Their number, -1 on a fault. One commit. */
static int classify_batch(struct engine *e, struct ledger_sighting *batch, int max, uint64_t rules,
	const struct address_map *map, struct fault *fault)
{
	int n = -1;

	if (!ledger_begin(e->ledger, fault))
		return -1;
	n = ledger_unclassified(e->ledger, rules, batch, max, fault);
	for (int k = 0; k < n; k++)
		if (!classify(e, &batch[k], map, rules, fault))
			n = -1;
	return ledger_end(e->ledger, n >= 0, fault) ? n : -1;
}

int engine_classify(struct engine *e, const struct address_map *map, int max, struct fault *fault)
{
	/* Which triggers count is asked here, too: with others, everything is evaluated again. */
	uint64_t rules = rules_fingerprint(e->settings, map) ^ (uint64_t)e->settings->triggers;
	struct ledger_sighting *batch = calloc(BATCH, sizeof(*batch));
	int total = 0, got = 0, want;

	if (!batch) {
		fault_no_memory(fault, FAULT_STORAGE);
		return -1;
	}
	e->now = clock_wall();
	do {
		want = (int)min_i64(max - total, BATCH);
		got = want > 0 ? classify_batch(e, batch, want, rules, map, fault) : 0;
		total += (int)max_i64(got, 0);
	} while (want > 0 && got == want);
	free(batch);
	/* People may have come, or been approved: the caller wants them looked at. */
	e->next_ms = 0;
	e->arrivals = e->arrivals || total > 0;
	e->classifying = total == max;
	return got < 0 ? -1 : total;
}
