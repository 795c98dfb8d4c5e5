/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I1 (docs/design.md, "Invariants"). */
/*
 * Every broken spool, and a host process without free descriptors or with a file-size limit: no
 * user is kept out.
 */
#include "tests/pam/stack.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/array.h"

/* ---- broken spools ---- */

static void break_nothing_there(void)
{
	empty("spool");
}

static void break_a_file_instead(void)
{
	empty("spool/new");
	put("spool/new", "", 0600);
}

static void break_a_fifo_instead(void)
{
	empty("spool/new");
	assert_int_equal(mkfifo(at("spool/new"), 0600), 0);
}

static void break_a_link_instead(void)
{
	empty("spool/new");
	assert_int_equal(mkdir(at("spool/elsewhere"), 0700), 0);
	assert_int_equal(symlink("elsewhere", at("spool/new")), 0);
}

static void break_a_loop(void)
{
	empty("spool");
	assert_int_equal(symlink("spool", at("spool")), 0);
}

static void break_read_only(void)
{
	assert_int_equal(mount(at("spool"), at("spool"), "none", MS_BIND, NULL), 0);
	assert_int_equal(
		mount(NULL, at("spool"), "none", MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
}

static void break_no_inodes(void)
{
	assert_int_equal(mount("tmpfs", at("spool"), "tmpfs", 0, "size=64k,nr_inodes=3"), 0);
	assert_int_equal(mkdir(at("spool/new"), 0755), 0);
	assert_int_equal(mkdir(at("spool/seen"), 0755), 0);
}

static void break_a_fifo_as_arrival(void)
{
	assert_int_equal(mkfifo(at("spool/new/alice.login"), 0600), 0);
}

static void break_a_dangling_arrival(void)
{
	assert_int_equal(symlink("/nonexistent/x", at("spool/new/alice.login")), 0);
}

static void a_broken_spool_never_denies_or_delays(void **state)
{
	void (*const breaks[])(void) = {break_nothing_there, break_a_file_instead,
		break_a_fifo_instead, break_a_link_instead, break_a_loop, break_read_only,
		break_no_inodes, break_a_fifo_as_arrival, break_a_dangling_arrival};

	for (size_t i = 0; i < ARRAY_SIZE(breaks); i++) {
		struct timespec began, ended;

		stack_fresh(state);
		breaks[i]();
		clock_gettime(CLOCK_MONOTONIC, &began);
		assert_int_equal(log_in(""), PAM_SUCCESS);
		assert_int_equal(log_in("silent sync debug notify network_users"), PAM_SUCCESS);
		clock_gettime(CLOCK_MONOTONIC, &ended);
		assert_true(ended.tv_sec - began.tv_sec < 30);
		assert_false(exists("spool/elsewhere/alice.login"));
		umount2(at("spool"), MNT_DETACH);
	}
}

/* In a child, because limits cannot be raised again: 0 if both sessions opened. */
static int log_in_with_limits(void)
{
	static const struct pam_conv nobody = {NULL, NULL};
	const struct rlimit none = {0, 0};
	/* libpam itself needs one descriptor more (for audit); the module needs two at once. */
	const rlim_t free_descriptor = (rlim_t)dup(0);
	const struct rlimit few = {free_descriptor + 1, free_descriptor + 1};
	pam_handle_t *pamh = NULL;

	close((int)free_descriptor);

	if (pam_start_confdir("sshd", "alice", &nobody, at("conf"), &pamh) != PAM_SUCCESS)
		return 2;
	if (setrlimit(RLIMIT_FSIZE, &none) != 0 || pam_open_session(pamh, 0) != PAM_SUCCESS)
		return 3;
	if (!exists("spool/new/alice.login"))
		return 4;
	unlink(at("spool/new/alice.login"));
	if (setrlimit(RLIMIT_NOFILE, &few) != 0 || pam_open_session(pamh, 0) != PAM_SUCCESS)
		return 5;
	return exists("spool/new/alice.login") ? 6 : 0;
}

static void no_file_size_and_no_descriptors_are_survived(void **state)
{
	int status = -1;
	pid_t child;

	(void)state;
	if (getenv("CLOUDINVITE_VALGRIND"))
		skip(); /* valgrind keeps descriptors of its own beyond the limit */
	assert_int_equal(log_in(""), PAM_SUCCESS); /* writes the stack's file */
	empty("spool/new/alice.login");
	child = fork();
	if (child == 0)
		_exit(log_in_with_limits());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define T(test) cmocka_unit_test_setup(test, stack_fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_broken_spool_never_denies_or_delays),
		T(no_file_size_and_no_descriptors_are_survived),
	};

	if (geteuid() != 0)
		return stack_skip("broken spool");
	return cmocka_run_group_tests_name("pam broken spool", tests, stack_enter, stack_leave);
}
