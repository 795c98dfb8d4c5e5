/* SPDX-License-Identifier: Apache-2.0 */
/* Shows L7, L8, L11, L12 (common/ledger/README.md). */
/*
 * What administrators decide: block, forget, pause; and what time decides: retention. Also the
 * journal of sends, the history and the small values that survive.
 */
#include "base/str.h"
#include "ledger_site.h"

#include <time.h>

#include "base/array.h"
#include "ledger/sqlite.h"

#define ALICE "alice@example.com"
#define BOB   "bob@example.com"

static void block(struct site *site, const char *address)
{
	GOOD(site, ledger_block(site->ledger, address, "left us", "root", &site->fault));
}

static int unblock(struct site *site, const char *address)
{
	int result = ledger_unblock(site->ledger, address, "root", &site->fault);

	GOOD(site, result >= 0);
	return result;
}

/* ---- block ---- */

static void a_person_who_is_blocked_waits_and_is_queued_again_when_unblocked(void **state)
{
	struct site *site = *state;
	char why[32];

	arrive(site, "web1", "alice", ALICE);
	block(site, ALICE);
	assert_string_equal(state_of(site, ALICE), "held blocked");
	assert_int_equal(seen(site, "web1", "alice").verdict, VERDICT_BLOCKED);
	assert_int_equal(ledger_blocked(site->ledger, ALICE, why, sizeof(why), &site->fault), 1);
	assert_string_equal(why, "left us");
	assert_int_equal(ledger_blocked(site->ledger, BOB, NULL, 0, &site->fault), 0);

	assert_int_equal(unblock(site, ALICE), 1);
	assert_int_equal(unblock(site, ALICE), 0);
	assert_string_equal(state_of(site, ALICE), "queued first_check");
	assert_in_range(person(site, ALICE).next_attempt, clock_wall() - 5, clock_wall());
	assert_int_equal(ledger_unclassified(site->ledger, RULES, NULL, 0, &site->fault), 0);
	assert_int_equal(site_number(site, "SELECT rules IS NULL FROM sighting"), 1);
	assert_int_equal(classify(site, "web1", "alice", ALICE, RULES), VERDICT_MAPPED);
}

static void ledger_person_apply_of_a_blocked_person_never_queues(void **state)
{
	struct site *site = *state;
	struct person_event event = {
		.kind = EVENT_SIGHTED, .now = clock_wall(), .today = clock_day_start(clock_wall())};

	block(site, ALICE);
	saw(site, "web1", "alice");
	assert_int_equal(classify(site, "web1", "alice", ALICE, RULES), VERDICT_BLOCKED);
	assert_int_equal(
		ledger_person_apply(site->ledger, ALICE, &event, NULL, "t", NULL, &site->fault), 1);
	assert_string_equal(state_of(site, ALICE), "held blocked");
	event.kind = EVENT_APPROVED;
	assert_int_equal(
		ledger_person_apply(site->ledger, ALICE, &event, NULL, "t", NULL, &site->fault), 1);
	assert_string_equal(state_of(site, ALICE), "held blocked");
}

static void a_block_forgets_no_send_that_may_have_mailed(void **state)
{
	struct site *site = *state;
	struct person p = somebody(ALICE, PERSON_HELD);

	p.reason = REASON_UNCONFIRMED;
	p.intent_at = 1000;
	put(site, &p);
	block(site, ALICE);
	assert_string_equal(state_of(site, ALICE), "held unconfirmed");
	unblock(site, ALICE);
	assert_string_equal(state_of(site, ALICE), "held unconfirmed");
	put_new(site, BOB, PERSON_INVITED);
	block(site, BOB);
	assert_string_equal(state_of(site, BOB), "invited first_check");
}

static bool list_block(
	const char *address, const char *text, const char *actor, int64_t at, void *ctx)
{
	char *out = ctx;

	assert_true(at > 0);
	str_format(out + strlen(out), 256 - strlen(out), "%s (%s, %s) ", address, text, actor);
	return true;
}

