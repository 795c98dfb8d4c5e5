/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I9 (docs/design.md, "Invariants"). */
/*
 * One ledger for each tenant: one that was restored, one that replaces a lost one, and other
 * senders.
 */
#include "base/array.h"
#include "base/str.h"
#include "engine_copy.h"

static void remove_send_journal(struct site *s)
{
	site_close(s);
	unlink(folder_path(s->folder, "last-mail"));
	site_open(s);
}

static void end(struct site *s)
{
	drop_copy(s);
	site_end(s);
}

/* ---- people ---- */

static char *named(int n)
{
	static char address[32];

	str_format(address, sizeof(address), "person%d@example.com", n);
	return address;
}

static void log_in(struct site *s, int n)
{
	char user[16];

	str_format(user, sizeof(user), "person%d", n);
	see_user(s, user, TRIGGER_LOGIN);
}

/* Five people of an age that Google shows, or hides. */
static void five(struct site *s, int from, int64_t age)
{
	for (int n = from; n < from + 5; n++) {
		open_account(named(n), age);
		log_in(s, n);
	}
}

static const char *reconciling(struct site *s)
{
	static struct ledger_reconcile r;
	int found = ledger_reconciling(s->ledger, &r, &s->fault);

	check(s, found >= 0);
	return found ? r.cause : "no";
}

static int mails(void)
{
	int sum = 0;

	for (int n = 0; n < fake_google.account_count; n++) {
		assert_true(fake_google.accounts[n].sends <= 1);
		sum += fake_google.accounts[n].sends;
	}
	return sum;
}

/* ---- restored ---- */

static void invited_since_the_copy(struct site *s, int64_t age)
{
	see_user(s, "somebody", TRIGGER_LOGIN);
	run_once(s);
	back_up(s);
	five(s, 0, age);
	run_once(s);
	assert_int_equal(mails(), 5);
	restore(s);
}

static void after_a_restore_nobody_gets_a_second_mail_though_google_hides_the_first(void **state)
{
	struct site s = site_new(*state, "", "");

	invited_since_the_copy(&s, 40 * HOUR);
	assert_string_equal(reconciling(&s), "restored");
	for (int n = 0; n < 5; n++)
		log_in(&s, n); /* the restored ledger does not know them */
	run_once(&s);
	assert_person(&s, named(0), PERSON_QUEUED, "reconcile");
	run_for(&s, 71 * HOUR);
	assert_string_equal(reconciling(&s), "restored");
	assert_int_equal(mails(), 5);
	run_for(&s, 2 * HOUR);
	assert_string_equal(reconciling(&s), "no");
	for (int n = 0; n < 5; n++)
		assert_person(&s, named(n), PERSON_INVITED, "by_others");
	run_for(&s, 5 * DAY);
	assert_int_equal(mails(), 5);
	end(&s);
}

static void after_a_restore_it_goes_on_by_itself(void **state)
{
	struct site s = site_new(*state, "", "resync_interval = 0");

	invited_since_the_copy(&s, 30 * DAY);
	five(&s, 10, 30 * DAY);
	run_once(&s);
	assert_person(&s, named(10), PERSON_QUEUED, "reconcile");
	assert_int_equal(mails(), 5);
	run_for(&s, 73 * HOUR);
	assert_string_equal(reconciling(&s), "no");
	assert_person(&s, named(10), PERSON_INVITED, "sent");
	assert_int_equal(mails(), 10);
	end(&s);
}

static void a_restore_that_is_older_than_72_hours_costs_one_resync(void **state)
{
	struct site s = site_new(*state, "", "");

	invited_since_the_copy(&s, 40 * HOUR);
	site_close(&s);
	pass(80 * HOUR * 1000);
	site_open(&s);
	for (int n = 0; n < 5; n++)
		log_in(&s, n);
	five(&s, 10, HOUR);
	assert_string_equal(reconciling(&s), "restored");
	run_once(&s);
	run_for(&s, 30);
	assert_string_equal(reconciling(&s), "no");
	assert_person(&s, named(10), PERSON_INVITED, "sent");
	assert_int_equal(mails(), 10);
	end(&s);
}

