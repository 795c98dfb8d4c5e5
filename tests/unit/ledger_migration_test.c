/* SPDX-License-Identifier: Apache-2.0 */
/* Shows L15, L16 (common/ledger/README.md). */
/*
 * A ledger of schema version 1 (tests/unit/fixtures/ledger_v1.sql, made by the program of that
 * time) becomes one of this version: every row is kept, the words are the new ones, work goes on,
 * and a crash in the middle leaves the old ledger or the new one.
 */
#include "base/array.h"
#include "base/clock.h"
#include "base/str.h"
#include "ledger/schema.h"
#include "ledger_site.h"
#include "ratelimit/rate_limit.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>

#define WHEN  INT64_C(1793000000) /* the clock of the program that made the fixture, about */
#define MANY  4000		  /* copies of each person, for a migration that takes a while */
#define KILLS 24

/* ---- the fixture ---- */

static int old_ledger(void **state)
{
	site_prepare(state);
	site_load_v1(*state);
	return 0;
}

static void migrate(struct site *site)
{
	site->ledger = site_open(site, LEDGER_WRITE);
	GOOD(site, site->ledger);
}

/* All rows of a query, a line each; the caller frees it. */
static char *rows(struct site *site, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = NULL;
	size_t size;
	char *out = NULL;
	FILE *text = open_memstream(&out, &size);

	assert_non_null(text);
	assert_int_equal(sqlite3_open(site_file(site), &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const unsigned char *value = sqlite3_column_text(stmt, i);

			fprintf(text, "%s|", value ? (const char *)value : "NULL");
		}
		fputc('\n', text);
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	fclose(text);
	return out;
}

/* ---- what is kept ---- */

static void every_row_is_kept(void **state)
{
	/* Before and after; the columns with new words have a test of their own. */
	static const char *const kept[][2] = {
		{"SELECT one, ledger, customer, made_day, change FROM about",
			"SELECT id, ledger, customer, created_day, revision FROM ledger_info"},
		{"SELECT id, host, account, uid, first_day, local, shell, member_of, first_name,"
		 " last_name, gone_day, verdict, from_template, address, sentence, facts, change"
		 " FROM sighting ORDER BY id",
			"SELECT id, host, account, uid, first_day, local, shell, member_of,"
			" first_name, last_name, gone_day, verdict, from_template, address,"
			" sentence, facts_revision, revision FROM sighting ORDER BY id"},
		{"SELECT id, rules FROM sighting WHERE rule <> 'nobody_name' ORDER BY id",
			"SELECT id, rules FROM sighting WHERE rule <> 'reserved_name' ORDER BY id"},
		{"SELECT id, address, state, due, ready, attempts, fault_text, mails, our_mails,"
		 " intent_at, intent_date, intent_mails, approved, again, discovered, checked,"
		 " first_day, changed, unseen_day, lease_owner, lease_until FROM person"
		 " ORDER BY id",
			"SELECT id, address, state, next_attempt, runnable_at, attempts,"
			" fault_text, mails, our_mails, intent_at, intent_date, intent_mails,"
			" approved, resend, discovered, checked, first_day, changed,"
			" orphaned_since, lease_owner, lease_until FROM person ORDER BY id"},
		{"SELECT id, address, at, actor FROM send ORDER BY id",
			"SELECT id, address, at, actor FROM send ORDER BY id"},
		{"SELECT id, at, subject, address, sighting, cause, actor FROM history ORDER BY id",
			"SELECT id, at, subject, address, sighting, cause, actor FROM history"
			" ORDER BY id"},
		{"SELECT * FROM block ORDER BY address",
			"SELECT address, text, actor, at FROM block ORDER BY address"},
		{"SELECT text, remedy, actor, since, probe_at, probes FROM pause",
			"SELECT text, remedy, actor, since, probe_at, probes FROM pause"},
		{"SELECT role, host, version, pid, beat, started FROM worker",
			"SELECT program, host, version, pid, last_heartbeat, started FROM worker"},
		{"SELECT * FROM pace", "SELECT * FROM rate_limit"},
		{"SELECT * FROM pace_slot", "SELECT * FROM permit"},
		{"SELECT value FROM kept ORDER BY rowid", "SELECT value FROM meta ORDER BY rowid"},
		{"SELECT * FROM tally_send", "SELECT * FROM count_send"},
		{"SELECT verdict, n FROM tally_sighting WHERE n > 0",
			"SELECT verdict, n FROM count_sighting"},
		{"SELECT seq FROM sqlite_sequence ORDER BY seq",
			"SELECT seq FROM sqlite_sequence ORDER BY seq"},
	};
	char *before[ARRAY_SIZE(kept)];
	struct site *site = *state;

	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		before[i] = rows(site, kept[i][0]);
		assert_true(before[i][0] != '\0');
	}
	migrate(site);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		char *after = rows(site, kept[i][1]);

		assert_string_equal(after, before[i]);
		free(after);
		free(before[i]);
	}
	assert_int_equal(
		site_number(site, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
	assert_int_equal(site_number(site, "SELECT count(*) FROM (SELECT state, reason, priority,"
					   " count(*) FROM person GROUP BY 1, 2, 3 EXCEPT SELECT *"
					   " FROM count_person)"),
		0);
	assert_int_equal(site_number(site, "SELECT sum(n) FROM count_person"),
		site_number(site, "SELECT count(*) FROM person"));
}

/* ---- the new words ---- */

static void people_have_the_new_reasons(void **state)
{
	static const struct {
		const char *user, *state, *priority, *code;
	} people[] = {
		{"q.first", "queued first_check", "new", ""},
		{"q.sweep", "queued first_check", "background", ""},
		{"q.retry", "queued retry", "retry", "token_reply_unexpected"},
		{"q.cap", "queued daily_limit", "retry", ""},
		{"q.window", "queued send_window", "retry", ""},
		{"q.reconcile", "queued reconcile", "retry", ""},
		{"q.unsent", "queued resolved_unsent", "retry", ""},
		{"q.brake", "queued breaker", "retry", ""},
		{"q.approved", "queued approved", "new", ""},
		{"q.retried", "queued retried", "retry", ""},
		{"h.dry", "held dry_run", "new", ""},
		{"h.discovered", "held discovered", "background", ""},
		{"h.max", "held max_mails", "new", ""},
		{"h.asked", "held manual", "new", ""},
		{"h.unconfirmed", "held unconfirmed", "new", ""},
		{"h.interrupted", "held interrupted", "new", ""},
		{"h.state", "held unknown_state", "new", ""},
		{"h.blocked", "held blocked", "new", ""},
		{"h.collision", "held collision", "new", ""},
		{"n.invitable", "not_invitable not_invitable", "new", ""},
		{"u.sending", "sending first_check", "new", ""},
		{"u.unconfirmed", "unconfirmed unconfirmed", "retry", "reply_unexpected"},
		{"i.sent", "invited sent", "new", ""},
		{"i.settled", "invited resolved", "new", ""},
		{"i.others", "invited by_others", "new", ""},
		{"i.left", "invited account_removed", "new", ""},
		{"a.ccepted", "accepted answered", "new", ""},
		{"d.eclined", "declined answered", "new", ""},
		{"c.admin", "cancelled by_admin", "new", ""},
		{"c.deleted", "cancelled deleted", "new", ""},
		{"c.elsewhere", "cancelled elsewhere", "new", ""},
		{"f.ailed", "failed endpoint_unexpected", "new", "endpoint_unexpected"},
		{"g.lost", "gone account_removed", "new", ""},
		{"g.excluded", "gone excluded", "new", ""},
		{"g.forgotten", "gone forgotten", "new", ""},
		{"q.leased", "queued first_check", "new", ""},
	};
	struct site *site = *state;

	migrate(site);
	assert_int_equal(site_number(site, "SELECT count(*) FROM person"), ARRAY_SIZE(people));
	for (size_t i = 0; i < ARRAY_SIZE(people); i++) {
		char address[64];

		str_format(address, sizeof(address), "%s@example.com", people[i].user);
		assert_string_equal(state_of(site, address), people[i].state);
		assert_string_equal(
			priority_word(person(site, address).priority), people[i].priority);
		assert_string_equal(person(site, address).fault_code, people[i].code);
	}
}

static void assert_rows(struct site *site, const char *sql, const char *expected)
{
	char *is = rows(site, sql);

	assert_string_equal(is, expected);
	free(is);
}

static void all_other_words_are_the_new_ones(void **state)
{
	struct site *site = *state;

	migrate(site);
	assert_rows(site, "SELECT DISTINCT trigger FROM sighting ORDER BY 1",
		"created|\nlogin|\nmanual|\n");
	assert_rows(site, "SELECT account, rule, rules FROM sighting WHERE rule = 'reserved_name'",
		"ubuntu|reserved_name|NULL|\n");
	assert_rows(site, "SELECT outcome FROM send ORDER BY 1",
		"open|\nrefused|\nresolved_sent|\nresolved_unsent|\nsent|\nunconfirmed|\n");
	assert_rows(site,
		"SELECT address, orphan_reason FROM person WHERE orphan_reason <> '' ORDER BY 1",
		"g.excluded@example.com|excluded|\ng.forgotten@example.com|forgotten|\n"
		"g.lost@example.com|account_removed|\ni.left@example.com|account_removed|\n");
	assert_rows(site, "SELECT DISTINCT event FROM history WHERE event LIKE '%ed' ORDER BY 1",
		"accepted|\nblocked|\ncancelled|\ndeclined|\nenabled|\nevaluated|\nfailed|\n"
		"invited|\npaused|\nqueued|\nrenamed|\nunconfirmed|\n");
	assert_rows(site, "SELECT program, status_text FROM worker ORDER BY 1",
		"collector|paused: account_changes|\ndispatcher|waiting for the rate limit|\n");
	assert_rows(site, "SELECT key FROM meta WHERE key NOT LIKE 'counter.%' ORDER BY 1",
		"backlog_at|\nmails_elsewhere|\nreconcile_cause|\nreconcile_list_read|\n"
		"reconcile_mail_date|\nreconcile_since|\nreconcile_text|\nresync_at|\n"
		"resync_done|\nresync_pages|\nsends_begun|\n");
	assert_rows(site, "SELECT kind, actor FROM pause", "breaker|dispatcher|\n");
}

static void the_collector_s_pause_is_of_the_change_guard(void **state)
{
	struct site *site = *state;

	site_sql(site, "UPDATE pause SET actor = 'collector'");
	migrate(site);
	assert_rows(site, "SELECT kind, actor FROM pause", "account_changes|collector|\n");
}

static bool add_counter(const char *name, int64_t n, void *ctx)
{
	int64_t *sums = ctx;
	char known[COUNTER_NAME_MAX];

	for (int c = 0; c < COUNTERS; c++)
		for (int a = 0; a < counter_label_a_values((enum counter)c); a++)
			for (int b = 0; b < counter_label_b_values((enum counter)c); b++) {
				counter_name((enum counter)c, a, b, known);
				if (strcmp(known, name) != 0)
					continue;
				sums[c] += n;
				return true;
			}
	fail_msg("%s is not a counter of this version", name);
	return false;
}

/* The fixture has 1 + 100 for each counter's place + 10 and 1 for each label's. */
static void every_counter_goes_on_under_its_present_name(void **state)
{
	int64_t sums[COUNTERS] = {0};
	struct site *site = *state;

	migrate(site);
	GOOD(site, ledger_each_counter(site->ledger, add_counter, sums, &site->fault));
	assert_int_equal(sums[COUNTER_ARRIVALS], 1 + 11 + 21);
	assert_int_equal(sums[COUNTER_REQUESTS], 20 * 101 + 5 * (1 + 2 + 3) + 4 * 100);
	assert_int_equal(sums[COUNTER_THROTTLED], 401);
	assert_int_equal(sums[COUNTER_BREAKER_TRIPS], 601 + 611);
	assert_int_equal(sums[COUNTER_UNEXPLAINED_MAILS], 1101);
	assert_int_equal(sums[GAUGE_SPOOL], 4);
	assert_int_equal(sums[GAUGE_CLOCK_SKEW], -3);
}

/* ---- work goes on ---- */

static void a_migrated_ledger_is_a_new_one_s_equal(void **state)
{
	static const char schema[] = "SELECT type, name, tbl_name, sql FROM sqlite_schema"
				     " ORDER BY type, name";
	struct site *site = *state;
	void *other = NULL;
	char *is, *new;

	migrate(site);
	assert_int_equal(ledger_schema(site->ledger), schema_newest);
	assert_string_equal(ledger_id(site->ledger), "9ba27507be0447593bf6378126cae759");
	is = rows(site, schema);
	assert_int_equal(site_new(&other), 0);
	new = rows(other, schema);
	assert_string_equal(is, new);
	free(is);
	free(new);
	site_free(&other);
}

static bool count_history(const struct history_entry *e, void *ctx)
{
	*(int *)ctx += strcmp(e->event, "evaluated") == 0;
	return true;
}

static void people_are_claimed_in_their_order(void **state)
{
	struct site *site = *state;
	struct person claimed[64];
	int64_t due = 0;
	int n;

	migrate(site);
	GOOD(site, ledger_next_due(site->ledger, &due, &site->fault));
	assert_int_equal(due, site_number(site, "SELECT min(runnable_at) FROM person"
						" WHERE runnable_at > 0"));
	n = ledger_claim(site->ledger, WHEN + 200000, PRIO_BACKGROUND, "test", WHEN + 200600,
		claimed, ARRAY_SIZE(claimed), &site->fault);
	GOOD(site, n > 0);
	assert_int_equal(n, site_number(site, "SELECT count(*) FROM person WHERE state IN"
					      " ('queued', 'unconfirmed', 'sending')") +
				    1); /* and the person who was invited and has no account */
	for (int i = 1; i < n; i++)
		assert_true(claimed[i - 1].priority <= claimed[i].priority);
}

static void everything_else_goes_on(void **state)
{
	struct site *site = *state;
	struct rate_limit_status limit;
	struct ledger_summary summary;
	struct ledger_reconcile reconcile;
	struct ledger_pause pause;
	int64_t permits[4], wait;
	int evaluated = 0;

	migrate(site);
	GOOD(site, ledger_summarise(site->ledger, WHEN, &summary, &site->fault));
	assert_int_equal(summary.people[PERSON_HELD], 9);
	assert_int_equal(summary.queue[PRIO_BACKGROUND], 1);
	assert_int_equal(summary.sightings[VERDICT_COLLISION], 2);
	assert_int_equal(summary.blocked, 2);
	assert_int_equal(
		ledger_sends_between(site->ledger, WHEN - 2000, INT64_MAX, &site->fault), 3);
	assert_int_equal(ledger_sends_begun(site->ledger, &site->fault), 6);
	assert_int_equal(ledger_paused(site->ledger, &pause, &site->fault), 1);
	assert_int_equal(ledger_resume(site->ledger, "breaker", "root", &site->fault), 1);
	assert_int_equal(ledger_reconciling(site->ledger, &reconcile, &site->fault), 1);
	assert_string_equal(reconcile.cause, "restored");
	assert_true(reconcile.list_read);
	GOOD(site, ledger_each_history(site->ledger, "q.first@example.com", NULL, NULL,
			   count_history, &evaluated, &site->fault));
	assert_int_equal(evaluated, 1);
	GOOD(site, rate_limit_status(site->ledger, &site->settings, &limit, &site->fault));
	assert_int_equal(limit.effective, 15);
	assert_int_equal(rate_limit_acquire(site->ledger, &site->settings, false, 4, permits, &wait,
				 &site->fault),
		4);
	/* A verdict that equals the last one that was reported is not reported again. */
	saw(site, "web1", "q.cap");
	classify(site, "web1", "q.cap", "q.cap@example.com", RULES);
	assert_int_equal(site_number(site, "SELECT count(*) FROM history WHERE event = 'evaluated'"
					   " AND subject = 'q.cap@web1'"),
		1);
	saw(site, "web1", "newcomer");
	assert_int_equal(
		site_number(site, "SELECT id FROM sighting WHERE account = 'newcomer'"), 44 + 1);
	assert_int_equal(ledger_send_end(site->ledger, "u.unconfirmed@example.com",
				 SEND_RESOLVED_SENT, &site->fault),
		true);
}

/* ---- who may migrate ---- */

static void a_reader_leaves_it_to_the_services(void **state)
{
	struct site *site = *state;

	assert_null(site_open(site, LEDGER_READ));
	assert_true(site_fault(site, "ledger_older"));
	assert_non_null(strstr(site->fault.remedy, "Restart the services"));
	assert_int_equal(site_number(site, "PRAGMA user_version"), 1);
}

static void a_schema_that_version_1_never_had_is_left_alone(void **state)
{
	struct site *site = *state;

	site_sql(site, "CREATE TRIGGER theirs AFTER INSERT ON person BEGIN"
		       " DELETE FROM history; END");
	assert_null(site_open(site, LEDGER_WRITE));
	assert_true(site_fault(site, "ledger_schema"));
	assert_int_equal(site_number(site, "PRAGMA user_version"), 1);
	assert_int_equal(site_number(site, "SELECT count(*) FROM about"), 1);
}

/* ---- kill -9 ---- */

/* Before or after, with nothing of the other. */
static void assert_one_of_both(struct site *site, int64_t people)
{
	bool old = site_number(site, "PRAGMA user_version") == 1;

	assert_int_equal(
		site_number(site, "SELECT count(*) FROM sqlite_schema WHERE name = 'about'"), old);
	assert_int_equal(
		site_number(site, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'"), !old);
	assert_int_equal(
		site_number(site, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'v1%'"), 0);
	assert_int_equal(site_number(site, "SELECT count(*) FROM person"), people);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static pid_t start_migrating(struct site *site)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct ledger *l = site_open(site, LEDGER_WRITE);

		ledger_close(l);
		_exit(l ? 0 : 1);
	}
	return child;
}

static void make_many(struct site *site)
{
	char sql[512];

	str_format(sql, sizeof(sql),
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)"
		" INSERT INTO person SELECT NULL, i || '.' || address, state, reason, due, ready,"
		" class, attempts, fault_code, fault_text, mails, our_mails, intent_at,"
		" intent_date, intent_mails, approved, again, discovered, checked, first_day,"
		" changed, unseen_day, unseen_why, lease_owner, lease_until FROM person, n"
		" WHERE address LIKE 'q.%%'",
		MANY);
	site_sql(site, sql);
}

static void kill_nine_leaves_the_old_ledger_or_the_new_one(void **state)
{
	struct site *site = *state;
	int64_t people, took, started;
	int status, interrupted = 0;
	char *image;
	FILE *file;
	struct stat st;

	make_many(site);
	people = site_number(site, "SELECT count(*) FROM person");
	assert_int_equal(stat(site_file(site), &st), 0);
	image = malloc((size_t)st.st_size);
	file = fopen(site_file(site), "re");
	assert_true(image && file);
	assert_int_equal(fread(image, 1, (size_t)st.st_size, file), st.st_size);
	fclose(file);
	started = now_us();
	assert_int_equal(waitpid(start_migrating(site), &status, 0) > 0 && status == 0, 1);
	took = now_us() - started;
	for (int kill_at = 0; kill_at < KILLS; kill_at++) {
		const struct timespec wait = {
			.tv_sec = took * kill_at / KILLS / 1000000,
			.tv_nsec = (long)(took * kill_at / KILLS % 1000000) * 1000,
		};
		pid_t child;

		unlink(folder_path(site->folder, "ledger.db-wal"));
		unlink(folder_path(site->folder, "ledger.db-shm"));
		folder_write_bytes(site->folder, "ledger.db", image, (size_t)st.st_size);
		assert_int_equal(chmod(site_file(site), 0600), 0);
		child = start_migrating(site);
		nanosleep(&wait, NULL);
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		interrupted += WIFSIGNALED(status);
		assert_one_of_both(site, people);
		migrate(site);
		assert_one_of_both(site, people);
		assert_int_equal(ledger_schema(site->ledger), schema_newest);
		ledger_close(site->ledger);
		site->ledger = NULL;
	}
	print_message("# %d of %d were killed in the middle of %lld ms\n", interrupted, KILLS,
		(long long)took / 1000);
	assert_true(interrupted > 0);
	free(image);
}

static bool opens_and_reads(struct site *site, int number)
{
	struct ledger *l = site_open(site, LEDGER_WRITE);
	struct ledger_summary summary;
	bool good = l && ledger_summarise(l, WHEN, &summary, &site->fault);

	(void)number;
	ledger_close(l);
	return good && summary.people[PERSON_ACCEPTED] == 1;
}

static void programs_that_start_at_once_migrate_it_once(void **state)
{
	struct site *site = *state;

	at_once(site, 6, opens_and_reads);
	assert_int_equal(site_number(site, "PRAGMA user_version"), schema_newest);
}

#define OLD(test) cmocka_unit_test_setup_teardown(test, old_ledger, site_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		OLD(every_row_is_kept),
		OLD(people_have_the_new_reasons),
		OLD(all_other_words_are_the_new_ones),
		OLD(the_collector_s_pause_is_of_the_change_guard),
		OLD(every_counter_goes_on_under_its_present_name),
		OLD(a_migrated_ledger_is_a_new_one_s_equal),
		OLD(people_are_claimed_in_their_order),
		OLD(everything_else_goes_on),
		OLD(a_reader_leaves_it_to_the_services),
		OLD(a_schema_that_version_1_never_had_is_left_alone),
		OLD(kill_nine_leaves_the_old_ledger_or_the_new_one),
		OLD(programs_that_start_at_once_migrate_it_once),
	};

	return cmocka_run_group_tests_name("ledger: migration", tests, NULL, NULL);
}
