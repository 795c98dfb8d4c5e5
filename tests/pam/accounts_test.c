/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Local users: /etc/passwd and /etc/login.defs in all their forms.
 */
#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "tests/pam/stack.h"

#define LOGIN_DEFS "# UID_MIN 1\nUID_MIN\t 1000\nUID_MAX 60000\n"
#define ALICE	   "alice:x:1001:1001::/home/alice:/bin/bash\n"

/* Whether a login of stack.user leaves an arrival. */
static bool counts(const char *arguments)
{
	void *state = NULL;
	char user[sizeof(stack.user)];
	int left;

	str_copy(user, sizeof(user), stack.user);
	stack_fresh(&state);
	str_copy(stack.user, sizeof(stack.user), user);
	assert_int_equal(log_in(arguments), PAM_SUCCESS);
	left = arrivals();
	assert_in_range(left, 0, 1);
	return left == 1;
}

static int accounts_fresh(void **state)
{
	put("passwd", PASSWD, 0644);
	put("login.defs", LOGIN_DEFS, 0644);
	return stack_fresh(state);
}

/* A passwd file of `size` bytes of other people, followed by `line`. */
static void put_large(size_t size, const char *line)
{
	struct strbuf t = {.max = (size_t)4 * 1024 * 1024};

	for (int i = 0; t.len + 60 < size; i++)
		strbuf_addf(&t, "other%d:x:%d:100::/home/o:/bin/sh\n", i, 100000 + i);
	strbuf_addf(&t, "last:x:1:");
	while (t.len + 1 < size)
		strbuf_add(&t, "g");
	strbuf_addf(&t, "\n%s", line);
	assert_false(t.failed);
	put("passwd", t.data, 0644);
	strbuf_free(&t);
}

static void login_defs_and_arguments_give_the_range_of_uids(void **state)
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

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		stack_fresh(state);
		str_copy(stack.user, sizeof(stack.user), cases[i].user);
		assert_int_equal(log_in(cases[i].arguments), PAM_SUCCESS);
		assert_int_equal(arrivals(), cases[i].arrivals);
	}
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

/* A line may end within its uid where reading stops: 10 of 1001 would be out of range. */
static void a_uid_that_may_have_been_cut_is_undecided(void **state)
{
	static const char line[] = "alice:x:1001:1001::/home/alice:/bin/bash\n";
	static const char start[] = "filler:x:1:1:";
	const size_t most = (size_t)1024 * 1024;
	char *text = malloc(most + sizeof(line));

	assert_non_null(text);
	for (size_t kept = 0; kept < sizeof(line); kept++) {
		const size_t filled = most - kept;

		stack_fresh(state);
		memset(text, 'x', most);
		memcpy(text, start, sizeof(start) - 1);
		text[filled - 1] = '\n';
		memcpy(text + filled, line, sizeof(line));
		put("passwd", text, 0644);
		assert_int_equal(log_in(""), PAM_SUCCESS);
		assert_int_equal(arrivals(), 1);
	}
	free(text);
	put("passwd", PASSWD, 0644);
}

static void a_line_with_a_huge_password_field_is_undecided(void **state)
{
	char text[1024] = "alice:";

	for (size_t n = 490; n < 510; n++) {
		stack_fresh(state);
		memset(text + 6, 'p', n);
		snprintf(text + 6 + n, sizeof(text) - 6 - n, ":1001:1001::/:/bin/sh\n");
		put("passwd", text, 0644);
		assert_int_equal(log_in(""), PAM_SUCCESS);
		assert_int_equal(arrivals(), 1);
	}
	put("passwd", PASSWD, 0644);
}

/* The file is read in pieces: wherever one ends, a line is found completely. */
static void a_line_is_found_wherever_it_stands(void **state)
{
	(void)state;
	for (size_t at = 8192 - 60; at <= 8192 + 20; at++) {
		put_large(at, "alice:x:1001:1001::/home/alice:/bin/bash\nmore:x:1:1::/:/bin/sh\n");
		assert_true(counts(""));
		put_large(at, "alice:x:200:200::/home/alice:/bin/bash");
		assert_false(counts(""));
		put_large(at, "alicea:x:1001:1:::\nzalice:x:1001:1:::\n");
		assert_false(counts(""));
	}
	put_large((size_t)1024 * 1024 - sizeof(ALICE) + 1, ALICE);
	assert_true(counts(""));
	put_large((size_t)1024 * 1024 - sizeof(ALICE) + 1, "carol:x:1:1::/home/carol:/bin/bash_\n");
	assert_false(counts(""));
}

static void what_only_looks_like_a_line_is_none(void **state)
{
	struct strbuf t = {.max = 0};

	(void)state;
	put("passwd",
		"root:x:0:0:\talice:x:1001:1:/:/bin/sh\n#alice:x:1001:1001::/:/bin/sh\n"
		"x alice:x:1001:1001::/:/bin/sh\nALICE:x:1001:1001::/:/bin/sh\n",
		0644);
	assert_false(counts(""));
	/* In the middle of a line that is longer than what is read at once. */
	for (size_t length = 8170; length < 8210; length++) {
		strbuf_clear(&t);
		strbuf_add(&t, "root:x:0:0:");
		while (t.len < length)
			strbuf_add(&t, "g");
		strbuf_add(&t, "alice:x:200:200::/:/bin/sh\n" ALICE);
		put("passwd", t.data, 0644);
		assert_true(counts(""));
	}
	strbuf_free(&t);
}

