/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I14 (docs/design.md, "Invariants"). */
#include "base/str.h"
#include "fake_google.h"
#include "ledger/sqlite.h"

static int refusing; /* people refused by `refused_method`, from the first on */
static enum google_method refused_method;
static const char *refusal = "not_found";
static bool control_fails;
static struct outcome control_answer;

static void refuse_some(struct call_at_google *c, struct outcome *o)
{
	if (c->call.method == GOOGLE_LIST && control_fails) {
		*o = control_answer;
		o->latency_ms = 10;
	}
	if (c->call.method != refused_method || refusing == 0)
		return;
	refusing--;
	o->kind = FAULT_REJECTED;
	o->code = refusal;
	o->effect = false;
}

static void refuse(enum google_method method, int times)
{
	refused_method = method;
	refusing = times;
	control_fails = false;
	refusal = "not_found";
	fake_google.decide = refuse_some;
}

static void refuse_control(struct outcome answer)
{
	control_fails = true;
	control_answer = answer;
}

static void arrive(struct site *s, int from, int count)
{
	char user[16], address[32];

	for (int n = from; n < from + count; n++) {
		str_format(user, sizeof(user), "person%d", n);
		str_format(address, sizeof(address), "%s@example.com", user);
		open_account(address, 30 * DAY);
		see_user(s, user, TRIGGER_LOGIN);
	}
}

static int64_t people_in(struct site *s, enum person_state state)
{
	struct ledger_summary summary;

	check(s, ledger_summarise(s->ledger, clock_wall(), &summary, &s->fault));
	return summary.people[state];
}

static void assert_pause(struct site *s, const char *kind)
{
	struct ledger_pause pause = {.kind = ""};

	check(s, ledger_paused(s->ledger, &pause, &s->fault) >= 0);
	assert_string_equal(pause.kind, kind);
}

static void somebody_refused_while_the_control_call_passes_has_failed_alone(void **state)
{
	struct site s = site_new(*state, "", "");

	arrive(&s, 0, 3);
	refuse(GOOGLE_CHECK, 1);
	run_once(&s);
	assert_int_equal(people_in(&s, PERSON_FAILED), 1);
	assert_int_equal(people_in(&s, PERSON_INVITED), 2);
	assert_int_equal(fake_google.counts[GOOGLE_LIST], 1);
	assert_pause(&s, "");
	site_end(&s);
}

static void one_control_call_serves_all_who_are_refused_within_a_minute(void **state)
{
	struct site s = site_new(*state, "", "");

	arrive(&s, 0, 4);
	refuse(GOOGLE_CHECK, 4);
	run_once(&s);
	assert_int_equal(people_in(&s, PERSON_FAILED), 4);
	assert_int_equal(fake_google.counts[GOOGLE_LIST], 1);
	site_end(&s);
}

static void a_refused_send_is_no_mail_and_no_open_intent(void **state)
{
	struct site s = site_new(*state, "", "");

	arrive(&s, 0, 1);
	refuse(GOOGLE_SEND, 1);
	run_once(&s);
	assert_person(&s, "person0@example.com", PERSON_FAILED, "not_found");
	assert_int_equal(person_of(&s, "person0@example.com").intent_at, 0);
	assert_int_equal(ledger_sends_between(s.ledger, 0, INT64_MAX, &s.fault), 0);
	site_end(&s);
}

