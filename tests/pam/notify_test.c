/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `notify`: what invited users are shown, and that no other user can show text at a login.
 */
#include "tests/pam/stack.h"
#include "base/array.h"

/* ---- notify ---- */

static void an_invited_user_sees_the_notice_once_per_login(void **state)
{
	(void)state;
	put("spool/seen/alice", "invited\n", 0600);
	assert_int_equal(log_in(""), PAM_SUCCESS);
	assert_string_equal(stack.said, "");
	assert_int_equal(log_in("notify"), PAM_SUCCESS);
	assert_non_null(strstr(stack.said, "invitation"));
	stack.said[0] = '\0';
	assert_int_equal(
		run("session", "required", "notify", pam_open_session, PAM_SILENT), PAM_SUCCESS);
	assert_string_equal(stack.said, "");
}

static void the_sites_own_message_is_roots_alone(void **state)
{
	char arguments[256];

	(void)state;
	put("spool/seen/alice", "invited\n", 0600);
	put("spool/message", "Ask \033[31mIT\n", 0644);
	snprintf(arguments, sizeof(arguments), "notify message_file=%s", at("spool/message"));
	assert_int_equal(log_in(arguments), PAM_SUCCESS);
	assert_string_equal(stack.said, "Ask \\x1b[31mIT\n");
	for (int broken = 0; broken < 4; broken++) {
		stack.said[0] = '\0';
		empty("spool/message");
		if (broken == 0)
			assert_int_equal(symlink("../passwd", at("spool/message")), 0);
		else if (broken == 1)
			assert_int_equal(mkfifo(at("spool/message"), 0644), 0);
		else
			put("spool/message", "hostile\n", broken == 2 ? 0666 : 0644);
		if (broken == 3)
			assert_int_equal(chown(at("spool/message"), 65534, 0), 0);
		assert_int_equal(log_in(arguments), PAM_SUCCESS);
		assert_null(strstr(stack.said, "hostile"));
		assert_null(strstr(stack.said, "root:"));
		assert_non_null(strstr(stack.said, "Google"));
	}
}

/* In a directory that others can open, they can delay the lookup of a name. */
static void a_message_outside_of_the_spool_is_not_read(void **state)
{
	static const char *const elsewhere[] = {
		"message", "spool/seen/message", "spool", "spool/", "spoolmessage"};
	char arguments[256];

	(void)state;
	put("spool/seen/alice", "invited\n", 0600);
	put("spool/seen/message", "Ask IT\n", 0644);
	put("message", "Ask IT\n", 0644);
	put("spoolmessage", "Ask IT\n", 0644);
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++) {
		stack.said[0] = '\0';
		snprintf(arguments, sizeof(arguments), "notify silent message_file=%s",
			at(elsewhere[i]));
		assert_int_equal(log_in(arguments), PAM_SUCCESS);
		assert_non_null(strstr(stack.said, "Google"));
	}
}

static void a_hostile_marker_shows_nothing(void **state)
{
	static const char *const marks[] = {"", "invited\nand more\n", "\033[2Jinvited\n",
		"INVITED\n", "invited \n", "queued\n",
		"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"};

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		stack_fresh(state);
		put("spool/seen/alice", marks[i], 0600);
		assert_int_equal(log_in("notify"), PAM_SUCCESS);
		assert_string_equal(stack.said, "");
		assert_int_equal(arrivals(), 0);
	}
	stack_fresh(state);
	assert_int_equal(mkfifo(at("spool/seen/alice"), 0600), 0);
	assert_int_equal(log_in("notify"), PAM_SUCCESS);
	stack_fresh(state);
	put("spool/seen/target", "invited\n", 0600);
	assert_int_equal(symlink("target", at("spool/seen/alice")), 0);
	assert_int_equal(log_in("notify"), PAM_SUCCESS);
	assert_string_equal(stack.said, "");
}

static void a_missing_or_failing_conversation_is_survived(void **state)
{
	(void)state;
	put("spool/seen/alice", "invited\n", 0600);
	for (stack.conversation = -1; stack.conversation <= 0; stack.conversation++)
		assert_int_equal(log_in("notify"), PAM_SUCCESS);
}

#define T(test) cmocka_unit_test_setup(test, stack_fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(an_invited_user_sees_the_notice_once_per_login),
		T(the_sites_own_message_is_roots_alone),
		T(a_message_outside_of_the_spool_is_not_read),
		T(a_hostile_marker_shows_nothing),
		T(a_missing_or_failing_conversation_is_survived),
	};

	if (geteuid() != 0)
		return stack_skip("notify");
	return cmocka_run_group_tests_name("pam notify", tests, stack_enter, stack_leave);
}
