/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/strbuf.h"
#include "folder.h"

#include <time.h>

#include "base/array.h"
#include "people/account.h"

static struct account_table parse(const char *text)
{
	struct account_table t;

	assert_true(account_parse(text, strlen(text), &t));
	return t;
}

static void accounts_are_found_by_name(void **state)
{
	struct account_table t =
		parse("root:x:0:0:root:/root:/bin/bash\n"
		      "daemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
		      "alice:x:1000:1001:Alice Liddell,Room 3,,:/home/alice:/bin/zsh\n"
		      "a:x:1002:1002::/:\n");
	const struct account *a = account_find(&t, "alice");

	(void)state;
	assert_int_equal(t.count, 4);
	assert_true(t.whole);
	assert_int_equal(t.broken_line, 0);
	assert_non_null(a);
	assert_int_equal(a->uid, 1000);
	assert_int_equal(a->gid, 1001);
	assert_string_equal(a->gecos, "Alice Liddell,Room 3,,");
	assert_string_equal(a->shell, "/bin/zsh");
	assert_string_equal(account_find(&t, "a")->shell, "");
	assert_null(account_find(&t, "alic"));
	assert_null(account_find(&t, "alice2"));
	assert_null(account_find(&t, ""));
	account_table_free(&t);
}

static void the_table_is_sorted_and_the_first_of_a_name_wins(void **state)
{
	struct account_table t = parse("zoe:x:1001:1::/:/bin/sh\n"
				       "root:x:0:0::/:/bin/sh\n"
				       "longnames-b:x:1002:1::/:/bin/sh\n"
				       "longnames-a:x:1003:1::/:/bin/sh\n"
				       "zoe:x:1004:1::/:/bin/false\n");

	(void)state;
	assert_int_equal(t.count, 4);
	assert_string_equal(t.accounts[0].user, "longnames-a");
	assert_string_equal(t.accounts[1].user, "longnames-b");
	assert_string_equal(t.accounts[3].user, "zoe");
	assert_int_equal(t.accounts[3].uid, 1001);
	account_table_free(&t);
}

static void nis_lines_comments_and_empty_lines_are_passed_over(void **state)
{
	struct account_table t = parse("root:x:0:0::/:/bin/sh\n"
				       "\n"
				       "# a comment\n"
				       "+@staff::::::\n"
				       "-mallory::::::\n"
				       "+::::::\n"
				       "   \n");

	(void)state;
	assert_int_equal(t.count, 1);
	assert_true(t.whole);
	account_table_free(&t);
}

/* getent passwd alice shows the account for such a line. */
static void blanks_before_a_line_are_ignored_as_libc_does(void **state)
{
	struct account_table t = parse("root:x:0:0::/:/bin/sh\n"
				       "  alice:x:1000:1::/:/bin/sh\n"
				       "\t\v\f\rbob:x:1001:1::/:/bin/sh\n"
				       " \v# a comment\n \t+::::::\n");

	(void)state;
	assert_int_equal(t.count, 3);
	assert_true(t.whole);
	assert_non_null(account_find(&t, "alice"));
	assert_non_null(account_find(&t, "bob"));
	account_table_free(&t);
}

static void a_broken_line_is_noted_and_the_others_are_read(void **state)
{
	static const char *const broken[] = {
		"alice:x:1000:1000::/home/alice",
		"alice:x:1000:1000::/home/alice:/bin/sh:more",
		"alice",
		":x:1000:1000::/:/bin/sh",
		"alice:x::1000::/:/bin/sh",
		"alice:x:-1:1000::/:/bin/sh",
		"alice:x:+5:1000::/:/bin/sh",
		"alice:x: 5:1000::/:/bin/sh",
		"alice:x:4294967295:1000::/:/bin/sh",
		"alice:x:18446744073709551617:1000::/:/bin/sh",
		"alice:x:0x10:1000::/:/bin/sh",
		"alice:x:1000:staff::/:/bin/sh",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		char text[256];
		struct account_table t;

		str_format(text, sizeof(text),
			"root:x:0:0::/:/bin/sh\n%s\nbob:x:1001:1::/:/bin/sh\n", broken[i]);
		t = parse(text);
		assert_int_equal(t.broken_line, 2);
		assert_false(t.whole);
		assert_int_equal(t.count, 2);
		assert_non_null(account_find(&t, "bob"));
		assert_null(account_find(&t, "alice"));
		account_table_free(&t);
	}
}

static void a_nul_byte_makes_its_line_broken(void **state)
{
	static const char text[] = "root:x:0:0::/:/bin/sh\nali\0ce:x:1000:1::/:/bin/sh\n\0\n";
	struct account_table t;

	(void)state;
	assert_true(account_parse(text, sizeof(text) - 1, &t));
	assert_int_equal(t.count, 1);
	assert_int_equal(t.broken_line, 2);
	account_table_free(&t);
}