static void when_the_control_call_is_refused_too_no_person_is_charged(void **state)
{
	struct site s = site_new(*state, "", "");
	int calls;

	arrive(&s, 0, 3);
	refuse(GOOGLE_CHECK, 1000);
	refuse_control((struct outcome){.kind = FAULT_SETUP, .code = "api_disabled"});
	run_once(&s);
	assert_pause(&s, "setup");
	assert_int_equal(people_in(&s, PERSON_QUEUED), 3);
	assert_int_equal(people_in(&s, PERSON_FAILED), 0);
	/* Meanwhile only probes, less and less often: after 1, 2, 4, 8 … minutes, then every
	 * hour. */
	calls = fake_google.counts[GOOGLE_LIST];
	run_for(&s, 960);
	assert_int_equal(fake_google.counts[GOOGLE_LIST] - calls, 4);
	calls = fake_google.counts[GOOGLE_LIST];
	run_for(&s, DAY);
	assert_in_range(fake_google.counts[GOOGLE_LIST] - calls, 23, 26);
	assert_int_equal(fake_google.counts[GOOGLE_CHECK], 3);
	/* Fixed: all people are invited within the hour, without an administrator. */
	refuse(GOOGLE_CHECK, 0);
	run_for(&s, HOUR + 60);
	assert_pause(&s, "");
	assert_int_equal(people_in(&s, PERSON_INVITED), 3);
	site_end(&s);
}

static void a_restart_probes_at_once(void **state)
{
	struct site s = site_new(*state, "", "");

	arrive(&s, 0, 1);
	refuse(GOOGLE_CHECK, 1000);
	refuse_control((struct outcome){.kind = FAULT_SETUP, .code = "api_disabled"});
	run_once(&s);
	run_for(&s, DAY);
	site_close(&s);
	refuse(GOOGLE_CHECK, 0);
	site_open(&s);
	run_for(&s, 2);
	assert_pause(&s, "");
	assert_int_equal(people_in(&s, PERSON_INVITED), 1);
	site_end(&s);
}

static void without_an_answer_of_the_control_call_no_person_is_charged(void **state)
{
	struct site s = site_new(*state, "", "");

	arrive(&s, 0, 2);
	refuse(GOOGLE_CHECK, 2);
	refuse_control((struct outcome){.kind = FAULT_TRANSIENT, .code = "503"});
	run_once(&s);
	assert_int_equal(people_in(&s, PERSON_QUEUED), 2);
	assert_pause(&s, "");
	run_for(&s, 300);
	assert_int_equal(people_in(&s, PERSON_INVITED), 2);
	site_end(&s);
}

static void refuse_setup(struct call_at_google *c, struct outcome *o)
{
	(void)c;
	o->kind = FAULT_SETUP;
	o->code = "api_disabled";
	o->effect = false;
}

static void a_setup_fault_pauses_at_once_with_one_pause_for_all_under_way(void **state)
{
	struct site s = site_new(*state, "", "");
	struct ledger_pause pause;

	arrive(&s, 0, 40);
	fake_google.decide = refuse_setup;
	run_once(&s);
	assert_int_equal(ledger_paused(s.ledger, &pause, &s.fault), 1);
	assert_string_equal(pause.kind, "setup");
	assert_int_equal(pause.probe_at, clock_wall() + 60);
	assert_int_equal(fake_google.counts[GOOGLE_LIST], 0);
	assert_int_equal(people_in(&s, PERSON_QUEUED), 40);
	/* The calls in flight, and no more. */
	assert_in_range(fake_google.counts[GOOGLE_CHECK], 1, 16);
	site_end(&s);
}

static void refuse_sends_as_setup(struct call_at_google *c, struct outcome *o)
{
	if (c->call.method == GOOGLE_SEND)
		refuse_setup(c, o);
}

static void a_passing_probe_does_not_excuse_calls_that_are_refused(void **state)
{
	struct site s = site_new(*state, "", "resync_interval = 0");

	/* As with a read-only scope: list and check succeed, send never does. */
	arrive(&s, 0, 1);
	refuse(GOOGLE_SEND, 0);
	fake_google.decide = refuse_sends_as_setup;
	run_once(&s);
	run_for(&s, DAY);
	assert_in_range(fake_google.counts[GOOGLE_SEND], 20, 35);
	assert_int_equal(people_in(&s, PERSON_QUEUED), 1);
	site_end(&s);
}

