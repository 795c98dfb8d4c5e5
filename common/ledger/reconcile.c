/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reconcile: mails may be out that this ledger does not know of. Its state, and the people who
 * wait for its end.
 */
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "ledger/history.h"
#include "ledger/person.h"

#define NUMBER_SIZE 24

/* ---- reading ---- */

static int get_number(struct ledger *l, const char *key, int64_t *out, struct fault *fault)
{
	char value[NUMBER_SIZE];
	long long number;
	int found = ledger_get(l, key, value, sizeof(value), fault);

	if (found > 0 && !str_number(value, 0, INT64_MAX, &number)) {
		sql_unexpected(l, key, value, fault);
		return -1;
	}
	*out = found > 0 ? number : 0;
	return found;
}

/* The ledger may have got another id since it was opened. */
static bool read_id(struct ledger *l, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "SELECT ledger FROM ledger_info", fault);
	if (query_row(&q) > 0)
		row_text(&q, l->id, sizeof(l->id));
	return query_end(&q);
}

int ledger_reconciling(struct ledger *l, struct ledger_reconcile *out, struct fault *fault)
{
	int64_t swept = 0;
	int found;

	*out = (struct ledger_reconcile){.since = 0};
	found = get_number(l, "reconcile_since", &out->since, fault);
	if (found <= 0)
		return found;
	if (get_number(l, "reconcile_mail_date", &out->mail_date, fault) < 0 ||
		get_number(l, "reconcile_list_read", &swept, fault) < 0 ||
		ledger_get(l, "reconcile_cause", out->cause, sizeof(out->cause), fault) < 0 ||
		ledger_get(l, "reconcile_text", out->text, sizeof(out->text), fault) < 0 ||
		!read_id(l, fault))
		return -1;
	out->list_read = swept != 0;
	return 1;
}

int64_t ledger_sends_begun(struct ledger *l, struct fault *fault)
{
	int64_t sends = 0;

	return get_number(l, "sends_begun", &sends, fault) < 0 ? -1 : sends;
}

/* ---- writing ---- */

static bool set_text(struct ledger *l, const char *key, const char *value, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"INSERT INTO meta (key, value) VALUES (?1, ?2)"
		" ON CONFLICT (key) DO UPDATE SET value = ?2",
		fault);
	query_text(&q, key);
	query_text(&q, value);
	return query_run(&q);
}

static bool set_number(struct ledger *l, const char *key, int64_t number, struct fault *fault)
{
	char value[NUMBER_SIZE];

	str_format(value, sizeof(value), "%" PRId64, number);
	return set_text(l, key, value, fault);
}

static bool write_all(struct ledger *l, const struct ledger_reconcile *r, struct fault *fault)
{
	return set_number(l, "reconcile_since", r->since, fault) &&
	       set_number(l, "reconcile_mail_date", r->mail_date, fault) &&
	       set_number(l, "reconcile_list_read", r->list_read, fault) &&
	       set_text(l, "reconcile_cause", r->cause, fault) &&
	       set_text(l, "reconcile_text", r->text, fault);
}

int64_t ledger_count_sends(struct ledger *l, int sends, struct fault *fault)
{
	int64_t before;
	bool good;

	if (!txn_begin(l, fault))
		return -1;
	before = ledger_sends_begun(l, fault);
	good = before >= 0 && set_number(l, "sends_begun", before + sends, fault);
	return txn_end(l, good, fault) ? before + sends : -1;
}

/* Earlier answers of Google permitted a mail that may have been sent since. */
static bool distrust_checks(struct ledger *l, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "UPDATE person SET checked = 0 WHERE checked <> 0", fault);
	return query_run(&q);
}

/* History records the beginning, and another cause, but not each step. */
static bool reconcile(
	struct ledger *l, const struct ledger_reconcile *r, const char *actor, struct fault *fault)
{
	struct ledger_reconcile now;
	int found = ledger_reconciling(l, &now, fault);

	if (found < 0 || !write_all(l, r, fault))
		return false;
	if (found > 0 && strcmp(now.cause, r->cause) == 0 && now.since == r->since)
		return true;
	return distrust_checks(l, fault) && history_whole(l, "reconcile", r->text, actor, fault);
}

bool ledger_reconcile(
	struct ledger *l, const struct ledger_reconcile *r, const char *actor, struct fault *fault)
{
	return txn_begin(l, fault) && txn_end(l, reconcile(l, r, actor, fault), fault);
}

static bool clear_all(struct ledger *l, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"DELETE FROM meta WHERE key IN ('reconcile_since', 'reconcile_mail_date',"
		" 'reconcile_list_read', 'reconcile_cause', 'reconcile_text')",
		fault);
	return query_run(&q);
}

static bool release_waiting(struct ledger *l, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE person SET next_attempt = ?1, runnable_at = max(?1, lease_until)"
		" WHERE state = 'queued' AND reason = 'reconcile'",
		fault);
	query_number(&q, clock_wall());
	return query_run(&q);
}

int ledger_reconciled(struct ledger *l, const char *cause, const char *actor, struct fault *fault)
{
	struct ledger_reconcile now;
	int found;

	if (!txn_begin(l, fault))
		return -1;
	found = ledger_reconciling(l, &now, fault);
	/* Answers that Google gave while it could still hide a mail count no more than earlier
	 * ones. */
	if (found > 0 &&
		!(clear_all(l, fault) && distrust_checks(l, fault) && release_waiting(l, fault) &&
			history_whole(l, "reconciled", cause, actor, fault)))
		found = -1;
	return txn_end(l, found >= 0, fault) ? found : -1;
}

/* ---- copies ---- */

#define COPY_NOTED "copy_noted"

static bool note_copy(struct ledger *l, const char *cause, struct fault *fault)
{
	char noted[32];
	int found = ledger_get(l, COPY_NOTED, noted, sizeof(noted), fault);

	if (found > 0 && strcmp(noted, "other_machine") == 0)
		cause = noted;
	return found >= 0 && set_text(l, COPY_NOTED, cause, fault);
}

bool ledger_note_copy(struct ledger *l, const char *cause, struct fault *fault)
{
	return txn_begin(l, fault) && txn_end(l, note_copy(l, cause, fault), fault);
}

int ledger_noted_copy(struct ledger *l, char *cause, size_t size, struct fault *fault)
{
	int found = ledger_get(l, COPY_NOTED, cause, size, fault);

	return found > 0 && !read_id(l, fault) ? -1 : found;
}

bool ledger_forget_copy(struct ledger *l, struct fault *fault)
{
	return ledger_set(l, COPY_NOTED, NULL, fault);
}
