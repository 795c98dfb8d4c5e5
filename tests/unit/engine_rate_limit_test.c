/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "fake_google.h"

#define LIMIT 12

static int quota_left; /* calls that are answered with 429 */

/* Up to five seconds for each call; Google may have seen it at any moment in between. */
static void slow(struct call_at_google *c, struct outcome *o)
{
	(void)c;
	o->latency_ms = (int)rng_below(5000);
	if (quota_left == 0)
		return;
	quota_left--;
	o->kind = FAULT_TRANSIENT;
	o->code = "quota";
	o->quota = true;
	o->retry_after = 30;
	o->effect = false;
}

static struct site paced(struct folder *f, const char *more)
{
	struct site s = site_new(f, "requests_per_minute = 12\n", more);

	fake_google.seen = calloc(FAKE_GOOGLE_SEEN, sizeof(*fake_google.seen));
	fake_google.decide = slow;
	quota_left = 0;
	return s;
}

static void arrive(struct site *s, int count)
{
	char user[16], address[32];

	for (int n = 0; n < count; n++) {
		str_format(user, sizeof(user), "person%d", n);
		str_format(address, sizeof(address), "%s@example.com", user);
		open_account(address, 30 * DAY);
		see_user(s, user, TRIGGER_LOGIN);
	}
	classify_all(s);
}

/* The highest number of calls that Google has seen in any 60 seconds. */
static int busiest_minute(void)
{
	int most = 0;

	for (int from = 0, to = 0; to < fake_google.seen_count; to++) {
		while (fake_google.seen[to] - fake_google.seen[from] >= 60000)
			from++;
		most = to - from + 1 > most ? to - from + 1 : most;
	}
	return most;
}

static void end(struct site *s)
{
	free(fake_google.seen);
	fake_google.seen = NULL;
	site_end(s);
}

static int64_t people_in(struct site *s, enum person_state state)
{
	struct ledger_summary summary;

	check(s, ledger_summarise(s->ledger, clock_wall(), &summary, &s->fault));
	return summary.people[state];
}

static void any_minute_holds_at_most_the_limit_and_the_burst_goes_at_once(void **state)
{
	struct site s = paced(*state, "resync_interval = 0");

	arrive(&s, 40);
	run_for(&s, 30);
	assert_in_range(fake_google.seen_count, LIMIT - 2, LIMIT);
	run_for(&s, HOUR / 2);
	assert_int_equal(people_in(&s, PERSON_INVITED), 40);
	assert_int_equal(fake_google.seen_count, 3 * 40);
	assert_true(busiest_minute() <= LIMIT);
	end(&s);
}

static void a_restart_does_not_begin_a_new_minute(void **state)
{
	struct site s = paced(*state, "resync_interval = 0");

	arrive(&s, 40);
	for (int n = 0; n < 20; n++) {
		run_for(&s, 7);
		if (n % 2)
			site_crash(&s);
		else
			site_close(&s), site_open(&s);
	}
	assert_true(fake_google.seen_count > LIMIT);
	assert_true(busiest_minute() <= LIMIT);
	end(&s);
}

static void a_clock_that_jumps_neither_lifts_nor_freezes_the_rate_limit(void **state)
{
	struct site s = paced(*state, "resync_interval = 0");

	arrive(&s, 40);
	for (int n = 0; n < 25; n++) {
		run_for(&s, 60);
		fake_google.wall_ms += (n % 2 ? 20 : -20) * HOUR * 1000;
		classify_all(&s); /* the timed scan */
	}
	assert_true(busiest_minute() <= LIMIT);
	assert_int_equal(people_in(&s, PERSON_INVITED), 40);
	end(&s);
}

static void some_later(struct call_at_google *c, struct outcome *o)
{
	(void)c;
	if (!rng_chance(300))
		return;
	o->kind = FAULT_TRANSIENT;
	o->code = "unavailable";
	o->effect = false;
}