static void what_was_asked_before_the_copy_does_not_clear_the_way_for_a_mail(void **state)
{
	struct site s = site_new(*state, "", "sends_per_day = 1");

	five(&s, 0, 30 * DAY);
	run_once(&s);
	back_up(&s); /* four of them are checked, and wait for the next day */
	run_for(&s, 4 * DAY + 12 * HOUR);
	assert_int_equal(mails(), 5);
	restore(&s);
	check(&s, ledger_reconciled(s.ledger, "test", "root", &s.fault) == 1);
	run_for(&s, 2 * DAY);
	assert_int_equal(mails(), 5);
	end(&s);
}

static void a_restored_ledger_is_another_one_for_the_collectors_marks(void **state)
{
	struct site s = site_new(*state, "", "");
	struct ledger *reader;
	char before[33];

	invited_since_the_copy(&s, 40 * HOUR);
	str_copy(before, sizeof(before), ledger_id(s.ledger));
	restore(&s); /* again: it gets a third id */
	assert_string_not_equal(before, ledger_id(s.ledger));
	reader = ledger_open(s.settings, LEDGER_READ, &s.fault);
	assert_non_null(reader);
	assert_string_equal(ledger_id(reader), ledger_id(s.ledger));
	assert_false(ledger_has_new_id(reader));
	check(&s, ledger_take_new_id(s.ledger, &s.fault));
	assert_true(ledger_has_new_id(reader));
	ledger_close(reader);
	end(&s);
}

static void restarts_on_the_way_neither_shorten_nor_restart_it(void **state)
{
	struct site s = site_new(*state, "", "");

	invited_since_the_copy(&s, 40 * HOUR);
	for (int n = 0; n < 5; n++)
		log_in(&s, n);
	for (int hours = 0; hours < 70; hours += 7) {
		run_once(&s);
		site_crash(&s);
		pass(7 * HOUR * 1000);
	}
	assert_string_equal(reconciling(&s), "restored");
	pass(3 * HOUR * 1000);
	run_once(&s);
	run_for(&s, 600);
	assert_string_equal(reconciling(&s), "no");
	run_for(&s, 600);
	assert_person(&s, named(4), PERSON_INVITED, "by_others");
	assert_int_equal(mails(), 5);
	end(&s);
}

static void a_host_clock_that_jumps_does_not_end_it(void **state)
{
	static const int64_t days[] = {1, 3650, -3650, -1};
	struct site s = site_new(*state, "", "");

	invited_since_the_copy(&s, 40 * HOUR);
	for (int n = 0; n < 5; n++)
		log_in(&s, n);
	classify_all(&s);
	for (size_t n = 0; n < ARRAY_SIZE(days); n++) {
		run_for(&s, HOUR);
		assert_string_equal(reconciling(&s), "restored");
		fake_google.skew_ms += days[n] * DAY * 1000;
		run_for(&s, HOUR);
		assert_string_equal(reconciling(&s), "restored");
		assert_int_equal(mails(), 5);
	}
	run_for(&s, 70 * HOUR);
	assert_string_equal(reconciling(&s), "no");
	run_for(&s, DAY);
	assert_person(&s, named(0), PERSON_INVITED, "by_others");
	assert_int_equal(mails(), 5);
	end(&s);
}

/* ---- lost ---- */

static void a_ledger_in_the_place_of_a_lost_one_waits_for_what_google_hides(void **state)
{
	struct site s = site_new(*state, "", "");

	five(&s, 0, 40 * HOUR);
	run_once(&s);
	assert_int_equal(mails(), 5);
	site_close(&s);
	drop_ledger(&s);
	site_open(&s);
	assert_string_equal(reconciling(&s), "other_ledger");
	for (int n = 0; n < 5; n++)
		log_in(&s, n);
	classify_all(&s);
	run_for(&s, 80 * HOUR);
	assert_string_equal(reconciling(&s), "no");
	assert_person(&s, named(0), PERSON_INVITED, "by_others");
	assert_int_equal(mails(), 5);
	end(&s);
}

