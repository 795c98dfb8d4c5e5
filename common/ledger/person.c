/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row of a person: reading it, writing it with history, and what overrides a write.
 */
#include "ledger/person.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "ledger/history.h"
#include "ledger/stored_counters.h"

static const char *const state_words[PERSON_STATES] = {
	[PERSON_QUEUED] = "queued",
	[PERSON_NOT_INVITABLE] = "not_invitable",
	[PERSON_SENDING] = "sending",
	[PERSON_UNCONFIRMED] = "unconfirmed",
	[PERSON_INVITED] = "invited",
	[PERSON_ACCEPTED] = "accepted",
	[PERSON_DECLINED] = "declined",
	[PERSON_CANCELLED] = "cancelled",
	[PERSON_HELD] = "held",
	[PERSON_FAILED] = "failed",
	[PERSON_GONE] = "gone",
};

static const char *const priority_words[] = {
	[PRIO_NEW] = "new",
	[PRIO_RETRY] = "retry",
	[PRIO_BACKGROUND] = "background",
};

const char *person_state_word(enum person_state state)
{
	return state_words[state];
}

bool person_state_parse(const char *word, enum person_state *out)
{
	for (int i = 0; i < PERSON_STATES; i++)
		if (strcmp(word, state_words[i]) == 0) {
			*out = (enum person_state)i;
			return true;
		}
	return false;
}

const char *priority_word(enum priority priority)
{
	return priority_words[priority];
}

static bool priority_parse(const char *word, enum priority *out)
{
	for (int i = PRIO_NEW; i <= PRIO_BACKGROUND; i++)
		if (strcmp(word, priority_words[i]) == 0) {
			*out = (enum priority)i;
			return true;
		}
	return false;
}

/* ---- reading ---- */

bool person_row(struct query *q, struct person *out)
{
	char state[32], priority[16];

	row_text(q, out->address, sizeof(out->address));
	row_text(q, state, sizeof(state));
	row_text(q, out->reason, sizeof(out->reason));
	out->next_attempt = row_number(q);
	row_text(q, priority, sizeof(priority));
	out->attempts = (int)row_number(q);
	row_text(q, out->fault_code, sizeof(out->fault_code));
	row_text(q, out->fault_text, sizeof(out->fault_text));
	out->mails = row_number(q);
	out->our_mails = row_number(q);
	out->intent_at = row_number(q);
	out->intent_date = row_number(q);
	out->intent_mails = row_number(q);
	out->approved = row_number(q) != 0;
	out->resend = row_number(q) != 0;
	out->discovered = row_number(q) != 0;
	out->checked = row_number(q);
	out->first_day = row_number(q);
	out->changed = row_number(q);
	out->orphaned_since = row_number(q);
	if (!person_state_parse(state, &out->state))
		return sql_unexpected(q->ledger, "state", state, q->fault);
	if (!priority_parse(priority, &out->priority))
		return sql_unexpected(q->ledger, "priority", priority, q->fault);
	return true;
}

int ledger_person(struct ledger *l, const char *address, struct person *out, struct fault *fault)
{
	struct query q;
	int found;

	query_start(&q, l, "SELECT " PERSON_COLUMNS " FROM person WHERE address = ?", fault);
	query_text(&q, address);
	found = query_row(&q);
	if (found > 0 && !person_row(&q, out))
		found = -1;
	query_end(&q);
	return found;
}

bool ledger_each_person(struct ledger *l, int state, const char *after, int limit,
	bool (*each)(const struct person *p, void *ctx), void *ctx, struct fault *fault)
{
	struct person p;
	struct query q;
	bool good = true, more = true;

	query_start(&q, l,
		state < 0 ? "SELECT " PERSON_COLUMNS " FROM person WHERE address > ?"
			    " ORDER BY address LIMIT ?"
			  : "SELECT " PERSON_COLUMNS
			    " FROM person WHERE address > ?1 AND state = ?3"
			    " ORDER BY address LIMIT ?2",
		fault);
	query_text(&q, after ? after : "");
	query_number(&q, limit > 0 ? limit : -1);
	if (state >= 0)
		query_text(&q, state_words[state]);
	while (good && more && query_row(&q) > 0) {
		good = person_row(&q, &p);
		more = good && each(&p, ctx);
	}
	return query_end(&q) && good;
}

/* ---- writing ---- */