static void blocks_are_listed_with_reason_and_actor(void **state)
{
	struct site *site = *state;
	char list[256] = "";

	block(site, BOB);
	block(site, ALICE);
	GOOD(site, ledger_block(site->ledger, BOB, "on leave", "alice (sudo)", &site->fault));
	GOOD(site, ledger_each_block(site->ledger, list_block, list, &site->fault));
	assert_string_equal(list, ALICE " (left us, root) " BOB " (on leave, alice (sudo)) ");
}

/* ---- forget ---- */

/* Whether the bytes are in any file of the ledger. */
static bool on_disk(struct site *site, const char *word)
{
	static const char *const files[] = {"ledger.db", "ledger.db-wal"};
	size_t length = strlen(word);
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		static char bytes[4 << 20];
		FILE *file = fopen(folder_path(site->folder, files[i]), "re");
		size_t n = file ? fread(bytes, 1, sizeof(bytes), file) : 0;

		assert_true(n < sizeof(bytes));
		found = found || memmem(bytes, n, word, length);
		if (file)
			fclose(file);
	}
	return found;
}

static void forget_leaves_no_trace_in_the_ledger_s_files(void **state)
{
	struct site *site = *state;

	arrive(site, "web1", "alice", ALICE);
	arrive(site, "web1", "bob", BOB);
	GOOD(site, ledger_send_begin(site->ledger, ALICE, clock_wall(), "t", &site->fault) > 0);
	assert_true(on_disk(site, "alice"));
	assert_int_equal(ledger_forget(site->ledger, ALICE, NULL, &site->fault), 1);
	assert_false(on_disk(site, "alice"));
	assert_true(on_disk(site, "bob"));
	assert_string_equal(state_of(site, ALICE), "none");
	assert_int_equal(seen(site, "web1", "alice").id, 0);
	assert_int_equal(ledger_forget(site->ledger, ALICE, NULL, &site->fault), 0);
	/* Today's mail still counts against the daily limit. */
	assert_int_equal(
		ledger_sends_between(site->ledger, clock_wall() - 60, INT64_MAX, &site->fault), 1);
}

static void a_forgotten_person_stays_blocked(void **state)
{
	struct site *site = *state;

	arrive(site, "web1", "alice", ALICE);
	assert_int_equal(ledger_forget(site->ledger, ALICE, NULL, &site->fault), 1);
	block(site, ALICE);
	assert_int_equal(ledger_forget(site->ledger, ALICE, NULL, &site->fault), 1); /* "blocked" */
	assert_int_equal(ledger_blocked(site->ledger, ALICE, NULL, 0, &site->fault), 1);
	saw(site, "web1", "alice");
	assert_int_equal(classify(site, "web1", "alice", ALICE, RULES), VERDICT_BLOCKED);
}

static void forget_of_a_leased_person_is_refused(void **state)
{
	struct site *site = *state;
	struct person p;

	arrive(site, "web1", "alice", ALICE);
	assert_int_equal(ledger_lease(site->ledger, ALICE, "dispatcher", clock_wall(),
				 clock_wall() + 60, &p, &site->fault),
		1);
	assert_int_equal(ledger_forget(site->ledger, ALICE, NULL, &site->fault), -1);
	assert_int_equal(site->fault.kind, FAULT_TRANSIENT);
	GOOD(site, ledger_release(site->ledger, "dispatcher", NULL, &site->fault));
	assert_int_equal(ledger_forget(site->ledger, ALICE, NULL, &site->fault), 1);
}

static void an_account_without_a_person_can_be_forgotten_too(void **state)
{
	struct site *site = *state;

	saw(site, "web1", "mallory");
	classify(site, "web1", "mallory", "", RULES);
	assert_int_equal(ledger_forget_sighting(site->ledger, "web1", "mallory", &site->fault), 1);
	assert_false(on_disk(site, "mallory"));
	assert_int_equal(ledger_forget_sighting(site->ledger, "web1", "mallory", &site->fault), 0);
}

/* ---- retention ---- */

static int expire(struct site *site, int64_t days, int max)
{
	int n = ledger_expire(
		site->ledger, &site->settings, clock_wall() + days * DAY, max, &site->fault);

	GOOD(site, n >= 0);
	return n;
}

