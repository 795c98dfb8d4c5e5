/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Version 2 of the schema: version 1 with the words that docs/glossary.md defines, for tables,
 * columns and stored values. A migration loses no row, and each row keeps its id.
 *
 * SQLite could rename columns in place, but it would rewrite the text of the schema then, each
 * version of it in its own way, and guard.c compares that text literally. So the old tables move
 * out of the way, and the new ones are filled from them before their indexes and triggers exist.
 *
 * Words, not numbers, stand for states and verdicts: an administrator may look into the file, and
 * no order of an enum is cast in it. Days and times are seconds since the epoch.
 */
#include "ledger/schema.h"

/* ---- the tables ---- */

const char schema_v2_tables[] =
	/* This ledger. `revision` numbers the changes that ledger_changes_since reports. */
	"CREATE TABLE ledger_info ("
	"	id INTEGER PRIMARY KEY CHECK (id = 1),"
	"	ledger TEXT NOT NULL,"
	"	customer TEXT NOT NULL,"
	"	created_day INTEGER NOT NULL,"
	"	revision INTEGER NOT NULL DEFAULT 0);"
	/* Keys and values. The names of counters have a prefix (stored_counters.c). */
	"CREATE TABLE meta (key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL);"

	/* The accounts that were seen on the hosts. `rules` NULL: not evaluated; gone_day NULL: the
	 * account exists; facts_revision: the revision in which the facts last changed. */
	"CREATE TABLE sighting ("
	"	id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"	host TEXT NOT NULL, account TEXT NOT NULL, uid INTEGER NOT NULL,"
	"	trigger TEXT NOT NULL, first_day INTEGER NOT NULL,"
	"	local INTEGER NOT NULL, shell TEXT NOT NULL, member_of TEXT NOT NULL,"
	"	first_name TEXT NOT NULL, last_name TEXT NOT NULL,"
	"	gone_day INTEGER,"
	"	rules INTEGER,"
	"	verdict TEXT NOT NULL DEFAULT 'none',"
	"	from_template INTEGER NOT NULL DEFAULT 0,"
	"	address TEXT NOT NULL DEFAULT '',"
	"	rule TEXT NOT NULL DEFAULT '',"
	"	sentence TEXT NOT NULL DEFAULT '',"
	"	facts_revision INTEGER NOT NULL,"
	"	revision INTEGER NOT NULL,"
	"	UNIQUE (account, host));"

	/* The people. runnable_at: when a program may work on this person: at the next attempt, or
	 * at the end of the lease if that is later; 0: never. orphaned_since NULL: an account is
	 * mapped to this address; orphan_reason says why none is any more, and is empty where none
	 * ever was. */
	"CREATE TABLE person ("
	"	id INTEGER PRIMARY KEY,"
	"	address TEXT NOT NULL UNIQUE CHECK (length(address) BETWEEN 1 AND 254),"
	"	state TEXT NOT NULL, reason TEXT NOT NULL,"
	"	next_attempt INTEGER NOT NULL, runnable_at INTEGER NOT NULL,"
	"	priority TEXT NOT NULL,"
	"	attempts INTEGER NOT NULL, fault_code TEXT NOT NULL, fault_text TEXT NOT NULL,"
	"	mails INTEGER NOT NULL, our_mails INTEGER NOT NULL,"
	"	intent_at INTEGER NOT NULL, intent_date INTEGER NOT NULL,"
	"	intent_mails INTEGER NOT NULL,"
	"	approved INTEGER NOT NULL, resend INTEGER NOT NULL, discovered INTEGER NOT NULL,"
	"	checked INTEGER NOT NULL, first_day INTEGER NOT NULL, changed INTEGER NOT NULL,"
	"	orphaned_since INTEGER, orphan_reason TEXT NOT NULL DEFAULT '',"
	"	lease_owner TEXT NOT NULL DEFAULT '', lease_until INTEGER NOT NULL DEFAULT 0);"

	"CREATE TABLE send ("
	"	id INTEGER PRIMARY KEY,"
	"	address TEXT NOT NULL, at INTEGER NOT NULL,"
	"	outcome TEXT NOT NULL DEFAULT 'open', actor TEXT NOT NULL);"

	/* What happened. `address`: to which person; `sighting`: to which sighting, as long as it
	 * exists. An empty subject is the address itself. */
	"CREATE TABLE history ("
	"	id INTEGER PRIMARY KEY,"
	"	at INTEGER NOT NULL, subject TEXT NOT NULL DEFAULT '',"
	"	address TEXT NOT NULL DEFAULT '', sighting INTEGER,"
	"	event TEXT NOT NULL, cause TEXT NOT NULL, actor TEXT NOT NULL);"

	"CREATE TABLE block ("
	"	address TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL,"
	"	actor TEXT NOT NULL, at INTEGER NOT NULL);"
	"CREATE TABLE pause ("
	"	id INTEGER PRIMARY KEY CHECK (id = 1),"
	"	kind TEXT NOT NULL, text TEXT NOT NULL, remedy TEXT NOT NULL, actor TEXT NOT NULL,"
	"	since INTEGER NOT NULL, probe_at INTEGER NOT NULL, probes INTEGER NOT NULL);"
	/* The programs that work on this ledger. */
	"CREATE TABLE worker ("
	"	program TEXT NOT NULL, host TEXT NOT NULL, version TEXT NOT NULL,"
	"	pid INTEGER NOT NULL, last_heartbeat INTEGER NOT NULL, started INTEGER NOT NULL,"
	"	status_text TEXT NOT NULL,"
	"	PRIMARY KEY (program, host));"

	/* The rate limit: milliseconds since the boot that `boot` names. rate 0: not lowered. */
	"CREATE TABLE rate_limit ("
	"	id INTEGER PRIMARY KEY CHECK (id = 1),"
	"	boot TEXT NOT NULL, rate INTEGER NOT NULL,"
	"	lowered_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
	"	until_ms INTEGER NOT NULL, until_wall INTEGER NOT NULL);"
	"CREATE TABLE permit ("
	"	id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"	taken_ms INTEGER NOT NULL, ended INTEGER NOT NULL, free_ms INTEGER NOT NULL);"

	/* Counts, kept by triggers, so that a summary of a million people costs no more than one of
	 * ten, and no way of changing a row can miss them. Sends that count for the daily limit are
	 * counted by quarter of an hour: midnight is the start of one in every time zone, and the
	 * limit is looked up before every send. */
	"CREATE TABLE count_person ("
	"	state TEXT NOT NULL, reason TEXT NOT NULL, priority TEXT NOT NULL,"
	"	n INTEGER NOT NULL,"
	"	PRIMARY KEY (state, reason, priority)) WITHOUT ROWID;"
	"CREATE TABLE count_sighting (verdict TEXT NOT NULL PRIMARY KEY, n INTEGER NOT NULL)"
	"	WITHOUT ROWID;"
	"CREATE TABLE count_send (quarter INTEGER PRIMARY KEY, n INTEGER NOT NULL);";

