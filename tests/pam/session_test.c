/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module in a PAM stack of its own: every return path, every argument, every broken spool.
 */
#include "tests/pam/stack.h"

#include <dirent.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#define PASSWD                                       \
	"root:x:0:0:root:/root:/bin/bash\n"          \
	"alice:x:1001:1001::/home/alice:/bin/bash\n" \
	"bob.b:x:1002:1002::/home/bob:/bin/bash\n"   \
	"daemon2:x:200:200::/:/usr/sbin/nologin\n"   \
	"big:x:70000:70000::/home/big:/bin/bash\n"   \
	"odd:x:notanumber:1::/home/odd:/bin/bash\n"  \
	"+nis:x:1003:1003::/home/nis:/bin/bash\n"

static int arrivals(void)
{
	DIR *dir = opendir(at("spool/new"));
	const struct dirent *entry;
	int count = 0;

	if (!dir)
		return -1;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static void expect_arrival(const char *name, bool expected)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof(path), "spool/new/%s", name);
	assert_int_equal(exists(path), expected);
	if (!expected)
		return;
	assert_int_equal(lstat(at(path), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(st.st_uid, 0);
}

/* ---- what it returns ----------------------------------------------------------------------------
 */

static void sessions_succeed_in_a_stack_of_their_own(void **state)
{
	(void)state;
	assert_int_equal(run("session", "required", "", pam_open_session, 0), PAM_SUCCESS);
	assert_int_equal(run("session", "required", "", pam_close_session, 0), PAM_SUCCESS);
	assert_int_equal(run("session", "optional", "", pam_open_session, PAM_SILENT), PAM_SUCCESS);
}

/* A stack in which everybody ignores is a denial: that is how PAM_IGNORE shows. */
static void nothing_else_can_let_anybody_in(void **state)
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

/* ---- who is reported ----------------------------------------------------------------------------
 */

static void a_new_face_leaves_one_empty_file(void **state)
{
	(void)state;
	assert_int_equal(log_in(""), PAM_SUCCESS);
	expect_arrival("alice.login", true);
	assert_int_equal(log_in(""), PAM_SUCCESS);
	assert_int_equal(arrivals(), 1);
}

static void somebody_seen_leaves_nothing(void **state)
{
	(void)state;
	put("spool/seen/alice", "seen\n", 0600);
	assert_int_equal(log_in(""), PAM_SUCCESS);
	assert_int_equal(arrivals(), 0);
}

static void uids_count_as_login_defs_and_arguments_say(void **state)
{
	static const struct {
		const char *user, *arguments;
		int arrivals;
	} cases[] = {
		{"root", "", 0},
		{"daemon2", "", 0},
		{"big", "", 0},
		{"big", "max_uid=80000", 1},
		{"daemon2", "min_uid=100", 1},
		{"alice", "min_uid=1002", 0},
		{"alice", "max_uid=1000", 0},
		{"alice", "min_uid=1001 max_uid=1001", 1},
		{"alice", "min_uid=many", 1},
		{"odd", "", 1},
		{"bob.b", "", 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stack_fresh(state);
		text_copy(stack.user, sizeof(stack.user), cases[i].user);
		assert_int_equal(log_in(cases[i].arguments), PAM_SUCCESS);
		assert_int_equal(arrivals(), cases[i].arrivals);
	}
}

static void network_users_count_only_on_demand(void **state)
{
	(void)state;
	text_copy(stack.user, sizeof(stack.user), "zoe");
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

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stack_fresh(state);
		text_copy(stack.service, sizeof(stack.service), cases[i].service);
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

static void a_passwd_beyond_the_limit_leaves_it_to_the_collector(void **state)
{
	FILE *passwd = fopen(at("passwd"), "we");

	(void)state;
	assert_non_null(passwd);
	for (int i = 0; i < 40000; i++)
		fprintf(passwd, "filler%d:x:%d:100::/home/f:/bin/sh\n", i, 100000 + i);
	fputs(PASSWD, passwd);
	fclose(passwd);
	assert_int_equal(log_in(""), PAM_SUCCESS);
	put("passwd", PASSWD, 0644);
	expect_arrival("alice.login", true);
}

/* ---- hostile names ------------------------------------------------------------------------------
 */

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

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		stack_fresh(state);
		text_copy(stack.user, sizeof(stack.user), cases[i].user);
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

/* ---- broken spools ------------------------------------------------------------------------------
 */

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
	assert_int_equal(mount(at("spool"), at("spool"), NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(NULL, at("spool"), NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL), 0);
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

	for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		struct timespec began, ended;

		stack_fresh(state);
		breaks[i]();
		clock_gettime(CLOCK_MONOTONIC, &began);
		assert_int_equal(log_in(""), PAM_SUCCESS);
		assert_int_equal(log_in("silent sync debug notify network_users"), PAM_SUCCESS);
		clock_gettime(CLOCK_MONOTONIC, &ended);
		assert_true(ended.tv_sec - began.tv_sec < 2);
		assert_false(exists("spool/elsewhere/alice.login"));
		umount2(at("spool"), MNT_DETACH);
	}
}

/* In a child, because limits can't be raised again: 0 if both sessions opened. */
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
	assert_int_equal(log_in(""), PAM_SUCCESS); /* writes the stack's file */
	empty("spool/new/alice.login");
	child = fork();
	if (child == 0)
		_exit(log_in_with_limits());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- notify -------------------------------------------------------------------------------------
 */

static void an_invited_person_is_told_once_a_login(void **state)
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
	put("message", "Ask \033[31mIT\n", 0644);
	snprintf(arguments, sizeof(arguments), "notify message_file=%s", at("message"));
	assert_int_equal(log_in(arguments), PAM_SUCCESS);
	assert_string_equal(stack.said, "Ask \\x1b[31mIT\n");
	for (int broken = 0; broken < 4; broken++) {
		stack.said[0] = '\0';
		empty("message");
		if (broken == 0)
			assert_int_equal(symlink("passwd", at("message")), 0);
		else if (broken == 1)
			assert_int_equal(mkfifo(at("message"), 0644), 0);
		else
			put("message", "hostile\n", broken == 2 ? 0666 : 0644);
		if (broken == 3)
			assert_int_equal(chown(at("message"), 65534, 0), 0);
		assert_int_equal(log_in(arguments), PAM_SUCCESS);
		assert_null(strstr(stack.said, "hostile"));
		assert_null(strstr(stack.said, "root:"));
		assert_non_null(strstr(stack.said, "Google"));
	}
}

static void a_hostile_mark_says_nothing(void **state)
{
	static const char *const marks[] = {"", "invited\nand more\n", "\033[2Jinvited\n",
		"INVITED\n", "invited \n", "queued\n",
		"iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
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

/* ---- arguments and traces -----------------------------------------------------------------------
 */

static void unknown_arguments_are_passed_over(void **state)
{
	(void)state;
	assert_int_equal(
		log_in("frobnicate spool min_uid= message_file=relative silent"), PAM_SUCCESS);
	expect_arrival("alice.login", true);
}

static void sync_and_debug_change_nothing_but_that(void **state)
{
	(void)state;
	assert_int_equal(log_in("sync debug"), PAM_SUCCESS);
	expect_arrival("alice.login", true);
}

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static void nothing_is_left_behind_in_the_host_process(void **state)
{
	struct sigaction before[NSIG] = {0}, after = {0};
	char directory[PATH_MAX], again[PATH_MAX];
	int descriptors;
	size_t heap;

	(void)state;
	for (int i = 0; i < 2; i++) { /* whatever libpam and libc keep is kept by now */
		stack_fresh(state);
		log_in("notify sync debug");
		put("spool/seen/alice", "invited\n", 0600);
		log_in("notify sync debug");
	}
	empty("spool/new/alice.login");
	descriptors = open_descriptors();
	heap = mallinfo2().uordblks;
	assert_non_null(getcwd(directory, sizeof(directory)));
	for (int s = 1; s < NSIG; s++)
		sigaction(s, NULL, &before[s]);
	log_in("notify sync debug");
	empty("spool/seen/alice");
	log_in("notify sync debug");
	expect_arrival("alice.login", true);
	assert_int_equal(open_descriptors(), descriptors);
	assert_true(mallinfo2().uordblks <= heap + 64);
	assert_string_equal(getcwd(again, sizeof(again)), directory);
	for (int s = 1; s < NSIG; s++) {
		if (sigaction(s, NULL, &after) == 0)
			assert_ptr_equal(after.sa_handler, before[s].sa_handler);
	}
}

static void any_umask_will_do_and_stays(void **state)
{
	(void)state;
	log_in(""); /* writes the stack's file */
	empty("spool/new/alice.login");
	(void)umask(0777);
	int result = log_in("");
	assert_int_equal(umask(022), 0777);
	assert_int_equal(result, PAM_SUCCESS);
	assert_int_equal(arrivals(), 1);
}

/* ---- the namespace ------------------------------------------------------------------------------
 */

static int own_namespace(void **state)
{
	(void)state;
	memcpy(stack.work, "/tmp/cloudinvite-pam.XXXXXX", sizeof("/tmp/cloudinvite-pam.XXXXXX"));
	assert_non_null(mkdtemp(stack.work));
	assert_int_equal(chmod(stack.work, 0755), 0);
	assert_int_equal(mkdir(at("conf"), 0755), 0);
	put("passwd", PASSWD, 0644);
	put("login.defs", "# UID_MIN 1\nUID_MIN\t 1000\nUID_MAX 60000\n", 0644);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount(at("passwd"), "/etc/passwd", NULL, MS_BIND, NULL), 0);
	assert_int_equal(mount(at("login.defs"), "/etc/login.defs", NULL, MS_BIND, NULL), 0);
	return 0;
}

static int leave_namespace(void **state)
{
	(void)state;
	umount2("/etc/passwd", MNT_DETACH);
	umount2("/etc/login.defs", MNT_DETACH);
	nftw(stack.work, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return 0;
}

#define T(test) cmocka_unit_test_setup(test, stack_fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(sessions_succeed_in_a_stack_of_their_own),
		T(nothing_else_can_let_anybody_in),
		T(a_new_face_leaves_one_empty_file),
		T(somebody_seen_leaves_nothing),
		T(uids_count_as_login_defs_and_arguments_say),
		T(network_users_count_only_on_demand),
		T(services_are_filtered),
		T(without_root_nothing_happens),
		T(a_passwd_beyond_the_limit_leaves_it_to_the_collector),
		T(no_name_leaves_the_spool_or_means_two_things),
		T(names_that_are_too_long_are_left_alone),
		T(a_broken_spool_never_denies_or_delays),
		T(no_file_size_and_no_descriptors_are_survived),
		T(an_invited_person_is_told_once_a_login),
		T(the_sites_own_message_is_roots_alone),
		T(a_hostile_mark_says_nothing),
		T(a_missing_or_failing_conversation_is_survived),
		T(unknown_arguments_are_passed_over),
		T(sync_and_debug_change_nothing_but_that),
		T(nothing_is_left_behind_in_the_host_process),
		T(any_umask_will_do_and_stays),
	};

	if (geteuid() != 0) {
		printf("1..1\nok 1 - the module in a PAM stack # SKIP needs root for a mount "
		       "namespace\n");
		return 0;
	}
	return cmocka_run_group_tests_name("pam session", tests, own_namespace, leave_namespace);
}
