/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I7, I11, I12 (docs/design.md, "Invariants"): hosts that sleep, programs that stand still,
 * Dates of other clocks, a host clock that is wrong. */
#include "base/array.h"
#include "base/str.h"
#include "tests/unit/engine_copy.h"
#include "tests/unit/fake_google.h"

static const char alice[] = "alice@example.com";

/* What the next call of a method meets, and what happens when it is handed to Google. */
static struct plan {
	enum google_method method;
	int times;
	struct outcome outcome;
	void (*act)(void);
} plan;

static void follow_plan(struct call_at_google *c, struct outcome *o)
{
	if (plan.times == 0 || c->call.method != plan.method)
		return;
	plan.times--;
	*o = plan.outcome;
	if (plan.act)
		plan.act();
}

static void next(enum google_method method, int times, struct outcome outcome, void (*act)(void))
{
	if (outcome.latency_ms == 0)
		outcome.latency_ms = 10;
	plan = (struct plan){method, times, outcome, act};
	fake_google.decide = follow_plan;
}

static struct site with_alice(void *state, const char *google, const char *more)
{
	struct site s = site_new(state, google, more);

	open_account(alice, 30 * DAY);
	see_user(&s, "alice", TRIGGER_LOGIN);
	return s;
}

static void run_until(struct site *s, enum person_state state)
{
	classify_all(s);
	for (int n = 0; n < 10000 && person_of(s, alice).state != state; n++)
		check(s, engine_run(s->engine, NULL, 0, 1, &s->fault));
	assert_int_equal(person_of(s, alice).state, state);
}

static void the_host_sleeps(double days)
{
	pass((int64_t)(days * DAY * 1000));
}

static const double nights[] = {0.01, 1, 2, 2.5, 3.01, 4};

/* ---- a host that sleeps in a send ---- */

static void sleep_three_days(void)
{
	the_host_sleeps(3.01);
}

static void a_request_that_would_leave_after_the_sleep_does_not_leave(void **state)
{
	struct site s = with_alice(*state, "", "");

	next(GOOGLE_SEND, 1, (struct outcome){.effect = true}, sleep_three_days);
	run_until(&s, PERSON_SENDING);
	run_until(&s, PERSON_INVITED);
	/* The one that was not sent counts neither as a mail nor as a failure. */
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 1);
	assert_int_equal(account_of(alice)->sends, 1);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	run_for(&s, 10 * DAY);
	site_end(&s);
}

/* The request was on its way already, and arrives when the host wakes up. */
static void a_mail_after_the_sleep_whose_reply_is_lost_is_not_repeated(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(nights); n++) {
		struct site s = with_alice(*state, "", "");

		fake_google.random = n + 1;
		fake_google.lag_s = 48 * HOUR;
		next(GOOGLE_SEND, 1,
			(struct outcome){.kind = FAULT_AMBIGUOUS,
				.code = "cut",
				.effect = true,
				.latency_ms = 1000},
			NULL);
		run_until(&s, PERSON_SENDING);
		the_host_sleeps(nights[n]);
		run_for(&s, 71 * HOUR);
		assert_int_not_equal(person_of(&s, alice).state, PERSON_QUEUED);
		run_for(&s, 10 * DAY); /* mail() fails the test at a second one */
		assert_person(&s, alice, PERSON_INVITED, "resolved");
		site_end(&s);
	}
}

/* The program dies when the host wakes up, and its successor has not heard Google's clock yet. */
static void nor_is_one_whose_program_died(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(nights); n++) {
		struct site s = with_alice(*state, "", "");

		fake_google.random = n + 7;
		fake_google.lag_s = 48 * HOUR;
		next(GOOGLE_SEND, 1, (struct outcome){.latency_ms = 5000}, NULL);
		run_until(&s, PERSON_SENDING);
		the_host_sleeps(nights[n]);
		mail(account_of(alice));
		fake_google.call_count = 0;
		site_crash(&s);
		fake_google.decide = NULL;
		run_for(&s, 10 * DAY);
		assert_person(&s, alice, PERSON_INVITED, "resolved");
		assert_int_equal(account_of(alice)->sends, 1);
		site_end(&s);
	}
}

static void a_call_that_is_still_open_in_this_process_is_not_taken_for_interrupted(void **state)
{
	struct site s = with_alice(*state, "", "");

	next(GOOGLE_SEND, 1, (struct outcome){.effect = true, .latency_ms = 3 * 86400000}, NULL);
	run_until(&s, PERSON_SENDING);
	the_host_sleeps(2); /* its lease is over */
	run_for(&s, HOUR);
	assert_person(&s, alice, PERSON_SENDING, "sending");
	run_for(&s, 2 * DAY);
	assert_person(&s, alice, PERSON_INVITED, "sent");
	site_end(&s);
}

