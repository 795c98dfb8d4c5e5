/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasure of one person on request, and of all rows whose retention is over. SQLite overwrites
 * deleted content in the file (secure_delete), and the write-ahead log is emptied.
 */
#include "base/clock.h"
#include "base/str.h"
#include "ledger/administration.h"
#include "ledger/person.h"
#include "ledger/sighting.h"

/* Runs SQL with one text and without rows; adds the number of rows that it changed. */
static bool erase(
	struct ledger *l, const char *sql, const char *text, int64_t *rows, struct fault *fault)
{
	struct query q;

	query_start(&q, l, sql, fault);
	query_text(&q, text);
	if (!query_run(&q))
		return false;
	*rows += sqlite3_changes(l->db);
	return true;
}

/* ---- on request ---- */

static bool err_busy(struct ledger *l, struct fault *fault)
{
	fault_set(fault, FAULT_TRANSIENT, "ledger_leased",
		"%s: another process is working on this person", l->path);
	return fault_remedy(fault, "Try again in a minute.");
}

/* A program that works on this person would store it again. */
static bool may_erase(struct ledger *l, const char *address, struct fault *fault)
{
	int leased = person_is_leased(l, address, fault);

	return leased == 0 || (leased > 0 && err_busy(l, fault));
}

static bool erase_person(struct ledger *l, const char *address, int64_t *rows, struct fault *fault)
{
	int64_t uncounted = 0;

	return erase(l,
		       "DELETE FROM history WHERE sighting IN (SELECT id FROM sighting"
		       " WHERE address = ? AND address <> '')",
		       address, rows, fault) &&
	       erase(l, "DELETE FROM history WHERE address = ? AND address <> ''", address, rows,
		       fault) &&
	       erase(l, "DELETE FROM sighting WHERE address = ? AND address <> ''", address, rows,
		       fault) &&
	       erase(l, "DELETE FROM person WHERE address = ?", address, rows, fault) &&
	       erase(l, "UPDATE send SET address = '' WHERE address = ?", address, &uncounted,
		       fault);
}

/* The last mail by Google's clock, or by ours where Google's is not known. 0: none. */
static bool last_mail(struct ledger *l, const char *address, int64_t *at, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"SELECT coalesce((SELECT nullif(intent_date, 0) FROM person WHERE address = ?1),"
		" (SELECT max(at) FROM send WHERE address = ?1"
		" AND outcome NOT IN ('refused', 'resolved_unsent')), 0)",
		fault);
	query_text(&q, address);
	return query_one(&q, at) >= 0;
}

/* A block outlives the person, and then nothing else knows of the mail. */
static bool note_mailed(struct ledger *l, const char *address, int64_t at, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "UPDATE block SET mailed = max(mailed, ?) WHERE address = ?", fault);
	query_number(&q, at);
	query_text(&q, address);
	return query_run(&q) && (sqlite3_changes(l->db) == 0 || block_copy_write(l, fault));
}

static bool forget(struct ledger *l, const char *address, const struct ledger_block_note *block,
	int64_t *rows, struct fault *fault)
{
	int64_t mailed = 0;

	return may_erase(l, address, fault) && last_mail(l, address, &mailed, fault) &&
	       erase_person(l, address, rows, fault) &&
	       (!block || person_block(l, address, block->text, block->actor, fault)) &&
	       note_mailed(l, address, mailed, fault);
}

int ledger_forget(struct ledger *l, const char *address, const struct ledger_block_note *block,
	struct fault *fault)
{
	int64_t rows = 0;
	bool good;

	if (!txn_begin(l, fault))
		return -1;
	good = forget(l, address, block, &rows, fault);
	l->erased = l->erased || good;
	if (!txn_end(l, good, fault))
		return -1;
	return rows > 0;
}

/* The history of the account must not stay with its address. */
static bool forget_account(struct ledger *l, struct ledger_sighting *s, struct fault *fault)
{
	char address[ADDRESS_MAX + 1];

	str_copy(address, sizeof(address), s->address);
	s->address[0] = '\0';
	if (!sighting_delete(l, s, fault))
		return false;
	str_copy(s->address, sizeof(s->address), address);
	return sighting_unlink(
		l, s, REASON_FORGOTTEN, "the last account of this person was erased", fault);
}

int ledger_forget_sighting(
	struct ledger *l, const char *host, const char *user, struct fault *fault)
{
	struct ledger_sighting s;
	int found;

	if (!txn_begin(l, fault))
		return -1;
	found = sighting_find(l, host, user, &s, fault);
	if (found > 0 && !forget_account(l, &s, fault))
		found = -1;
	l->erased = l->erased || found > 0;
	return txn_end(l, found >= 0, fault) ? found : -1;
}

