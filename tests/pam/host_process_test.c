/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I3 (docs/design.md, "Invariants"). */
/*
 * Host processes that are not a plain login: with threads, with a child that closes what its parent
 * opened, with a syslog ident of their own.
 */
#include "base/str.h"
#include "tests/pam/module.h"

#include <pthread.h>
#include <sys/wait.h>
#include <syslog.h>

#define THREADS	 8
#define SESSIONS 200
#define PEOPLE	 20

static void at_the_module(struct module *m, const char *user)
{
	snprintf(m->spool, sizeof(m->spool), "spool=%s", at("spool"));
	assert_int_equal(pam_set_item(m->pamh, PAM_USER, user), PAM_SUCCESS);
}

/* ---- threads ---- */

static void *sessions(void *data)
{
	static const char *const ways[] = {"silent", "notify", "debug", "network_users", NULL};
	const struct module *m = (const struct module *)data;
	intptr_t wrong = 0;

	for (int i = 0; i < SESSIONS; i++) {
		char user[16];

		snprintf(user, sizeof(user), "user%d", i % PEOPLE);
		wrong += pam_set_item(m->pamh, PAM_USER, user) != PAM_SUCCESS;
		wrong += module_call(m, "pam_sm_open_session", PAM_SILENT, ways) != PAM_SUCCESS;
		wrong += module_call(m, "pam_sm_close_session", PAM_SILENT, ways) != PAM_SUCCESS;
	}
	return (void *)
		wrong; /* NOLINT(performance-no-int-to-ptr): it is a number, not an address */
}

/* Each with a handle of its own, as libpam requires, all with the same people. */
static void threads_of_one_process_open_sessions_side_by_side(void **state)
{
	struct module modules[THREADS];
	pthread_t threads[THREADS];
	void *wrong = NULL;

	(void)state;
	for (int i = 0; i < THREADS; i++)
		module_open(&modules[i]);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sessions, &modules[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	assert_int_equal(arrivals(), PEOPLE);
	for (int i = 0; i < THREADS; i++)
		module_close(&modules[i]);
}

/* ---- processes ---- */

/* As in sshd, which opens in one process and closes in another. */
static void a_child_closes_what_its_parent_opened_and_the_other_way_round(void **state)
{
	for (int child_opens = 0; child_opens < 2; child_opens++) {
		const char *first = child_opens ? "pam_sm_close_session" : "pam_sm_open_session";
		const char *second = child_opens ? "pam_sm_open_session" : "pam_sm_close_session";
		struct module m;
		int status = -1;
		pid_t child;

		stack_fresh(state);
		module_open(&m);
		at_the_module(&m, "alice");
		if (!child_opens)
			assert_int_equal(module_call(&m, first, 0, NULL), PAM_SUCCESS);
		child = fork();
		if (child == 0)
			_exit(module_call(&m, second, 0, NULL) == PAM_SUCCESS ? 0 : 1);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
		if (child_opens)
			assert_int_equal(module_call(&m, first, 0, NULL), PAM_SUCCESS);
		assert_int_equal(arrivals(), 1);
		module_close(&m);
	}
}

/* ---- the log ---- */

static char *standard_error_of(void (*does)(const struct module *), const struct module *m)
{
	static char said[4096];
	int pipes[2], kept = dup(STDERR_FILENO);
	ssize_t n;

	assert_int_equal(pipe2(pipes, O_NONBLOCK | O_CLOEXEC), 0);
	assert_true(dup2(pipes[1], STDERR_FILENO) >= 0);
	does(m);
	assert_true(dup2(kept, STDERR_FILENO) >= 0);
	n = read(pipes[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	close(kept);
	close(pipes[0]);
	close(pipes[1]);
	return said;
}

static void log_before_and_after(const struct module *m)
{
	static const char *const ways[] = {"debug", "frobnicate", NULL};

	openlog("the-host", LOG_PERROR | LOG_PID, LOG_LOCAL3);
	syslog(LOG_INFO, "before");
	module_call(m, "pam_sm_open_session", 0, ways);
	syslog(LOG_INFO, "after");
	closelog();
}

static void the_hosts_ident_options_and_facility_stay(void **state)
{
	char before[64], after[64];
	struct module m;
	const char *said;

	(void)state;
	module_open(&m);
	said = standard_error_of(log_before_and_after, &m);
	snprintf(before, sizeof(before), "the-host[%d]: before\n", getpid());
	snprintf(after, sizeof(after), "the-host[%d]: after\n", getpid());
	assert_true(str_starts(said, before));
	assert_non_null(strstr(said, after));
	assert_int_equal(strlen(said), strlen(before) + strlen(after));
	module_close(&m);
}

#define T(test) cmocka_unit_test_setup(test, stack_fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(threads_of_one_process_open_sessions_side_by_side),
		T(a_child_closes_what_its_parent_opened_and_the_other_way_round),
		T(the_hosts_ident_options_and_facility_stay),
	};

	if (geteuid() != 0)
		return stack_skip("host process");
	return cmocka_run_group_tests_name("pam host process", tests, stack_enter, stack_leave);
}
