/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's commands, beside a dispatcher on the same ledger.
 */
#include "base/array.h"
#include "base/str.h"
#include "engine_command.h"

static const char alice[] = "alice@example.com";

static struct engine_result send_to(struct site *s, const char *address, const char *again)
{
	struct command c = command_open(s);
	struct engine_result result;

	engine_send(c.engine, address, !!again, again, command_on_wait, &c, &result);
	command_close(&c);
	return result;
}

static struct engine_result ask(struct site *s, enum google_method method, const char *address)
{
	struct command c = command_open(s);
	struct engine_result result;

	engine_ask(c.engine, method, address, command_on_wait, &c, &result);
	command_close(&c);
	return result;
}

static struct engine_result cancel(struct site *s, const char *address)
{
	struct command c = command_open(s);
	struct engine_result result;

	engine_cancel(c.engine, address, "moved on", command_on_wait, &c, &result);
	command_close(&c);
	return result;
}

static void check_and_get_answer_and_change_nothing(void **state)
{
	struct site s = site_new(*state, "", "");
	struct engine_result result;

	open_account(alice, 30 * DAY);
	result = ask(&s, GOOGLE_CHECK, "Alice@Example.com");
	assert_int_equal(result.fault.kind, FAULT_NONE);
	assert_true(result.invitable);
	assert_false(result.known);
	result = ask(&s, GOOGLE_CHECK, "bob@example.com");
	assert_false(result.invitable);
	result = ask(&s, GOOGLE_GET, alice);
	assert_true(result.shown);
	assert_int_equal(result.invitation.state, INVITATION_NOT_YET_SENT);
	result = ask(&s, GOOGLE_GET, "bob@example.com");
	assert_false(result.shown);
	assert_false(ask(&s, GOOGLE_CHECK, alice).known);
	assert_calls(3, 2, 0);
	site_end(&s);
}

static void what_get_shows_of_somebody_known_is_learnt(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	change_state(account_of(alice), INVITATION_DECLINED, 1);
	assert_int_equal(ask(&s, GOOGLE_GET, alice).person.state, PERSON_DECLINED);
	assert_person(&s, alice, PERSON_DECLINED, "answered");
	site_end(&s);
}

static void what_is_no_address_is_refused_before_anything_is_asked(void **state)
{
	struct site s = site_new(*state, "", "");
	struct engine_result result = ask(&s, GOOGLE_CHECK, "alice");

	assert_refused(&result, FAULT_USAGE, "address");
	result = send_to(&s, "../../alice@example.com", NULL);
	assert_refused(&result, FAULT_USAGE, "address");
	assert_calls(0, 0, 0);
	site_end(&s);
}

static void refuse_all(struct call_at_google *c, struct outcome *o)
{
	o->kind = c->call.method == GOOGLE_LIST ? FAULT_SETUP : FAULT_REJECTED;
	o->code = c->call.method == GOOGLE_LIST ? "api_disabled" : "forbidden";
	o->effect = false;
}

static void refuse_checks(struct call_at_google *c, struct outcome *o)
{
	if (c->call.method == GOOGLE_CHECK) {
		o->kind = FAULT_REJECTED;
		o->code = "forbidden";
	}
}

static void a_refusal_is_explained_by_the_control_call(void **state)
{
	struct site s = site_new(*state, "", "");
	struct engine_result result;

	fake_google.decide = refuse_all;
	result = ask(&s, GOOGLE_CHECK, alice);
	assert_refused(&result, FAULT_SETUP, "api_disabled");
	fake_google.decide = refuse_checks;
	result = ask(&s, GOOGLE_CHECK, alice);
	assert_refused(&result, FAULT_REJECTED, "forbidden");
	site_end(&s);
}

/* ---- send ---- */

static void who_is_named_is_invited_in_dry_run_and_outside_the_window_too(void **state)
{
	struct site s = site_new(*state, "", "mode = dry-run\nsend_window = 08:00-18:00 UTC");
	struct engine_result result;

	open_account(alice, 30 * DAY);
	result = send_to(&s, alice, NULL);
	assert_int_equal(result.fault.kind, FAULT_NONE);
	assert_true(result.known && result.invitable && result.shown);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	assert_int_equal(account_of(alice)->sends, 1);
	run_once(&s);
	run_for(&s, 5 * DAY);
	assert_int_equal(account_of(alice)->sends, 1);
	site_end(&s);
}

