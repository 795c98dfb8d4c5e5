/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The row of a person: reading it, writing it with history, and applying events to it.
 */
#include "ledger/person.h"

#include <string.h>

#include "base/clock.h"
#include "base/minmax.h"
#include "base/str.h"
#include "ledger/history.h"
#include "ledger/stored_counters.h"

/* ---- reading ---- */

static bool parse_reason(const char *word, struct person *out)
{
	if (out->state == PERSON_FAILED) {
		out->reason = REASON_FAULT;
		return true;
	}
	return reason_parse(word, &out->reason);
}

bool person_row(struct query *q, struct person *out)
{
	char state[32], reason[PERSON_CODE_SIZE], priority[16], orphan_reason[32];

	row_text(q, out->address, sizeof(out->address));
	row_text(q, state, sizeof(state));
	row_text(q, reason, sizeof(reason));
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
	row_text(q, orphan_reason, sizeof(orphan_reason));
	out->address_changed = row_number(q) != 0;
	if (!person_state_parse(state, &out->state))
		return sql_unexpected(q->ledger, "state", state, q->fault);
	if (!parse_reason(reason, out))
		return sql_unexpected(q->ledger, "reason", reason, q->fault);
	if (!priority_parse(priority, &out->priority))
		return sql_unexpected(q->ledger, "priority", priority, q->fault);
	if (!reason_parse(orphan_reason, &out->orphan_reason))
		return sql_unexpected(q->ledger, "orphan_reason", orphan_reason, q->fault);
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
		query_text(&q, person_state_word((enum person_state)state));
	while (good && more && query_row(&q) > 0) {
		good = person_row(&q, &p);
		more = good && each(&p, ctx);
	}
	return query_end(&q) && good;
}

/* ---- writing ---- */

bool person_has_account(struct ledger *l, const char *address, int64_t *has, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"SELECT EXISTS (SELECT 1 FROM sighting WHERE address = ? AND address <> ''"
		" AND gone_day IS NULL)",
		fault);
	query_text(&q, address);
	return query_one(&q, has) >= 0;
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

static bool count_result(struct ledger *l, enum person_state state, struct fault *fault)
{
	if (state == PERSON_ACCEPTED)
		return stored_counter_add(l, COUNTER_RESULTS, RESULT_ACCEPTED, 1, fault);
	if (state == PERSON_DECLINED)
		return stored_counter_add(l, COUNTER_RESULTS, RESULT_DECLINED, 1, fault);
	return state != PERSON_CANCELLED ||
	       stored_counter_add(l, COUNTER_RESULTS, RESULT_CANCELLED, 1, fault);
}

static bool is_same(const struct person *a, const struct person *b)
{
	return a->state == b->state && strcmp(person_reason_word(a), person_reason_word(b)) == 0;
}

/* The first entry about a person is of the moment of a login: only its day is stored. The hosts are
 * not told of `sending`, which lasts as long as one call. */
static bool append_history(struct ledger *l, const struct person *previous, const struct person *p,
	const char *cause, const char *actor, struct fault *fault)
{
	const char *state = person_state_word(p->state);
	int64_t at = previous ? clock_wall() : clock_day_start(clock_wall());

	if (previous && is_same(previous, p))
		return true;
	if (!history_person(l, at, p->address, state,
		    cause && cause[0] != '\0' ? cause : person_reason_word(p), actor, fault))
		return false;
	if (previous && previous->state == p->state)
		return true;
	if (!count_result(l, p->state, fault))
		return false;
	return p->state == PERSON_SENDING || bump_host_revision(l, p->address, fault);
}

/* What becomes of the lease: it stays as it is, or it ends, or `owner` has it until `until`. */
struct lease {
	bool keep;
	const char *owner;
	int64_t until;
};

static void bind_person(struct query *q, const struct person *p)
{
	query_text(q, person_state_word(p->state));
	query_text(q, person_reason_word(p));
	query_number(q, p->next_attempt);
	query_text(q, priority_word(p->priority));
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
	query_number(q, p->changed);
	query_number(q, p->orphaned_since);
	query_text(q, reason_word(p->orphan_reason));
	query_number(q, p->address_changed);
}

/* When a program may work on a person without a lease; 0: never. */
static int64_t runnable_at(const struct person *p)
{
	return person_state_claimable(p->state) ? p->next_attempt : 0;
}

static void bind_lease(struct query *q, const struct person *p, const struct lease *lease)
{
	int64_t runnable = runnable_at(p);

	query_text(q, lease->owner);
	query_number(q, lease->until);
	query_number(q, runnable == 0 ? 0 : max_i64(runnable, lease->until));
}

static bool insert(
	struct ledger *l, const struct person *p, const struct lease *lease, struct fault *fault)
{
	int64_t today = clock_day_start(clock_wall()), has = 0;
	struct person stored = *p;
	struct query q;

	if (!person_has_account(l, p->address, &has, fault))
		return false;
	if (!has && stored.orphaned_since == 0)
		stored.orphaned_since = today;
	query_start(&q, l,
		"INSERT INTO person (state, reason, next_attempt, priority, attempts, fault_code,"
		" fault_text, mails, our_mails, intent_at, intent_date, intent_mails, approved,"
		" resend, discovered, checked, changed, orphaned_since, orphan_reason,"
		" address_changed, lease_owner, lease_until, runnable_at, address, first_day)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0), ?, ?, ?,"
		" ?, ?, ?, ?)",
		fault);
	bind_person(&q, &stored);
	bind_lease(&q, p, lease);
	query_text(&q, p->address);
	query_number(&q, p->first_day != 0 ? p->first_day : today);
	return query_run(&q);
}

