/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters: their labels are the words of the modules that count, and each count is stored once.
 */
#include "tests/unit/folder.h"

#include <string.h>

#include "base/str.h"
#include "google/api/google.h"
#include "people/sighting.h"
#include "telemetry/counters.h"

struct told {
	int count;
	char names[64][COUNTER_NAME_MAX];
	int64_t n[64];
};

static bool take(const char *name, bool value, int64_t n, void *ctx)
{
	struct told *t = ctx;

	(void)value;
	str_copy(t->names[t->count], COUNTER_NAME_MAX, name);
	t->n[t->count++] = n;
	return t->count < 64;
}

static struct told changes(void)
{
	struct told t = {.count = 0};

	counters_each_change(take, &t);
	return t;
}

static int64_t told(const struct told *t, const char *name)
{
	for (int i = 0; i < t->count; i++)
		if (strcmp(t->names[i], name) == 0)
			return t->n[i];
	return -1;
}

static int forget(void **state)
{
	(void)state;
	counters_flushed();
	return 0;
}

static void labels_are_the_words_of_their_modules(void **state)
{
	char name[COUNTER_NAME_MAX], want[COUNTER_NAME_MAX];

	(void)state;
	assert_int_equal(counter_label_a_values(COUNTER_REQUESTS), GOOGLE_METHODS);
	for (int method = 0; method < GOOGLE_METHODS; method++) {
		counter_name(COUNTER_REQUESTS, method, OUTCOME_OK, name);
		str_format(want, sizeof(want),
			"google_requests_total{method=\"%s\",outcome=\"ok\"}",
			google_method_word((enum google_method)method));
		assert_string_equal(name, want);
	}
	for (int reason = TRIGGER_LOGIN; reason <= TRIGGER_MANUAL; reason++) {
		counter_name(COUNTER_ARRIVALS, reason, 0, name);
		str_format(want, sizeof(want), "arrivals_total{trigger=\"%s\"}",
			trigger_word((enum trigger)reason));
		assert_string_equal(name, want);
	}
}

static void no_two_series_have_one_name(void **state)
{
	static char names[256][COUNTER_NAME_MAX];
	int count = 0;

	(void)state;
	for (int m = 0; m < COUNTERS; m++)
		for (int a = 0; a < counter_label_a_values((enum counter)m); a++)
			for (int b = 0; b < counter_label_b_values((enum counter)m); b++) {
				assert_true(count < 256);
				counter_name((enum counter)m, a, b, names[count]);
				assert_true(strlen(names[count]) < COUNTER_NAME_MAX - 1);
				for (int i = 0; i < count; i++)
					assert_string_not_equal(names[i], names[count]);
				count++;
			}
}

static void only_changes_are_reported_and_only_once(void **state)
{
	struct told t = changes();

	(void)state;
	assert_int_equal(t.count, 0);
	counter_add(COUNTER_THROTTLED, 0, 0, 1);
	counter_add(COUNTER_THROTTLED, 0, 0, 2);
	counter_set(GAUGE_CLOCK_SKEW, 0, 0, 0);
	t = changes();
	assert_int_equal(t.count, 2);
	assert_int_equal(told(&t, "google_throttled_requests_total"), 3);
	assert_int_equal(told(&t, "clock_skew_seconds"), 0);
	counters_flushed();
	t = changes();
	assert_int_equal(t.count, 0);
}

static void a_duration_counts_in_each_bucket_that_it_fits(void **state)
{
	struct told t;

	(void)state;
	counter_add_duration(GOOGLE_CHECK, 100000); /* a bound belongs to its bucket */
	counter_add_duration(GOOGLE_CHECK, 100001);
	counter_add_duration(GOOGLE_CHECK, 3600000000);
	t = changes();
	assert_int_equal(told(&t, "google_request_duration_seconds_bucket"
				  "{method=\"check\",le=\"0.05\"}"),
		-1);
	assert_int_equal(told(&t, "google_request_duration_seconds_bucket"
				  "{method=\"check\",le=\"0.1\"}"),
		1);
	assert_int_equal(told(&t, "google_request_duration_seconds_bucket"
				  "{method=\"check\",le=\"0.25\"}"),
		2);
	assert_int_equal(told(&t, "google_request_duration_seconds_bucket"
				  "{method=\"check\",le=\"+Inf\"}"),
		3);
	assert_int_equal(told(&t, "google_request_duration_us{method=\"check\"}"), 3600200001);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(labels_are_the_words_of_their_modules, forget),
		cmocka_unit_test_setup(no_two_series_have_one_name, forget),
		cmocka_unit_test_setup(only_changes_are_reported_and_only_once, forget),
		cmocka_unit_test_setup(a_duration_counts_in_each_bucket_that_it_fits, forget),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
