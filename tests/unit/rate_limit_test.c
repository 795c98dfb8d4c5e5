/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I11 (docs/design.md, "Invariants"). Shows L10 (common/ledger/README.md). */
/*
 * The rate limit: any 60 seconds contain at most so many calls, whichever program makes them and
 * whatever clocks do.
 */
#include "ledger_site.h"

#include "ratelimit/rate_limit_private.h"
#include "ledger/sqlite.h"
#include "base/array.h"

#define SEED	 20261123u
#define MINUTE	 INT64_C(60000)
#define RATE	 30
#define RESERVED 3			  /* a tenth of it */
#define ABANDON	 (INT64_C(6) * 20 * 1000) /* six times the timeout */

static struct rate_limit_moment start(void)
{
	return (struct rate_limit_moment){.ms = 1000000, .wall = 1800000000, .boot = "first boot"};
}

static void pass(struct rate_limit_moment *now, int64_t ms)
{
	now->ms += ms;
	now->wall = 1800000000 + (now->ms - 1000000) / 1000;
}

static int take(struct site *site, bool admin, int want, int64_t *slots, int64_t *wait,
	const struct rate_limit_moment *now)
{
	int n;

	*wait = -1;
	n = rate_limit_acquire_at(
		site->ledger, &site->settings, admin, want, slots, wait, now, &site->fault);
	GOOD(site, n >= 0);
	assert_true(n == want || *wait > 0);
	return n;
}

static void end(struct site *site, int64_t slot, bool unused, const struct rate_limit_moment *now)
{
	GOOD(site, rate_limit_release_at(site->ledger, slot, unused, now, &site->fault));
}

static void throttled(struct site *site, int64_t retry_after, const struct rate_limit_moment *now)
{
	GOOD(site, rate_limit_on_throttle_at(
			   site->ledger, &site->settings, retry_after, now, &site->fault));
}

static void succeeded(struct site *site, const struct rate_limit_moment *now)
{
	GOOD(site, rate_limit_on_success_at(site->ledger, &site->settings, now, &site->fault));
}

static struct rate_limit_status look(struct site *site, const struct rate_limit_moment *now)
{
	struct rate_limit_status p;

	GOOD(site, rate_limit_status_at(site->ledger, &site->settings, &p, now, &site->fault));
	return p;
}

/* ---- permits ---- */

static void a_burst_goes_at_once_but_for_what_is_kept_for_the_administrator(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[2 * RATE], wait;

	assert_int_equal(take(site, false, 2 * RATE, slots, &wait, &now), RATE - RESERVED);
	assert_int_equal(take(site, false, 1, slots, &wait, &now), 0);
	assert_int_equal(take(site, true, 2 * RATE, slots, &wait, &now), RESERVED);
	assert_int_equal(take(site, true, 1, slots, &wait, &now), 0);
	assert_int_equal(look(site, &now).used, RATE);
}

static void what_the_administrator_uses_comes_out_of_the_same_budget(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[RATE], wait;

	assert_int_equal(take(site, true, 10, slots, &wait, &now), 10);
	assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED - 10);
}

static void a_small_rate_still_lets_the_worker_work(void **state)
{
	static const struct {
		int64_t rate;
		int worker;
	} cases[] = {
		{1, 1}, {2, 1}, {3, 2}, {9, 8}, {10, 9}, {11, 9}, {30, 27}, {60, 54}, {600, 540}};
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[600], wait;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		site->settings.requests_per_minute = cases[i].rate;
		assert_int_equal(take(site, false, 600, slots, &wait, &now), cases[i].worker);
		for (int k = 0; k < cases[i].worker; k++)
			end(site, slots[k], true, &now);
	}
}