static void who_is_to_be_tried_again_by_a_clock_a_day_ahead_waits_no_day_longer(void **state)
{
	struct site s = site_new(*state, "requests_per_minute = 0\n", "resync_interval = 0");

	fake_google.seen = calloc(FAKE_GOOGLE_SEEN, sizeof(*fake_google.seen));
	fake_google.decide = some_later;
	run_for(&s, 60);
	fake_google.skew_ms = DAY * 1000;
	arrive(&s, 40);
	run_for(&s, 10);
	assert_in_range(people_in(&s, PERSON_QUEUED), 1, 39);
	fake_google.skew_ms = 0;
	fake_google.decide = NULL;
	classify_all(&s); /* the timed scan */
	run_for(&s, 60);
	assert_int_equal(people_in(&s, PERSON_INVITED), 40);
	end(&s);
}

static void when_google_throttles_all_people_wait_and_none_is_charged(void **state)
{
	struct site s = paced(*state, "resync_interval = 0");

	arrive(&s, 10);
	quota_left = 3;
	run_for(&s, 12);
	int seen = fake_google.seen_count;

	run_for(&s, 18);
	assert_int_equal(fake_google.seen_count, seen);
	for (int n = 0; n < 10; n++)
		assert_int_equal(person_of(&s, fake_google.accounts[n].address).attempts, 0);
	run_for(&s, HOUR / 2);
	assert_int_equal(people_in(&s, PERSON_INVITED), 10);
	end(&s);
}

static void a_new_person_goes_before_retries_and_resyncs(void **state)
{
	struct site s = paced(*state, "resync_interval = 1h");
	struct person p;

	arrive(&s, 30);
	/* All but the last have failed once. */
	for (int n = 0; n < 29; n++) {
		p = person_of(&s, fake_google.accounts[n].address);
		p.priority = PRIO_RETRY;
		check(&s, ledger_person_put(s.ledger, &p, "test", "test", &s.fault));
	}
	run_for(&s, 30);
	assert_person(&s, "person29@example.com", PERSON_INVITED, "sent");
	end(&s);
}

static void once_takes_the_permits_that_are_free_and_leaves_the_rest_queued(void **state)
{
	struct site s = paced(*state, "resync_interval = 0");
	int64_t began = fake_google.boot_ms;
	struct person p;

	arrive(&s, 40);
	run_once(&s);
	assert_true(fake_google.boot_ms - began < 30000);
	assert_in_range(fake_google.seen_count, LIMIT - 2, LIMIT);
	site_close(&s);
	site_open(&s);
	/* Nothing is kept from the next one. */
	assert_int_equal(ledger_claim(s.ledger, clock_wall(), PRIO_BACKGROUND, "next",
				 clock_wall() + 60, &p, 1, &s.fault),
		1);
	end(&s);
}

/* How long `status` estimates for the queue. */
static int64_t expected(struct site *s)
{
	struct ledger_summary summary;
	struct rate_limit_status rate_limit;

	check(s, ledger_summarise(s->ledger, clock_wall(), &summary, &s->fault) &&
			 rate_limit_status(s->ledger, s->settings, &rate_limit, &s->fault));
	return rate_limit_eta(
		&rate_limit, rate_limit_calls(&summary, true, summary.people[PERSON_QUEUED]));
}

