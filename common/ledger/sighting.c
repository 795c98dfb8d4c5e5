/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading sightings: one, those that match, those that must be evaluated, those that a host must
 * be told of.
 */
#include "ledger/sighting.h"

#include <inttypes.h>

#include "base/str.h"
#include "ledger/administration.h"
#include "ledger/person.h"

bool sighting_row(struct query *q, struct ledger_sighting *out)
{
	char reason[16], verdict[32];

	out->id = row_number(q);
	row_text(q, out->seen.host, sizeof(out->seen.host));
	row_text(q, out->seen.user, sizeof(out->seen.user));
	out->seen.uid = row_number(q);
	row_text(q, reason, sizeof(reason));
	out->seen.first_seen = row_number(q);
	out->seen.local = row_number(q) != 0;
	row_text(q, out->seen.shell, sizeof(out->seen.shell));
	row_text(q, out->seen.groups, sizeof(out->seen.groups));
	row_text(q, out->seen.first, sizeof(out->seen.first));
	row_text(q, out->seen.last, sizeof(out->seen.last));
	out->gone = row_number(q) != 0;
	row_text(q, verdict, sizeof(verdict));
	out->from_template = row_number(q) != 0;
	row_text(q, out->address, sizeof(out->address));
	row_text(q, out->rule, sizeof(out->rule));
	row_text(q, out->sentence, sizeof(out->sentence));
	if (!sighting_trigger_parse(reason, &out->seen.trigger))
		return sql_unexpected(q->ledger, "reason", reason, q->fault);
	if (!verdict_parse(verdict, &out->verdict))
		return sql_unexpected(q->ledger, "verdict", verdict, q->fault);
	return true;
}

int sighting_find(struct ledger *l, const char *host, const char *user, struct ledger_sighting *out,
	struct fault *fault)
{
	struct query q;
	int found;

	query_start(&q, l,
		"SELECT " SIGHTING_COLUMNS " FROM sighting WHERE account = ? AND host = ?", fault);
	query_text(&q, user);
	query_text(&q, host);
	found = query_row(&q);
	if (found > 0 && !sighting_row(&q, out))
		found = -1;
	query_end(&q);
	return found;
}

int ledger_sighting(struct ledger *l, const char *host, const char *user,
	struct ledger_sighting *out, struct fault *fault)
{
	return sighting_find(l, host, user, out, fault);
}

/* The revision is read first: changes between the two queries then count as not yet read. */
static bool note_facts_read(struct ledger *l, struct fault *fault)
{
	struct query q;

	query_start(&q, l, "SELECT revision FROM ledger_info", fault);
	return query_one(&q, &l->facts_read) >= 0;
}

/* Three looks into the index of `rules`: not evaluated, and evaluated under rules with a smaller
 * or a larger fingerprint. */
int ledger_unclassified(
	struct ledger *l, uint64_t rules, struct ledger_sighting *out, int max, struct fault *fault)
{
	struct query q;
	int n = 0;
	bool good = true;

	if (!note_facts_read(l, fault))
		return -1;
	query_start(&q, l,
		"SELECT " SIGHTING_COLUMNS " FROM sighting WHERE gone_day IS NULL AND rules IS NULL"
		" UNION ALL SELECT " SIGHTING_COLUMNS " FROM sighting WHERE gone_day IS NULL"
		" AND rules < ?1"
		" UNION ALL SELECT " SIGHTING_COLUMNS " FROM sighting WHERE gone_day IS NULL"
		" AND rules > ?1 LIMIT ?2",
		fault);
	query_number(&q, (int64_t)rules);
	query_number(&q, max);
	while (good && n < max && query_row(&q) > 0) {
		good = sighting_row(&q, &out[n]);
		n += good;
	}
	return query_end(&q) && good ? n : -1;
}

/* An address is found by its index, everything else by that of account and host. */
static const char *each_sql(const char *user, const char *address)
{
	if (address)
		return "SELECT " SIGHTING_COLUMNS " FROM sighting WHERE (?1 IS NULL OR host = ?1)"
		       " AND (?2 IS NULL OR account = ?2) AND address = ?3 AND address <> ''"
		       " ORDER BY account, host";
	if (user)
		return "SELECT " SIGHTING_COLUMNS " FROM sighting WHERE (?1 IS NULL OR host = ?1)"
		       " AND account = ?2 AND ?3 IS NULL ORDER BY account, host";
	return "SELECT " SIGHTING_COLUMNS " FROM sighting WHERE (?1 IS NULL OR host = ?1)"
	       " AND ?2 IS NULL AND ?3 IS NULL ORDER BY account, host";
}