/* ---- old answers ---- */

static void what_google_said_before_the_sleep_clears_the_way_for_nothing(void **state)
{
	static const struct {
		enum google_method method;
		int checks, gets;
	} rows[] = {{GOOGLE_CHECK, 2, 1}, {GOOGLE_GET, 2, 2}};

	for (size_t n = 0; n < ARRAY_SIZE(rows); n++)
		for (int limit = 0; limit <= 60; limit += 60) {
			char google[64];
			struct site s;

			str_format(google, sizeof(google), "requests_per_minute = %d\n", limit);
			s = with_alice(*state, google, "");
			next(rows[n].method, 1, (struct outcome){.latency_ms = 1000}, NULL);
			classify_all(&s);
			while (plan.times > 0)
				check(&s, engine_run(s.engine, NULL, 0, 1, &s.fault));
			the_host_sleeps(2);
			run_until(&s, PERSON_INVITED);
			assert_calls(rows[n].checks, rows[n].gets, 1);
			site_end(&s);
		}
}

/* ---- Dates of other clocks ---- */

static void a_date_of_another_clock_in_one_reply_ages_no_send(void **state)
{
	static const int64_t days[] = {-4, 4};

	for (size_t n = 0; n < ARRAY_SIZE(days); n++)
		for (int method = GOOGLE_CHECK; method <= GOOGLE_GET; method++) {
			struct site s = with_alice(*state, "", "");

			run_once(&s);
			see_user(&s, "bob", TRIGGER_LOGIN);
			open_account("bob@example.com", 30 * DAY);
			fake_google.lag_s = 48 * HOUR;
			next((enum google_method)method, 1,
				(struct outcome){.date_s = days[n] * DAY}, NULL);
			run_once(&s);
			assert_int_equal(plan.times, 0);
			run_for(&s, 10 * DAY);
			assert_int_equal(account_of("bob@example.com")->sends, 1);
			site_end(&s);
		}
}

static void nor_is_an_unclear_send_resolved_by_one(void **state)
{
	struct site s = with_alice(*state, "", "");

	fake_google.lag_s = 48 * HOUR;
	next(GOOGLE_SEND, 1,
		(struct outcome){.kind = FAULT_AMBIGUOUS, .code = "cut", .effect = true}, NULL);
	run_once(&s);
	assert_person(&s, alice, PERSON_UNCONFIRMED, "unconfirmed");
	for (int n = 0; n < 3; n++) {
		next(GOOGLE_GET, 1, (struct outcome){.date_s = n % 2 ? -4 * DAY : 4 * DAY}, NULL);
		run_for(&s, 10 * HOUR);
		if (person_of(&s, alice).state == PERSON_UNCONFIRMED)
			continue;
		assert_person(&s, alice, PERSON_INVITED, "resolved");
	}
	run_for(&s, 10 * DAY);
	assert_person(&s, alice, PERSON_INVITED, "resolved");
	site_end(&s);
}

static void begin_reconcile(struct site *s)
{
	struct ledger_reconcile r = {.cause = "restored", .text = "a copy", .list_read = true};

	r.since = clock_wall();
	r.mail_date = clock_wall();
	check(s, ledger_reconcile(s->ledger, &r, "test", &s->fault));
}

static bool reconciles(struct site *s)
{
	struct ledger_reconcile r;

	return ledger_reconciling(s->ledger, &r, &s->fault) > 0;
}

static void no_single_reply_ends_a_reconcile(void **state)
{
	static const int64_t days[] = {4, -4};

	for (size_t n = 0; n < ARRAY_SIZE(days); n++)
		for (int restarted = 0; restarted <= 1; restarted++) {
			struct site s = with_alice(*state, "", "resync_interval = 0");

			begin_reconcile(&s);
			if (!restarted)
				run_once(&s);
			next(GOOGLE_CHECK, 1,
				(struct outcome){.date_s = days[n] * DAY, .effect = true}, NULL);
			see_user(&s, "bob", TRIGGER_LOGIN);
			open_account("bob@example.com", 30 * DAY);
			run_once(&s);
			assert_int_equal(plan.times, 0);
			run_for(&s, 71 * HOUR);
			assert_true(reconciles(&s));
			assert_int_equal(fake_google.counts[GOOGLE_SEND], 0);
			run_for(&s, 2 * HOUR);
			assert_false(reconciles(&s));
			site_end(&s);
		}
}

/* Google's clock is the one that counts, also where this host's is wrong all the time. */
static void a_second_reply_ends_it_where_only_our_clock_is_wrong(void **state)
{
	struct site s = with_alice(*state, "", "resync_interval = 0");

	begin_reconcile(&s);
	fake_google.skew_ms = -30 * DAY * 1000;
	site_close(&s);
	site_open(&s);
	classify_all(&s);
	run_for(&s, 71 * HOUR);
	assert_true(reconciles(&s));
	run_for(&s, 2 * HOUR);
	assert_false(reconciles(&s));
	assert_person(&s, alice, PERSON_INVITED, "sent");
	site_end(&s);
}