static void a_permit_is_free_a_minute_after_the_call_has_ended(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[RATE], wait, more;

	assert_int_equal(take(site, false, RATE - RESERVED, slots, &wait, &now), RATE - RESERVED);
	pass(&now, 5000);
	end(site, slots[0], false, &now);
	assert_int_equal(take(site, false, 1, &more, &wait, &now), 0);
	assert_int_equal(wait, MINUTE + 1);
	pass(&now, MINUTE);
	assert_int_equal(take(site, false, 1, &more, &wait, &now), 0);
	assert_int_equal(wait, 1);
	pass(&now, 1);
	assert_int_equal(take(site, false, 2, slots, &wait, &now), 1);
}

static void a_permit_that_was_not_used_is_free_at_once(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[RATE], wait;

	assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED);
	end(site, slots[4], true, &now);
	assert_int_equal(take(site, false, 2, slots, &wait, &now), 1);
}

static void the_permit_of_a_program_that_died_is_not_lost_forever(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[RATE], wait;

	assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED);
	pass(&now, MINUTE + ABANDON);
	assert_int_equal(take(site, false, 1, slots, &wait, &now), 0);
	pass(&now, 1);
	assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED);
}

static void a_call_that_ends_after_its_permit_was_given_up_counts_again(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[RATE], wait, late;

	assert_int_equal(take(site, false, 1, &late, &wait, &now), 1);
	pass(&now, MINUTE + ABANDON + 1); /* the host was suspended */
	assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED);
	for (int i = 0; i < RATE - RESERVED; i++)
		end(site, slots[i], true, &now);
	end(site, late, false, &now);
	assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED - 1);
}

/* ---- the window ---- */

#define CALLS 2000

struct call {
	int64_t slot, from, until;
	int64_t seen; /* by Google, at some moment in between */
};

static unsigned next_random(unsigned *random)
{
	*random = *random * 1103515245u + 12345u;
	return *random >> 12;
}

static int by_seen(const void *a, const void *b)
{
	const struct call *x = a, *y = b;

	return (x->seen > y->seen) - (x->seen < y->seen);
}

static int most_in_a_minute(struct call *calls, int n)
{
	int most = 0;

	qsort(calls, (size_t)n, sizeof(*calls), by_seen);
	for (int from = 0, to = 0; to < n; to++) {
		while (calls[to].seen - calls[from].seen >= MINUTE)
			from++;
		if (to - from + 1 > most)
			most = to - from + 1;
	}
	return most;
}

/* A simulated hour needs no disk. */
static void hurry(struct ledger *l)
{
	assert_int_equal(
		sqlite3_exec(l->db, "PRAGMA synchronous = OFF", NULL, NULL, NULL), SQLITE_OK);
}

/* Under valgrind a call costs fifty times as much. */
static int calls_of_a_run(void)
{
	return getenv("CLOUDINVITE_VALGRIND") ? CALLS / 8 : CALLS;
}

/* Two programs and an administrator, with calls of 0 to 20 s that Google sees at any moment. */
static int64_t simulate(struct site *site, struct call *calls, int count, unsigned *random)
{
	struct ledger *other = site_open(site, LEDGER_WRITE);
	struct rate_limit_moment now = start();
	int made = 0, open = 0;

	GOOD(site, other);
	hurry(site->ledger);
	hurry(other);
	while (made < count) {
		struct ledger *l = next_random(random) % 2 ? other : site->ledger;
		bool admin = next_random(random) % 20 == 0;
		int64_t slots[8], wait = 0;
		int n = rate_limit_acquire_at(l, &site->settings, admin,
			1 + (int)(next_random(random) % 8), slots, &wait, &now, &site->fault);

		GOOD(site, n >= 0);
		for (int i = 0; i < n && made < count; i++, made++) {
			int64_t took = next_random(random) % 3 ? next_random(random) % INT64_C(300)
							       : next_random(random) % 20000;

			calls[made] = (struct call){slots[i], now.ms, now.ms + took, 0};
			calls[made].seen = now.ms + (took > 0 ? next_random(random) % took : 0);
		}
		pass(&now, 1 + next_random(random) % 400);
		for (int i = open; i < made; i++)
			if (calls[i].slot != 0 && calls[i].until <= now.ms) {
				struct rate_limit_moment then = now;

				then.ms = calls[i].until;
				GOOD(site, rate_limit_release_at(
						   l, calls[i].slot, false, &then, &site->fault));
				calls[i].slot = 0;
			}
		while (open < made && calls[open].slot == 0)
			open++;
	}
	ledger_close(other);
	return now.ms - start().ms;
}