static void a_first_ledger_and_a_rehearsal_elsewhere_begin_at_once(void **state)
{
	struct site s = site_new(*state, "", "");

	assert_string_equal(reconciling(&s), "no");
	five(&s, 0, 30 * DAY);
	run_once(&s);
	site_close(&s);
	drop_ledger(&s);
	str_copy(s.settings->endpoint, sizeof(s.settings->endpoint), "https://elsewhere.example");
	site_open(&s);
	assert_string_equal(reconciling(&s), "no");
	end(&s);
}

static void a_copy_written_over_the_open_ledger_is_noticed_once(void **state)
{
	struct site s = site_new(*state, "", "");

	five(&s, 0, 30 * DAY);
	run_once(&s);
	pass(80 * HOUR * 1000);
	check(&s, ledger_set(s.ledger, "sends_begun", "1", &s.fault));
	five(&s, 10, 30 * DAY);
	run_once(&s);
	run_for(&s, 2 * HOUR);
	assert_string_equal(reconciling(&s), "no");
	assert_person(&s, named(10), PERSON_INVITED, "sent");
	assert_int_equal(mails(), 10);
	end(&s);
}

static void a_torn_send_journal_says_nothing(void **state)
{
	struct site s = site_new(*state, "", "");
	static const char *const texts[] = {"", "x", "a b c d e\n",
		"0123456789abcdef0123456789abcdef 99999999999999999999 1 C01234567 https://x\n"};

	five(&s, 0, 30 * DAY);
	run_once(&s);
	for (size_t n = 0; n < ARRAY_SIZE(texts); n++) {
		site_close(&s);
		unlink(folder_path(s.folder, "last-mail"));
		folder_write(s.folder, "last-mail", texts[n]);
		site_open(&s);
		assert_string_equal(reconciling(&s), "no");
	}
	end(&s);
}

/* ---- what Google shows ---- */

/* By another administrator, or another ledger. */
static void mail_by_others(int n)
{
	struct account_at_google *a = account_of(named(n));

	change_state(a, INVITATION_INVITED, state_of(a)->mails + 1);
}

static void one_or_two_mails_from_the_console_are_noted_and_change_nothing(void **state)
{
	struct site s = site_new(*state, "", "");

	five(&s, 0, 30 * DAY);
	mail_by_others(0);
	mail_by_others(1);
	run_once(&s);
	assert_person(&s, named(0), PERSON_INVITED, "by_others");
	assert_person(&s, named(2), PERSON_INVITED, "sent");
	assert_string_equal(reconciling(&s), "no");
	assert_int_equal(mails(), 3);
	end(&s);
}

static void mails_from_long_ago_are_no_sign_of_another_sender(void **state)
{
	struct site s = site_new(*state, "", "");

	five(&s, 0, 30 * DAY);
	for (int n = 0; n < 5; n++)
		mail_by_others(n);
	pass(4 * DAY * 1000);
	five(&s, 10, 30 * DAY);
	run_once(&s);
	assert_string_equal(reconciling(&s), "no");
	assert_int_equal(mails(), 5);
	end(&s);
}

/* ---- what the collector has found out ---- */

/* As the collector does. */
static void note(struct site *s, const char *cause)
{
	check(s, ledger_begin(s->ledger, &s->fault) &&
			 ledger_end(s->ledger,
				 ledger_note_copy(s->ledger, cause, &s->fault) &&
					 ledger_take_new_id(s->ledger, &s->fault),
				 &s->fault));
}

/* Ledger and send journal agree in the copy: only the collector has seen that the machine is
 * another one. */
