/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module in a program without root's rights (a screen locker, a database that asks PAM): the
 * results are the same, and nothing else happens. Does not need root, and gives it up.
 */
#include "base/array.h"
#include "base/str.h"
#include "tests/pam/stack.h"

#define NOBODY 65534

static const char *const arguments[] = {"", "silent", "notify sync debug network_users",
	"min_uid=0 max_uid=4294967294 skip_services=", "services=nothing", "frobnicate min_uid=x"};
#define ARGUMENTS (ARRAY_SIZE(arguments))

static void sessions_succeed_whatever_the_arguments(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * ARGUMENTS; i++) {
		const char *a = arguments[i / 2];
		int flags = i % 2 ? (int)PAM_SILENT : 0;

		assert_int_equal(
			run("session", "required", a, pam_open_session, flags), PAM_SUCCESS);
		assert_int_equal(
			run("session", "requisite", a, pam_close_session, flags), PAM_SUCCESS);
	}
	assert_int_equal(arrivals(), 0);
}

/* A stack in which every module returns PAM_IGNORE denies access. */
static void everything_else_is_ignored_whatever_the_arguments(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARGUMENTS; i++) {
		const char *a = arguments[i];

		assert_int_not_equal(
			run("auth", "sufficient", a, pam_authenticate, 0), PAM_SUCCESS);
		assert_int_not_equal(run("auth", "sufficient", a, pam_setcred, 0), PAM_SUCCESS);
		assert_int_not_equal(
			run("account", "sufficient", a, pam_acct_mgmt, 0), PAM_SUCCESS);
		assert_int_not_equal(
			run("password", "sufficient", a, pam_chauthtok, 0), PAM_SUCCESS);
	}
	assert_int_equal(arrivals(), 0);
}

static void a_missing_spool_and_an_odd_user_name_change_nothing(void **state)
{
	static const char *const users[] = {"root", "nobody-here", "../x", "a\nb", ""};

	(void)state;
	empty("spool");
	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		str_copy(stack.user, sizeof(stack.user), users[i]);
		assert_int_equal(log_in("network_users"), PAM_SUCCESS);
	}
	assert_false(exists("spool"));
}

static void a_mark_is_not_even_looked_at(void **state)
{
	(void)state;
	put("spool/seen/alice", "invited\n", 0644);
	assert_int_equal(log_in("notify"), PAM_SUCCESS);
	assert_string_equal(stack.said, "");
}

static int enter(void **state)
{
	(void)state;
	memcpy(stack.work, "/tmp/cloudinvite-pam.XXXXXX", sizeof("/tmp/cloudinvite-pam.XXXXXX"));
	assert_non_null(mkdtemp(stack.work));
	assert_int_equal(mkdir(at("conf"), 0755), 0);
	if (geteuid() != 0)
		return 0;
	assert_int_equal(chown(stack.work, NOBODY, NOBODY), 0);
	assert_int_equal(chown(at("conf"), NOBODY, NOBODY), 0);
	/* The real uid stays root's, as in a set-uid program, and is restored to clean up. */
	assert_int_equal(setegid(NOBODY), 0);
	assert_int_equal(seteuid(NOBODY), 0);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	if (getuid() == 0) {
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(setegid(0), 0);
	}
	nftw(stack.work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

#define T(test) cmocka_unit_test_setup(test, stack_fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(sessions_succeed_whatever_the_arguments),
		T(everything_else_is_ignored_whatever_the_arguments),
		T(a_missing_spool_and_an_odd_user_name_change_nothing),
		T(a_mark_is_not_even_looked_at),
	};

	return cmocka_run_group_tests_name("pam without root", tests, enter, leave);
}
