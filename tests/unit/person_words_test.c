/* SPDX-License-Identifier: Apache-2.0 */
/* The words: each is there, each is another, and each is read back. */
#include "person_rows.h"

#include <string.h>

static void states_have_words_that_are_read_back(void **state)
{
	static const char *const words[PERSON_STATES] = {"queued", "not_invitable", "sending",
		"unconfirmed", "invited", "accepted", "declined", "cancelled", "held", "failed",
		"gone"};
	enum person_state found;

	(void)state;
	for (int n = 0; n < PERSON_STATES; n++) {
		assert_string_equal(person_state_word((enum person_state)n), words[n]);
		assert_true(person_state_parse(words[n], &found));
		assert_int_equal(found, n);
	}
	assert_string_equal(person_state_word(PERSON_UNKNOWN), "unknown");
	assert_false(person_state_parse("unknown", &found));
	assert_false(person_state_parse("", &found));
	assert_int_equal(found, PERSON_GONE); /* as it was */
}

static void reasons_have_words_that_are_read_back(void **state)
{
	enum person_reason found = REASON_NONE;

	(void)state;
	for (int n = REASON_NONE; n < REASON_FAULT; n++) {
		const char *word = reason_word((enum person_reason)n);

		assert_true(reason_parse(word, &found));
		assert_int_equal(found, n);
		assert_int_equal(word[0] == '\0', n == REASON_NONE);
	}
	assert_string_equal(reason_word(REASON_FAULT), "fault");
	assert_false(reason_parse("fault", &found));
	assert_false(reason_parse("not a word", &found));
	assert_int_equal(found, REASON_FAULT - 1);
}

static void the_reason_of_a_failed_person_is_the_code_of_the_fault(void **state)
{
	struct person p = row_person("failed fault fault=permission_denied");

	(void)state;
	assert_string_equal(person_reason_word(&p), "permission_denied");
	p = row_person("queued send_window fault=slow");
	assert_string_equal(person_reason_word(&p), "send_window");
}

static void priorities_have_words_that_are_read_back(void **state)
{
	static const char *const words[PRIORITIES] = {"new", "retry", "background"};
	enum priority found;

	(void)state;
	for (int n = 0; n < PRIORITIES; n++) {
		assert_string_equal(priority_word((enum priority)n), words[n]);
		assert_true(priority_parse(words[n], &found));
		assert_int_equal(found, n);
	}
	assert_false(priority_parse("old", &found));
	assert_int_equal(found, PRIO_BACKGROUND);
}

static void assert_all_differ(const char *const *words, int count)
{
	for (int n = 0; n < count; n++)
		for (int m = 0; m < n; m++)
			assert_string_not_equal(words[n], words[m]);
}

static void words_of_one_kind_differ(void **state)
{
	const char *words[PERSON_REASONS];

	(void)state;
	for (int n = 0; n < PERSON_REASONS; n++)
		words[n] = reason_word((enum person_reason)n);
	assert_all_differ(words, PERSON_REASONS);
	for (int n = 0; n < PERSON_EVENTS; n++)
		words[n] = person_event_word((enum person_event_kind)n);
	assert_all_differ(words, PERSON_EVENTS);
	for (int n = 0; n <= ACTION_AWAIT_CONTROL; n++)
		words[n] = person_action_word((enum person_action)n);
	assert_all_differ(words, ACTION_AWAIT_CONTROL + 1);
	for (int n = 0; n <= AUDIT_FAILED; n++)
		words[n] = audit_event_word((enum audit_event)n);
	assert_all_differ(words, AUDIT_FAILED + 1);
}

/* They stand in ledgers that exist. */
static void words_of_the_ledger_stay(void **state)
{
	static const char *const outcomes[] = {
		"", "open", "sent", "refused", "unconfirmed", "resolved_sent", "resolved_unsent"};
	static const char *const reasons[] = {"", "first_check", "approved", "retried", "retry",
		"breaker", "send_window", "daily_limit", "reconcile", "resolved_unsent",
		"discovered", "dry_run", "max_mails", "unknown_state", "manual", "blocked",
		"collision", "unconfirmed", "interrupted", "sending", "not_invitable", "sent",
		"resolved", "by_others", "account_removed", "answered", "elsewhere", "deleted",
		"by_admin", "forgotten", "mapped", "unmapped", "foreign_domain", "excluded",
		"fault"};

	(void)state;
	for (size_t n = 0; n < ARRAY_SIZE(outcomes); n++)
		assert_string_equal(send_outcome_word((enum send_outcome)n), outcomes[n]);
	assert_int_equal(ARRAY_SIZE(reasons), PERSON_REASONS);
	for (size_t n = 0; n < ARRAY_SIZE(reasons); n++)
		assert_string_equal(reason_word((enum person_reason)n), reasons[n]);
}

static void the_words_of_events_and_actions_are_those_of_the_readme(void **state)
{
	(void)state;
	assert_string_equal(person_event_word(EVENT_SIGHTED), "sighted");
	assert_string_equal(person_event_word(EVENT_CANCELLED_BY_ADMIN), "cancelled_by_admin");
	assert_string_equal(person_action_word(ACTION_NONE), "none");
	assert_string_equal(person_action_word(ACTION_AWAIT_CONTROL), "await_control");
	assert_string_equal(audit_event_word(AUDIT_NONE), "");
	assert_string_equal(audit_event_word(AUDIT_FAILED), "failed");
}

static void a_new_person_is_unknown(void **state)
{
	struct person p = person_new("alice@example.com", 86400);
	char text[1024];

	(void)state;
	row_describe(&p, text, sizeof(text));
	assert_string_equal(text,
		"alice@example.com unknown  next=0 priority=new attempts=0 fault=/ mails=-1 ours=0 "
		"intent=0 date=0 imails=-1 checked=0 first_day=86400 changed=0 orphaned=0 orphan=");
}

static void four_states_can_be_claimed(void **state)
{
	(void)state;
	for (int n = 0; n <= PERSON_STATES; n++) {
		const char *word = person_state_word((enum person_state)n);

		assert_int_equal(person_state_claimable((enum person_state)n),
			strcmp(word, "queued") == 0 || strcmp(word, "unconfirmed") == 0 ||
				strcmp(word, "sending") == 0 || strcmp(word, "invited") == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_have_words_that_are_read_back),
		cmocka_unit_test(reasons_have_words_that_are_read_back),
		cmocka_unit_test(the_reason_of_a_failed_person_is_the_code_of_the_fault),
		cmocka_unit_test(priorities_have_words_that_are_read_back),
		cmocka_unit_test(words_of_one_kind_differ),
		cmocka_unit_test(words_of_the_ledger_stay),
		cmocka_unit_test(the_words_of_events_and_actions_are_those_of_the_readme),
		cmocka_unit_test(a_new_person_is_unknown),
		cmocka_unit_test(four_states_can_be_claimed),
	};

	return cmocka_run_group_tests_name("person: words", tests, NULL, NULL);
}