static void five_people_refused_in_the_same_way_trip_the_breaker_and_none_is_charged(void **state)
{
	struct site s = site_new(*state, "", "");

	arrive(&s, 0, 40);
	refuse(GOOGLE_CHECK, 1000);
	run_once(&s);
	assert_pause(&s, "breaker");
	assert_int_equal(people_in(&s, PERSON_FAILED), 0);
	assert_int_equal(people_in(&s, PERSON_QUEUED), 40);
	/* It does not end automatically, … */
	refuse(GOOGLE_CHECK, 0);
	run_for(&s, 3 * DAY);
	assert_int_equal(people_in(&s, PERSON_INVITED), 0);
	/* … only by an administrator. */
	assert_int_equal(ledger_resume(s.ledger, NULL, "root", &s.fault), 1);
	run_once(&s);
	assert_int_equal(people_in(&s, PERSON_INVITED), 40);
	site_end(&s);
}

/* The commit of the batch in which it trips. */
static int fail_trip(void *ctx)
{
	struct engine *e = ctx;

	if (!e->gate.breaker.open || refusing == 0)
		return 0;
	refusing = 0;
	return 1;
}

static void a_breaker_that_trips_in_a_batch_that_is_rolled_back_trips_in_the_next(void **state)
{
	struct site s = site_new(*state, "parallel = 1\n", "");
	struct fault fault;

	arrive(&s, 0, 5);
	refuse(GOOGLE_CHECK, 6);
	sqlite3_commit_hook(s.ledger->db, fail_trip, s.engine);
	classify_all(&s);
	for (int n = 0; n < 100; n++)
		(void)engine_run(s.engine, NULL, 0, 1000, &fault);
	assert_int_equal(refusing, 0);
	assert_pause(&s, "breaker");
	assert_int_equal(people_in(&s, PERSON_FAILED), 0);
	site_end(&s);
}

static void a_success_between_refusals_resets_the_breaker(void **state)
{
	struct site s = site_new(*state, "parallel = 1\n", "");

	for (int n = 0; n < 8; n++) {
		arrive(&s, 2 * n, 1);
		refuse(GOOGLE_CHECK, 1);
		run_once(&s);
		arrive(&s, 2 * n + 1, 1);
		run_once(&s);
	}
	assert_pause(&s, "");
	assert_int_equal(people_in(&s, PERSON_FAILED), 8);
	assert_int_equal(people_in(&s, PERSON_INVITED), 8);
	site_end(&s);
}

static void different_refusals_do_not_trip_the_breaker(void **state)
{
	struct site s = site_new(*state, "", "");

	for (int n = 0; n < 6; n++) {
		arrive(&s, n, 1);
		refuse(GOOGLE_CHECK, 1);
		refusal = n % 2 ? "invalid" : "not_found";
		run_once(&s);
	}
	assert_pause(&s, "");
	assert_int_equal(people_in(&s, PERSON_FAILED), 6);
	site_end(&s);
}

static void a_pause_of_the_operator_means_no_calls_at_all(void **state)
{
	struct site s = site_new(*state, "", "resync_interval = 1h");
	const struct ledger_pause pause = {.kind = "operator", .text = "migration"};

	arrive(&s, 0, 3);
	check(&s, ledger_pause(s.ledger, &pause, &s.fault));
	run_once(&s);
	run_for(&s, 3 * DAY);
	for (int method = 0; method < GOOGLE_METHODS; method++)
		assert_int_equal(fake_google.counts[method], 0);
	assert_int_equal(ledger_resume(s.ledger, NULL, "root", &s.fault), 1);
	run_once(&s);
	assert_int_equal(people_in(&s, PERSON_INVITED), 3);
	site_end(&s);
}

static void reach_nobody(struct call_at_google *c, struct outcome *o)
{
	(void)c;
	o->kind = FAULT_TRANSIENT;
	o->code = "network_connect";
	o->effect = false;
}

static void when_google_is_unreachable_all_people_wait_together(void **state)
{
	struct site s = site_new(*state, "", "sends_per_day = 1000");
	int calls;

	arrive(&s, 0, 200);
	fake_google.decide = reach_nobody;
	classify_all(&s);
	run_for(&s, 4 * HOUR);
	calls = fake_google.counts[GOOGLE_CHECK];
	assert_in_range(calls, 20, 80);
	assert_string_equal(engine_waits_for(s.engine), "Google cannot be reached");
	fake_google.decide = NULL;
	run_for(&s, 400);
	assert_in_range(people_in(&s, PERSON_INVITED), 150, 200);
	run_for(&s, 2 * HOUR);
	assert_int_equal(people_in(&s, PERSON_INVITED), 200);
	assert_string_equal(engine_waits_for(s.engine), "idle");
	site_end(&s);
}

