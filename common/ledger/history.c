/* SPDX-License-Identifier: Apache-2.0 */
/*
 * History: what happened to sightings, people and the ledger as a whole.
 */
#include "ledger/history.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"

static bool add(struct ledger *l, int64_t at, const char *subject, const char *address,
	int64_t sighting, const char *what, const char *cause, const char *actor,
	struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"INSERT INTO history (at, subject, address, sighting, event, cause, actor)"
		" VALUES (?, ?, ?, nullif(?, 0), ?, ?, ?)",
		fault);
	query_number(&q, at);
	query_text(&q, subject);
	query_text(&q, address);
	query_number(&q, sighting);
	query_text(&q, what);
	query_text(&q, cause ? cause : "");
	query_text(&q, actor ? actor : "");
	return query_run(&q);
}

/* ---- what users can cause at will ---- */

/* A user can change the facts of an account at will, and an account that comes and goes, or
 * collides, changes the state of its person. The oldest of such entries are deleted. Entries
 * about mails and about decisions of an administrator have other events or actors, and stay
 * until retention. */
static bool trim(struct ledger *l, const char *sql, const char *address, int64_t sighting,
	struct fault *fault)
{
	struct query q;

	query_start(&q, l, sql, fault);
	if (address)
		query_text(&q, address);
	else
		query_number(&q, sighting);
	query_number(&q, HISTORY_AT_WILL);
	return query_run(&q);
}

static bool trim_person(struct ledger *l, const char *address, struct fault *fault)
{
	return trim(l,
		"DELETE FROM history WHERE id IN (SELECT id FROM history WHERE address = ?"
		" AND address <> '' AND event IN ('queued', 'held', 'gone', 'not_invitable')"
		" AND actor IN ('ledger', 'dispatcher') ORDER BY id DESC LIMIT -1 OFFSET ?)",
		address, 0, fault);
}

static bool trim_sighting(struct ledger *l, int64_t id, struct fault *fault)
{
	return trim(l,
		"DELETE FROM history WHERE id IN (SELECT id FROM history WHERE sighting = ?"
		" AND event IN ('changed', 'evaluated') ORDER BY id DESC LIMIT -1 OFFSET ?)",
		NULL, id, fault);
}

bool history_person(struct ledger *l, int64_t at, const char *address, const char *what,
	const char *cause, const char *actor, struct fault *fault)
{
	return add(l, at, "", address, 0, what, cause, actor, fault) &&
	       (!actor || strcmp(actor, "ledger") != 0 || trim_person(l, address, fault));
}

bool history_sighting(struct ledger *l, int64_t id, const char *user, const char *host,
	const char *what, const char *cause, const char *actor, struct fault *fault)
{
	char subject[USER_MAX + 1 + HOST_MAX + 1];

	str_format(subject, sizeof(subject), "%s@%s", user, host);
	return add(l, clock_day_start(clock_wall()), subject, "", id, what, cause, actor, fault) &&
	       (strcmp(what, "changed") != 0 || trim_sighting(l, id, fault));
}

bool history_whole(struct ledger *l, const char *what, const char *cause, const char *actor,
	struct fault *fault)
{
	return add(l, clock_wall(), "", "", 0, what, cause, actor, fault);
}

bool ledger_note(struct ledger *l, const struct history_entry *e, struct fault *fault)
{
	if (!txn_begin(l, fault))
		return false;
	return txn_end(l, history_person(l, e->at, e->subject, e->event, e->cause, e->actor, fault),
		fault);
}

static void read_entry(struct query *q, struct history_entry *e)
{
	e->at = row_number(q);
	row_text(q, e->subject, sizeof(e->subject));
	row_text(q, e->event, sizeof(e->event));
	row_text(q, e->cause, sizeof(e->cause));
	row_text(q, e->actor, sizeof(e->actor));
}

bool ledger_each_history(struct ledger *l, const char *address, const char *user, const char *host,
	bool (*each)(const struct history_entry *e, void *ctx), void *ctx, struct fault *fault)
{
	struct history_entry e;
	struct query q;
	bool more = true;

	query_start(&q, l,
		"SELECT at, CASE subject WHEN '' THEN address ELSE subject END, event, cause, actor"
		" FROM history WHERE id IN ("
		"SELECT id FROM history WHERE address = ?1 AND address <> ''"
		" UNION SELECT h.id FROM sighting s JOIN history h ON h.sighting = s.id"
		" WHERE s.address = ?1 AND s.address <> ''"
		" UNION SELECT h.id FROM sighting s JOIN history h ON h.sighting = s.id"
		" WHERE s.account = ?2 AND s.host = ?3"
		" UNION SELECT id FROM history WHERE ?1 IS NULL AND ?2 IS NULL"
		" AND address = '' AND subject = '') ORDER BY id",
		fault);
	query_text(&q, address);
	query_text(&q, user);
	query_text(&q, host);
	while (more && query_row(&q) > 0) {
		read_entry(&q, &e);
		more = each(&e, ctx);
	}
	return query_end(&q);
}
