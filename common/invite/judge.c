/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From sightings to people: each sighting gets its verdict, and whoever it leads to is queued. What
 * a verdict takes back (a collision, the last account of somebody) is the ledger's own to do.
 */
#include "invite/inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#define BATCH 64

/* ---- people ---- */

static bool triggers(const struct settings *settings, enum trigger reason)
{
	switch (reason) {
	case TRIGGER_LOGIN:
		return settings->triggers & TRIGGER_FLAG_LOGIN;
	case TRIGGER_CREATED:
		return settings->triggers & TRIGGER_FLAG_CREATED;
	case TRIGGER_MANUAL:
	case TRIGGER_DELETED:
		break;
	}
	return true;
}

static bool queue(struct invite *i, struct person *p, const char *cause, struct fault *fault)
{
	p->state = PERSON_QUEUED;
	p->priority = PRIO_NEW;
	p->next_attempt = i->now;
	p->attempts = 0;
	p->discovered = false;
	str_copy(p->reason, sizeof(p->reason), "first_check");
	return ledger_person_put(i->ledger, p, cause, i->actor, fault);
}

/* Whoever is known already stays as he is, but for three: who was gone is back; a collision is
 * over; and whom only a sweep had found now comes by himself (not: is only judged anew). */
static bool wants_queue(const struct ledger_sighting *s, const struct person *p)
{
	if (p->state == PERSON_GONE)
		return true;
	if (p->state != PERSON_HELD)
		return false;
	return strcmp(p->reason, "collision") == 0 ||
	       (strcmp(p->reason, "discovered") == 0 && s->address[0] == '\0');
}

static bool lead_to(
	struct invite *i, const struct ledger_sighting *s, const char *address, struct fault *fault)
{
	struct person p;
	char cause[160];
	int found = ledger_person(i->ledger, address, &p, fault);

	if (found < 0 || !triggers(i->settings, s->seen.trigger))
		return found >= 0;
	if (found == 0) {
		p = (struct person){.mails = -1, .intent_mails = -1};
		p.first_day = clock_day_start(i->now);
		str_copy(p.address, sizeof(p.address), address);
	} else if (!wants_queue(s, &p)) {
		return true;
	}
	str_format(cause, sizeof(cause), "%s of %.60s on %.60s", trigger_word(s->seen.trigger),
		s->seen.user, s->seen.host);
	return queue(i, &p, cause, fault);
}

/* ---- one sighting ---- */

static void say_decision(
	const struct invite *i, const struct ledger_sighting *s, const struct verdict *v)
{
	log_about(LOG_LEVEL_INFO, "decision",
		&(struct journal_about){.person = log_address(v->address),
			.reason = verdict_word(v->kind),
			.actor = i->actor,
			.host = s->seen.host},
		"%s@%s: %s", s->seen.user, s->seen.host, verdict_word(v->kind));
}

static bool judge(struct invite *i, const struct ledger_sighting *s, const struct address_map *map,
	uint64_t rules, struct fault *fault)
{
	struct verdict v;

	verdict_evaluate(&s->seen, i->settings, map, &v);
	if (!ledger_set_verdict(i->ledger, s->id, rules, &v, fault))
		return false;
	if (v.kind == VERDICT_NONE)
		return true;
	if (v.kind != s->verdict || strcmp(v.address, s->address) != 0) {
		i->changed = true;
		if (!v.repeated)
			say_decision(i, s, &v);
	}
	return v.kind != VERDICT_MAPPED || lead_to(i, s, v.address, fault);
}

/* Their number, -1 on a fault. One commit. */
static int judge_batch(struct invite *i, struct ledger_sighting *batch, int max, uint64_t rules,
	const struct address_map *map, struct fault *fault)
{
	int n = -1;

	if (!ledger_begin(i->ledger, fault))
		return -1;
	n = ledger_unclassified(i->ledger, rules, batch, max, fault);
	for (int k = 0; k < n; k++)
		if (!judge(i, &batch[k], map, rules, fault))
			n = -1;
	if (n < 0 || !ledger_commit(i->ledger, fault)) {
		ledger_rollback(i->ledger);
		return -1;
	}
	return n;
}

int invite_judge(struct invite *i, const struct address_map *map, int max, struct fault *fault)
{
	/* Which sightings count is asked here, too: another answer, and they are judged anew. */
	uint64_t rules = rules_fingerprint(i->settings, map) ^ (uint64_t)i->settings->triggers;
	struct ledger_sighting *batch = calloc(BATCH, sizeof(*batch));
	int total = 0, got = 0, want;

	if (!batch) {
		fault_no_memory(fault, FAULT_STORAGE);
		return -1;
	}
	i->now = clock_wall();
	do {
		want = max - total < BATCH ? max - total : BATCH;
		got = want > 0 ? judge_batch(i, batch, want, rules, map, fault) : 0;
		total += got > 0 ? got : 0;
	} while (want > 0 && got == want);
	free(batch);
	/* Somebody may have come, or been approved: whoever called wants it looked at. */
	i->next_ms = 0;
	i->arrivals = i->arrivals || total > 0;
	i->judging = total == max;
	return got < 0 ? -1 : total;
}