static void no_person_is_mailed_again_without_resend(void **state)
{
	static const enum invitation_state states[] = {
		INVITATION_INVITED, INVITATION_DECLINED, INVITATION_ACCEPTED};
	static const char *const codes[] = {"invited", "declined", "accepted"};

	for (size_t n = 0; n < ARRAY_SIZE(states); n++) {
		struct site s = site_new(*state, "", "");
		struct engine_result result;

		open_account(alice, 30 * DAY);
		send_to(&s, alice, NULL);
		change_state(account_of(alice), states[n], 1);
		ask(&s, GOOGLE_GET, alice);
		result = send_to(&s, alice, NULL);
		assert_refused(&result, FAULT_POLICY, codes[n]);
		assert_int_equal(account_of(alice)->sends, 1);
		if (states[n] != INVITATION_ACCEPTED) {
			account_of(alice)->more = 1;
			result = send_to(&s, alice, "she asked for it");
			assert_int_equal(result.fault.kind, FAULT_NONE);
			assert_int_equal(account_of(alice)->sends, 2);
			assert_person(&s, alice, PERSON_INVITED, "sent");
			assert_int_equal(person_of(&s, alice).our_mails, 2);
			assert_false(person_of(&s, alice).resend);
		}
		site_end(&s);
	}
}

static void who_was_invited_by_others_is_found_out_before_the_mail(void **state)
{
	struct site s = site_new(*state, "", "");
	struct engine_result result;

	change_state(open_account(alice, 30 * DAY), INVITATION_INVITED, 1);
	result = send_to(&s, alice, NULL);
	assert_int_equal(result.fault.kind, FAULT_NONE);
	assert_person(&s, alice, PERSON_INVITED, "by_others");
	assert_int_equal(account_of(alice)->sends, 0);
	site_end(&s);
}

static void who_is_blocked_is_refused(void **state)
{
	struct site s = site_new(*state, "", "");
	struct engine_result result;

	open_account(alice, 30 * DAY);
	check(&s, ledger_block(s.ledger, alice, "has left", "root", &s.fault));
	result = send_to(&s, alice, NULL);
	assert_refused(&result, FAULT_POLICY, "blocked");
	assert_non_null(strstr(result.fault.what, "has left"));
	assert_calls(0, 0, 0);
	result = send_to(&s, alice, "is back");
	assert_int_equal(result.fault.kind, FAULT_NONE);
	assert_int_equal(account_of(alice)->sends, 1);
	site_end(&s);
}

static void the_daily_limit_applies_to_administrators_too(void **state)
{
	struct site s = site_new(*state, "", "sends_per_day = 1");
	struct engine_result result;

	open_account(alice, 30 * DAY);
	open_account("bob@example.com", 30 * DAY);
	assert_int_equal(send_to(&s, alice, NULL).fault.kind, FAULT_NONE);
	result = send_to(&s, "bob@example.com", NULL);
	assert_refused(&result, FAULT_POLICY, "daily_limit");
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 1);
	/* Nothing is sent automatically the next day: it was a command. */
	run_for(&s, 3 * DAY);
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 1);
	site_end(&s);
}

static void a_pause_of_the_operator_holds_sends_and_a_setup_pause_does_not(void **state)
{
	static const char *const kinds[] = {"operator", "breaker", "setup"};

	for (int n = 0; n < 3; n++) {
		struct site s = site_new(*state, "", "");
		struct ledger_pause pause = {.text = "migration", .probe_at = INT64_MAX};
		struct engine_result result;

		str_copy(pause.kind, sizeof(pause.kind), kinds[n]);
		open_account(alice, 30 * DAY);
		check(&s, ledger_pause(s.ledger, &pause, &s.fault));
		result = send_to(&s, alice, NULL);
		if (n < 2)
			assert_refused(&result, FAULT_POLICY, "paused");
		assert_int_equal(account_of(alice)->sends, n < 2 ? 0 : 1);
		site_end(&s);
	}
}

