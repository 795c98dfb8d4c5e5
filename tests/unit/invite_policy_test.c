/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I8, I10 (docs/design.md, "Invariants"). */
#include "folder.h"

#include "invite/policy.h"

#define NOW INT64_C(1795392000)

/* A person who may be mailed now, and everything that can prevent it. */
struct policy_fixture {
	struct settings settings;
	struct person person;
	struct policy_facts facts;
};

static void policy_fixture_reset(struct policy_fixture *s)
{
	*s = (struct policy_fixture){.settings = {.mode = MODE_SEND,
					     .sends_per_day = 50,
					     .max_mails = 1,
					     .discovered = DISCOVERED_HOLD},
		.person = {.mails = 0},
		.facts = {.now = NOW, .sends_today = 0}};
	s->facts.settings = &s->settings;
	s->facts.person = &s->person;
}

static void assert_ruling(const struct policy_fixture *s, enum ruling_kind kind, const char *reason)
{
	struct ruling ruling = policy_rule(&s->facts);

	assert_string_equal(ruling.reason, reason);
	assert_int_equal(ruling.kind, kind);
	assert_int_equal(ruling.due != 0, kind == RULING_WAIT);
	assert_true(kind != RULING_WAIT || ruling.due > NOW);
}

static void nothing_in_the_way_means_send(void **state)
{
	struct policy_fixture s;

	(void)state;
	policy_fixture_reset(&s);
	assert_ruling(&s, RULING_SEND, "");
	s.person.mails = -1; /* not shown: the number of mails is unknown */
	assert_ruling(&s, RULING_SEND, "");
}

static void what_an_administrator_can_release_is_held_and_released(void **state)
{
	struct policy_fixture s;

	(void)state;
	policy_fixture_reset(&s);
	s.settings.mode = MODE_DRY_RUN;
	assert_ruling(&s, RULING_HOLD, "dry_run");
	s.person.approved = true;
	assert_ruling(&s, RULING_SEND, "");

	policy_fixture_reset(&s);
	s.person.discovered = true;
	assert_ruling(&s, RULING_HOLD, "discovered");
	s.settings.discovered = DISCOVERED_IGNORE;
	assert_ruling(&s, RULING_HOLD, "discovered");
	s.settings.discovered = DISCOVERED_SEND;
	assert_ruling(&s, RULING_SEND, "");
	s.settings.discovered = DISCOVERED_HOLD;
	s.person.approved = true;
	assert_ruling(&s, RULING_SEND, "");
}

static void window_and_cap_make_wait_and_approval_does_not_help(void **state)
{
	struct policy_fixture s;

	(void)state;
	policy_fixture_reset(&s);
	s.person.approved = true;
	s.facts.window_opens = NOW + 3600;
	assert_ruling(&s, RULING_WAIT, "send_window");
	assert_int_equal(policy_rule(&s.facts).due, NOW + 3600);
	s.facts.window_opens = 0;
	s.facts.sends_today = 49;
	assert_ruling(&s, RULING_SEND, "");
	s.facts.sends_today = 50;
	assert_ruling(&s, RULING_WAIT, "daily_limit");
	s.settings.sends_per_day = 0;
	s.facts.sends_today = 0;
	assert_ruling(&s, RULING_WAIT, "daily_limit");
}

static void everybodys_mails_count_and_only_again_allows_one_more(void **state)
{
	struct policy_fixture s;

	(void)state;
	policy_fixture_reset(&s);
	s.person.mails = 1;
	s.person.approved = true;
	s.facts.by_name = true;
	assert_ruling(&s, RULING_HOLD, "max_mails");
	s.person.resend = true;
	assert_ruling(&s, RULING_SEND, "");
	s.person.resend = false;
	s.settings.max_mails = 2;
	assert_ruling(&s, RULING_SEND, "");
}

static void a_name_goes_out_in_dry_run_and_outside_the_window_but_not_beyond_the_cap(void **state)
{
	struct policy_fixture s;

	(void)state;
	policy_fixture_reset(&s);
	s.facts.by_name = true;
	s.settings.mode = MODE_DRY_RUN;
	s.person.discovered = true;
	s.facts.window_opens = NOW + 3600;
	assert_ruling(&s, RULING_SEND, "");
	s.facts.sends_today = 50;
	assert_ruling(&s, RULING_WAIT, "daily_limit");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_in_the_way_means_send),
		cmocka_unit_test(what_an_administrator_can_release_is_held_and_released),
		cmocka_unit_test(window_and_cap_make_wait_and_approval_does_not_help),
		cmocka_unit_test(everybodys_mails_count_and_only_again_allows_one_more),
		cmocka_unit_test(
			a_name_goes_out_in_dry_run_and_outside_the_window_but_not_beyond_the_cap),
	};

	return cmocka_run_group_tests_name("invite", tests, NULL, NULL);
}