static void what_is_in_use_never_expires(void **state)
{
	struct site *site = *state;
	struct person ambiguous = somebody("d@example.com", PERSON_HELD);

	arrive(site, "web1", "alice", ALICE);
	put_new(site, ALICE, PERSON_INVITED);
	put_new(site, BOB, PERSON_QUEUED); /* without an account, but not final */
	put_new(site, "c@example.com", PERSON_UNCONFIRMED);
	ambiguous.intent_at = 1000; /* a mail may be out: the administrator must decide */
	put(site, &ambiguous);
	assert_int_equal(expire(site, 0, 1000), 0);
	expire(site, 4000, 1000);
	assert_string_equal(state_of(site, ALICE), "invited first_check");
	assert_string_equal(state_of(site, BOB), "queued first_check");
	assert_string_equal(state_of(site, "c@example.com"), "unconfirmed first_check");
	assert_string_equal(state_of(site, "d@example.com"), "held first_check");
	assert_int_not_equal(seen(site, "web1", "alice").id, 0);
}

static void a_person_who_was_never_invited_and_has_no_account_goes_first(void **state)
{
	struct site *site = *state;

	arrive(site, "web1", "alice", ALICE);
	arrive(site, "web1", "bob", BOB);
	put_new(site, BOB, PERSON_DECLINED);
	GOOD(site, ledger_account_removed(site->ledger, "web1", "alice", &site->fault) > 0);
	GOOD(site, ledger_account_removed(site->ledger, "web1", "bob", &site->fault) > 0);
	assert_int_equal(expire(site, 29, 1000), 0);
	assert_int_equal(expire(site, 32, 1000), 3);
	assert_int_equal(seen(site, "web1", "bob").id, 0);
	assert_string_equal(state_of(site, ALICE), "none");
	assert_string_equal(state_of(site, BOB), "declined first_check"); /* never asked again */
	assert_int_equal(site_number(site, "SELECT count(*) FROM history WHERE sighting IS NULL"
					   " AND address = 'bob@example.com' AND event = 'seen'"),
		1);
	assert_true(expire(site, 402, 1000) > 0);
	assert_string_equal(state_of(site, BOB), "none");
	assert_int_equal(site_number(site, "SELECT count(*) FROM history"), 0);
	assert_false(on_disk(site, "alice"));
}

static void history_and_sends_expire_a_few_at_a_time(void **state)
{
	struct site *site = *state;
	struct history_entry e = {.at = clock_wall(), .subject = ALICE, .event = "note"};

	for (int i = 0; i < 25; i++)
		GOOD(site, ledger_note(site->ledger, &e, &site->fault));
	GOOD(site, ledger_send_begin(site->ledger, ALICE, clock_wall(), "t", &site->fault) > 0);
	assert_int_equal(expire(site, 399, 10), 0);
	assert_int_equal(expire(site, 401, 10), 10);
	assert_int_equal(expire(site, 401, 10), 10);
	assert_int_equal(expire(site, 401, 10), 6);
	assert_int_equal(expire(site, 401, 10), 0);
}

/* ---- history ---- */

static bool add_line(const struct history_entry *e, void *ctx)
{
	char *out = ctx;

	str_format(out + strlen(out), 1024 - strlen(out), "%s %s, ", e->subject, e->event);
	return true;
}

static void the_history_goes_from_the_account_to_the_mail(void **state)
{
	struct site *site = *state;
	char story[1024] = "";

	arrive(site, "web1", "alice", ALICE);
	arrive(site, "web1", "bob", BOB);
	put_new(site, ALICE, PERSON_SENDING);
	put_new(site, ALICE, PERSON_INVITED);
	GOOD(site,
		ledger_account_renamed(site->ledger, "web1", "alice", "alice.b", &site->fault) > 0);
	GOOD(site, ledger_each_history(
			   site->ledger, ALICE, NULL, NULL, add_line, story, &site->fault));
	assert_string_equal(story, "alice@web1 seen, alice@web1 evaluated, " ALICE " queued, " ALICE
				   " sending, " ALICE " invited, alice.b@web1 renamed, ");
	story[0] = '\0';
	GOOD(site, ledger_each_history(
			   site->ledger, NULL, "bob", "web1", add_line, story, &site->fault));
	assert_string_equal(story, "bob@web1 seen, bob@web1 evaluated, ");
}

