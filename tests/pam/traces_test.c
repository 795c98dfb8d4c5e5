/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I3 (docs/design.md, "Invariants"). */
/*
 * What the module returns, and that it leaves nothing behind in the process that called it.
 */
#include "tests/pam/module.h"

#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <security/pam_modules.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/array.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- results ---- */

static const char *const *const argument_lists[] = {
	WORDS("silent"),
	WORDS("debug", "sync", "notify", "network_users", "silent"),
	WORDS("services=", "skip_services=", "min_uid=0", "max_uid=4294967294"),
	WORDS("services=nothing"),
	WORDS("silent", "spool=", "spool=relative", "spool=/nonexistent",
		"message_file=/etc/shadow"),
	WORDS("silent", "min_uid=-1", "max_uid=99999999999999999999", "", "=", "sufficient"),
};

static void no_argument_and_no_flag_changes_an_answer(void **state)
{
	static const struct {
		const char *name;
		int answer;
	} functions[] = {{"pam_sm_open_session", PAM_SUCCESS},
		{"pam_sm_close_session", PAM_SUCCESS}, {"pam_sm_authenticate", PAM_IGNORE},
		{"pam_sm_setcred", PAM_IGNORE}, {"pam_sm_acct_mgmt", PAM_IGNORE},
		{"pam_sm_chauthtok", PAM_IGNORE}};
	static const int flags[] = {0, PAM_SILENT, PAM_ESTABLISH_CRED, PAM_DELETE_CRED,
		PAM_PRELIM_CHECK, PAM_UPDATE_AUTHTOK, PAM_DISALLOW_NULL_AUTHTOK, -1};
	struct module m;

	(void)state;
	module_open(&m);
	for (size_t f = 0; f < ARRAY_SIZE(functions); f++)
		for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
			for (size_t a = 0; a < ARRAY_SIZE(argument_lists); a++)
				assert_int_equal(module_call(&m, functions[f].name, flags[i],
							 argument_lists[a]),
					functions[f].answer);
	module_close(&m);
}

static void only_opening_a_session_writes_anything(void **state)
{
	struct module m;

	(void)state;
	module_open(&m);
	module_call(&m, "pam_sm_close_session", 0, NULL);
	module_call(&m, "pam_sm_authenticate", 0, NULL);
	module_call(&m, "pam_sm_setcred", 0, NULL);
	module_call(&m, "pam_sm_acct_mgmt", 0, NULL);
	module_call(&m, "pam_sm_chauthtok", PAM_UPDATE_AUTHTOK, NULL);
	assert_int_equal(arrivals(), 0);
	module_call(&m, "pam_sm_open_session", 0, NULL);
	assert_int_equal(arrivals(), 1);
	module_close(&m);
}

static void a_session_without_a_user_is_ignored(void **state)
{
	struct module m;

	(void)state;
	module_open(&m);
	assert_int_equal(pam_set_item(m.pamh, PAM_USER, NULL), PAM_SUCCESS);
	assert_int_equal(module_call(&m, "pam_sm_open_session", 0, NULL), PAM_SUCCESS);
	/* It does not ask for one either. */
	assert_string_equal(stack.said, "");
	assert_int_equal(arrivals(), 0);
	module_close(&m);
}

/* ---- traces ---- */

/* The argument message_file= for a file of the test. */
static const char *message(const char *name)
{
	static char word[512];

	snprintf(word, sizeof(word), "message_file=%s", at(name));
	return word;
}

/* Each path through the module once: new, waiting, seen, invited, skipped, failed. */
static void walk_all_ways(const struct module *m)
{
	const char *const *all = WORDS("notify", "sync", "debug");

	module_call(m, "pam_sm_open_session", 0, all);
	module_call(m, "pam_sm_open_session", 0, all);
	put("spool/seen/alice", "invited\n", 0600);
	module_call(m, "pam_sm_open_session", 0, all);
	put("spool/message", "Ask IT\n", 0600);
	module_call(m, "pam_sm_open_session", 0, WORDS("notify", message("spool/message")));
	module_call(m, "pam_sm_open_session", 0, WORDS("skip_services=sshd"));
	module_call(m, "pam_sm_open_session", 0, WORDS("spool=/nonexistent", "frobnicate"));
	module_call(m, "pam_sm_close_session", 0, all);
	empty("spool/seen/alice");
	empty("spool/new/alice.login");
	stack.said[0] = '\0';
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

static void no_descriptor_and_no_heap_is_left_behind(void **state)
{
	struct module m;
	int descriptors;
	size_t heap;

	(void)state;
	module_open(&m);
	for (int i = 0; i < 20; i++) /* by now, libpam and libc have allocated what they keep */
		walk_all_ways(&m);
	descriptors = open_descriptors();
	heap = mallinfo2().uordblks;
	for (int i = 0; i < 200; i++)
		walk_all_ways(&m);
	assert_int_equal(open_descriptors(), descriptors);
	/* Less than one allocation for 200 rounds of six sessions. */
	assert_true(mallinfo2().uordblks < heap + 3200);
	module_close(&m);
}

static void errno_stays(void **state)
{
	const char *const *const ways[] = {WORDS("debug"), WORDS("debug"),
		WORDS("skip_services=sshd"), WORDS("spool=/nonexistent"),
		WORDS("spool=/nonexistent", "silent"),
		WORDS("message_file=/nonexistent", "notify")};
	struct module m;

	(void)state;
	module_open(&m);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		errno = 4242;
		module_call(&m, "pam_sm_open_session", 0, ways[i]);
		assert_int_equal(errno, 4242);
	}
	put("spool/seen/alice", "invited\n", 0600);
	errno = 4242;
	module_call(&m, "pam_sm_open_session", 0, WORDS(message("spool/none"), "notify"));
	assert_int_equal(errno, 4242);
	module_close(&m);
}