static void a_pause_of_the_operator_silences_the_control_call_too(void **state)
{
	struct site s = site_new(*state, "", "");
	const struct ledger_pause pause = {.kind = "operator", .text = "migration"};

	arrive(&s, 0, 1);
	refuse(GOOGLE_CHECK, 1);
	classify_all(&s);
	while (fake_google.counts[GOOGLE_CHECK] == 0)
		check(&s, engine_run(s.engine, NULL, 0, 5, &s.fault));
	check(&s, ledger_pause(s.ledger, &pause, &s.fault));
	run_for(&s, DAY);
	assert_int_equal(fake_google.counts[GOOGLE_LIST], 0);
	assert_person(&s, "person0@example.com", PERSON_QUEUED, "first_check");
	site_end(&s);
}

/* ---- sends whose effect is unknown ---- */

static void cut_every_send(struct call_at_google *c, struct outcome *o)
{
	if (c->call.method == GOOGLE_LIST && control_fails) {
		*o = control_answer;
		o->latency_ms = 10;
	}
	if (c->call.method != GOOGLE_SEND)
		return;
	o->kind = FAULT_AMBIGUOUS;
	o->code = "cut";
}

static void three_ambiguous_sends_stop_sending_until_the_control_call_passes(void **state)
{
	struct site s = site_new(*state, "parallel = 1\n", "resync_interval = 0");

	arrive(&s, 0, 10);
	control_fails = true;
	control_answer = (struct outcome){.kind = FAULT_TRANSIENT, .code = "503"};
	fake_google.decide = cut_every_send;
	run_once(&s);
	assert_int_equal(fake_google.counts[GOOGLE_SEND], 3);
	assert_int_equal(people_in(&s, PERSON_UNCONFIRMED), 3);
	assert_int_equal(people_in(&s, PERSON_QUEUED), 7);
	control_fails = false;
	run_for(&s, 200);
	assert_true(fake_google.counts[GOOGLE_SEND] > 3);
	for (int n = 0; n < 10; n++)
		assert_true(fake_google.accounts[n].sends <= 1);
	site_end(&s);
}

#define PROMISE(f) cmocka_unit_test_setup_teardown(f, folder_new, folder_free)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PROMISE(somebody_refused_while_the_control_call_passes_has_failed_alone),
		PROMISE(one_control_call_serves_all_who_are_refused_within_a_minute),
		PROMISE(a_refused_send_is_no_mail_and_no_open_intent),
		PROMISE(when_the_control_call_is_refused_too_no_person_is_charged),
		PROMISE(a_restart_probes_at_once),
		PROMISE(without_an_answer_of_the_control_call_no_person_is_charged),
		PROMISE(a_setup_fault_pauses_at_once_with_one_pause_for_all_under_way),
		PROMISE(a_passing_probe_does_not_excuse_calls_that_are_refused),
		PROMISE(five_people_refused_in_the_same_way_trip_the_breaker_and_none_is_charged),
		PROMISE(a_breaker_that_trips_in_a_batch_that_is_rolled_back_trips_in_the_next),
		PROMISE(a_success_between_refusals_resets_the_breaker),
		PROMISE(different_refusals_do_not_trip_the_breaker),
		PROMISE(a_pause_of_the_operator_means_no_calls_at_all),
		PROMISE(when_google_is_unreachable_all_people_wait_together),
		PROMISE(a_pause_of_the_operator_silences_the_control_call_too),
		PROMISE(three_ambiguous_sends_stop_sending_until_the_control_call_passes),
	};

	return cmocka_run_group_tests_name("invite", tests, NULL, NULL);
}