static void an_account_that_is_spelled_like_an_address_is_not_the_person(void **state)
{
	struct site *site = *state;
	char story[1024] = "";

	put_new(site, ALICE, PERSON_QUEUED);
	saw(site, "example.com", "alice"); /* alice@example.com, and it leads elsewhere */
	classify(site, "example.com", "alice", BOB, RULES);
	GOOD(site, ledger_each_history(
			   site->ledger, ALICE, NULL, NULL, add_line, story, &site->fault));
	assert_string_equal(story, ALICE " queued, ");
}

/* ---- pause ---- */

static void stop(struct site *site, const char *kind, const char *text)
{
	struct ledger_pause p = {.since = 1000, .probe_at = 1060, .probes = 1};

	str_copy(p.kind, sizeof(p.kind), kind);
	str_copy(p.text, sizeof(p.text), text);
	str_copy(p.actor, sizeof(p.actor), "root");
	GOOD(site, ledger_pause(site->ledger, &p, &site->fault));
}

static const char *paused(struct site *site)
{
	static struct ledger_pause p;
	int found = ledger_paused(site->ledger, &p, &site->fault);

	GOOD(site, found >= 0);
	return found ? p.kind : "no";
}

static int resume(struct site *site, const char *kind)
{
	int result = ledger_resume(site->ledger, kind, "root", &site->fault);

	GOOD(site, result >= 0);
	return result;
}

static void a_weaker_pause_never_replaces_a_stronger_one(void **state)
{
	static const struct {
		const char *kind;
		int precedence;
	} kinds[] = {{"setup", 0}, {"breaker", 1}, {"account_changes", 1}, {"operator", 2}};
	struct site *site = *state;

	assert_string_equal(paused(site), "no");
	for (size_t there = 0; there < ARRAY_SIZE(kinds); there++)
		for (size_t comes = 0; comes < ARRAY_SIZE(kinds); comes++) {
			bool replaces = kinds[comes].precedence >= kinds[there].precedence;

			stop(site, kinds[there].kind, "there");
			stop(site, kinds[comes].kind, "comes");
			assert_string_equal(paused(site), kinds[replaces ? comes : there].kind);
			assert_int_equal(resume(site, NULL), 1);
		}
	assert_int_equal(resume(site, NULL), 0);
}

static void only_the_kind_that_is_named_is_resumed(void **state)
{
	struct site *site = *state;
	struct ledger_pause wrong = {.kind = "mood"};

	stop(site, "operator", "maintenance");
	assert_int_equal(resume(site, "setup"), 0);
	assert_string_equal(paused(site), "operator");
	assert_int_equal(resume(site, "operator"), 1);
	assert_string_equal(paused(site), "no");
	assert_false(ledger_pause(site->ledger, &wrong, &site->fault));
	assert_true(site_fault(site, "ledger_unexpected"));
}

static void probes_do_not_fill_the_history(void **state)
{
	struct site *site = *state;

	for (int i = 0; i < 5; i++)
		stop(site, "setup", "delegation is missing");
	stop(site, "setup", "the API is disabled");
	resume(site, NULL);
	assert_int_equal(site_number(site, "SELECT count(*) FROM history"), 3);
}

/* ---- sends ---- */

static int64_t sends(struct site *site, int64_t since)
{
	int64_t n = ledger_sends_between(site->ledger, since, INT64_MAX, &site->fault);

	GOOD(site, n >= 0);
	return n;
}

static void sends_that_may_have_mailed_count_against_the_daily_limit(void **state)
{
	static const struct {
		enum send_outcome outcome;
		int counts;
	} cases[] = {{SEND_NONE, 1}, {SEND_SENT, 1}, {SEND_UNCONFIRMED, 1}, {SEND_RESOLVED_SENT, 1},
		{SEND_REFUSED, 0}, {SEND_RESOLVED_UNSENT, 0}};
	struct site *site = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t before = sends(site, 500);

		GOOD(site, ledger_send_begin(site->ledger, ALICE, 500, "t", &site->fault) > 0);
		if (cases[i].outcome != SEND_NONE)
			GOOD(site, ledger_send_end(
					   site->ledger, ALICE, cases[i].outcome, &site->fault));
		assert_int_equal(sends(site, 500) - before, cases[i].counts);
		site_sql(site, "UPDATE send SET outcome = 'sent' WHERE outcome = 'open'");
	}
	assert_int_equal(sends(site, 501), 0);
}

