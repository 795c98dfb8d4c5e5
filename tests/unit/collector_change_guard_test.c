/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "collector_site.h"

/* `count` accounts; `base` of them exist before the first comparison. */
static void many(struct collector_site *s, int count)
{
	struct strbuf names = {.max = 0};

	strbuf_add(&names, "alice:1001 ");
	for (int i = 0; i < count; i++)
		strbuf_addf(&names, "u%d:%d ", i, 2000 + i);
	people(s, names.data);
	strbuf_free(&names);
}

static int created(struct collector_site *s)
{
	return (int)sightings(s, "gone_day IS NULL AND trigger = 'created'");
}

static bool paused_by(struct collector_site *s, const char *kind, const char *actor)
{
	struct ledger_pause p;

	return ledger_paused(s->c.ledger, &p, &s->site->fault) == 1 && strcmp(p.kind, kind) == 0 &&
	       strcmp(p.actor, actor) == 0;
}

static void paused(struct collector_site *s, const char *kind, const char *actor)
{
	struct ledger_pause p = {.since = clock_wall()};

	str_copy(p.kind, sizeof(p.kind), kind);
	str_copy(p.actor, sizeof(p.actor), actor);
	str_copy(p.text, sizeof(p.text), "because");
	GOOD(s->site, ledger_pause(s->c.ledger, &p, &s->site->fault));
}

static void resumes(struct collector_site *s)
{
	assert_int_equal(ledger_resume(s->c.ledger, NULL, "root", &s->site->fault), 1);
}

/* The collector ends and starts. */
static void starts_again(struct collector_site *s)
{
	s->c.guard_tripped = false;
	s->c.accounts_due = 0;
}

static void fifty_creations_are_everyday(void **state)
{
	struct collector_site *s = *state;

	many(s, 0);
	compares(s);
	many(s, 50);
	compares(s);
	assert_int_equal(created(s), 50);
	assert_false(s->c.guard_tripped);
}

static void more_than_fifty_trip_the_change_guard(void **state)
{
	struct collector_site *s = *state;

	many(s, 0);
	compares(s);
	many(s, 51);
	compares(s);
	compares(s);
	assert_int_equal(created(s), 0);
	assert_true(s->c.guard_tripped);
	assert_true(paused_by(s, "account_changes", "collector"));
	/* Also with creation_delay = 0 nothing is due, or the loop would never sleep. */
	assert_int_equal(s->c.accounts_due, 0);
}

static void of_few_accounts_two_may_go_and_of_many_ten(void **state)
{
	static const struct {
		int there, go;
		bool trips;
	} cases[] = {{4, 2, false}, {4, 3, true}, {20, 4, false}, {20, 5, true}, {99, 10, false},
		{99, 11, true}};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct collector_site *s;
		void *fresh = NULL;

		collector_new(&fresh);
		s = fresh;
		many(s, cases[i].there);
		compares(s);
		many(s, cases[i].there - cases[i].go);
		compares(s);
		assert_int_equal(s->c.guard_tripped, cases[i].trips);
		collector_free(&fresh);
	}
	(void)state;
}

static void resume_lets_it_pass_once(void **state)
{
	struct collector_site *s = *state;

	many(s, 0);
	compares(s);
	many(s, 60);
	compares(s);
	resumes(s);
	compares(s);
	assert_int_equal(created(s), 60);
	assert_false(s->c.guard_tripped);
	many(s, 120);
	compares(s);
	assert_int_equal(created(s), 60);
	assert_true(s->c.guard_tripped);
}

static void a_resume_while_the_collector_was_down_counts(void **state)
{
	struct collector_site *s = *state;

	many(s, 0);
	compares(s);
	many(s, 60);
	compares(s);
	starts_again(s);
	resumes(s);
	compares(s);
	assert_int_equal(created(s), 60);
}

static void a_restart_alone_releases_nothing(void **state)
{
	struct collector_site *s = *state;

	many(s, 0);
	compares(s);
	many(s, 60);
	compares(s);
	starts_again(s);
	compares(s);
	starts_again(s);
	compares(s);
	assert_int_equal(created(s), 0);
	assert_true(s->c.guard_tripped);
}

/* The administrator has not seen our reason when they end a pause of their own. */
static void the_end_of_an_operator_s_pause_releases_nothing(void **state)
{
	struct collector_site *s = *state;

	many(s, 0);
	compares(s);
	paused(s, "operator", "alice");
	many(s, 60);
	compares(s);
	assert_true(paused_by(s, "operator", "alice"));
	resumes(s);
	compares(s);
	assert_int_equal(created(s), 0);
	assert_true(paused_by(s, "account_changes", "collector"));
	resumes(s);
	compares(s);
	assert_int_equal(created(s), 60);
}

static void the_dispatcher_s_breaker_is_not_ours(void **state)
{
	struct collector_site *s = *state;

	many(s, 0);
	compares(s);
	paused(s, "breaker", "dispatcher");
	many(s, 60);
	compares(s);
	assert_true(paused_by(s, "account_changes", "collector"));
	resumes(s);
	compares(s);
	assert_int_equal(created(s), 60);
}

static void a_passwd_that_was_put_right_releases_itself(void **state)
{
	struct collector_site *s = *state;

	many(s, 60);
	compares(s);
	many(s, 0);
	compares(s);
	assert_true(s->c.guard_tripped);
	many(s, 60);
	compares(s);
	assert_false(s->c.guard_tripped);
	/* The pause stays until an administrator ends it. The end of another one does not release
	 * the next change. */
	resumes(s);
	many(s, 0);
	compares(s);
	assert_true(s->c.guard_tripped);
}

static void logins_are_seen_meanwhile(void **state)
{
	struct collector_site *s = *state;

	many(s, 0);
	compares(s);
	many(s, 60);
	compares(s);
	put_arrival(s, "u7", TRIGGER_LOGIN, 0);
	takes(s);
	assert_int_equal(sightings(s, there("u7") " AND trigger = 'login'"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, collector_new, collector_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(fifty_creations_are_everyday),
		TEST(more_than_fifty_trip_the_change_guard),
		cmocka_unit_test(of_few_accounts_two_may_go_and_of_many_ten),
		TEST(resume_lets_it_pass_once),
		TEST(a_resume_while_the_collector_was_down_counts),
		TEST(a_restart_alone_releases_nothing),
		TEST(the_end_of_an_operator_s_pause_releases_nothing),
		TEST(the_dispatcher_s_breaker_is_not_ours),
		TEST(a_passwd_that_was_put_right_releases_itself),
		TEST(logins_are_seen_meanwhile),
	};

	return cmocka_run_group_tests_name("collector: the change guard", tests, NULL, NULL);
}