/* ---- retention ---- */

/* Runs SQL with a time and a limit; adds the number of rows that it deleted. */
static bool expire(
	struct ledger *l, const char *sql, int64_t before, int max, int *done, struct fault *fault)
{
	struct query q;

	if (*done >= max)
		return true;
	query_start(&q, l, sql, fault);
	query_number(&q, before);
	query_number(&q, max - *done);
	if (!query_run(&q))
		return false;
	*done += sqlite3_changes(l->db);
	return true;
}

static bool expire_journals(
	struct ledger *l, int64_t before, int max, int *done, struct fault *fault)
{
	return expire(l,
		       "DELETE FROM history WHERE id IN"
		       " (SELECT id FROM history WHERE at < ? ORDER BY at LIMIT ?)",
		       before, max, done, fault) &&
	       expire(l,
		       "DELETE FROM send WHERE id IN"
		       " (SELECT id FROM send WHERE at < ? ORDER BY at LIMIT ?)",
		       before, max, done, fault);
}

/* 1 found, 0 none left, -1. */
static int next_gone(
	struct ledger *l, int64_t before, struct ledger_sighting *out, struct fault *fault)
{
	struct query q;
	int found;

	query_start(&q, l,
		"SELECT " SIGHTING_COLUMNS " FROM sighting WHERE gone_day IS NOT NULL"
		" AND gone_day < ? ORDER BY gone_day LIMIT 1",
		fault);
	query_number(&q, before);
	found = query_row(&q);
	if (found > 0 && !sighting_row(&q, out))
		found = -1;
	query_end(&q);
	return found;
}

static bool expire_accounts(
	struct ledger *l, int64_t before, int max, int *done, struct fault *fault)
{
	struct ledger_sighting s;

	while (*done < max) {
		int found = next_gone(l, before, &s, fault);

		if (found <= 0)
			return found == 0;
		if (!sighting_delete(l, &s, fault))
			return false;
		(*done)++;
	}
	return true;
}

/* People with an open intent, in the queue or leased are kept. So are people who were mailed
 * lately by Google's clock, whatever our clock said when they were stored. */
static bool expire_people(struct ledger *l, int64_t gone_before, int64_t before, int max, int *done,
	struct fault *fault)
{
	return expire(l,
		       "DELETE FROM person WHERE id IN (SELECT id FROM person"
		       " WHERE orphaned_since IS NOT NULL AND orphaned_since < ?"
		       " AND (+state = 'gone'"
		       " OR (+state IN ('not_invitable', 'failed', 'held') AND mails <= 0"
		       " AND our_mails = 0 AND intent_at = 0))"
		       " AND lease_until = 0 ORDER BY orphaned_since LIMIT ?)",
		       gone_before, max, done, fault) &&
	       expire(l,
		       "DELETE FROM person WHERE id IN (SELECT id FROM person"
		       " WHERE orphaned_since IS NOT NULL AND orphaned_since < ?1 AND changed < ?1"
		       " AND intent_date < ?1"
		       " AND state NOT IN ('queued', 'sending', 'unconfirmed') AND intent_at = 0"
		       " AND lease_until = 0 ORDER BY orphaned_since LIMIT ?2)",
		       before, max, done, fault);
}

int ledger_expire(struct ledger *l, const struct settings *settings, int64_t now, int max,
	struct fault *fault)
{
	int64_t history_before = now - settings->retain_history;
	int64_t gone_before = now - settings->retain_gone;
	int done = 0;
	bool good;

	if (!txn_begin(l, fault))
		return -1;
	good = expire_journals(l, history_before, max, &done, fault) &&
	       expire_accounts(l, gone_before, max, &done, fault) &&
	       expire_people(l, gone_before, history_before, max, &done, fault);
	l->erased = l->erased || (good && done > 0);
	return txn_end(l, good, fault) ? done : -1;
}

int ledger_has_expired(
	struct ledger *l, const struct settings *settings, int64_t now, struct fault *fault)
{
	int64_t has = 0;
	struct query q;

	query_start(&q, l,
		"SELECT EXISTS (SELECT 1 FROM history WHERE at < ?1)"
		" OR EXISTS (SELECT 1 FROM send WHERE at < ?1)"
		" OR EXISTS (SELECT 1 FROM sighting WHERE gone_day IS NOT NULL AND gone_day < ?2)"
		" OR EXISTS (SELECT 1 FROM person WHERE orphaned_since IS NOT NULL"
		" AND orphaned_since < ?2)",
		fault);
	query_number(&q, now - settings->retain_history);
	query_number(&q, now - settings->retain_gone);
	return query_one(&q, &has) < 0 ? -1 : (int)has;
}