static void whom_the_dispatcher_works_on_is_left_alone(void **state)
{
	struct site s = site_new(*state, "", "");
	struct engine_result result;

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	classify_all(&s);
	check(&s, engine_run(s.engine, NULL, 0, 5, &s.fault)); /* the check is under way */
	result = send_to(&s, alice, NULL);
	assert_refused(&result, FAULT_TRANSIENT, "leased");
	run_for(&s, 60);
	assert_int_equal(account_of(alice)->sends, 1);
	site_end(&s);
}

static struct outcome trouble;
static enum google_method troubled;

static void have_trouble(struct call_at_google *c, struct outcome *o)
{
	if (c->call.method == troubled)
		*o = trouble;
}

static void a_send_that_fails_leaves_the_person_as_it_was(void **state)
{
	static const enum google_method steps[] = {GOOGLE_CHECK, GOOGLE_GET, GOOGLE_SEND};

	for (size_t n = 0; n < ARRAY_SIZE(steps); n++) {
		struct site s = site_new(*state, "", "mode = dry-run");
		struct engine_result result;

		open_account(alice, 30 * DAY);
		see_user(&s, "alice", TRIGGER_LOGIN);
		run_once(&s);
		assert_person(&s, alice, PERSON_HELD, "dry_run");
		troubled = steps[n];
		trouble = (struct outcome){.kind = FAULT_TRANSIENT, .code = "503"};
		fake_google.decide = have_trouble;
		result = send_to(&s, alice, NULL);
		assert_refused(&result, FAULT_TRANSIENT, "503");
		assert_person(&s, alice, PERSON_HELD, "dry_run");
		assert_int_equal(person_of(&s, alice).intent_at, 0);
		assert_int_equal(ledger_sends_since(s.ledger, 0, &s.fault), 0);
		fake_google.decide = NULL;
		run_for(&s, 5 * DAY);
		assert_int_equal(account_of(alice)->sends, 0);
		site_end(&s);
	}
}

static void an_unclear_send_is_said_and_not_repeated(void **state)
{
	struct site s = site_new(*state, "", "resync_interval = 0");
	struct engine_result result;

	open_account(alice, 30 * DAY);
	troubled = GOOGLE_SEND;
	trouble = (struct outcome){.kind = FAULT_AMBIGUOUS, .code = "cut", .effect = true};
	fake_google.decide = have_trouble;
	result = send_to(&s, alice, NULL);
	assert_refused(&result, FAULT_AMBIGUOUS, "cut");
	assert_person(&s, alice, PERSON_UNCONFIRMED, "unconfirmed");
	result = send_to(&s, alice, NULL);
	assert_refused(&result, FAULT_POLICY, "unconfirmed");
	assert_int_equal(account_of(alice)->sends, 1);
	/* The dispatcher resolves it. */
	fake_google.decide = NULL;
	classify_all(&s);
	run_for(&s, 120);
	assert_person(&s, alice, PERSON_INVITED, "resolved");
	site_end(&s);
}

static void who_cannot_be_invited_is_said_so(void **state)
{
	struct site s = site_new(*state, "", "");
	struct engine_result result = send_to(&s, alice, NULL);

	assert_int_equal(result.fault.kind, FAULT_NONE);
	assert_false(result.invitable);
	assert_int_equal(result.person.state, PERSON_NOT_INVITABLE);
	assert_calls(1, 0, 0);
	site_end(&s);
}

static void a_command_waits_for_its_permit_and_says_so(void **state)
{
	struct site s = site_new(*state, "requests_per_minute = 3\n", "");
	struct command c = command_open(&s);
	struct engine_result result;

	for (int n = 0; n < 4; n++)
		engine_ask(c.engine, GOOGLE_CHECK, alice, command_on_wait, &c, &result);
	assert_int_equal(result.fault.kind, FAULT_NONE);
	assert_in_range(c.longest_wait, 50000, 60000);
	assert_true(fake_google.boot_ms >= 1000000 + 60000);
	command_close(&c);
	site_end(&s);
}

/* ---- cancel, list ---- */

