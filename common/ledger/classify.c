/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing a verdict: blocklist and collisions, which only the ledger knows, and what the verdict
 * changes for other accounts and people.
 */
#include <string.h>

#include "base/str.h"
#include "ledger/history.h"
#include "ledger/person.h"
#include "ledger/sighting.h"

/* 1, 0 (it has gone or changed since it was read), -1. */
static int load(struct ledger *l, int64_t id, struct ledger_sighting *out, struct fault *fault)
{
	struct query q;
	int found;

	query_start(&q, l,
		"SELECT " SIGHTING_COLUMNS " FROM sighting WHERE id = ? AND gone_day IS NULL"
		" AND facts_revision <= ?",
		fault);
	query_number(&q, id);
	query_number(&q, l->facts_read);
	found = query_row(&q);
	if (found > 0 && !sighting_row(&q, out))
		found = -1;
	query_end(&q);
	return found;
}

/* ---- blocklist and collisions ---- */

static bool apply_block(struct ledger *l, struct verdict *v, struct fault *fault)
{
	char text[200];
	int blocked = ledger_blocked(l, v->address, text, sizeof(text), fault);

	if (blocked <= 0)
		return blocked == 0;
	v->kind = VERDICT_BLOCKED;
	str_copy(v->rule, sizeof(v->rule), "block");
	str_format(v->sentence, sizeof(v->sentence), "blocked: %s", text);
	return true;
}

/* Another account of this host to which the template gives the same address. */
static int find_duplicate(struct ledger *l, const struct ledger_sighting *s,
	const struct verdict *v, char user[USER_MAX + 1], struct fault *fault)
{
	struct query q;
	int found;

	query_start(&q, l,
		"SELECT account FROM sighting WHERE address = ? AND address <> ''"
		" AND verdict IN ('mapped', 'collision') AND host = ? AND from_template = 1"
		" AND gone_day IS NULL AND id <> ? LIMIT 1",
		fault);
	query_text(&q, v->address);
	query_text(&q, s->seen.host);
	query_number(&q, s->id);
	found = query_row(&q);
	if (found > 0)
		row_text(&q, user, USER_MAX + 1);
	query_end(&q);
	return found;
}

static void err_collision(struct verdict *v, const char *host, const char *twin)
{
	v->kind = VERDICT_COLLISION;
	str_copy(v->rule, sizeof(v->rule), "collision");
	str_format(v->sentence, sizeof(v->sentence),
		"the template gives the same address to %.100s on %.80s; add a line to the map to "
		"decide",
		twin, host);
}

/* The other accounts, which were mapped until now. */
static bool collide_others(struct ledger *l, const struct ledger_sighting *s,
	const struct verdict *v, struct fault *fault)
{
	int64_t revision = next_revision(l, fault);
	struct verdict theirs = *v;
	struct query q;

	if (revision < 0)
		return false;
	err_collision(&theirs, s->seen.host, s->seen.user);
	query_start(&q, l,
		"UPDATE sighting SET verdict = 'collision', rule = ?, sentence = ?, revision = ?"
		" WHERE address = ? AND address <> '' AND verdict = 'mapped' AND host = ?"
		" AND from_template = 1 AND gone_day IS NULL AND id <> ?",
		fault);
	query_text(&q, theirs.rule);
	query_text(&q, theirs.sentence);
	query_number(&q, revision);
	query_text(&q, v->address);
	query_text(&q, s->seen.host);
	query_number(&q, s->id);
	return query_run(&q);
}

static bool apply_collision(
	struct ledger *l, const struct ledger_sighting *s, struct verdict *v, struct fault *fault)
{
	char twin[USER_MAX + 1];
	int found = v->from_template ? find_duplicate(l, s, v, twin, fault) : 0;

	if (found <= 0)
		return found == 0;
	err_collision(v, s->seen.host, twin);
	return collide_others(l, s, v, fault);
}

/* ---- storing ---- */

/* The host is told only if the verdict has changed. */
static bool store(struct ledger *l, const struct ledger_sighting *s, uint64_t rules,
	const struct verdict *v, bool changed, struct fault *fault)
{
	int64_t revision = changed ? next_revision(l, fault) : 0;
	struct query q;

	if (revision < 0)
		return false;
	query_start(&q, l,
		"UPDATE sighting SET rules = ?, verdict = ?, from_template = ?, address = ?,"
		" rule = ?, sentence = ?, revision = max(revision, ?), last_mapped = ? WHERE id = "
		"?",
		fault);
	query_number(&q, (int64_t)rules);
	query_text(&q, verdict_word(v->kind));
	query_number(&q, v->from_template);
	query_text(&q, v->address);
	query_text(&q, v->rule);
	query_text(&q, v->sentence);
	query_number(&q, revision);
	query_text(&q, v->kind == VERDICT_MAPPED ? v->address : s->last_mapped);
	query_number(&q, s->id);
	return query_run(&q);
}