/* The visible state of a process, apart from its memory. */
struct host {
	char directory[PATH_MAX];
	struct sigaction signals[NSIG];
	sigset_t mask;
	uid_t uids[3];
	struct rlimit file_size;
	size_t environment;
	mode_t umask;
};

static void look(struct host *h)
{
	memset(h, 0, sizeof(*h));
	assert_non_null(getcwd(h->directory, sizeof(h->directory)));
	for (int s = 1; s < NSIG; s++)
		(void)sigaction(s, NULL, &h->signals[s]);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &h->mask), 0);
	assert_int_equal(getresuid(&h->uids[0], &h->uids[1], &h->uids[2]), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &h->file_size), 0);
	for (char **variable = environ; *variable; variable++)
		h->environment = h->environment * 31 + strlen(*variable) + (uintptr_t)*variable;
	h->umask = umask(0);
	(void)umask(h->umask);
}

static void the_host_process_is_as_it_was(void **state)
{
	struct host before, after;
	struct module m;

	(void)state;
	module_open(&m);
	look(&before);
	walk_all_ways(&m);
	look(&after);
	assert_string_equal(after.directory, before.directory);
	for (int s = 1; s < NSIG; s++) {
		assert_ptr_equal(after.signals[s].sa_handler, before.signals[s].sa_handler);
		assert_int_equal(after.signals[s].sa_flags, before.signals[s].sa_flags);
	}
	assert_memory_equal(&after.mask, &before.mask, sizeof(before.mask));
	assert_memory_equal(after.uids, before.uids, sizeof(before.uids));
	assert_memory_equal(&after.file_size, &before.file_size, sizeof(before.file_size));
	assert_int_equal(after.environment, before.environment);
	assert_int_equal(after.umask, before.umask);
	module_close(&m);
}

static void any_umask_will_do_and_stays(void **state)
{
	struct module m;

	(void)state;
	module_open(&m);
	(void)umask(0777);
	int result = module_call(&m, "pam_sm_open_session", 0, NULL);
	assert_int_equal(umask(022), 0777);
	assert_int_equal(result, PAM_SUCCESS);
	assert_int_equal(arrivals(), 1);
	module_close(&m);
}

/* ---- the stack ---- */

/* A sanitizer's stack differs, so this test does not apply. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define OWN_STACK
#endif

#ifdef OWN_STACK
#define STACK	    ((size_t)256 * 1024)
#define STACK_BOUND ((size_t)16 * 1024)
#define PAINT	    0xa5

static void *walk_on_its_own_stack(void *m)
{
	walk_all_ways(m);
	return NULL;
}

/* A host may call it in a thread with a small stack: measures how far down a painted one was
 * written. */
static void it_needs_little_stack(void **state)
{
	unsigned char *memory = aligned_alloc(4096, STACK);
	pthread_attr_t attributes;
	pthread_t thread;
	struct module m;
	size_t untouched = 0;

	(void)state;
	if (getenv("CLOUDINVITE_VALGRIND")) {
		free(memory);
		skip(); /* reading what a thread has left on its stack is not allowed there */
		return;
	}
	assert_non_null(memory);
	memset(memory, PAINT, STACK);
	module_open(&m);
	assert_int_equal(pthread_attr_init(&attributes), 0);
	assert_int_equal(pthread_attr_setstack(&attributes, memory, STACK), 0);
	assert_int_equal(pthread_create(&thread, &attributes, walk_on_its_own_stack, &m), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&attributes);
	while (untouched < STACK && memory[untouched] == PAINT)
		untouched++;
	/* It includes the thread's own block and what syslog() needs. */
	assert_true(STACK - untouched <= STACK_BOUND + STACK_BOUND / 2);
	free(memory);
	module_close(&m);
}
#endif

/* ---- without root ---- */

static void without_root_nothing_is_done_or_logged(void **state)
{
	struct module m;
	int status = -1;
	pid_t child;

	(void)state;
	assert_int_equal(chmod(at("spool/new"), 0777), 0);
	put("spool/seen/bob.b", "invited\n", 0644);
	module_open(&m);
	child = fork();
	if (child == 0) {
		int result;

		if (setresgid(65534, 65534, 65534) != 0 || setresuid(65534, 65534, 65534) != 0)
			_exit(2);
		result = module_call(&m, "pam_sm_open_session", 0, WORDS("notify", "debug"));
		(void)pam_set_item(m.pamh, PAM_USER, "bob.b");
		result |= module_call(&m, "pam_sm_open_session", 0, WORDS("notify"));
		_exit(result != PAM_SUCCESS ? 3 : stack.said[0] ? 4 : 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(arrivals(), 0);
	module_close(&m);
}

#define T(test) cmocka_unit_test_setup(test, stack_fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_argument_and_no_flag_changes_an_answer),
		T(only_opening_a_session_writes_anything),
		T(a_session_without_a_user_is_ignored),
		T(no_descriptor_and_no_heap_is_left_behind),
		T(errno_stays),
		T(the_host_process_is_as_it_was),
		T(any_umask_will_do_and_stays),
#ifdef OWN_STACK
		T(it_needs_little_stack),
#endif
		T(without_root_nothing_is_done_or_logged),
	};

	if (geteuid() != 0)
		return stack_skip("traces");
	return cmocka_run_group_tests_name("pam traces", tests, stack_enter, stack_leave);
}