static void a_result_changes_the_newest_send_that_is_still_open(void **state)
{
	struct site *site = *state;
	struct ledger *l = site->ledger;

	GOOD(site, ledger_send_begin(l, ALICE, 100, "t", &site->fault) > 0);
	GOOD(site, ledger_send_end(l, ALICE, SEND_UNCONFIRMED, &site->fault));
	GOOD(site, ledger_send_end(l, ALICE, SEND_RESOLVED_UNSENT, &site->fault));
	GOOD(site, ledger_send_begin(l, ALICE, 200, "t", &site->fault) > 0);
	GOOD(site, ledger_send_begin(l, BOB, 300, "t", &site->fault) > 0);
	GOOD(site, ledger_send_end(l, ALICE, SEND_SENT, &site->fault));
	GOOD(site, ledger_send_end(l, ALICE, SEND_REFUSED, &site->fault)); /* nothing is open */
	assert_int_equal(sends(site, 0), 2);
	assert_int_equal(
		site_number(site, "SELECT count(*) FROM send WHERE at = 200 AND outcome = 'sent'"),
		1);
}

/* Whatever is sent, resolved or expires: the count equals the count of the rows. */
static void sends_are_counted_right_from_any_second_on(void **state)
{
	static const enum send_outcome outcomes[] = {SEND_SENT, SEND_REFUSED, SEND_UNCONFIRMED,
		SEND_RESOLVED_SENT, SEND_RESOLVED_UNSENT};
	struct site *site = *state;
	unsigned random = 20261123u;
	char address[32], sql[160];

	print_message("# seed %u\n", random);
	GOOD(site, ledger_begin(site->ledger, &site->fault));
	for (int i = 0; i < 600; i++) {
		random = random * 1103515245u + 12345u;
		str_format(address, sizeof(address), "u%u@x.com", (random >> 8) % 20);
		if (random >> 31)
			GOOD(site, ledger_send_begin(site->ledger, address, (random >> 13) % 20000,
					   "t", &site->fault) > 0);
		else
			GOOD(site, ledger_send_end(site->ledger, address,
					   outcomes[(random >> 13) % 5], &site->fault));
	}
	GOOD(site, ledger_commit(site->ledger, &site->fault));
	GOOD(site, ledger_expire(site->ledger, &site->settings, 400 * DAY + 3000, 1000,
			   &site->fault) > 0);
	for (int64_t since = 0; since < 20000; since += 367) {
		str_format(sql, sizeof(sql),
			"SELECT count(*) FROM send WHERE at >= %lld"
			" AND outcome NOT IN ('refused', 'resolved_unsent')",
			(long long)since);
		assert_int_equal(sends(site, since), site_number(site, sql));
	}
	assert_true(sends(site, 0) > 100);
}

static void today_is_the_day_of_the_settings_zone_whatever_tz_says(void **state)
{
	struct site *site = *state;
	struct ledger_summary sum;
	const int64_t noon = 1767265200; /* 2026-01-01T11:00:00Z, 12:00 in Berlin */

	setenv("TZ", "Asia/Tokyo", 1);
	str_copy(site->ledger->timezone, sizeof(site->ledger->timezone), "Europe/Berlin");
	GOOD(site, ledger_send_begin(site->ledger, ALICE, noon - INT64_C(12) * 3600 - 1, "t",
			   &site->fault) > 0);
	GOOD(site, ledger_send_begin(
			   site->ledger, BOB, noon - INT64_C(12) * 3600, "t", &site->fault) > 0);
	/* A clock that was ahead left these. */
	GOOD(site, ledger_send_begin(
			   site->ledger, BOB, noon + INT64_C(12) * 3600, "t", &site->fault) > 0);
	GOOD(site, ledger_send_begin(site->ledger, BOB, noon + 300 * DAY, "t", &site->fault) > 0);
	GOOD(site, ledger_summarise(site->ledger, noon, &sum, &site->fault));
	unsetenv("TZ");
	assert_int_equal(sum.mails_today, 1);
}