/* Users can change facts of their own accounts at will. A sighting whose facts have changed has
 * no verdict, so the last verdict that was reported is read from history. */
static bool is_repeated(struct ledger *l, int64_t sighting, const char *outcome, bool *repeated,
	struct fault *fault)
{
	size_t length = strlen(outcome);
	struct query q;
	char cause[400];

	*repeated = false;
	query_start(&q, l,
		"SELECT event, cause FROM history WHERE sighting = ?"
		" AND event IN ('evaluated', 'gone') ORDER BY id DESC LIMIT 1",
		fault);
	query_number(&q, sighting);
	if (query_row(&q) > 0) {
		row_text(&q, cause, sizeof(cause));
		if (strcmp(cause, "evaluated") == 0) {
			row_text(&q, cause, sizeof(cause));
			*repeated = str_starts(cause, outcome) &&
				    (cause[length] == '\0' || cause[length] == ':');
		}
	}
	return query_end(&q);
}

static bool tell(
	struct ledger *l, const struct ledger_sighting *s, struct verdict *v, struct fault *fault)
{
	char outcome[32 + ADDRESS_MAX], cause[32 + ADDRESS_MAX + sizeof(v->sentence)];

	str_format(outcome, sizeof(outcome), "%s%s%s", verdict_word(v->kind),
		v->address[0] != '\0' ? " " : "", v->address);
	if (!is_repeated(l, s->id, outcome, &v->repeated, fault) || v->repeated)
		return v->repeated;
	str_format(cause, sizeof(cause), "%s%s%s", outcome, v->sentence[0] != '\0' ? ": " : "",
		v->sentence);
	return history_sighting(
		l, s->id, s->seen.user, s->seen.host, "evaluated", cause, "rules", fault);
}

/* The reason of a person who is orphaned, from the new verdict of the account. */
static enum person_reason reason_of(const struct ledger_sighting *s, enum verdict_kind kind)
{
	static const enum person_reason reasons[] = {
		[VERDICT_NONE] = REASON_UNMAPPED,
		[VERDICT_MAPPED] = REASON_MAPPED,
		[VERDICT_UNMAPPED] = REASON_UNMAPPED,
		[VERDICT_FOREIGN_DOMAIN] = REASON_FOREIGN_DOMAIN,
		[VERDICT_EXCLUDED] = REASON_EXCLUDED,
		[VERDICT_BLOCKED] = REASON_BLOCKED,
		[VERDICT_COLLISION] = REASON_COLLISION,
	};

	if (s->verdict == VERDICT_NONE && strcmp(s->rule, SIGHTING_RENAMED) == 0)
		return REASON_RENAMED;
	return reasons[kind];
}

/* Unlinks the sighting from the address to which it was mapped before this verdict. */
static bool unlink_previous(struct ledger *l, const struct ledger_sighting *s,
	const struct verdict *v, struct fault *fault)
{
	char cause[sizeof("@ is  now") + USER_MAX + HOST_MAX + 32];

	if (strcmp(s->address, v->address) == 0)
		return v->kind == VERDICT_COLLISION || sighting_clear_collision(l, s, fault);
	str_format(cause, sizeof(cause), "%s@%s is %s now", s->seen.user, s->seen.host,
		verdict_word(v->kind));
	return sighting_unlink(l, s, reason_of(s, v->kind), cause, fault);
}

static bool classify(struct ledger *l, const struct ledger_sighting *s, uint64_t rules,
	struct verdict *v, struct fault *fault)
{
	bool changed;

	if (v->kind != VERDICT_MAPPED)
		v->address[0] = '\0';
	if (v->kind == VERDICT_MAPPED && !apply_block(l, v, fault))
		return false;
	if (v->kind == VERDICT_MAPPED && !apply_collision(l, s, v, fault))
		return false;
	changed = v->kind != s->verdict || strcmp(v->address, s->address) != 0;
	v->repeated = !changed;
	if (!store(l, s, rules, v, changed, fault) || (changed && !tell(l, s, v, fault)) ||
		!unlink_previous(l, s, v, fault))
		return false;
	if (v->address[0] != '\0' && !person_link(l, v->address, fault))
		return false;
	return v->kind != VERDICT_COLLISION || person_collided(l, v->address, v->sentence, fault);
}

bool ledger_set_verdict(
	struct ledger *l, int64_t id, uint64_t rules, struct verdict *v, struct fault *fault)
{
	struct ledger_sighting s;
	int found;

	if (!txn_begin(l, fault))
		return false;
	found = load(l, id, &s, fault);
	if (found > 0)
		found = classify(l, &s, rules, v, fault) ? 1 : -1;
	else if (found == 0)
		v->kind = VERDICT_NONE;
	return txn_end(l, found >= 0, fault);
}