static void a_file_without_root_is_not_whole(void **state)
{
	struct account_table t = parse("alice:x:1000:1000::/:/bin/sh\n");

	(void)state;
	assert_int_equal(t.count, 1);
	assert_false(t.whole);
	account_table_free(&t);
	t = parse("");
	assert_int_equal(t.count, 0);
	assert_false(t.whole);
	assert_null(account_find(&t, "root"));
	account_table_free(&t);
}

static void a_last_line_without_its_end_counts(void **state)
{
	struct account_table t = parse("root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh");

	(void)state;
	assert_non_null(account_find(&t, "alice"));
	assert_string_equal(account_find(&t, "alice")->shell, "/bin/sh");
	account_table_free(&t);
}

static void hostile_names_are_kept_as_they_are(void **state)
{
	struct account_table t = parse("root:x:0:0::/:/bin/sh\n"
				       "bob@evil.com:x:1000:1::/:/bin/sh\n"
				       "../x:x:1001:1::/:/bin/sh\n"
				       "a b:x:1002:1::/:/bin/sh\n"
				       "m\xc3\xbcller:x:1003:1::/:/bin/sh\n"
				       "x\r:x:1004:1::/:/bin/sh\n");

	(void)state;
	assert_int_equal(t.count, 6);
	assert_true(t.whole);
	assert_non_null(account_find(&t, "bob@evil.com"));
	assert_non_null(account_find(&t, "../x"));
	assert_non_null(account_find(&t, "a b"));
	assert_non_null(account_find(&t, "m\xc3\xbcller"));
	assert_non_null(account_find(&t, "x\r"));
	account_table_free(&t);
}

static void the_hosts_own_file_can_be_read(void **state)
{
	struct account_table t;
	struct fault fault = {.kind = FAULT_NONE};

	(void)state;
	assert_true(account_read("/etc/passwd", &t, &fault));
	assert_int_equal(account_find(&t, "root")->uid, 0);
	account_table_free(&t);
	account_table_free(&t);
}

static void a_file_that_is_not_there_is_a_fault(void **state)
{
	struct account_table t;
	struct fault fault = {.kind = FAULT_NONE};

	assert_false(account_read(folder_path(*state, "passwd"), &t, &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	assert_non_null(strstr(fault.what, "/passwd"));
	account_table_free(&t);
	assert_true(account_read(folder_write(*state, "passwd", ""), &t, &fault));
	assert_int_equal(t.count, 0);
	account_table_free(&t);
}

/* The worst case for sorting by name: no order. The bound is ten times what it takes here. */
/* Processor time, so that other programs do not matter. */
static double seconds_to_parse(unsigned count)
{
	struct strbuf text = {.max = (size_t)256 * 1024 * 1024};
	struct timespec begin, end;
	struct account_table t;

	strbuf_add(&text, "root:x:0:0:root:/root:/bin/bash\n");
	for (unsigned i = 0; i < count; i++) {
		unsigned mixed = (unsigned)(i * 7919ull % 1000003u);

		assert_true(
			strbuf_addf(&text, "user%07u:x:%u:%u:User Number %u,,,:/home/u:/bin/bash\n",
				mixed, 1000 + i, 1000 + i, i));
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	assert_true(account_parse(text.data, text.len, &t));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_true(t.whole);
	assert_int_equal(t.count, count + 1);
	account_table_free(&t);
	strbuf_free(&text);
	return (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9;
}

static void a_million_accounts_take_ten_times_as_long_as_a_tenth_of_them(void **state)
{
	double tenth = seconds_to_parse(100000), all = seconds_to_parse(1000000);

	(void)state;
	print_message("# 100,000 accounts: %.2f s, 1,000,000: %.2f s\n", tenth, all);
	assert_true(all < 30 * tenth);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(accounts_are_found_by_name),
		TEST(the_table_is_sorted_and_the_first_of_a_name_wins),
		TEST(nis_lines_comments_and_empty_lines_are_passed_over),
		TEST(blanks_before_a_line_are_ignored_as_libc_does),
		TEST(a_broken_line_is_noted_and_the_others_are_read),
		TEST(a_nul_byte_makes_its_line_broken),
		TEST(a_file_without_root_is_not_whole),
		TEST(a_last_line_without_its_end_counts),
		TEST(hostile_names_are_kept_as_they_are),
		TEST(the_hosts_own_file_can_be_read),
		TEST(a_file_that_is_not_there_is_a_fault),
		TEST(a_million_accounts_take_ten_times_as_long_as_a_tenth_of_them),
	};

	return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