/* Every `nth` of `count` people has an account. */
static void expect_well(void **state, int count, int nth)
{
	struct site s = paced(*state, "resync_interval = 0\nsends_per_day = 1000");
	int64_t began, said[8], now[8] = {0}, end_at;
	char user[16], address[32];
	int n = 0;

	for (int k = 0; k < count; k++) {
		str_format(user, sizeof(user), "person%d", k);
		str_format(address, sizeof(address), "%s@example.com", user);
		if (k % nth == 0)
			open_account(address, 30 * DAY);
		see_user(&s, user, TRIGGER_LOGIN);
	}
	classify_all(&s);
	for (began = fake_google.boot_ms; people_in(&s, PERSON_QUEUED) > 0; run_for(&s, 5))
		if (n < 8 && fake_google.boot_ms - began >= n * INT64_C(150000)) {
			now[n] = fake_google.boot_ms;
			said[n++] = expected(&s);
		}
	end_at = fake_google.boot_ms;
	for (int k = nth == 1 ? 0 : 1; k < n; k++) {
		int64_t took = (end_at - now[k]) / 1000;

		if (said[k] < took - took / 5 - 60 || said[k] > took + took / 5 + 60)
			print_message("# after %lld s: expected %lld s, took %lld s\n",
				(long long)(now[k] - began) / 1000, (long long)said[k],
				(long long)took);
		assert_in_range(said[k], took - took / 5 - 60 > 0 ? took - took / 5 - 60 : 0,
			took + took / 5 + 60);
	}
	assert_true(n > 3);
	end(&s);
}

static void the_expected_time_is_right_within_a_fifth_and_a_minute(void **state)
{
	expect_well(state, 60, 1);
	expect_well(state, 120, 4);
	expect_well(state, 200, 300); /* no person */
}

static void the_control_call_and_the_resync_lower_the_rate_limit_too(void **state)
{
	struct site s = paced(*state, "resync_interval = 1h");
	struct rate_limit_status rate_limit;

	arrive(&s, 3);
	run_for(&s, HOUR - 60);
	quota_left = 1;
	run_for(&s, 90);
	assert_int_equal(quota_left, 0);
	check(&s, rate_limit_status(s.ledger, s.settings, &rate_limit, &s.fault));
	assert_int_equal(rate_limit.effective, LIMIT / 2);
	run_for(&s, HOUR / 2);
	end(&s);
}

static void a_clock_that_jumps_gives_no_second_day_s_mails_and_keeps_back_none(void **state)
{
	struct site s = paced(*state, "resync_interval = 0\nsends_per_day = 4");

	arrive(&s, 12);
	run_for(&s, HOUR / 4);
	assert_int_equal(people_in(&s, PERSON_INVITED), 4);
	fake_google.skew_ms = DAY * 1000;
	classify_all(&s);
	run_for(&s, HOUR / 4);
	assert_int_equal(people_in(&s, PERSON_INVITED), 4);
	fake_google.skew_ms = -DAY * 1000;
	classify_all(&s);
	run_for(&s, HOUR / 4);
	assert_int_equal(people_in(&s, PERSON_INVITED), 4);
	fake_google.skew_ms = 0;
	classify_all(&s);
	for (int n = 0; n < 3 * 24; n++) {
		run_for(&s, HOUR);
		classify_all(&s);
	}
	assert_int_equal(people_in(&s, PERSON_INVITED), 12);
	end(&s);
}

#define PROMISE(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_free)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PROMISE(any_minute_holds_at_most_the_limit_and_the_burst_goes_at_once),
		PROMISE(a_restart_does_not_begin_a_new_minute),
		PROMISE(a_clock_that_jumps_neither_lifts_nor_freezes_the_rate_limit),
		PROMISE(who_is_to_be_tried_again_by_a_clock_a_day_ahead_waits_no_day_longer),
		PROMISE(when_google_throttles_all_people_wait_and_none_is_charged),
		PROMISE(a_new_person_goes_before_retries_and_resyncs),
		PROMISE(the_expected_time_is_right_within_a_fifth_and_a_minute),
		PROMISE(the_control_call_and_the_resync_lower_the_rate_limit_too),
		PROMISE(a_clock_that_jumps_gives_no_second_day_s_mails_and_keeps_back_none),
		PROMISE(once_takes_the_permits_that_are_free_and_leaves_the_rest_queued),
	};

	return cmocka_run_group_tests_name("invite", tests, NULL, NULL);
}