static void blanks_before_a_line_are_ignored_as_libc_does(void **state)
{
	(void)state;
	put("passwd", "root:x:0:0::/:/bin/sh\n \t\v\f\ralice:x:1001:1001::/:/bin/sh\n", 0644);
	assert_true(counts(""));
	put("passwd", "root:x:0:0::/:/bin/sh\n  alice:x:200:200::/:/bin/sh\n", 0644);
	assert_false(counts(""));
	put("passwd", PASSWD, 0644);
}

static void a_broken_line_or_file_is_left_to_the_collector(void **state)
{
	static const char *const texts[] = {"alice:", "alice:x", "alice:x:", "alice:x:200",
		"alice:x:200\n:", "alice:x\n:200:", "alice:x::", "alice:x:2e2:", "alice:x: 200:",
		"alice:x:-1:", "alice:x:99999999999:", "alice:x:4294967295:",
		"alice:x:0000000000000000200:"};
	static const char hidden[] = "root:x:0:0\0\n" ALICE;
	int fd;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		put("passwd", texts[i], 0644);
		assert_true(counts(""));
	}
	put("passwd", "", 0644);
	fd = open(at("passwd"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(fd, hidden, sizeof(hidden) - 1), sizeof(hidden) - 1);
	close(fd);
	assert_true(counts(""));
}

static void an_empty_passwd_has_no_users(void **state)
{
	(void)state;
	put("passwd", "", 0644);
	assert_false(counts(""));
	assert_true(counts("network_users"));
	put("passwd", "alic", 0644);
	assert_false(counts(""));
}

static void login_defs_is_read_as_useradd_reads_it(void **state)
{
	static const struct {
		const char *text;
		bool alice; /* 1001 */
	} cases[] = {
		{"", true},
		{"UID_MIN 1002\n", false},
		{"UID_MIN 1002", false},
		{"  \tUID_MIN\t\t1002  \n", false},
		{"#UID_MIN 1002\n", true},
		{"# UID_MIN 1002\n", true},
		{"x UID_MIN 1002\n", true},
		{"SYS_UID_MIN 1002\nSUB_UID_MIN 100000\n", true},
		{"UID_MINI 1002\nUID_M\nUID_MI", true},
		{"UID_MIN many\nUID_MAX\n", true},
		{"UID_MIN 1002\nUID_MIN 1001\n", true},
		{"UID_MIN 1001\nUID_MIN 1002\n", false},
		{"UID_MAX 1000\n", false},
		{"UID_MAX 1000\nUID_MAX 1001\n", true},
		{"UID_MIN 500\nUID_MAX 1000\n", false},
	};
	struct strbuf t = {.max = 0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put("login.defs", cases[i].text, 0644);
		if (counts("") != cases[i].alice)
			fail_msg("login.defs: '%s'", cases[i].text);
	}
	/* Wherever a piece ends, and whatever precedes the line. */
	for (size_t before = 8150; before < 8230; before++) {
		strbuf_clear(&t);
		while (t.len < before)
			strbuf_add(&t, t.len % 50 == 49 ? "\n" : "#");
		strbuf_add(&t, "\nUID_MIN 1002\n# the end\n");
		put("login.defs", t.data, 0644);
		assert_false(counts(""));
	}
	strbuf_free(&t);
}

static void both_files_may_be_missing_or_malformed(void **state)
{
	(void)state;
	assert_int_equal(umount2("/etc/login.defs", MNT_DETACH), 0);
	assert_int_equal(mount("/dev/zero", "/etc/login.defs", "none", MS_BIND, NULL), 0);
	assert_true(counts(""));
	assert_int_equal(umount2("/etc/login.defs", MNT_DETACH), 0);
	assert_int_equal(mount(at("login.defs"), "/etc/login.defs", "none", MS_BIND, NULL), 0);
	assert_int_equal(umount2("/etc/passwd", MNT_DETACH), 0);
	assert_int_equal(mount("/dev/zero", "/etc/passwd", "none", MS_BIND, NULL), 0);
	assert_true(counts(""));
	assert_int_equal(umount2("/etc/passwd", MNT_DETACH), 0);
	assert_int_equal(mount(at("passwd"), "/etc/passwd", "none", MS_BIND, NULL), 0);
}

#define T(test) cmocka_unit_test_setup(test, accounts_fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(login_defs_and_arguments_give_the_range_of_uids),
		T(a_line_is_found_wherever_it_stands),
		T(what_only_looks_like_a_line_is_none),
		T(a_passwd_beyond_the_limit_leaves_it_to_the_collector),
		T(a_uid_that_may_have_been_cut_is_undecided),
		T(a_line_with_a_huge_password_field_is_undecided),
		T(blanks_before_a_line_are_ignored_as_libc_does),
		T(a_broken_line_or_file_is_left_to_the_collector),
		T(an_empty_passwd_has_no_users),
		T(login_defs_is_read_as_useradd_reads_it),
		T(both_files_may_be_missing_or_malformed),
	};

	if (geteuid() != 0)
		return stack_skip("accounts");
	return cmocka_run_group_tests_name("pam accounts", tests, stack_enter, stack_leave);
}