/* ---- indexes and triggers ---- */

/* Whether a send mailed or may have mailed. */
#define COUNTS "outcome NOT IN ('refused', 'resolved_unsent')"

const char schema_v2_indexes[] =
	"CREATE INDEX sighting_rules ON sighting (rules) WHERE gone_day IS NULL;"
	"CREATE INDEX sighting_address ON sighting (address, verdict, host) WHERE address <> '';"
	"CREATE INDEX sighting_revision ON sighting (host, revision);"
	"CREATE INDEX sighting_gone ON sighting (gone_day) WHERE gone_day IS NOT NULL;"
	"CREATE INDEX person_runnable ON person (priority, runnable_at) WHERE runnable_at > 0;"
	"CREATE INDEX person_lease ON person (lease_until) WHERE lease_until > 0;"
	"CREATE INDEX person_state ON person (state, address);"
	"CREATE INDEX person_orphaned ON person (orphaned_since)"
	"	WHERE orphaned_since IS NOT NULL;"
	"CREATE INDEX send_at ON send (at);"
	"CREATE INDEX send_open ON send (address) WHERE outcome IN ('open', 'unconfirmed');"
	"CREATE INDEX history_at ON history (at);"
	"CREATE INDEX history_address ON history (address) WHERE address <> '';"
	"CREATE INDEX history_sighting ON history (sighting) WHERE sighting IS NOT NULL;"

	"CREATE TRIGGER person_in AFTER INSERT ON person BEGIN"
	"	INSERT INTO count_person VALUES (new.state, new.reason, new.priority, 1)"
	"		ON CONFLICT DO UPDATE SET n = n + 1; END;"
	"CREATE TRIGGER person_out AFTER DELETE ON person BEGIN"
	"	UPDATE count_person SET n = n - 1 WHERE state = old.state AND reason = old.reason"
	"		AND priority = old.priority; END;"
	"CREATE TRIGGER person_on AFTER UPDATE OF state, reason, priority ON person"
	"	WHEN old.state <> new.state OR old.reason <> new.reason"
	"		OR old.priority <> new.priority BEGIN"
	"	UPDATE count_person SET n = n - 1 WHERE state = old.state AND reason = old.reason"
	"		AND priority = old.priority;"
	"	INSERT INTO count_person VALUES (new.state, new.reason, new.priority, 1)"
	"		ON CONFLICT DO UPDATE SET n = n + 1; END;"

	"CREATE TRIGGER sighting_in AFTER INSERT ON sighting WHEN new.gone_day IS NULL BEGIN"
	"	INSERT INTO count_sighting VALUES (new.verdict, 1)"
	"		ON CONFLICT DO UPDATE SET n = n + 1; END;"
	"CREATE TRIGGER sighting_out AFTER DELETE ON sighting WHEN old.gone_day IS NULL BEGIN"
	"	UPDATE count_sighting SET n = n - 1 WHERE verdict = old.verdict; END;"
	"CREATE TRIGGER sighting_on AFTER UPDATE OF verdict, gone_day ON sighting"
	"	WHEN old.verdict <> new.verdict"
	"		OR (old.gone_day IS NULL) <> (new.gone_day IS NULL) BEGIN"
	"	UPDATE count_sighting SET n = n - 1 WHERE verdict = old.verdict"
	"		AND old.gone_day IS NULL;"
	"	INSERT INTO count_sighting SELECT new.verdict, 1 WHERE new.gone_day IS NULL"
	"		ON CONFLICT DO UPDATE SET n = n + 1; END;"

	"CREATE TRIGGER send_in AFTER INSERT ON send WHEN new." COUNTS " BEGIN"
	"	INSERT INTO count_send VALUES (new.at / 900, 1)"
	"		ON CONFLICT DO UPDATE SET n = n + 1; END;"
	"CREATE TRIGGER send_out AFTER DELETE ON send WHEN old." COUNTS " BEGIN"
	"	UPDATE count_send SET n = n - 1 WHERE quarter = old.at / 900;"
	"	DELETE FROM count_send WHERE quarter = old.at / 900 AND n = 0; END;"
	"CREATE TRIGGER send_on AFTER UPDATE OF outcome ON send"
	"	WHEN (old." COUNTS ") <> (new." COUNTS ") BEGIN"
	"	UPDATE count_send SET n = n + (new." COUNTS ") - (old." COUNTS ")"
	"		WHERE quarter = new.at / 900; END;";

