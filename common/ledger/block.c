/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing the blocklist, with its effect on sightings and people.
 */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "ledger/history.h"
#include "ledger/person.h"

static bool write_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"INSERT INTO block (address, text, actor, at) VALUES (?1, ?2, ?3, ?4)"
		" ON CONFLICT (address) DO UPDATE SET text = ?2, actor = ?3, at = ?4",
		fault);
	query_text(&q, address);
	query_text(&q, text ? text : "");
	query_text(&q, actor);
	query_number(&q, clock_wall());
	return query_run(&q);
}

/* The verdicts are right at once, without waiting for the next evaluation. */
static bool show_blocked(
	struct ledger *l, const char *address, const char *text, struct fault *fault)
{
	int64_t revision = next_revision(l, fault);
	char sentence[256];
	struct query q;

	if (revision < 0)
		return false;
	str_format(sentence, sizeof(sentence), "blocked: %.200s", text ? text : "");
	query_start(&q, l,
		"UPDATE sighting SET verdict = 'blocked', rule = 'block', sentence = ?,"
		" revision = ? WHERE address = ? AND address <> '' AND verdict IN"
		" ('mapped', 'collision', 'blocked')",
		fault);
	query_text(&q, sentence);
	query_number(&q, revision);
	query_text(&q, address);
	return query_run(&q);
}

static struct person_event event_of(enum person_event_kind kind)
{
	int64_t now = clock_wall();

	return (struct person_event){.kind = kind, .now = now, .today = clock_day_start(now)};
}

static bool apply_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault)
{
	struct person_event event = event_of(EVENT_BLOCKED);

	event.text = text;
	return person_apply(l, address, &event, NULL, actor, NULL, fault) >= 0;
}

bool person_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault)
{
	return write_block(l, address, text, actor, fault) &&
	       history_person(l, clock_wall(), address, "blocked", text, actor, fault) &&
	       show_blocked(l, address, text, fault) && apply_block(l, address, text, actor, fault);
}

bool ledger_block(struct ledger *l, const char *address, const char *text, const char *actor,
	struct fault *fault)
{
	return txn_begin(l, fault) &&
	       txn_end(l,
		       person_block(l, address, text, actor, fault) && block_copy_write(l, fault),
		       fault);
}

/* ---- unblocking ---- */

static bool classify_again(struct ledger *l, const char *address, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "UPDATE sighting SET rules = NULL WHERE address = ? AND address <> ''",
		fault);
	query_text(&q, address);
	return query_run(&q);
}

static int read_mailed(struct ledger *l, const char *address, int64_t *mailed, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "SELECT mailed FROM block WHERE address = ?", fault);
	query_text(&q, address);
	return query_one(&q, mailed);
}

static bool err_recent_mail(const char *address, int64_t mailed, struct fault *fault)
{
	char when[CLOCK_TEXT_SIZE];

	fault_set(fault, FAULT_POLICY, "recent_mail",
		"%s: a mail was sent so recently that Google may not show it yet, and the person "
		"was forgotten; another login could send a second one",
		address);
	return fault_remedy(
		fault, "Unblock %s.", clock_relative(mailed + GOOGLE_LAG_S, clock_wall(), when));
}

static bool apply_unblock(struct ledger *l, const char *address, int64_t mailed, const char *actor,
	struct fault *fault)
{
	struct person_event event = event_of(EVENT_UNBLOCKED);
	struct person_step step;

	event.mailed = mailed;
	if (person_apply(l, address, &event, NULL, actor, &step, fault) < 0)
		return false;
	return step.refusal == REFUSAL_NONE || err_recent_mail(address, mailed, fault);
}

/* The person hears of it last, with the block list as it is then. A refusal undoes everything. */
static int unblock(struct ledger *l, const char *address, const char *actor, struct fault *fault)
{
	int64_t mailed = 0;
	int was = read_mailed(l, address, &mailed, fault);
	struct query q;

	if (was <= 0)
		return was;
	query_start(&q, l, "DELETE FROM block WHERE address = ?", fault);
	query_text(&q, address);
	if (!query_run(&q) || !classify_again(l, address, fault) ||
		!history_person(l, clock_wall(), address, "unblocked", "", actor, fault) ||
		!apply_unblock(l, address, mailed, actor, fault) || !block_copy_write(l, fault))
		return -1;
	return 1;
}

int ledger_unblock(struct ledger *l, const char *address, const char *actor, struct fault *fault)
{
	int result;

	if (!txn_begin(l, fault))
		return -1;
	result = unblock(l, address, actor, fault);
	return txn_end(l, result >= 0, fault) ? result : -1;
}