#define UPDATE_PERSON                                                                  \
	"UPDATE person SET state = ?, reason = ?, next_attempt = ?, priority = ?,"     \
	" attempts = ?, fault_code = ?, fault_text = ?, mails = ?, our_mails = ?,"     \
	" intent_at = ?, intent_date = ?, intent_mails = ?, approved = ?, resend = ?," \
	" discovered = ?, checked = ?, changed = ?, orphaned_since = nullif(?, 0),"    \
	" orphan_reason = ?, address_changed = ?"

static bool update_lease(
	struct ledger *l, const struct person *p, const struct lease *lease, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		UPDATE_PERSON
		", lease_owner = ?, lease_until = ?, runnable_at = ? WHERE address = ?",
		fault);
	bind_person(&q, p);
	bind_lease(&q, p, lease);
	query_text(&q, p->address);
	return query_run(&q);
}

static bool update_keep_lease(struct ledger *l, const struct person *p, struct fault *fault)
{
	int64_t runnable = runnable_at(p);
	struct query q;

	query_start(&q, l,
		UPDATE_PERSON ", runnable_at = CASE WHEN ? = 0 THEN 0 ELSE max(?, lease_until) END"
			      " WHERE address = ?",
		fault);
	bind_person(&q, p);
	query_number(&q, runnable);
	query_number(&q, runnable);
	query_text(&q, p->address);
	return query_run(&q);
}

/* `previous`: the person as the row has it; NULL: there is none. */
static bool put_row(struct ledger *l, const struct person *p, const struct person *previous,
	const struct lease *lease, const char *cause, const char *actor, struct fault *fault)
{
	struct person stored = *p;
	bool good;

	stored.changed = previous && is_same(previous, p) ? previous->changed : clock_wall();
	if (!previous)
		good = insert(l, &stored, lease, fault);
	else if (lease->keep)
		good = update_keep_lease(l, &stored, fault);
	else
		good = update_lease(l, &stored, lease, fault);
	return good && append_history(l, previous, p, cause, actor, fault);
}

static bool put(struct ledger *l, const struct person *p, const char *cause, const char *actor,
	struct fault *fault)
{
	const struct lease none = {.owner = ""};
	struct person previous;
	int found = ledger_person(l, p->address, &previous, fault);

	return found >= 0 &&
	       put_row(l, p, found > 0 ? &previous : NULL, &none, cause, actor, fault);
}

bool ledger_person_put(struct ledger *l, const struct person *p, const char *cause,
	const char *actor, struct fault *fault)
{
	return txn_begin(l, fault) && txn_end(l, put(l, p, cause, actor, fault), fault);
}

/* ---- steps ---- */

static bool store_outcome(
	struct ledger *l, const struct person_step *step, const char *actor, struct fault *fault)
{
	if (step->outcome == SEND_NONE)
		return true;
	if (step->outcome == SEND_BEGUN)
		return send_begin(l, step->next.address, step->mail_at, actor, fault) >= 0;
	return send_end(l, step->next.address, step->outcome, fault);
}

static bool store_step(struct ledger *l, const struct person_step *step,
	const struct person *previous, const struct lease *lease, const char *actor,
	struct fault *fault)
{
	return put_row(l, &step->next, previous, lease, step->cause, actor, fault) &&
	       store_outcome(l, step, actor, fault);
}

bool ledger_person_store(struct ledger *l, const struct person_step *step,
	const struct person *stored, const char *owner, int64_t lease_until, const char *actor,
	struct fault *fault)
{
	const struct lease lease = {.owner = owner ? owner : "", .until = owner ? lease_until : 0};

	return txn_begin(l, fault) &&
	       txn_end(l, store_step(l, step, stored, &lease, actor, fault), fault);
}

int person_apply(struct ledger *l, const char *address, const struct person_event *event,
	const struct send_policy *policy, const char *actor, struct person_step *step,
	struct fault *fault)
{
	struct send_policy now = policy ? *policy : (struct send_policy){.dry_run = false};
	const struct lease lease = {.keep = true, .owner = ""};
	struct person_step made;
	struct person p = person_new(address, event->today);
	int found = ledger_person(l, address, &p, fault);
	int blocked = found < 0 ? -1 : ledger_blocked(l, address, NULL, 0, fault);

	if (blocked < 0)
		return -1;
	now.blocked = blocked > 0;
	made = person_step(&p, event, &now);
	if (step)
		*step = made;
	if (!made.store)
		return 0;
	return store_step(l, &made, found > 0 ? &p : NULL, &lease, actor, fault) ? 1 : -1;
}

int ledger_person_apply(struct ledger *l, const char *address, const struct person_event *event,
	const struct send_policy *policy, const char *actor, struct person_step *step,
	struct fault *fault)
{
	int result;

	if (!txn_begin(l, fault))
		return -1;
	result = person_apply(l, address, event, policy, actor, step, fault);
	return txn_end(l, result >= 0, fault) ? result : -1;
}