/* ---- what SQLite adds ---- */

/* For AUTOINCREMENT, UNIQUE and PRIMARY KEY. */
const char schema_v2_implied[] = "CREATE TABLE sqlite_sequence(name,seq);"
				 "CREATE INDEX sqlite_autoindex_meta_1 ON meta;"
				 "CREATE INDEX sqlite_autoindex_sighting_1 ON sighting;"
				 "CREATE INDEX sqlite_autoindex_person_1 ON person;"
				 "CREATE INDEX sqlite_autoindex_block_1 ON block;"
				 "CREATE INDEX sqlite_autoindex_worker_1 ON worker;";

/* ---- from version 1 ---- */

const char schema_v2_move_v1[] =
	"DROP TRIGGER person_in; DROP TRIGGER person_out; DROP TRIGGER person_on;"
	"DROP TRIGGER sighting_in; DROP TRIGGER sighting_out; DROP TRIGGER sighting_on;"
	"DROP TRIGGER send_in; DROP TRIGGER send_out; DROP TRIGGER send_on;"
	"DROP INDEX sighting_rules; DROP INDEX sighting_address; DROP INDEX sighting_change;"
	"DROP INDEX sighting_gone; DROP INDEX person_ready; DROP INDEX person_lease;"
	"DROP INDEX person_state; DROP INDEX person_unseen; DROP INDEX send_at;"
	"DROP INDEX send_open; DROP INDEX history_at; DROP INDEX history_address;"
	"DROP INDEX history_sighting;"
	"ALTER TABLE sighting RENAME TO v1_sighting; ALTER TABLE person RENAME TO v1_person;"
	"ALTER TABLE send RENAME TO v1_send; ALTER TABLE history RENAME TO v1_history;"
	"ALTER TABLE block RENAME TO v1_block; ALTER TABLE pause RENAME TO v1_pause;"
	"ALTER TABLE worker RENAME TO v1_worker;";

/* A code of a fault is also the reason of a person who failed. */
#define NEW_REASON                                                                     \
	"CASE reason WHEN 'first_look' THEN 'first_check' WHEN 'asked' THEN 'manual'"  \
	" WHEN 'account_gone' THEN 'account_removed' WHEN 'cap' THEN 'daily_limit'"    \
	" WHEN 'window' THEN 'send_window' WHEN 'brake' THEN 'breaker'"                \
	" WHEN 'settled' THEN 'resolved' WHEN 'settled_unsent' THEN 'resolved_unsent'" \
	" ELSE CASE WHEN substr(reason, -8) = '_strange'"                              \
	" THEN substr(reason, 1, length(reason) - 7) || 'unexpected' ELSE reason END END"
#define NEW_FAULT_CODE                                                                   \
	"CASE WHEN fault_code = 'ledger_broken_group' THEN 'ledger_transaction_aborted'" \
	" WHEN substr(fault_code, -8) = '_strange'"                                      \
	" THEN substr(fault_code, 1, length(fault_code) - 7) || 'unexpected'"            \
	" ELSE fault_code END"

