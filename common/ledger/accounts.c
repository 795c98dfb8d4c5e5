/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accounts of a host as the collector reports them: seen, removed, renamed, on another
 * machine.
 */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "ledger/guard.h"
#include "ledger/history.h"
#include "ledger/person.h"
#include "ledger/sighting.h"

static const char collector[] = "collector";

/* ---- seen ---- */

static void bind_facts(struct query *q, const struct sighting *s, int64_t revision)
{
	query_text(q, s->user);
	query_text(q, s->host);
	query_number(q, s->uid);
	query_number(q, s->local);
	query_text(q, s->shell);
	query_text(q, s->groups);
	query_text(q, s->first);
	query_text(q, s->last);
	query_number(q, revision);
}

static bool insert(struct ledger *l, const struct sighting *s, struct fault *fault)
{
	int64_t revision = next_revision(l, fault);
	struct query q;

	if (revision < 0)
		return false;
	query_start(&q, l,
		"INSERT INTO sighting (account, host, uid, local, shell, member_of, first_name,"
		" last_name, facts_revision, revision, trigger, first_day)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11)",
		fault);
	bind_facts(&q, s, revision);
	query_text(&q, trigger_word(s->trigger));
	query_number(&q, clock_day_start(s->first_seen));
	return query_run(&q) &&
	       history_sighting(l, sqlite3_last_insert_rowid(l->db), s->user, s->host, "seen",
		       trigger_word(s->trigger), collector, fault);
}

/* The address stays until the next verdict, which is compared with it. An account that comes back
 * is another one: what it led to before does not count. */
static bool update(struct ledger *l, const struct ledger_sighting *known, const struct sighting *s,
	struct fault *fault)
{
	const struct sighting *origin = known->gone ? s : &known->seen;
	int64_t revision = next_revision(l, fault);
	struct query q;

	if (revision < 0)
		return false;
	query_start(&q, l,
		"UPDATE sighting SET uid = ?3, local = ?4, shell = ?5, member_of = ?6,"
		" first_name = ?7, last_name = ?8, facts_revision = ?9, trigger = ?10,"
		" first_day = ?11, last_mapped = CASE WHEN gone_day IS NULL THEN last_mapped ELSE "
		"''"
		" END, gone_day = NULL, rules = NULL, verdict = 'none' WHERE account = ?1"
		" AND host = ?2",
		fault);
	bind_facts(&q, s, revision);
	query_text(&q, trigger_word(origin->trigger));
	query_number(&q, clock_day_start(origin->first_seen));
	return query_run(&q) &&
	       history_sighting(l, known->id, s->user, s->host, known->gone ? "seen" : "changed",
		       known->gone ? trigger_word(s->trigger) : "other facts", collector, fault);
}

static int account_seen(struct ledger *l, const struct sighting *s, struct fault *fault)
{
	struct ledger_sighting known;
	int found = sighting_find(l, s->host, s->user, &known, fault);

	if (found < 0)
		return -1;
	if (found == 0)
		return insert(l, s, fault) ? 1 : -1;
	if (!known.gone && sighting_same_facts(&known.seen, s))
		return 0;
	if (!update(l, &known, s, fault))
		return -1;
	return known.gone ? 1 : 2;
}

int ledger_account_seen(struct ledger *l, const struct sighting *s, struct fault *fault)
{
	int result;

	if (!txn_begin(l, fault))
		return -1;
	result = account_seen(l, s, fault);
	return txn_end(l, result >= 0, fault) ? result : -1;
}

/* ---- reported for another reason ---- */

/* `first`: no person was told of the account until now, so the verdict that follows is a first one.
 */
static bool take_trigger(struct ledger *l, const struct ledger_sighting *s, enum trigger trigger,
	bool first, struct fault *fault)
{
	int64_t revision = next_revision(l, fault);
	struct query q;

	if (revision < 0)
		return false;
	query_start(&q, l,
		"UPDATE sighting SET trigger = ?1, facts_revision = ?2, rules = NULL,"
		" last_mapped = CASE WHEN ?3 THEN '' ELSE last_mapped END"
		" WHERE id = ?4",
		fault);
	query_text(&q, trigger_word(trigger));
	query_number(&q, revision);
	query_number(&q, first);
	query_number(&q, s->id);
	return query_run(&q) && history_sighting(l, s->id, s->seen.user, s->seen.host, "seen",
					trigger_word(trigger), collector, fault);
}

int ledger_account_trigger(struct ledger *l, const char *host, const char *user,
	enum trigger trigger, bool first, struct fault *fault)
{
	struct ledger_sighting s;
	int found;

	if (!txn_begin(l, fault))
		return -1;
	found = sighting_find(l, host, user, &s, fault);
	if (found > 0 && s.gone)
		found = 0;
	if (found > 0 && !take_trigger(l, &s, trigger, first, fault))
		found = -1;
	return txn_end(l, found >= 0, fault) ? found : -1;
}

/* ---- removed ---- */

static bool mark_removed(struct ledger *l, const struct ledger_sighting *s, struct fault *fault)
{
	int64_t revision = next_revision(l, fault);
	struct query q;

	if (revision < 0)
		return false;
	query_start(
		&q, l, "UPDATE sighting SET gone_day = ?, facts_revision = ? WHERE id = ?", fault);
	query_number(&q, clock_day_start(clock_wall()));
	query_number(&q, revision);
	query_number(&q, s->id);
	return query_run(&q);
}