bool ledger_each_sighting(struct ledger *l, const char *host, const char *user, const char *address,
	bool (*each)(const struct ledger_sighting *s, void *ctx), void *ctx, struct fault *fault)
{
	struct ledger_sighting s;
	struct query q;
	bool good = true, more = true;

	query_start(&q, l, each_sql(user, address), fault);
	query_text(&q, host);
	query_text(&q, user);
	query_text(&q, address);
	while (good && more && query_row(&q) > 0) {
		good = sighting_row(&q, &s);
		more = good && each(&s, ctx);
	}
	return query_end(&q) && good;
}

/* ---- what the collector has reported ---- */

#define REPORT_REVISION "report_revision"

static int64_t newest_revision(struct ledger *l, struct fault *fault)
{
	int64_t revision = 0;
	struct query q;

	query_start(&q, l, "SELECT revision FROM ledger_info", fault);
	return query_one(&q, &revision) < 0 ? -1 : revision;
}

bool ledger_note_report(struct ledger *l, struct fault *fault)
{
	int64_t revision = newest_revision(l, fault);
	char value[24];

	str_format(value, sizeof(value), "%" PRId64, revision);
	return revision >= 0 && ledger_set(l, REPORT_REVISION, value, fault);
}

int64_t ledger_last_report(struct ledger *l, struct fault *fault)
{
	char value[24];
	long long revision = 0;
	int found = ledger_get(l, REPORT_REVISION, value, sizeof(value), fault);

	if (found > 0 && !str_number(value, 0, INT64_MAX, &revision)) {
		sql_unexpected(l, REPORT_REVISION, value, fault);
		return -1;
	}
	return found < 0 ? -1 : revision;
}

bool ledger_changes_since(struct ledger *l, const char *host, int64_t since, int64_t *last,
	bool (*each)(const char *user, enum trigger trigger, const char *word, void *ctx),
	void *ctx, struct fault *fault)
{
	char user[USER_MAX + 1], word[32];
	enum trigger trigger;
	struct query q;
	bool good = true, more = true;

	*last = newest_revision(l, fault);
	if (*last < 0)
		return false;
	query_start(&q, l,
		"SELECT s.account, s.trigger, coalesce(p.state, s.verdict) FROM sighting s"
		" LEFT JOIN person p ON p.address = s.address"
		" WHERE s.host = ? AND s.revision > ? AND s.gone_day IS NULL"
		" AND s.verdict <> 'none' ORDER BY s.revision",
		fault);
	query_text(&q, host);
	query_number(&q, since);
	while (more && query_row(&q) > 0) {
		row_text(&q, user, sizeof(user));
		row_text(&q, word, sizeof(word));
		good = sighting_trigger_parse(word, &trigger) ||
		       sql_unexpected(l, "trigger", word, fault);
		row_text(&q, word, sizeof(word));
		more = good && each(user, trigger, word, ctx);
	}
	return query_end(&q) && good;
}

/* ---- unlinking ---- */

bool sighting_clear_collision(
	struct ledger *l, const struct ledger_sighting *s, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		"UPDATE sighting SET rules = NULL WHERE address = ? AND address <> ''"
		" AND verdict = 'collision' AND host = ? AND id <> ?",
		fault);
	query_text(&q, s->address);
	query_text(&q, s->seen.host);
	query_number(&q, s->id);
	return query_run(&q);
}

bool sighting_unlink(struct ledger *l, const struct ledger_sighting *s, enum person_reason why,
	const char *cause, struct fault *fault)
{
	return sighting_clear_collision(l, s, fault) &&
	       person_unlink(l, s->address, why, cause, fault);
}

bool sighting_delete(struct ledger *l, const struct ledger_sighting *s, struct fault *fault)
{
	struct query q;

	query_start(&q, l,
		s->address[0] != '\0'
			? "UPDATE history SET address = ?2, sighting = NULL WHERE sighting = ?1"
			: "DELETE FROM history WHERE sighting = ?1 AND ?2 = ''",
		fault);
	query_number(&q, s->id);
	query_text(&q, s->address);
	if (!query_run(&q))
		return false;
	query_start(&q, l, "DELETE FROM sighting WHERE id = ?", fault);
	query_number(&q, s->id);
	return query_run(&q);
}