const char schema_v2_fill_from_v1[] =
	"INSERT INTO ledger_info SELECT one, ledger, customer, made_day, change FROM about;"
	"DROP TABLE about;"

	"INSERT INTO meta SELECT CASE key WHEN 'sweep_at' THEN 'resync_at'"
	" WHEN 'sweep_done' THEN 'resync_done' WHEN 'sweep_pages' THEN 'resync_pages'"
	" WHEN 'bulk_at' THEN 'backlog_at' WHEN 'reconcile_why' THEN 'reconcile_cause'"
	" WHEN 'reconcile_swept' THEN 'reconcile_list_read'"
	" ELSE CASE WHEN substr(key, 1, 6) = 'meter.' THEN 'counter.' || substr(key, 7)"
	" ELSE key END END, value FROM kept;"
	"DROP TABLE kept;"

	/* A sentence that names a setting of old is to be written again. */
	"INSERT INTO sighting SELECT id, host, account, uid,"
	" CASE reason WHEN 'asked' THEN 'manual' ELSE reason END, first_day, local, shell,"
	" member_of, first_name, last_name, gone_day,"
	" CASE WHEN rule IN ('nobody_name', 'allow_users') THEN NULL ELSE rules END,"
	" verdict, from_template, address, CASE rule WHEN 'nobody_name' THEN 'reserved_name'"
	" WHEN 'allow_users' THEN 'allow_reserved_names' ELSE rule END, sentence, facts, change"
	" FROM v1_sighting;"
	/* An id is not given twice, not even that of a sighting that was deleted. */
	"DELETE FROM sqlite_sequence WHERE name = 'sighting';"
	"UPDATE sqlite_sequence SET name = 'sighting' WHERE name = 'v1_sighting';"
	"DROP TABLE v1_sighting;"

	"INSERT INTO person SELECT id, address, state, " NEW_REASON ", due, ready,"
	" CASE class WHEN 'sweep' THEN 'background' ELSE class END, attempts, " NEW_FAULT_CODE
	", fault_text, mails, our_mails, intent_at, intent_date, intent_mails, approved, again,"
	" discovered, checked, first_day, changed, unseen_day, CASE unseen_why"
	" WHEN 'account_gone' THEN 'account_removed' ELSE unseen_why END, lease_owner,"
	" lease_until FROM v1_person;"
	"DROP TABLE v1_person;"

	"INSERT INTO send SELECT id, address, at, CASE outcome WHEN 'settled_sent'"
	" THEN 'resolved_sent' WHEN 'settled_unsent' THEN 'resolved_unsent' ELSE outcome END,"
	" actor FROM v1_send;"
	"DROP TABLE v1_send;"
	"INSERT INTO history SELECT id, at, subject, address, sighting,"
	" CASE what WHEN 'judged' THEN 'evaluated' ELSE what END, cause, actor FROM v1_history;"
	"DROP TABLE v1_history;"
	"INSERT INTO block SELECT address, text, actor, at FROM v1_block;"
	"DROP TABLE v1_block;"
	/* Version 1 had one kind for the breaker and for the change guard of the collector. */
	"INSERT INTO pause SELECT one, CASE WHEN kind <> 'brake' THEN kind"
	" WHEN actor = 'collector' THEN 'account_changes' ELSE 'breaker' END,"
	" text, remedy, actor, since, probe_at, probes FROM v1_pause;"
	"DROP TABLE v1_pause;"
	"INSERT INTO worker SELECT role, host, version, pid, beat, started,"
	" CASE note WHEN 'braked' THEN 'paused: account_changes'"
	" WHEN 'waiting for the pace' THEN 'waiting for the rate limit' ELSE note END"
	" FROM v1_worker;"
	"DROP TABLE v1_worker;"

	"INSERT INTO rate_limit SELECT one, boot, rate, lowered_ms, changed_ms, until_ms,"
	" until_wall FROM pace;"
	"DROP TABLE pace;"
	"INSERT INTO permit SELECT id, taken_ms, ended, free_ms FROM pace_slot;"
	"DELETE FROM sqlite_sequence WHERE name = 'permit';"
	"UPDATE sqlite_sequence SET name = 'permit' WHERE name = 'pace_slot';"
	"DROP TABLE pace_slot;"

	"INSERT INTO count_person SELECT state, reason, priority, count(*) FROM person"
	" GROUP BY state, reason, priority;"
	"DROP TABLE tally_person;"
	"INSERT INTO count_sighting SELECT verdict, count(*) FROM sighting"
	" WHERE gone_day IS NULL GROUP BY verdict;"
	"DROP TABLE tally_sighting;"
	"INSERT INTO count_send SELECT quarter, n FROM tally_send;"
	"DROP TABLE tally_send;";
