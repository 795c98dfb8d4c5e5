/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/schema.h"

#include "base/array.h"
#include "base/str.h"
#include "ledger/guard.h"

/* Whether a send mailed or may have mailed. */
#define COUNTS "outcome NOT IN ('refused', 'resolved_unsent')"

/* Words, not numbers, stand for states and verdicts: an administrator may look into the file, and
 * no order of an enum is cast in it. Days and times are seconds since the epoch. */
static const char tables[] =
	/* This ledger. `change` numbers what ledger_changes_since tells. */
	"CREATE TABLE about ("
	"	one INTEGER PRIMARY KEY CHECK (one = 1),"
	"	ledger TEXT NOT NULL,"
	"	customer TEXT NOT NULL,"
	"	made_day INTEGER NOT NULL,"
	"	change INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE kept (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);"

	/* Who was seen on which host. `rules` NULL: not judged; gone_day NULL: the account is
	 * there; `facts` is the change at which the facts last changed. */
	"CREATE TABLE sighting ("
	"	id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"	host TEXT NOT NULL, account TEXT NOT NULL, uid INTEGER NOT NULL,"
	"	reason TEXT NOT NULL, first_day INTEGER NOT NULL,"
	"	local INTEGER NOT NULL, shell TEXT NOT NULL, member_of TEXT NOT NULL,"
	"	first_name TEXT NOT NULL, last_name TEXT NOT NULL,"
	"	gone_day INTEGER,"
	"	rules INTEGER,"
	"	verdict TEXT NOT NULL DEFAULT 'none',"
	"	from_template INTEGER NOT NULL DEFAULT 0,"
	"	address TEXT NOT NULL DEFAULT '',"
	"	rule TEXT NOT NULL DEFAULT '',"
	"	sentence TEXT NOT NULL DEFAULT '',"
	"	facts INTEGER NOT NULL,"
	"	change INTEGER NOT NULL,"
	"	UNIQUE (account, host));"
	"CREATE INDEX sighting_rules ON sighting (rules) WHERE gone_day IS NULL;"
	"CREATE INDEX sighting_address ON sighting (address, verdict, host) WHERE address <> '';"
	"CREATE INDEX sighting_change ON sighting (host, change);"
	"CREATE INDEX sighting_gone ON sighting (gone_day) WHERE gone_day IS NOT NULL;"

	/* Who may be written to. `ready` is when somebody may take this person up: due, or the end
	 * of a lease if that is later; 0: never. orphaned_since NULL: an account leads to this
	 * address; unseen_why says why it does not any more, and is empty where none ever did. */
	"CREATE TABLE person ("
	"	id INTEGER PRIMARY KEY,"
	"	address TEXT NOT NULL UNIQUE CHECK (length(address) BETWEEN 1 AND 254),"
	"	state TEXT NOT NULL, reason TEXT NOT NULL,"
	"	due INTEGER NOT NULL, ready INTEGER NOT NULL, class TEXT NOT NULL,"
	"	attempts INTEGER NOT NULL, fault_code TEXT NOT NULL, fault_text TEXT NOT NULL,"
	"	mails INTEGER NOT NULL, our_mails INTEGER NOT NULL,"
	"	intent_at INTEGER NOT NULL, intent_date INTEGER NOT NULL, intent_mails INTEGER NOT "
	"NULL,"
	"	approved INTEGER NOT NULL, again INTEGER NOT NULL, discovered INTEGER NOT NULL,"
	"	checked INTEGER NOT NULL, first_day INTEGER NOT NULL, changed INTEGER NOT NULL,"
	"	unseen_day INTEGER, unseen_why TEXT NOT NULL DEFAULT '',"
	"	lease_owner TEXT NOT NULL DEFAULT '', lease_until INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX person_ready ON person (class, ready) WHERE ready > 0;"
	"CREATE INDEX person_lease ON person (lease_until) WHERE lease_until > 0;"
	"CREATE INDEX person_state ON person (state, address);"
	"CREATE INDEX person_unseen ON person (unseen_day) WHERE unseen_day IS NOT NULL;"

	"CREATE TABLE send ("
	"	id INTEGER PRIMARY KEY,"
	"	address TEXT NOT NULL, at INTEGER NOT NULL,"
	"	outcome TEXT NOT NULL DEFAULT 'open', actor TEXT NOT NULL);"
	"CREATE INDEX send_at ON send (at);"
	"CREATE INDEX send_open ON send (address) WHERE outcome IN ('open', 'unconfirmed');"

	/* `address`: whose story it is; `sighting`: of which sighting, as long as that is there. An
	 * empty subject is the address itself. */
	"CREATE TABLE history ("
	"	id INTEGER PRIMARY KEY,"
	"	at INTEGER NOT NULL, subject TEXT NOT NULL DEFAULT '',"
	"	address TEXT NOT NULL DEFAULT '', sighting INTEGER,"
	"	what TEXT NOT NULL, cause TEXT NOT NULL, actor TEXT NOT NULL);"
	"CREATE INDEX history_at ON history (at);"
	"CREATE INDEX history_address ON history (address) WHERE address <> '';"
	"CREATE INDEX history_sighting ON history (sighting) WHERE sighting IS NOT NULL;"

	"CREATE TABLE block ("
	"	address TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL,"
	"	actor TEXT NOT NULL, at INTEGER NOT NULL);"
	"CREATE TABLE pause ("
	"	one INTEGER PRIMARY KEY CHECK (one = 1),"
	"	kind TEXT NOT NULL, text TEXT NOT NULL, remedy TEXT NOT NULL, actor TEXT NOT NULL,"
	"	since INTEGER NOT NULL, probe_at INTEGER NOT NULL, probes INTEGER NOT NULL);"
	"CREATE TABLE worker ("
	"	role TEXT NOT NULL, host TEXT NOT NULL, version TEXT NOT NULL, pid INTEGER NOT "
	"NULL,"
	"	beat INTEGER NOT NULL, started INTEGER NOT NULL, note TEXT NOT NULL,"
	"	PRIMARY KEY (role, host));"

	/* The pace: milliseconds since the boot that `boot` names. rate 0: not lowered. */
	"CREATE TABLE pace ("
	"	one INTEGER PRIMARY KEY CHECK (one = 1),"
	"	boot TEXT NOT NULL, rate INTEGER NOT NULL,"
	"	lowered_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
	"	until_ms INTEGER NOT NULL, until_wall INTEGER NOT NULL);"
	"CREATE TABLE pace_slot ("
	"	id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"	taken_ms INTEGER NOT NULL, ended INTEGER NOT NULL, free_ms INTEGER NOT NULL);"

	/* Counts, kept by triggers, so that a summary of a million people costs no more than one of
	 * ten, and no way of changing a row can miss them. */
	"CREATE TABLE tally_person ("
	"	state TEXT NOT NULL, reason TEXT NOT NULL, class TEXT NOT NULL, n INTEGER NOT NULL,"
	"	PRIMARY KEY (state, reason, class)) WITHOUT ROWID;"
	"CREATE TRIGGER person_in AFTER INSERT ON person BEGIN"
	"	INSERT INTO tally_person VALUES (new.state, new.reason, new.class, 1)"
	"		ON CONFLICT DO UPDATE SET n = n + 1; END;"
	"CREATE TRIGGER person_out AFTER DELETE ON person BEGIN"
	"	UPDATE tally_person SET n = n - 1 WHERE state = old.state AND reason = old.reason"
	"		AND class = old.class; END;"
	"CREATE TRIGGER person_on AFTER UPDATE OF state, reason, class ON person"
	"	WHEN old.state <> new.state OR old.reason <> new.reason OR old.class <> new.class "
	"BEGIN"
	"	UPDATE tally_person SET n = n - 1 WHERE state = old.state AND reason = old.reason"
	"		AND class = old.class;"
	"	INSERT INTO tally_person VALUES (new.state, new.reason, new.class, 1)"
	"		ON CONFLICT DO UPDATE SET n = n + 1; END;"
	"CREATE TABLE tally_sighting (verdict TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL)"
	"	WITHOUT ROWID;"
	"CREATE TRIGGER sighting_in AFTER INSERT ON sighting WHEN new.gone_day IS NULL BEGIN"
	"	INSERT INTO tally_sighting VALUES (new.verdict, 1)"
	"		ON CONFLICT DO UPDATE SET n = n + 1; END;"
	"CREATE TRIGGER sighting_out AFTER DELETE ON sighting WHEN old.gone_day IS NULL BEGIN"
	"	UPDATE tally_sighting SET n = n - 1 WHERE verdict = old.verdict; END;"
	"CREATE TRIGGER sighting_on AFTER UPDATE OF verdict, gone_day ON sighting"
	"	WHEN old.verdict <> new.verdict OR (old.gone_day IS NULL) <> (new.gone_day IS "
	"NULL) BEGIN"
	"	UPDATE tally_sighting SET n = n - 1 WHERE verdict = old.verdict"
	"		AND old.gone_day IS NULL;"
	"	INSERT INTO tally_sighting SELECT new.verdict, 1 WHERE new.gone_day IS NULL"
	"		ON CONFLICT DO UPDATE SET n = n + 1; END;"

	/* Sends that count for the cap of the day, by quarter of an hour: midnight is the start of
	 * one in every time zone. Who is asked before every send must not count them one by one. */
	"CREATE TABLE tally_send (quarter INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
	"CREATE TRIGGER send_in AFTER INSERT ON send WHEN new." COUNTS " BEGIN"
	"	INSERT INTO tally_send VALUES (new.at / 900, 1)"
	"		ON CONFLICT DO UPDATE SET n = n + 1; END;"
	"CREATE TRIGGER send_out AFTER DELETE ON send WHEN old." COUNTS " BEGIN"
	"	UPDATE tally_send SET n = n - 1 WHERE quarter = old.at / 900;"
	"	DELETE FROM tally_send WHERE quarter = old.at / 900 AND n = 0; END;"
	"CREATE TRIGGER send_on AFTER UPDATE OF outcome ON send"
	"	WHEN (old." COUNTS ") <> (new." COUNTS ") BEGIN"
	"	UPDATE tally_send SET n = n + (new." COUNTS ") - (old." COUNTS ")"
	"		WHERE quarter = new.at / 900; END;";