static void a_clone_mails_no_person_whom_the_original_has_mailed(void **state)
{
	struct site s = site_new(*state, "", "");

	invited_since_the_copy(&s, 40 * HOUR);
	unlink(folder_path(s.folder, "last-mail"));
	/* The fixture's journal has told of a restore; that of a copy agrees with its ledger. */
	assert_string_equal(reconciling(&s), "restored");
	check(&s, ledger_reconciled(s.ledger, "test", "test", &s.fault) >= 0);
	note(&s, "other_machine");
	site_close(&s);
	site_open(&s);
	assert_string_equal(reconciling(&s), "other_machine");
	for (int n = 0; n < 5; n++)
		log_in(&s, n);
	run_once(&s);
	run_for(&s, 70 * HOUR);
	assert_int_equal(mails(), 5);
	run_for(&s, 4 * HOUR);
	assert_string_equal(reconciling(&s), "no");
	for (int n = 0; n < 5; n++)
		assert_person(&s, named(n), PERSON_INVITED, "by_others");
	assert_int_equal(mails(), 5);
	end(&s);
}

static void what_the_collector_finds_while_the_dispatcher_runs_stops_the_next_mail(void **state)
{
	struct site s = site_new(*state, "", "");

	open_account(named(0), 30 * DAY);
	run_once(&s);
	note(&s, "other_machine");
	log_in(&s, 0);
	run_once(&s);
	assert_string_equal(reconciling(&s), "other_machine");
	assert_person(&s, named(0), PERSON_QUEUED, "reconcile");
	assert_int_equal(mails(), 0);
	/* Once is enough: the ledger is not a copy for ever. */
	run_for(&s, 74 * HOUR);
	assert_int_equal(mails(), 1);
	end(&s);
}

static void a_restored_ledger_that_has_never_mailed_waits_for_nothing(void **state)
{
	struct site s = site_new(*state, "", "");

	note(&s, "restored");
	site_close(&s);
	site_open(&s);
	assert_string_equal(reconciling(&s), "no");
	open_account(named(0), 30 * DAY);
	log_in(&s, 0);
	run_once(&s);
	assert_int_equal(mails(), 1);
	end(&s);
}

static void a_clone_that_was_restored_too_stays_a_clone(void **state)
{
	struct site s = site_new(*state, "", "");

	note(&s, "other_machine");
	note(&s, "restored");
	site_close(&s);
	site_open(&s);
	assert_string_equal(reconciling(&s), "other_machine");
	end(&s);
}

static void many_young_mails_of_others_mean_another_ledger_or_a_restore(void **state)
{
	struct site s = site_new(*state, "", "resync_interval = 1h\nsends_per_day = 5");

	five(&s, 0, 30 * DAY); /* mailed today: the daily limit is reached */
	run_once(&s);
	five(&s, 10, 30 * DAY);
	five(&s, 20, 40 * HOUR);
	run_once(&s);
	assert_person(&s, named(10), PERSON_QUEUED, "daily_limit");
	for (int n = 10; n < 13; n++)
		mail_by_others(n);
	run_for(&s, 3 * HOUR); /* a resync shows them */
	assert_string_equal(reconciling(&s), "mails_elsewhere");
	assert_person(&s, named(10), PERSON_INVITED, "by_others");
	run_for(&s, DAY);
	assert_person(&s, named(20), PERSON_QUEUED, "reconcile");
	assert_int_equal(mails(), 5);
	run_for(&s, 4 * DAY);
	assert_string_equal(reconciling(&s), "no");
	assert_person(&s, named(20), PERSON_INVITED, "sent");
	assert_int_equal(mails(), 12);
	end(&s);
}