static void any_minute_holds_at_most_the_rate(void **state)
{
	static struct call calls[CALLS];
	static const int64_t rates[] = {1, 7, 30, 60};
	struct site *site = *state;
	int count = calls_of_a_run();
	unsigned random = SEED;

	print_message("# seed %u\n", SEED);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		int64_t took;
		int most;

		site->settings.requests_per_minute = rates[i];
		site_sql(site, "DELETE FROM permit; DELETE FROM rate_limit");
		took = simulate(site, calls, count, &random);
		most = most_in_a_minute(calls, count);
		print_message("# rate %d: at most %d a minute, %.1f on average\n", (int)rates[i],
			most, count * (double)MINUTE / (double)took);
		assert_true(most <= rates[i]);
		/* And the limit is used: calls take some 4 s, so a permit comes back every 64 s. */
		assert_true(count * MINUTE > rates[i] * took * 6 / 10);
	}
}

static bool takes_what_it_gets(struct site *site, int number)
{
	struct ledger *l = site_open(site, LEDGER_WRITE);
	int64_t slots[4], wait;
	int n = 1;

	(void)number;
	while (l && n > 0)
		n = rate_limit_acquire(l, &site->settings, true, 4, slots, &wait, &site->fault);
	ledger_close(l);
	return l && n == 0;
}

static void programs_that_take_at_once_never_take_more_than_there_is(void **state)
{
	struct site *site = *state;

	at_once(site, 6, takes_what_it_gets);
	assert_int_equal(site_number(site, "SELECT count(*) FROM permit"), RATE);
}

/* ---- adapting the rate ---- */

static void google_s_word_halves_the_rate_once_for_all_calls_under_way(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[RATE], wait;

	for (int i = 0; i < 16; i++) {
		throttled(site, 10, &now);
		pass(&now, 100);
	}
	assert_int_equal(look(site, &now).effective, RATE / 2);
	assert_int_equal(take(site, true, 1, slots, &wait, &now), 0);
	assert_in_range(wait, 9000, 10000);
	assert_int_equal(look(site, &now).throttled_until_wall, now.wall + 10);
	pass(&now, 30000);
	assert_int_equal(take(site, false, RATE, slots, &wait, &now), 13); /* 15 but for a tenth */
	assert_int_equal(look(site, &now).throttled_until_wall, 0);
	throttled(site, -1, &now);
	assert_int_equal(look(site, &now).effective, 7);
	for (int i = 0; i < 10; i++) {
		pass(&now, 30000);
		throttled(site, 0, &now);
	}
	assert_int_equal(look(site, &now).effective, 1); /* never zero */
}

static void a_retry_after_counts_up_to_an_hour(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slot, wait;

	throttled(site, INT64_MAX, &now);
	assert_int_equal(take(site, false, 1, &slot, &wait, &now), 0);
	assert_int_equal(wait, 3600 * 1000);
	throttled(site, 5, &now); /* a shorter one changes nothing */
	pass(&now, INT64_C(3599) * 1000);
	assert_int_equal(take(site, false, 1, &slot, &wait, &now), 0);
	pass(&now, 1000);
	assert_int_equal(take(site, false, 1, &slot, &wait, &now), 1);
}

static void success_raises_the_rate_again_by_a_tenth_a_minute(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t expected = RATE / 2;

	throttled(site, 1, &now);
	succeeded(site, &now);
	assert_int_equal(look(site, &now).effective, expected);
	while (expected < RATE) {
		pass(&now, MINUTE);
		for (int i = 0; i < 10; i++)
			succeeded(site, &now);
		expected += RATE / 10;
		assert_int_equal(look(site, &now).effective, expected);
	}
	pass(&now, MINUTE);
	succeeded(site, &now);
	assert_int_equal(look(site, &now).effective, RATE);
}