/* The stored row before the change. */
struct previous {
	bool known;
	char state[32];
	char reason[48];
	char orphan_reason[32];
	int64_t changed;
};

static bool load_previous(
	struct ledger *l, const char *address, struct previous *before, struct fault *fault)
{
	struct query q;

	*before = (struct previous){.known = false};
	query_start(&q, l,
		"SELECT state, reason, orphan_reason, changed FROM person WHERE address = ?",
		fault);
	query_text(&q, address);
	if (query_row(&q) > 0) {
		before->known = true;
		row_text(&q, before->state, sizeof(before->state));
		row_text(&q, before->reason, sizeof(before->reason));
		row_text(&q, before->orphan_reason, sizeof(before->orphan_reason));
		before->changed = row_number(&q);
	}
	return query_end(&q);
}

/* The hosts of this person's accounts must be told. */
static bool bump_host_revision(struct ledger *l, const char *address, struct fault *fault)
{
	int64_t revision = next_revision(l, fault);
	struct query q;

	if (revision < 0)
		return false;
	query_start(&q, l,
		"UPDATE sighting SET revision = ?1 WHERE address = ?2 AND address <> ''"
		" AND revision <> ?1",
		fault);
	query_number(&q, revision);
	query_text(&q, address);
	return query_run(&q);
}

/* Counts the result of an invitation. */
static bool count_result(struct ledger *l, enum person_state state, struct fault *fault)
{
	if (state == PERSON_ACCEPTED)
		return stored_counter_add(l, COUNTER_RESULTS, RESULT_ACCEPTED, 1, fault);
	if (state == PERSON_DECLINED)
		return stored_counter_add(l, COUNTER_RESULTS, RESULT_DECLINED, 1, fault);
	return state != PERSON_CANCELLED ||
	       stored_counter_add(l, COUNTER_RESULTS, RESULT_CANCELLED, 1, fault);
}

/* The first entry about a person is of the moment of a login: only its day is stored. The hosts
 * are not told of `sending`, which lasts as long as one call. */
static bool append_history(struct ledger *l, const struct previous *before, const struct person *p,
	const char *cause, const char *actor, struct fault *fault)
{
	bool moved = !before->known || strcmp(before->state, state_words[p->state]) != 0;
	int64_t at = before->known ? clock_wall() : clock_day_start(clock_wall());

	if (!moved && strcmp(before->reason, p->reason) == 0)
		return true;
	return history_person(l, at, p->address, state_words[p->state],
		       cause && cause[0] != '\0' ? cause : p->reason, actor, fault) &&
	       (!moved || count_result(l, p->state, fault)) &&
	       (!moved || p->state == PERSON_SENDING || bump_host_revision(l, p->address, fault));
}

static bool claimable(enum person_state state)
{
	return state == PERSON_QUEUED || state == PERSON_UNCONFIRMED || state == PERSON_SENDING ||
	       state == PERSON_INVITED;
}

static bool override_state(struct person *p, enum person_state state, const char *reason)
{
	p->state = state;
	p->next_attempt = 0;
	str_copy(p->reason, sizeof(p->reason), reason);
	return true;
}

/* The caller may not know about a block or about removed accounts. */
static bool apply_guards(
	struct ledger *l, const struct previous *before, struct person *p, struct fault *fault)
{
	bool waits = p->state == PERSON_QUEUED || (p->state == PERSON_HELD && p->intent_at == 0);
	int blocked;

	if (waits && before->orphan_reason[0] != '\0')
		return override_state(p, PERSON_GONE, before->orphan_reason);
	if (p->state != PERSON_QUEUED || p->resend)
		return true;
	blocked = ledger_blocked(l, p->address, NULL, 0, fault);
	return blocked == 0 || (blocked > 0 && override_state(p, PERSON_HELD, "blocked"));
}

/* The lease from now on. */
struct lease {
	const char *owner; /* "": not leased */
	int64_t until;
};

static const char insert_sql[] =
	"INSERT INTO person (state, reason, next_attempt, runnable_at, priority, attempts,"
	" fault_code, fault_text, mails, our_mails, intent_at, intent_date, intent_mails, "
	"approved, resend, discovered,"
	" checked, changed, lease_owner, lease_until, address, first_day, orphaned_since)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0))";