static bool remove_account(struct ledger *l, const struct ledger_sighting *s, struct fault *fault)
{
	char cause[sizeof("the account @ was deleted") + USER_MAX + HOST_MAX];

	str_format(
		cause, sizeof(cause), "the account %s@%s was deleted", s->seen.user, s->seen.host);
	return mark_removed(l, s, fault) &&
	       history_sighting(l, s->id, s->seen.user, s->seen.host, "gone",
		       "the account was deleted", collector, fault) &&
	       sighting_unlink(l, s, REASON_ACCOUNT_REMOVED, cause, fault);
}

int ledger_account_removed(
	struct ledger *l, const char *host, const char *user, struct fault *fault)
{
	struct ledger_sighting s;
	int found;

	if (!txn_begin(l, fault))
		return -1;
	found = sighting_find(l, host, user, &s, fault);
	if (found > 0 && s.gone)
		found = 0;
	if (found > 0 && !remove_account(l, &s, fault))
		found = -1;
	return txn_end(l, found >= 0, fault) ? found : -1;
}

/* ---- renamed ---- */

static bool rename_sighting(struct ledger *l, const struct ledger_sighting *s, const char *new_user,
	struct fault *fault)
{
	int64_t revision = next_revision(l, fault);
	char cause[sizeof("was ") + USER_MAX];
	struct query q;

	if (revision < 0)
		return false;
	query_start(&q, l,
		"UPDATE sighting SET account = ?1, facts_revision = ?2, rules = NULL,"
		" verdict = 'none', rule = '" SIGHTING_RENAMED "', last_mapped = ''"
		" WHERE id = ?3",
		fault);
	query_text(&q, new_user);
	query_number(&q, revision);
	query_number(&q, s->id);
	str_format(cause, sizeof(cause), "was %s", s->seen.user);
	return query_run(&q) && history_sighting(l, s->id, new_user, s->seen.host, "renamed", cause,
					collector, fault);
}

/* The new name may belong to another sighting. If that account is gone, its sighting is deleted.
 * If both accounts exist (they have swapped names), the old name is removed and the new one is
 * evaluated again. */
static bool rename_over(struct ledger *l, const struct ledger_sighting *s,
	const struct ledger_sighting *other, struct fault *fault)
{
	struct query q;

	if (other->gone)
		return sighting_delete(l, other, fault) &&
		       rename_sighting(l, s, other->seen.user, fault);
	query_start(&q, l, "UPDATE sighting SET rules = NULL WHERE id = ?", fault);
	query_number(&q, other->id);
	return query_run(&q) && remove_account(l, s, fault);
}

static int account_renamed(struct ledger *l, const char *host, const char *user,
	const char *new_user, struct fault *fault)
{
	struct ledger_sighting s, other;
	int found = sighting_find(l, host, user, &s, fault), taken;

	if (found <= 0 || s.gone || strcmp(user, new_user) == 0)
		return found < 0 ? -1 : 0;
	taken = sighting_find(l, host, new_user, &other, fault);
	if (taken < 0)
		return -1;
	if (taken > 0)
		return rename_over(l, &s, &other, fault) ? 1 : -1;
	return rename_sighting(l, &s, new_user, fault) ? 1 : -1;
}

int ledger_account_renamed(struct ledger *l, const char *host, const char *user,
	const char *new_user, struct fault *fault)
{
	int result;

	if (!txn_begin(l, fault))
		return -1;
	result = account_renamed(l, host, user, new_user, fault);
	return txn_end(l, result >= 0, fault) ? result : -1;
}

/* ---- another machine ---- */

static bool run_for_host(struct ledger *l, const char *sql, const char *host, struct fault *fault)
{
	struct query q;

	query_start(&q, l, sql, fault);
	query_text(&q, host);
	return query_run(&q);
}

/* People without an account are orphaned from today on, for retention. Their states do not
 * change: most of them log in to the new machine as well. */
static bool orphan(struct ledger *l, const char *host, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET orphaned_since = ?2 WHERE orphaned_since IS NULL AND address IN"
		" (SELECT address FROM sighting WHERE host = ?1 AND gone_day IS NULL"
		" AND address <> '') AND NOT EXISTS (SELECT 1 FROM sighting s WHERE"
		" s.address = person.address AND s.address <> '' AND s.host <> ?1"
		" AND s.gone_day IS NULL)",
		fault);
	query_text(&q, host);
	query_number(&q, clock_day_start(clock_wall()));
	return query_run(&q);
}

bool ledger_host_reset(struct ledger *l, const char *host, struct fault *fault)
{
	static const char keep_story[] =
		"UPDATE history SET sighting = NULL, address = (SELECT s.address FROM sighting s"
		" WHERE s.id = history.sighting) WHERE sighting IN (SELECT id FROM sighting"
		" WHERE host = ? AND address <> '')";
	static const char drop_story[] =
		"DELETE FROM history WHERE sighting IN (SELECT id FROM sighting WHERE host = ?)";
	static const char drop[] = "DELETE FROM sighting WHERE host = ?";
	char cause[sizeof("another machine-id: ") + HOST_MAX];
	bool good;

	str_format(cause, sizeof(cause), "another machine-id: %s", host);
	if (!txn_begin(l, fault))
		return false;
	guard_allow_long(l);
	good = orphan(l, host, fault) && run_for_host(l, keep_story, host, fault) &&
	       run_for_host(l, drop_story, host, fault) && run_for_host(l, drop, host, fault) &&
	       history_whole(l, "host_reset", cause, collector, fault);
	return txn_end(l, good, fault);
}
