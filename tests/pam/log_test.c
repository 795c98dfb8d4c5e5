/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I2 (docs/design.md, "Invariants"). */
/*
 * The module's system log: nothing for a returning user, one line for a failure.
 */
#include "base/str.h"
#include "tests/pam/stack.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>

static int journal = -1; /* the other end of /dev/log */

/* The lines since the last call, and their number. */
static int read_log(char *out, size_t size)
{
	size_t used = 0;
	int lines = 0;
	ssize_t n;

	out[0] = '\0';
	while ((n = recv(journal, out + used, size - used - 2, MSG_DONTWAIT)) > 0) {
		used += (size_t)n;
		out[used++] = '\n';
		out[used] = '\0';
		lines++;
	}
	return lines;
}

static void expect_silence(void)
{
	char said[4096];

	if (read_log(said, sizeof(said)) != 0)
		fail_msg("it said: %s", said);
}

/* Expects one line with that priority and text. */
static void expect_line(int priority, const char *what)
{
	char said[4096], head[16];

	assert_int_equal(read_log(said, sizeof(said)), 1);
	snprintf(head, sizeof(head), "<%d>", LOG_AUTHPRIV | priority);
	if (!str_starts(said, head) || !strstr(said, what))
		fail_msg("it said: %s", said);
}

static void whoever_comes_and_goes_is_not_logged(void **state)
{
	(void)state;
	log_in("");
	log_in("");
	put("spool/seen/alice", "invited\n", 0600);
	log_in("notify");
	run("session", "required", "", pam_close_session, 0);
	str_copy(stack.service, sizeof(stack.service), "cron");
	log_in("");
	str_copy(stack.user, sizeof(stack.user), "root");
	log_in("skip_services=");
	str_copy(stack.user, sizeof(stack.user), "zoe");
	log_in("skip_services=");
	expect_silence();
}

static void a_failure_is_one_line_and_none_with_silent(void **state)
{
	(void)state;
	empty("spool/new");
	log_in("");
	expect_line(
		LOG_ERR, "cannot report alice: No such file or directory (the login continues)");
	log_in("silent");
	expect_silence();
	put("spool/new", "", 0600);
	log_in("sync");
	expect_line(LOG_ERR, "Not a directory");
}

static void a_name_that_is_too_long_is_logged(void **state)
{
	(void)state;
	memset(stack.user, 'a', 300);
	stack.user[300] = '\0';
	log_in("network_users");
	expect_line(LOG_ERR, "File name too long");
}

static void an_unknown_argument_is_logged_and_ignored(void **state)
{
	(void)state;
	log_in("frobnicate");
	expect_line(LOG_ERR, "frobnicate");
	log_in("min_uid=many");
	expect_line(LOG_ERR, "min_uid=many");
	log_in("spool=relative");
	expect_line(LOG_ERR, "spool=relative");
	log_in("frobnicate silent");
	expect_silence();
	assert_int_equal(arrivals(), 1);
}

static void hostile_names_stay_in_one_line(void **state)
{
	(void)state;
	empty("spool/new");
	str_copy(stack.user, sizeof(stack.user), "x\n<1>sshd: Accepted %s%n\x1b[2J");
	log_in("network_users");
	expect_line(LOG_ERR, "cannot report x\\x0a<1>sshd: Accepted %s%n\\x1b[2J");
}

/* `exec -a` can give sudo any name: it must neither add lines nor look like another program. */
static void a_hostile_program_name_stays_in_one_line(void **state)
{
	char *ours = program_invocation_short_name;
	char hostile[] = "sudo\n<86>sshd[1]: Accepted\x1b[2J";

	(void)state;
	empty("spool/new");
	program_invocation_short_name = hostile;
	log_in("");
	program_invocation_short_name = ours;
	expect_line(LOG_ERR, "sudo\\x0a<86>sshd[1]: Accepted\\x1b[2J[");
}

static void debug_tells_decision_and_time(void **state)
{
	(void)state;
	log_in("debug");
	expect_line(LOG_DEBUG, "new: reported (");
	log_in("debug silent");
	expect_line(LOG_DEBUG, "already in the spool (");
	put("spool/seen/alice", "queued\n", 0600);
	log_in("debug");
	expect_line(LOG_DEBUG, "seen before (");
	str_copy(stack.service, sizeof(stack.service), "sudo");
	log_in("debug");
	expect_line(LOG_DEBUG, "this service is ignored (");
}

/* A log daemon that has stopped: syslog() would wait until it continues. */
static void a_full_log_does_not_block(void **state)
{
	int more = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
	struct timespec began, ended;
	char said[1 << 17];

	(void)state;
	empty("spool/new");
	while (sendto(more, "x", 1, 0, (struct sockaddr *)&log, sizeof(log)) == 1)
		;
	assert_int_equal(errno, EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &began);
	log_in("debug");
	clock_gettime(CLOCK_MONOTONIC, &ended);
	assert_true(ended.tv_sec - began.tv_sec < 30);
	assert_true(read_log(said, sizeof(said)) > 0);
	assert_null(strstr(said, "reported"));
	close(more);
}

static void without_a_log_nothing_is_printed(void **state)
{
	(void)state;
	empty("spool/new");
	assert_int_equal(rename("/dev/log", "/dev/away"), 0);
	log_in("debug");
	assert_int_equal(rename("/dev/away", "/dev/log"), 0);
	expect_silence();
}

static void no_descriptor_of_the_log_is_left_behind(void **state)
{
	int before = dup(0), after;

	(void)state;
	close(before);
	empty("spool/new");
	log_in("debug frobnicate");
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
}

/* ---- a /dev of our own ---- */

static void take_device(const char *name)
{
	char from[64], to[64];

	snprintf(from, sizeof(from), "/dev/%s", name);
	snprintf(to, sizeof(to), "dev/%s", name);
	put(to, "", 0644);
	assert_int_equal(mount(from, at(to), "none", MS_BIND, NULL), 0);
}

static int enter_with_log(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};

	(void)stack_enter(state);
	/* libpam complains if it is missing. */
	put("conf/other", "session required pam_deny.so\n", 0644);
	assert_int_equal(mkdir(at("dev"), 0755), 0);
	assert_int_equal(mount("tmpfs", at("dev"), "tmpfs", 0, "mode=0755"), 0);
	take_device("null");
	take_device("urandom");
	assert_int_equal(mount(at("dev"), "/dev", "none", MS_BIND | MS_REC, NULL), 0);
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_true(journal >= 0);
	assert_int_equal(bind(journal, (struct sockaddr *)&address, sizeof(address)), 0);
	return 0;
}

static int leave_with_log(void **state)
{
	closelog();
	close(journal);
	umount2("/dev", MNT_DETACH);
	umount2(at("dev"), MNT_DETACH);
	return stack_leave(state);
}

#define T(test) cmocka_unit_test_setup(test, stack_fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(whoever_comes_and_goes_is_not_logged),
		T(a_failure_is_one_line_and_none_with_silent),
		T(a_name_that_is_too_long_is_logged),
		T(an_unknown_argument_is_logged_and_ignored),
		T(hostile_names_stay_in_one_line),
		T(a_hostile_program_name_stays_in_one_line),
		T(debug_tells_decision_and_time),
		T(a_full_log_does_not_block),
		T(without_a_log_nothing_is_printed),
		T(no_descriptor_of_the_log_is_left_behind),
	};

	if (geteuid() != 0)
		return stack_skip("log");
	return cmocka_run_group_tests_name("pam log", tests, enter_with_log, leave_with_log);
}