static void a_cancelled_invitation_stays_so(void **state)
{
	struct site s = site_new(*state, "", "");
	struct engine_result result;

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	result = cancel(&s, alice);
	assert_int_equal(result.fault.kind, FAULT_NONE);
	assert_person(&s, alice, PERSON_CANCELLED, "by_admin");
	assert_int_equal(state_of(account_of(alice))->state, INVITATION_NOT_YET_SENT);
	run_for(&s, 5 * DAY);
	assert_person(&s, alice, PERSON_CANCELLED, "by_admin");
	assert_int_equal(account_of(alice)->sends, 1);
	result = send_to(&s, alice, NULL);
	assert_refused(&result, FAULT_POLICY, "cancelled");
	site_end(&s);
}

static void a_cancel_that_fails_changes_nothing(void **state)
{
	struct site s = site_new(*state, "", "");
	struct engine_result result;

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	troubled = GOOGLE_CANCEL;
	trouble = (struct outcome){.kind = FAULT_TRANSIENT, .code = "503"};
	fake_google.decide = have_trouble;
	result = cancel(&s, alice);
	assert_refused(&result, FAULT_TRANSIENT, "503");
	assert_person(&s, alice, PERSON_INVITED, "sent");
	site_end(&s);
}

static struct site *whose;

/* The command's lease has run out, and another program sends. */
static void another_program_sends(struct call_at_google *c, struct outcome *o)
{
	struct person p = person_of(whose, alice);

	(void)o;
	if (c->call.method != GOOGLE_CANCEL)
		return;
	p.state = PERSON_SENDING;
	p.reason = REASON_SENDING;
	p.intent_at = p.next_attempt = clock_wall();
	check(whose, ledger_person_put(whose->ledger, &p, "send: begun", "other", &whose->fault));
}

static void a_cancel_that_another_program_overtakes_says_so(void **state)
{
	struct site s = site_new(*state, "", "");
	struct engine_result result;

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	run_once(&s);
	whose = &s;
	fake_google.decide = another_program_sends;
	result = cancel(&s, alice);
	assert_refused(&result, FAULT_TRANSIENT, "leased");
	assert_non_null(strstr(result.fault.what, "another process is sending"));
	assert_person(&s, alice, PERSON_SENDING, "sending");
	site_end(&s);
}

static void count_rows(const struct google_reply *reply, void *ctx)
{
	int *rows = ctx;

	*rows += (int)reply->page_count;
}

static void list_hands_over_one_page(void **state)
{
	struct site s = site_new(*state, "", "");
	struct command c = command_open(&s);
	const struct google_call call = {.method = GOOGLE_LIST, .list_page_size = 200};
	struct fault fault = {.kind = FAULT_NONE};
	int rows = 0;

	open_account(alice, 30 * DAY);
	open_account("bob@example.com", 30 * DAY);
	open_account("carol@example.com", 30 * DAY);
	engine_list(c.engine, &call, NULL, &rows, count_rows, &fault);
	assert_int_equal(fault.kind, FAULT_NONE);
	assert_int_equal(rows, 2);
	command_close(&c);
	site_end(&s);
}

#define PROMISE(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_free)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PROMISE(check_and_get_answer_and_change_nothing),
		PROMISE(what_get_shows_of_somebody_known_is_learnt),
		PROMISE(what_is_no_address_is_refused_before_anything_is_asked),
		PROMISE(a_refusal_is_explained_by_the_control_call),
		PROMISE(who_is_named_is_invited_in_dry_run_and_outside_the_window_too),
		PROMISE(no_person_is_mailed_again_without_resend),
		PROMISE(who_was_invited_by_others_is_found_out_before_the_mail),
		PROMISE(who_is_blocked_is_refused),
		PROMISE(the_daily_limit_applies_to_administrators_too),
		PROMISE(a_pause_of_the_operator_holds_sends_and_a_setup_pause_does_not),
		PROMISE(whom_the_dispatcher_works_on_is_left_alone),
		PROMISE(a_send_that_fails_leaves_the_person_as_it_was),
		PROMISE(an_unclear_send_is_said_and_not_repeated),
		PROMISE(who_cannot_be_invited_is_said_so),
		PROMISE(a_command_waits_for_its_permit_and_says_so),
		PROMISE(a_cancelled_invitation_stays_so),
		PROMISE(a_cancel_that_fails_changes_nothing),
		PROMISE(a_cancel_that_another_program_overtakes_says_so),
		PROMISE(list_hands_over_one_page),
	};

	return cmocka_run_group_tests_name("invite", tests, NULL, NULL);
}