static void a_lowered_rate_never_exceeds_new_settings(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();

	throttled(site, 1, &now);
	site->settings.requests_per_minute = 4;
	assert_int_equal(look(site, &now).effective, 4);
	site->settings.requests_per_minute = 60;
	assert_int_equal(look(site, &now).effective, RATE / 2);
}

/* ---- clocks ---- */

static void a_wall_clock_that_jumps_neither_frees_nor_freezes(void **state)
{
	static const int64_t jumps[] = {-1000000000, -3600, 3600, 1000000000};
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[RATE], wait;

	for (size_t i = 0; i < ARRAY_SIZE(jumps); i++) {
		assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED);
		throttled(site, 90, &now);
		now.wall += jumps[i];
		pass(&now, MINUTE);
		now.wall += jumps[i];
		assert_int_equal(take(site, false, 1, slots, &wait, &now), 0);
		assert_int_equal(wait, 30000);
		for (int k = 0; k < RATE - RESERVED; k++)
			end(site, slots[k], true, &now);
		site_sql(site, "DELETE FROM permit; UPDATE rate_limit SET rate = 0, until_ms = 0");
		pass(&now, MINUTE);
	}
}

static void after_a_reboot_all_calls_count_from_now(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[RATE], wait;

	assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED);
	end(site, slots[0], false, &now);
	now = (struct rate_limit_moment){.ms = 5000, .wall = now.wall + 30, .boot = "second boot"};
	assert_int_equal(look(site, &now).used, RATE - RESERVED);
	assert_int_equal(look(site, &now).wait_ms, MINUTE);
	assert_int_equal(take(site, false, 1, slots, &wait, &now), 0);
	assert_in_range(wait, MINUTE, MINUTE + 1);
	now.ms += MINUTE + 1;
	assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED);
}

static void a_retry_after_survives_a_reboot_and_a_lowered_rate_too(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slot, wait;

	throttled(site, 300, &now);
	now = (struct rate_limit_moment){.ms = 2000, .wall = now.wall + 100, .boot = "second boot"};
	assert_int_equal(take(site, false, 1, &slot, &wait, &now), 0);
	assert_int_equal(wait, 200 * 1000);
	assert_int_equal(look(site, &now).effective, RATE / 2);
	succeeded(site, &now);
	assert_int_equal(look(site, &now).effective, RATE / 2);
	now = (struct rate_limit_moment){
		.ms = 2000, .wall = now.wall - 100000000, .boot = "third boot"};
	assert_int_equal(take(site, false, 1, &slot, &wait, &now), 0);
	assert_int_equal(wait, 3600 * 1000); /* the wall clock is wrong: at most an hour */
}

static void without_a_boot_id_a_clock_that_went_back_tells_a_reboot(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[RATE], wait;

	now.boot[0] = '\0';
	assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED);
	now.ms = 3000;
	assert_int_equal(take(site, false, 1, slots, &wait, &now), 0);
	assert_in_range(wait, MINUTE, MINUTE + 1);
	now.ms += MINUTE + 1;
	assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED);
}

/* Another program got the lock first, with a later reading of the clock. */
static void a_reading_of_the_clock_that_is_a_little_old_resets_nothing(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start(), old = start();
	int64_t slots[RATE], wait;

	pass(&now, 3000);
	assert_int_equal(take(site, false, 20, slots, &wait, &now), 20);
	assert_int_equal(take(site, false, 20, slots, &wait, &old), RATE - RESERVED - 20);
	assert_int_equal(site_number(site, "SELECT count(*) FROM permit WHERE ended"), 0);
}

/* ---- shown text ---- */