static const char update_sql[] =
	"UPDATE person SET state = ?, reason = ?, next_attempt = ?, runnable_at = ?, priority = ?,"
	" attempts = ?, fault_code = ?, fault_text = ?, mails = ?, our_mails = ?, intent_at = ?, "
	"intent_date = ?,"
	" intent_mails = ?, approved = ?, resend = ?, discovered = ?, checked = ?, changed = ?,"
	" lease_owner = ?, lease_until = ? WHERE address = ?";

static int64_t runnable_at(const struct person *p, const struct lease *lease)
{
	if (!claimable(p->state) || p->next_attempt == 0)
		return 0;
	return p->next_attempt > lease->until ? p->next_attempt : lease->until;
}

static void bind_person(
	struct query *q, const struct person *p, const struct lease *lease, int64_t changed)
{
	query_text(q, state_words[p->state]);
	query_text(q, p->reason);
	query_number(q, p->next_attempt);
	query_number(q, runnable_at(p, lease));
	query_text(q, priority_words[p->priority]);
	query_number(q, p->attempts);
	query_text(q, p->fault_code);
	query_text(q, p->fault_text);
	query_number(q, p->mails);
	query_number(q, p->our_mails);
	query_number(q, p->intent_at);
	query_number(q, p->intent_date);
	query_number(q, p->intent_mails);
	query_number(q, p->approved);
	query_number(q, p->resend);
	query_number(q, p->discovered);
	query_number(q, p->checked);
	query_number(q, changed);
	query_text(q, lease->owner);
	query_number(q, lease->until);
	query_text(q, p->address);
}

static bool insert(
	struct ledger *l, const struct person *p, const struct lease *lease, struct fault *fault)
{
	int64_t now = clock_wall(), today = clock_day_start(now), has = 0;
	struct query q;

	if (!person_has_account(l, p->address, &has, fault))
		return false;
	query_start(&q, l, insert_sql, fault);
	bind_person(&q, p, lease, now);
	query_number(&q, p->first_day != 0 ? p->first_day : today);
	query_number(&q, has ? 0 : today);
	return query_run(&q);
}

static bool update(struct ledger *l, const struct previous *before, const struct person *p,
	const struct lease *lease, struct fault *fault)
{
	bool same = strcmp(before->state, state_words[p->state]) == 0 &&
		    strcmp(before->reason, p->reason) == 0;
	struct query q;

	query_start(&q, l, update_sql, fault);
	bind_person(&q, p, lease, same ? before->changed : clock_wall());
	return query_run(&q);
}

static bool put(struct ledger *l, const struct person *p, const struct lease *lease,
	const char *cause, const char *actor, struct fault *fault)
{
	struct person stored = *p;
	struct previous before;
	bool good;

	if (!txn_begin(l, fault))
		return false;
	good = load_previous(l, p->address, &before, fault) &&
	       apply_guards(l, &before, &stored, fault) &&
	       (before.known ? update(l, &before, &stored, lease, fault)
			     : insert(l, &stored, lease, fault)) &&
	       append_history(l, &before, &stored, cause, actor, fault);
	return txn_end(l, good, fault);
}

bool ledger_person_put(struct ledger *l, const struct person *p, const char *cause,
	const char *actor, struct fault *fault)
{
	const struct lease none = {.owner = ""};

	return put(l, p, &none, cause, actor, fault);
}

bool ledger_person_put_leased(struct ledger *l, const struct person *p, const char *owner,
	int64_t lease_until, const char *cause, const char *actor, struct fault *fault)
{
	const struct lease lease = {.owner = owner, .until = lease_until};

	return put(l, p, &lease, cause, actor, fault);
}

bool person_transition(struct ledger *l, const char *address, enum person_state state,
	const char *reason, int64_t due, const char *cause, const char *actor, struct fault *fault)
{
	struct person moved = {.state = state};
	struct previous before;
	struct query q;

	str_copy(moved.address, sizeof(moved.address), address);
	str_copy(moved.reason, sizeof(moved.reason), reason);
	if (!load_previous(l, address, &before, fault))
		return false;
	query_start(&q, l,
		"UPDATE person SET state = ?1, reason = ?2, next_attempt = ?3, changed = ?4,"
		" runnable_at = CASE WHEN ?3 = 0 THEN 0 ELSE max(?3, lease_until) END"
		" WHERE address = ?5",
		fault);
	query_text(&q, state_words[state]);
	query_text(&q, reason);
	query_number(&q, due);
	query_number(&q, clock_wall());
	query_text(&q, address);
	return query_run(&q) && append_history(l, &before, &moved, cause, actor, fault);
}