/* The state directory was emptied: only Google's answers are left. */
static void without_a_send_journal_googles_answers_show_a_restore(void **state)
{
	struct site s = site_new(*state, "parallel = 1\n", "");

	invited_since_the_copy(&s, 30 * DAY);
	check(&s, ledger_reconciled(s.ledger, "test", "root", &s.fault) == 1);
	remove_send_journal(&s);
	assert_string_equal(reconciling(&s), "no");
	for (int n = 0; n < 5; n++)
		log_in(&s, n);
	five(&s, 10, HOUR);
	run_once(&s);
	assert_string_equal(reconciling(&s), "mails_elsewhere");
	assert_person(&s, named(0), PERSON_INVITED, "by_others");
	assert_person(&s, named(14), PERSON_QUEUED, "reconcile");
	end(&s);
}

/* ---- the administrator ---- */

static struct engine_result send_by_name(struct site *s, const char *address, bool again)
{
	const struct engine_options options = {
		.owner = "cli@here:1", .actor = "root", .admin = true};
	struct engine *cli = engine_open(s->settings, s->ledger, s->google, &options, &s->fault);
	struct engine_result result;

	check(s, cli);
	engine_send(cli, address, again, again ? "known" : "", NULL, NULL, &result);
	engine_close(cli);
	return result;
}

static void an_administrators_send_is_refused_unless_he_says_again(void **state)
{
	struct site s = site_new(*state, "", "");
	struct engine_result result;

	invited_since_the_copy(&s, 40 * HOUR);
	open_account("new@example.com", 30 * DAY);
	result = send_by_name(&s, "new@example.com", false);
	assert_int_equal(result.fault.kind, FAULT_POLICY);
	assert_string_equal(result.fault.code, "reconcile");
	assert_non_null(strstr(result.fault.remedy, "--resend"));
	assert_false(result.known);
	result = send_by_name(&s, "new@example.com", true);
	assert_int_equal(result.fault.kind, FAULT_NONE);
	assert_int_equal(account_of("new@example.com")->sends, 1);
	assert_string_equal(reconciling(&s), "restored");
	end(&s);
}

static void approved_people_wait_for_its_end_too(void **state)
{
	struct site s = site_new(*state, "", "mode = dry-run");
	struct person p;

	five(&s, 0, 30 * DAY);
	run_once(&s);
	check(&s, ledger_reconcile(s.ledger,
			  &(struct ledger_reconcile){
				  .cause = "restored", .text = "test", .since = clock_wall()},
			  "test", &s.fault));
	p = person_of(&s, named(0));
	p.state = PERSON_QUEUED;
	p.approved = true;
	p.next_attempt = clock_wall();
	check(&s, ledger_person_put(s.ledger, &p, "approved", "root", &s.fault));
	run_once(&s);
	assert_person(&s, named(0), PERSON_QUEUED, "reconcile");
	assert_int_equal(mails(), 0);
	run_for(&s, 73 * HOUR);
	assert_person(&s, named(0), PERSON_INVITED, "sent");
	assert_int_equal(mails(), 1);
	end(&s);
}

static void its_end_by_an_administrator_lets_all_go_on_at_once(void **state)
{
	struct site s = site_new(*state, "", "");

	invited_since_the_copy(&s, 30 * DAY);
	five(&s, 10, 30 * DAY);
	run_once(&s);
	assert_person(&s, named(10), PERSON_QUEUED, "reconcile");
	check(&s, ledger_reconciled(s.ledger, "test", "root", &s.fault) == 1);
	run_once(&s);
	assert_person(&s, named(10), PERSON_INVITED, "sent");
	assert_int_equal(mails(), 10);
	assert_int_equal(ledger_reconciled(s.ledger, "test", "root", &s.fault), 0);
	end(&s);
}

/* ---- due times of a clock that was wrong ---- */