static void without_a_limit_nothing_is_counted(void **state)
{
	struct site *site = *state;
	int64_t slots[100], wait = -1;
	struct rate_limit_status p;

	memset(slots, 0xff, sizeof(slots));
	site->settings.requests_per_minute = 0;
	assert_int_equal(
		rate_limit_acquire(NULL, &site->settings, false, 100, slots, &wait, &site->fault),
		100);
	assert_int_equal(wait, 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(slots[i], 0);
	assert_true(rate_limit_release(NULL, 0, false, &site->fault));
	assert_true(rate_limit_on_success(NULL, &site->settings, &site->fault));
	assert_true(rate_limit_on_throttle(NULL, &site->settings, 10, &site->fault));
	assert_true(rate_limit_status(NULL, &site->settings, &p, &site->fault));
	assert_int_equal(p.configured, 0);
	assert_int_equal(rate_limit_eta(&p, 1000000), 0);
}

static void the_expected_time_is_that_of_the_worker_s_share(void **state)
{
	struct site *site = *state;
	struct rate_limit_moment now = start();
	int64_t slots[RATE], wait;
	struct rate_limit_status p = look(site, &now);

	assert_int_equal(rate_limit_eta(&p, 0), 0);
	assert_int_equal(rate_limit_eta(&p, 27), 0);
	assert_int_equal(rate_limit_eta(&p, 28), 3);
	assert_in_range(rate_limit_eta(&p, 27 + 2700), 100 * 60, 100 * 60 + 1);
	assert_int_equal(take(site, false, RATE, slots, &wait, &now), RATE - RESERVED);
	p = look(site, &now);
	assert_in_range(rate_limit_eta(&p, 27), 60, 122);
	throttled(site, 600, &now);
	p = look(site, &now);
	assert_true(rate_limit_eta(&p, 1) >= 600);
}

static void looking_changes_nothing_and_works_for_readers(void **state)
{
	struct site *site = *state;
	struct ledger *reader = site_open(site, LEDGER_READ);
	int64_t slots[5], wait;
	struct rate_limit_status p;

	GOOD(site, reader);
	assert_int_equal(rate_limit_acquire(site->ledger, &site->settings, false, 5, slots, &wait,
				 &site->fault),
		5);
	GOOD(site, rate_limit_status(reader, &site->settings, &p, &site->fault));
	assert_int_equal(p.used, 5);
	assert_int_equal(p.configured, RATE);
	assert_int_equal(p.wait_ms, 0);
	ledger_close(reader);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, site_new, site_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_burst_goes_at_once_but_for_what_is_kept_for_the_administrator),
		TEST(what_the_administrator_uses_comes_out_of_the_same_budget),
		TEST(a_small_rate_still_lets_the_worker_work),
		TEST(a_permit_is_free_a_minute_after_the_call_has_ended),
		TEST(a_permit_that_was_not_used_is_free_at_once),
		TEST(the_permit_of_a_program_that_died_is_not_lost_forever),
		TEST(a_call_that_ends_after_its_permit_was_given_up_counts_again),
		TEST(any_minute_holds_at_most_the_rate),
		TEST(programs_that_take_at_once_never_take_more_than_there_is),
		TEST(google_s_word_halves_the_rate_once_for_all_calls_under_way),
		TEST(a_retry_after_counts_up_to_an_hour),
		TEST(success_raises_the_rate_again_by_a_tenth_a_minute),
		TEST(a_lowered_rate_never_exceeds_new_settings),
		TEST(a_wall_clock_that_jumps_neither_frees_nor_freezes),
		TEST(after_a_reboot_all_calls_count_from_now),
		TEST(a_retry_after_survives_a_reboot_and_a_lowered_rate_too),
		TEST(without_a_boot_id_a_clock_that_went_back_tells_a_reboot),
		TEST(a_reading_of_the_clock_that_is_a_little_old_resets_nothing),
		TEST(without_a_limit_nothing_is_counted),
		TEST(the_expected_time_is_that_of_the_worker_s_share),
		TEST(looking_changes_nothing_and_works_for_readers),
	};

	return cmocka_run_group_tests_name("rate limit", tests, NULL, NULL);
}