/* ---- the day, and the window ---- */

static void five_people(struct site *s, int first)
{
	for (int n = first; n < first + 5; n++) {
		char user[16], address[32];

		str_format(user, sizeof(user), "person%d", n);
		str_format(address, sizeof(address), "%s@example.com", user);
		open_account(address, 30 * DAY);
		see_user(s, user, TRIGGER_LOGIN);
	}
}

static int sends(void)
{
	return fake_google.counts[GOOGLE_SEND];
}

#define CAP "sends_per_day = 2\nresync_interval = 0\ntimezone = UTC\n"

static void the_cap_is_that_of_googles_day_whatever_our_clock_says(void **state)
{
	static const int hours[] = {-26, -120, 26, 3 * 24, 3650 * 24};

	for (size_t n = 0; n < ARRAY_SIZE(hours); n++) {
		struct site s = site_new(*state, "", CAP);

		pass(6 * HOUR * 1000);
		fake_google.skew_ms = hours[n] * HOUR * 1000;
		five_people(&s, 0);
		run_once(&s);
		assert_int_equal(sends(), 2);
		fake_google.skew_ms = 0; /* it is corrected */
		run_once(&s);
		run_for(&s, 17 * HOUR);
		assert_int_equal(sends(), 2);
		run_for(&s, DAY); /* and stops no person */
		assert_int_equal(sends(), 4);
		run_for(&s, DAY);
		assert_int_equal(sends(), 5);
		site_end(&s);
	}
}

static void one_date_of_tomorrow_does_not_begin_the_next_day(void **state)
{
	struct site s = site_new(*state, "", CAP);

	five_people(&s, 0);
	run_once(&s);
	assert_int_equal(sends(), 2);
	next(GOOGLE_CHECK, 1, (struct outcome){.date_s = DAY}, NULL);
	five_people(&s, 5);
	run_once(&s);
	assert_int_equal(sends(), 2);
	site_end(&s);
}

/* Without a Date, a host clock that was ahead has written a mail into the future. */
static void mails_of_the_future_move_when_the_clock_is_set_back(void **state)
{
	struct site s = site_new(*state, "", CAP);

	next(GOOGLE_CHECK, 99, (struct outcome){.date_s = NO_DATE}, NULL);
	fake_google.skew_ms = 3 * DAY * 1000;
	run_once(&s);
	check(&s, ledger_send_begin(s.ledger, alice, clock_wall(), "test", &s.fault) > 0);
	check(&s, ledger_send_begin(s.ledger, alice, clock_wall(), "test", &s.fault) > 0);
	fake_google.skew_ms = 0;
	run_for(&s, 10);
	five_people(&s, 0);
	fake_google.decide = NULL;
	run_once(&s);
	assert_int_equal(sends(), 0); /* they count today, … */
	run_for(&s, 3 * DAY);	      /* … and on no day that is to come */
	assert_int_equal(sends(), 5);
	site_end(&s);
}

static void the_window_is_judged_by_googles_clock(void **state)
{
	struct site s = site_new(*state, "", "send_window = 08:00-18:00 UTC\nresync_interval = 0");

	pass(21 * HOUR * 1000 + INT64_C(29) * 60000);
	fake_google.skew_ms = -6 * HOUR * 1000; /* 15:29 */
	five_people(&s, 0);
	run_once(&s);
	run_for(&s, 10 * HOUR);
	assert_int_equal(sends(), 0);
	run_for(&s, HOUR);
	assert_int_equal(sends(), 5);
	site_end(&s);
}

/* ---- what expires ---- */

static void nothing_expires_before_google_was_heard_and_by_the_earlier_clock(void **state)
{
	struct site s = with_alice(*state, "", "");

	fake_google.skew_ms = 500 * DAY * 1000;
	assert_int_equal(engine_expiry_now(s.engine), 0);
	run_once(&s);
	assert_int_equal(engine_expiry_now(s.engine), fake_google.wall_ms / 1000);
	fake_google.skew_ms = -500 * DAY * 1000;
	assert_int_equal(engine_expiry_now(s.engine), clock_wall());
	site_end(&s);
}

/* ---- the budget ---- */

#define RATE 30

static void assert_rate(void)
{
	for (int from = 0, to = 0; to < fake_google.seen_count; to++) {
		while (fake_google.seen[to] - fake_google.seen[from] >= 60000)
			from++;
		assert_true(to - from + 1 <= RATE);
	}
}

static int64_t *watch_calls(void)
{
	fake_google.seen = calloc(FAKE_GOOGLE_SEEN, sizeof(*fake_google.seen));
	assert_non_null(fake_google.seen);
	return fake_google.seen;
}