/* ---- small values ---- */

static void values_survive_until_they_are_removed(void **state)
{
	struct site *site = *state;
	char value[32];

	assert_int_equal(
		ledger_get(site->ledger, "resync_at", value, sizeof(value), &site->fault), 0);
	GOOD(site, ledger_set(site->ledger, "resync_at", "1", &site->fault));
	GOOD(site, ledger_set(site->ledger, "resync_at", "2", &site->fault));
	ledger_close(site->ledger);
	site->ledger = site_open(site, LEDGER_WRITE);
	GOOD(site, site->ledger);
	assert_int_equal(
		ledger_get(site->ledger, "resync_at", value, sizeof(value), &site->fault), 1);
	assert_string_equal(value, "2");
	GOOD(site, ledger_set(site->ledger, "resync_at", NULL, &site->fault));
	assert_int_equal(
		ledger_get(site->ledger, "resync_at", value, sizeof(value), &site->fault), 0);
}

static bool add_worker(const struct ledger_worker *w, void *ctx)
{
	char *out = ctx;

	str_format(out + strlen(out), 256 - strlen(out), "%s@%s %s %lld %lld %lld %s, ", w->program,
		w->host, w->version, (long long)w->pid, (long long)w->last_heartbeat,
		(long long)w->started, w->status_text);
	return true;
}

static void programs_are_known_by_their_last_heartbeat(void **state)
{
	struct site *site = *state;
	struct ledger_worker w = {.program = "dispatcher",
		.host = "web1",
		.version = "0.1.0",
		.pid = 5,
		.last_heartbeat = 10,
		.started = 1,
		.status_text = "idle"};
	char list[256] = "";

	GOOD(site, ledger_heartbeat(site->ledger, &w, &site->fault));
	w.last_heartbeat = 20;
	w.pid = 6;
	GOOD(site, ledger_heartbeat(site->ledger, &w, &site->fault));
	str_copy(w.program, sizeof(w.program), "collector");
	GOOD(site, ledger_heartbeat(site->ledger, &w, &site->fault));
	GOOD(site, ledger_each_worker(site->ledger, add_worker, list, &site->fault));
	assert_string_equal(
		list, "collector@web1 0.1.0 6 20 1 idle, dispatcher@web1 0.1.0 6 20 1 idle, ");
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, site_new, site_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_person_who_is_blocked_waits_and_is_queued_again_when_unblocked),
		TEST(ledger_person_apply_of_a_blocked_person_never_queues),
		TEST(a_block_forgets_no_send_that_may_have_mailed),
		TEST(blocks_are_listed_with_reason_and_actor),
		TEST(forget_leaves_no_trace_in_the_ledger_s_files),
		TEST(a_forgotten_person_stays_blocked),
		TEST(forget_of_a_leased_person_is_refused),
		TEST(an_account_without_a_person_can_be_forgotten_too),
		TEST(what_is_in_use_never_expires),
		TEST(a_person_who_was_never_invited_and_has_no_account_goes_first),
		TEST(history_and_sends_expire_a_few_at_a_time),
		TEST(the_history_goes_from_the_account_to_the_mail),
		TEST(an_account_that_is_spelled_like_an_address_is_not_the_person),
		TEST(a_weaker_pause_never_replaces_a_stronger_one),
		TEST(only_the_kind_that_is_named_is_resumed),
		TEST(probes_do_not_fill_the_history),
		TEST(sends_that_may_have_mailed_count_against_the_daily_limit),
		TEST(a_result_changes_the_newest_send_that_is_still_open),
		TEST(sends_are_counted_right_from_any_second_on),
		TEST(today_is_the_day_of_the_settings_zone_whatever_tz_says),
		TEST(values_survive_until_they_are_removed),
		TEST(programs_are_known_by_their_last_heartbeat),
	};

	return cmocka_run_group_tests_name("ledger: decisions", tests, NULL, NULL);
}
