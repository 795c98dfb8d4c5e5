/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I1 (docs/design.md, "Invariants"). */
/*
 * Which users are reported when a session opens, and what the module returns.
 */
#include "base/array.h"
#include "base/str.h"
#include "tests/pam/stack.h"

/* ---- return values ---- */

static void sessions_succeed_in_a_stack_of_their_own(void **state)
{
	(void)state;
	assert_int_equal(run("session", "required", "", pam_open_session, 0), PAM_SUCCESS);
	assert_int_equal(run("session", "required", "", pam_close_session, 0), PAM_SUCCESS);
	assert_int_equal(run("session", "optional", "", pam_open_session, PAM_SILENT), PAM_SUCCESS);
}

/* A stack in which every module returns PAM_IGNORE denies access: that shows PAM_IGNORE. */
static void no_other_function_allows_access(void **state)
{
	(void)state;
	for (const char *const *control = (const char *const[]){"sufficient", "required",
		     "[success=done ignore=ignore default=bad]", NULL};
		*control; control++) {
		assert_int_not_equal(run("auth", *control, "", pam_authenticate, 0), PAM_SUCCESS);
		assert_int_not_equal(run("auth", *control, "", pam_setcred, 0), PAM_SUCCESS);
		assert_int_not_equal(run("account", *control, "", pam_acct_mgmt, 0), PAM_SUCCESS);
		assert_int_not_equal(run("password", *control, "", pam_chauthtok, 0), PAM_SUCCESS);
	}
	assert_int_equal(arrivals(), 0);
}

/* ---- reported users ---- */

static void a_first_login_leaves_one_empty_file(void **state)
{
	(void)state;
	assert_int_equal(log_in(""), PAM_SUCCESS);
	expect_arrival("alice.login", true);
	assert_int_equal(log_in(""), PAM_SUCCESS);
	assert_int_equal(arrivals(), 1);
}

static void a_user_with_a_marker_leaves_nothing(void **state)
{
	(void)state;
	put("spool/seen/alice", "seen\n", 0600);
	assert_int_equal(log_in(""), PAM_SUCCESS);
	assert_int_equal(arrivals(), 0);
}

static void network_users_count_only_on_demand(void **state)
{
	(void)state;
	str_copy(stack.user, sizeof(stack.user), "zoe");
	assert_int_equal(log_in(""), PAM_SUCCESS);
	assert_int_equal(arrivals(), 0);
	assert_int_equal(log_in("network_users"), PAM_SUCCESS);
	expect_arrival("zoe.login", true);
}

static void services_are_filtered(void **state)
{
	static const struct {
		const char *service, *arguments;
		int arrivals;
	} cases[] = {
		{"sshd", "", 1},
		{"login", "", 1},
		{"gdm-password", "", 1},
		{"sudo", "", 0},
		{"sudo-i", "", 0},
		{"su", "", 0},
		{"su-l", "", 0},
		{"cron", "", 0},
		{"crond", "", 0},
		{"atd", "", 0},
		{"runuser", "", 0},
		{"systemd-user", "", 0},
		{"polkit-1", "", 0},
		{"gdm-launch-environment", "", 0},
		{"sudo", "skip_services=", 1},
		{"sshd", "skip_services=sshd,login", 0},
		{"sudo", "skip_services=sshd", 1},
		{"sshd", "services=sshd,login", 1},
		{"gdm-password", "services=sshd,login", 0},
		{"sudo", "services=sudo", 1},
		{"sudo", "services=sudo skip_services=su*", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		stack_fresh(state);
		str_copy(stack.service, sizeof(stack.service), cases[i].service);
		assert_int_equal(log_in(cases[i].arguments), PAM_SUCCESS);
		assert_int_equal(arrivals(), cases[i].arrivals);
	}
}

static void without_root_nothing_happens(void **state)
{
	(void)state;
	log_in("");
	empty("spool/new/alice.login");
	stack.written = true;
	assert_int_equal(seteuid(65534), 0);
	int result = log_in("");
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(result, PAM_SUCCESS);
	assert_int_equal(arrivals(), 0);
}

/* ---- hostile names ---- */

static void no_name_leaves_the_spool_or_means_two_things(void **state)
{
	static const struct {
		const char *user, *arrival;
	} cases[] = {
		{"../../etc/cron.d/x", "%2E.%2F..%2Fetc%2Fcron.d%2Fx.login"},
		{"..", "%2E..login"},
		{".ledger", "%2Eledger.login"},
		{"a/b", "a%2Fb.login"},
		{"bob@evil.com", "bob%40evil.com.login"},
		{"x\r\nBcc: y", "x%0D%0ABcc%3A%20y.login"},
		{"%41lice", "%2541lice.login"},
		{"-rf", "-rf.login"},
		{"\xc3\xa4", "%C3%A4.login"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		stack_fresh(state);
		str_copy(stack.user, sizeof(stack.user), cases[i].user);
		assert_int_equal(log_in("network_users"), PAM_SUCCESS);
		expect_arrival(cases[i].arrival, true);
		assert_int_equal(arrivals(), 1);
	}
}

static void names_that_are_too_long_are_left_alone(void **state)
{
	(void)state;
	memset(stack.user, 'a', 300);
	stack.user[300] = '\0';
	assert_int_equal(log_in("network_users"), PAM_SUCCESS);
	assert_int_equal(arrivals(), 0);
	stack.user[160 - 6] = '\0';
	assert_int_equal(log_in("network_users"), PAM_SUCCESS);
	assert_int_equal(arrivals(), 1);
	stack.user[0] = '\0';
	assert_int_equal(log_in("network_users"), PAM_SUCCESS);
	assert_int_equal(arrivals(), 1);
}

#define T(test) cmocka_unit_test_setup(test, stack_fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(sessions_succeed_in_a_stack_of_their_own),
		T(no_other_function_allows_access),
		T(a_first_login_leaves_one_empty_file),
		T(a_user_with_a_marker_leaves_nothing),
		T(network_users_count_only_on_demand),
		T(services_are_filtered),
		T(without_root_nothing_happens),
		T(no_name_leaves_the_spool_or_means_two_things),
		T(names_that_are_too_long_are_left_alone),
	};

	if (geteuid() != 0)
		return stack_skip("session");
	return cmocka_run_group_tests_name("pam session", tests, stack_enter, stack_leave);
}
