/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's send, where something happens in the middle of it: another program acts while
 * it waits for a permit, or the ledger fails.
 */
#include "base/array.h"
#include "base/str.h"
#include "engine_command.h"
#include "ledger/sqlite.h"

static const char alice[] = "alice@example.com";
static const char bob[] = "bob@example.com";

static void send_to(struct command *c, const char *address, bool resend)
{
	engine_send(c->engine, address, resend, "because", command_on_wait, c, &c->result);
}

static int64_t number(struct site *s, const char *sql)
{
	sqlite3_stmt *statement;
	int64_t value;

	assert_int_equal(sqlite3_prepare_v2(s->ledger->db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return value;
}

static int64_t open_permits(struct site *s)
{
	return number(s, "SELECT count(*) FROM permit WHERE ended = 0");
}

static int64_t leases(struct site *s)
{
	return number(s, "SELECT count(*) FROM person WHERE lease_until > 0");
}

/* ---- while it waits for a permit ---- */

static void pause_sending(struct command *c)
{
	const struct ledger_pause pause = {.kind = "operator", .text = "migration"};

	check(c->site, ledger_pause(c->site->ledger, &pause, &c->site->fault));
}

static void begin_reconcile(struct command *c)
{
	struct ledger_reconcile r = {.cause = "mails_elsewhere", .text = "mails"};

	r.since = clock_wall();
	check(c->site, ledger_reconcile(c->site->ledger, &r, "dispatcher", &c->site->fault));
}

static void block_alice(struct command *c)
{
	check(c->site, ledger_block(c->site->ledger, alice, "has left", "root", &c->site->fault));
}

/* The lease ends, and another program claims the person. */
static void take_over(struct command *c)
{
	struct person p;

	fake_google.skew_ms += (LEASE_S + 1) * INT64_C(1000);
	assert_int_equal(ledger_lease(c->site->ledger, alice, "dispatcher@there", clock_wall(),
				 clock_wall() + LEASE_S, &p, &c->site->fault),
		1);
}

static void erase_alice(struct command *c)
{
	fake_google.skew_ms += (LEASE_S + 1) * INT64_C(1000);
	assert_int_equal(ledger_forget(c->site->ledger, alice, &c->site->fault), 1);
}

static void what_begins_while_it_waits_counts_before_the_mail(void **state)
{
	static const struct {
		void (*act)(struct command *c);
		enum fault_kind kind;
		const char *code;
	} rows[] = {
		{pause_sending, FAULT_POLICY, "paused"},
		{begin_reconcile, FAULT_POLICY, "reconcile"},
		{block_alice, FAULT_POLICY, "blocked"},
		{take_over, FAULT_TRANSIENT, "leased"},
		{erase_alice, FAULT_TRANSIENT, "leased"},
	};

	for (size_t n = 0; n < ARRAY_SIZE(rows); n++) {
		struct site s = site_new(*state, "requests_per_minute = 2\n", "");
		struct command c = command_open(&s);

		/* check and get take the two permits: it waits for that of the mail. */
		open_account(alice, 30 * DAY);
		c.while_waiting = rows[n].act;
		send_to(&c, alice, false);
		assert_refused(&c.result, rows[n].kind, rows[n].code);
		assert_true(c.waits > 0);
		assert_calls(1, 1, 0);
		assert_int_equal(open_permits(&s), 0);
		assert_int_equal(number(&s, "SELECT count(*) FROM send"), 0);
		assert_int_equal(leases(&s), rows[n].act == take_over);
		command_close(&c);
		site_end(&s);
	}
}

static void what_is_refused_in_any_case_is_not_waited_for(void **state)
{
	struct site s = site_new(*state, "requests_per_minute = 2\n", "sends_per_day = 1");
	struct command c = command_open(&s);

	open_account(alice, 30 * DAY);
	open_account(bob, 30 * DAY);
	send_to(&c, bob, false);
	assert_int_equal(c.result.person.state, PERSON_INVITED);
	/* check and get take the two permits. */
	pass(61000);
	c.waits = 0;
	send_to(&c, alice, false);
	assert_refused(&c.result, FAULT_POLICY, "daily_limit");
	assert_int_equal(c.waits, 0);
	assert_int_equal(number(&s, "SELECT count(*) FROM permit"), 2);
	assert_int_equal(open_permits(&s), 0);
	command_close(&c);
	site_end(&s);
}

/* ---- what several sends of one command say together ---- */

static const char *name_of(int n)
{
	static char address[32];

	str_format(address, sizeof(address), "person%d@example.com", n);
	return address;
}

static void reject_checks(struct call_at_google *c, struct outcome *o)
{
	if (c->call.method == GOOGLE_CHECK)
		*o = (struct outcome){.kind = FAULT_REJECTED, .code = "forbidden"};
}

static void the_same_rejection_for_five_people_trips_the_breaker(void **state)
{
	struct site s = site_new(*state, "", "");
	struct command c = command_open(&s);
	struct ledger_pause pause = {.kind = ""};

	fake_google.decide = reject_checks;
	for (int n = 0; n < 5; n++) {
		send_to(&c, name_of(n), false);
		assert_refused(&c.result, FAULT_REJECTED, "forbidden");
	}
	assert_int_equal(ledger_paused(s.ledger, &pause, &s.fault), 1);
	assert_string_equal(pause.kind, "breaker");
	assert_int_equal(number(&s, "SELECT count(*) FROM person WHERE state = 'failed'"), 0);
	send_to(&c, name_of(5), false);
	assert_refused(&c.result, FAULT_POLICY, "paused");
	assert_int_equal(leases(&s), 0);
	command_close(&c);
	site_end(&s);
}

static struct outcome control_answer;

static void cut_sends(struct call_at_google *c, struct outcome *o)
{
	if (c->call.method == GOOGLE_SEND)
		*o = (struct outcome){.kind = FAULT_AMBIGUOUS, .code = "cut"};
	else if (c->call.method == GOOGLE_LIST)
		*o = control_answer;
}

static void after_three_ambiguous_sends_the_control_call_decides(void **state)
{
	static const struct outcome answers[] = {{.kind = FAULT_NONE},
		{.kind = FAULT_TRANSIENT, .code = "503"},
		{.kind = FAULT_SETUP, .code = "api_disabled"}};

	for (int k = 0; k < 3; k++) {
		struct site s = site_new(*state, "", "");
		struct command c = command_open(&s);

		control_answer = answers[k];
		fake_google.decide = cut_sends;
		for (int n = 0; n < 4; n++) {
			open_account(name_of(n), 30 * DAY);
			send_to(&c, name_of(n), false);
			if (n < 3)
				assert_refused(&c.result, FAULT_AMBIGUOUS, "cut");
		}
		assert_refused(&c.result, k == 0 ? FAULT_AMBIGUOUS : answers[k].kind,
			k == 0 ? "cut" : answers[k].code);
		assert_calls(4, 4, k == 0 ? 4 : 3);
		assert_int_equal(fake_google.counts[GOOGLE_LIST], 1);
		assert_person(&s, name_of(3), k == 0 ? PERSON_UNCONFIRMED : PERSON_HELD,
			k == 0 ? "unconfirmed" : "manual");
		assert_int_equal(leases(&s), 0);
		command_close(&c);
		site_end(&s);
	}
}

/* ---- a resend of an unconfirmed person ---- */

static void a_resend_of_an_unconfirmed_person_is_sent(void **state)
{
	struct site s = site_new(*state, "", "");
	struct command c = command_open(&s);

	open_account(alice, 30 * DAY)->more = 1;
	control_answer = (struct outcome){.kind = FAULT_NONE};
	fake_google.decide = cut_sends;
	send_to(&c, alice, false);
	fake_google.decide = NULL;
	assert_person(&s, alice, PERSON_UNCONFIRMED, "unconfirmed");
	send_to(&c, alice, true);
	assert_int_equal(c.result.fault.kind, FAULT_NONE);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_int_equal(account_of(alice)->sends, 1);
	command_close(&c);
	site_end(&s);
}

/* ---- the ledger fails ---- */

/* Commits number `first` to `last` of the command fail. */
struct commits {
	int count, first, last;
};

static int fail_commit(void *ctx)
{
	struct commits *c = ctx;
	int n = c->count++;

	return n >= c->first && n <= c->last;
}

static void send_with_commits_that_fail(struct site *s, int first, int count, int *commits)
{
	struct commits failing = {.first = first, .last = first + count - 1};
	struct command c = command_open(s);

	open_account(alice, 30 * DAY);
	see_user(s, "alice", TRIGGER_LOGIN);
	classify_all(s);
	sqlite3_commit_hook(c.ledger->db, fail_commit, &failing);
	send_to(&c, alice, false);
	sqlite3_commit_hook(c.ledger->db, NULL, NULL);
	*commits = failing.count;
	/* What is said is what has happened. */
	if (c.result.fault.kind == FAULT_NONE) {
		assert_person(s, alice, PERSON_INVITED, "sent");
		assert_int_equal(account_of(alice)->sends, 1);
	} else {
		assert_int_equal(c.result.fault.kind, FAULT_STORAGE);
	}
	if (account_of(alice)->sends > 0)
		assert_true(number(s, "SELECT count(*) FROM send") == 1 &&
			    number(s, "SELECT value FROM meta WHERE key = 'sends_begun'") == 1);
	else
		assert_int_equal(number(s, "SELECT count(*) FROM send"), 0);
	command_close(&c);
	assert_int_equal(leases(s), 0);
	assert_true(count > 1 || open_permits(s) == 0);
}

/* One commit that fails is tried again, but for the claim and the permit, before which nothing was
 * asked or done. Six that fail are too many: the dispatcher finds out what has become of it. */
static void a_ledger_that_fails_at_any_commit_costs_no_second_mail(void **state)
{
	static const int lengths[] = {1, 3, 6};
	int commits = 0;

	for (int n = 0; n < 3; n++) {
		for (int first = 0; first == 0 || first < commits; first++) {
			struct site s = site_new(*state, "requests_per_minute = 600\n", "");

			send_with_commits_that_fail(&s, first, lengths[n], &commits);
			run_once(&s);
			run_for(&s, 5 * DAY);
			assert_int_equal(account_of(alice)->sends, 1);
			assert_int_equal(person_of(&s, alice).state, PERSON_INVITED);
			assert_int_equal(open_permits(&s), 0);
			assert_int_equal(leases(&s), 0);
			site_end(&s);
		}
	}
}

/* From the mail on, a short failure is bridged. */
static void a_ledger_that_fails_after_the_mail_is_tried_again(void **state)
{
	int commits, all;
	struct site s = site_new(*state, "", "");

	send_with_commits_that_fail(&s, 1000, 1, &all);
	site_end(&s);
	for (int first = all - 2; first > all - 4; first--) {
		s = site_new(*state, "", "");
		send_with_commits_that_fail(&s, first, 4, &commits);
		assert_person(&s, alice, PERSON_INVITED, "sent");
		site_end(&s);
	}
}

#define PROMISE(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_free)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PROMISE(what_begins_while_it_waits_counts_before_the_mail),
		PROMISE(what_is_refused_in_any_case_is_not_waited_for),
		PROMISE(the_same_rejection_for_five_people_trips_the_breaker),
		PROMISE(after_three_ambiguous_sends_the_control_call_decides),
		PROMISE(a_resend_of_an_unconfirmed_person_is_sent),
		PROMISE(a_ledger_that_fails_at_any_commit_costs_no_second_mail),
		PROMISE(a_ledger_that_fails_after_the_mail_is_tried_again),
	};

	return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