static void a_request_that_is_repeated_takes_a_permit_of_its_own(void **state)
{
	struct site s = site_new(*state, "requests_per_minute = 30\n", "resync_interval = 0");
	int64_t *seen = watch_calls();

	for (int n = 0; n < 60; n += 5)
		five_people(&s, n);
	for (int method = GOOGLE_CHECK; method < GOOGLE_METHODS; method++) {
		next((enum google_method)method, 20, (struct outcome){.effect = true, .repeats = 1},
			NULL);
		run_once(&s);
		run_for(&s, 300);
	}
	run_for(&s, 1200);
	assert_int_equal(fake_google.counts[GOOGLE_SEND] >= 50, true);
	assert_rate();
	/* Each person was mailed once. */
	for (int n = 0; n < fake_google.account_count; n++)
		assert_true(fake_google.accounts[n].sends <= 1);
	free(seen);
	site_end(&s);
}

static struct site *standing;

/* SIGSTOP between the commit of the permits and the calls; an administrator uses the minute. */
static void stand_still(void)
{
	int64_t permit, wait;

	if (fake_google.wall_ms > 0 && standing) {
		struct site *s = standing;

		standing = NULL;
		pass(200000);
		while (rate_limit_acquire(
			       s->ledger, s->settings, true, 1, &permit, &wait, &s->fault) > 0) {
			fake_google.seen[fake_google.seen_count++] = fake_google.boot_ms;
			check(s, rate_limit_release(s->ledger, permit, false, &s->fault));
		}
	}
}

static void a_program_that_stood_still_takes_its_permits_again(void **state)
{
	struct site s = site_new(*state, "requests_per_minute = 30\n", "resync_interval = 0");
	int64_t *seen = watch_calls();

	five_people(&s, 0);
	five_people(&s, 5);
	standing = &s;
	next(GOOGLE_CHECK, 1, (struct outcome){.effect = true}, stand_still);
	run_once(&s);
	run_for(&s, 600);
	assert_rate();
	assert_int_equal(sends(), 10);
	free(seen);
	site_end(&s);
}

/* Nothing is left in the new ledger of what the old one has asked in this minute. */
static void a_ledger_in_the_place_of_a_lost_one_keeps_the_rate_limit(void **state)
{
	for (int restored = 0; restored <= 1; restored++) {
		struct site s =
			site_new(*state, "requests_per_minute = 30\n", "resync_interval = 0");
		int64_t *seen = watch_calls();

		run_once(&s);
		back_up(&s);
		for (int n = 0; n < 40; n += 5)
			five_people(&s, n);
		run_once(&s);
		assert_true(fake_google.seen_count > 20);
		if (restored) {
			restore(&s);
		} else {
			site_close(&s);
			drop_ledger(&s);
			site_open(&s);
		}
		for (int n = 0; n < 40; n++) {
			char user[16];

			str_format(user, sizeof(user), "person%d", n);
			see_user(&s, user, TRIGGER_LOGIN);
		}
		run_once(&s);
		run_for(&s, 50);
		classify_all(&s);
		run_for(&s, 300);
		assert_true(fake_google.seen_count > 60);
		assert_rate();
		free(seen);
		site_end(&s);
	}
}

#define PROMISE(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PROMISE(a_request_that_would_leave_after_the_sleep_does_not_leave),
		PROMISE(a_mail_after_the_sleep_whose_reply_is_lost_is_not_repeated),
		PROMISE(nor_is_one_whose_program_died),
		PROMISE(a_call_that_is_still_open_in_this_process_is_not_taken_for_interrupted),
		PROMISE(what_google_said_before_the_sleep_clears_the_way_for_nothing),
		PROMISE(a_date_of_another_clock_in_one_reply_ages_no_send),
		PROMISE(nor_is_an_unclear_send_resolved_by_one),
		PROMISE(no_single_reply_ends_a_reconcile),
		PROMISE(a_second_reply_ends_it_where_only_our_clock_is_wrong),
		PROMISE(the_cap_is_that_of_googles_day_whatever_our_clock_says),
		PROMISE(one_date_of_tomorrow_does_not_begin_the_next_day),
		PROMISE(mails_of_the_future_move_when_the_clock_is_set_back),
		PROMISE(the_window_is_judged_by_googles_clock),
		PROMISE(nothing_expires_before_google_was_heard_and_by_the_earlier_clock),
		PROMISE(a_request_that_is_repeated_takes_a_permit_of_its_own),
		PROMISE(a_program_that_stood_still_takes_its_permits_again),
		PROMISE(a_ledger_in_the_place_of_a_lost_one_keeps_the_rate_limit),
	};

	return cmocka_run_group_tests_name("engine_time", tests, NULL, NULL);
}