static void due_times_of_a_clock_far_ahead_are_mended_when_it_is_set_back(void **state)
{
	static const int64_t days[] = {1, 10, 3650};
	struct site s = site_new(*state, "", "resync_interval = 0");

	for (size_t n = 0; n < ARRAY_SIZE(days); n++) {
		bool running = n % 2 == 0;

		fake_google.skew_ms = days[n] * DAY * 1000;
		open_account(named((int)n), 30 * DAY);
		check(&s,
			ledger_pause(s.ledger,
				&(struct ledger_pause){.kind = "operator", .since = 1}, &s.fault));
		log_in(&s, (int)n);
		run_once(&s); /* queued, with a due time from the wrong clock */
		fake_google.skew_ms = 0;
		if (!running)
			site_close(&s);
		if (!running)
			site_open(&s);
		check(&s, ledger_resume(s.ledger, NULL, "root", &s.fault) == 1);
		classify_all(&s); /* woken */
		run_for(&s, 60);
		assert_person(&s, named((int)n), PERSON_INVITED, "sent");
	}
	end(&s);
}

static void a_send_under_way_while_the_clock_jumps_keeps_its_answer(void **state)
{
	struct site s = site_new(*state, "", "resync_interval = 0");

	five(&s, 0, HOUR);
	classify_all(&s);
	while (fake_google.counts[GOOGLE_SEND] == 0 && fake_google.boot_ms < 2000000) {
		check(&s, engine_run(s.engine, NULL, 0, 1, &s.fault));
		if (fake_google.call_count > 0 && fake_google.calls[0].call.method == GOOGLE_SEND)
			break;
	}
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 0);
	fake_google.skew_ms = DAY * 1000; /* every lease is over */
	s.engine->next_ms = 0;
	run_for(&s, 60);
	for (int n = 0; n < 5; n++)
		assert_person(&s, named(n), PERSON_INVITED, "sent");
	assert_int_equal(mails(), 5);
	end(&s);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_new, folder_free)
	static const struct CMUnitTest tests[] = {
		IN_FOLDER(after_a_restore_nobody_gets_a_second_mail_though_google_hides_the_first),
		IN_FOLDER(after_a_restore_it_goes_on_by_itself),
		IN_FOLDER(a_restore_that_is_older_than_72_hours_costs_one_resync),
		IN_FOLDER(what_was_asked_before_the_copy_does_not_clear_the_way_for_a_mail),
		IN_FOLDER(a_restored_ledger_is_another_one_for_the_collectors_marks),
		IN_FOLDER(restarts_on_the_way_neither_shorten_nor_restart_it),
		IN_FOLDER(a_host_clock_that_jumps_does_not_end_it),
		IN_FOLDER(a_ledger_in_the_place_of_a_lost_one_waits_for_what_google_hides),
		IN_FOLDER(a_first_ledger_and_a_rehearsal_elsewhere_begin_at_once),
		IN_FOLDER(a_copy_written_over_the_open_ledger_is_noticed_once),
		IN_FOLDER(a_torn_send_journal_says_nothing),
		IN_FOLDER(one_or_two_mails_from_the_console_are_noted_and_change_nothing),
		IN_FOLDER(mails_from_long_ago_are_no_sign_of_another_sender),
		IN_FOLDER(a_clone_mails_no_person_whom_the_original_has_mailed),
		IN_FOLDER(what_the_collector_finds_while_the_dispatcher_runs_stops_the_next_mail),
		IN_FOLDER(a_restored_ledger_that_has_never_mailed_waits_for_nothing),
		IN_FOLDER(a_clone_that_was_restored_too_stays_a_clone),
		IN_FOLDER(many_young_mails_of_others_mean_another_ledger_or_a_restore),
		IN_FOLDER(without_a_send_journal_googles_answers_show_a_restore),
		IN_FOLDER(an_administrators_send_is_refused_unless_he_says_again),
		IN_FOLDER(approved_people_wait_for_its_end_too),
		IN_FOLDER(its_end_by_an_administrator_lets_all_go_on_at_once),
		IN_FOLDER(due_times_of_a_clock_far_ahead_are_mended_when_it_is_set_back),
		IN_FOLDER(a_send_under_way_while_the_clock_jumps_keeps_its_answer),
	};

	return cmocka_run_group_tests_name("invite", tests, NULL, NULL);
}