const struct migration schema_migrations[] = {
	{tables},
};
const int schema_newest = ARRAY_SIZE(schema_migrations);

bool schema_read(struct ledger *l, int64_t *application, int64_t *version, struct fault *fault)
{
	struct query q;

	query_start_plain(&q, l, "PRAGMA application_id", fault);
	if (query_one(&q, application) < 0)
		return false;
	query_start_plain(&q, l, "PRAGMA user_version", fault);
	return query_one(&q, version) >= 0;
}

bool schema_other_version(struct ledger *l, int64_t version, struct fault *fault)
{
	bool newer = version > schema_newest;

	fault_set(fault, FAULT_STORAGE, newer ? "ledger_newer" : "ledger_older",
		"%s: the ledger has schema version %lld, but this program supports version %d",
		l->path, (long long)version, schema_newest);
	return fault_remedy(
		fault, newer ? "Use the version of cloudinvite that wrote it, or a later one."
			     : "Restart the services: they migrate the ledger when they start.");
}

/* A pragma takes no bound values: these two are our own constants. */
static bool set_version(struct ledger *l, int version, struct fault *fault)
{
	char sql[128];

	str_format(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		LEDGER_APPLICATION_ID, version);
	return sql_execute(l, sql, fault);
}

/* Under the lock it is looked again: another program may have made the step meanwhile. */
static bool make_step(struct ledger *l, const struct migration *steps, int from,
	bool (*fresh)(struct ledger *l, void *ctx, struct fault *fault), void *ctx,
	struct fault *fault)
{
	int64_t application, version;
	bool good;

	if (!txn_begin(l, fault))
		return false;
	guard_allow_long(l);
	good = schema_read(l, &application, &version, fault);
	if (good && version == from)
		good = guard_compare(l, steps, from, fault) &&
		       sql_execute(l, steps[from].sql, fault) &&
		       (from > 0 || fresh(l, ctx, fault)) && set_version(l, from + 1, fault);
	return txn_end(l, good, fault);
}

bool schema_migrate(struct ledger *l, const struct migration *steps, int count,
	bool (*fresh)(struct ledger *l, void *ctx, struct fault *fault), void *ctx,
	struct fault *fault)
{
	int64_t application, version;

	l->guarded = false; /* each step compares what it finds by itself */
	if (!schema_read(l, &application, &version, fault))
		return false;
	for (int from = (int)version; from < count; from++)
		if (!make_step(l, steps, from, fresh, ctx, fault))
			return false;
	l->schema = count > version ? count : (int)version;
	return true;
}
