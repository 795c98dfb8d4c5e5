/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#include "people/account.h"
#include "base/array.h"

static struct group_table *parse(const char *text, const char *names)
{
	struct group_table *t = group_parse(text, strlen(text), names);

	assert_non_null(t);
	return t;
}

static void assert_groups(
	const struct group_table *t, const char *user, gid_t gid, const char *expected)
{
	char out[256];

	assert_true(group_names(t, user, gid, out, sizeof(out)));
	assert_string_equal(out, expected);
}

static const char file[] = "root:x:0:\n"
			   "staff:x:50:alice,bob\n"
			   "dev:x:1100:bob,carol\n"
			   "no-cloudinvite:x:1200:carol\n"
			   "dev:x:1100:dave\n"
			   "alone:x:1300\n";

static void groups_include_the_primary_group(void **state)
{
	struct group_table *t = parse(file, "staff dev no-cloudinvite");

	(void)state;
	assert_groups(t, "alice", 1000, "staff");
	assert_groups(t, "bob", 1000, "dev staff");
	assert_groups(t, "carol", 50, "dev no-cloudinvite staff");
	assert_groups(t, "eve", 1200, "no-cloudinvite");
	assert_groups(t, "eve", 1000, "");
	assert_groups(t, "ali", 1000, "");
	assert_groups(t, "", 1000, "");
	group_table_free(t);
}

static void a_group_on_two_lines_is_one(void **state)
{
	struct group_table *t = parse(file, "dev");

	(void)state;
	assert_groups(t, "dave", 1100, "dev");
	assert_groups(t, "bob", 1100, "dev");
	group_table_free(t);
}

static void only_groups_that_are_asked_for_are_named(void **state)
{
	struct group_table *t = parse(file, "dev,alone");

	(void)state;
	assert_groups(t, "carol", 50, "dev");
	assert_groups(t, "eve", 1300, "alone");
	group_table_free(t);
	t = parse(file, "");
	assert_groups(t, "bob", 50, "");
	group_table_free(t);
	t = parse(file, "no-*");
	assert_groups(t, "carol", 50, "no-cloudinvite");
	group_table_free(t);
}

static void network_users_have_no_primary_group_here(void **state)
{
	struct group_table *t = parse("weird:x:4294967294:\nstaff:x:50:alice@corp\n", "*");

	(void)state;
	assert_groups(t, "alice@corp", (gid_t)-1, "staff");
	assert_groups(t, "bob@corp", (gid_t)-1, "");
	group_table_free(t);
}

static void a_broken_line_that_may_matter_leaves_groups_unknown(void **state)
{
	static const char *const broken[] = {
		"no-cloudinvite",
		"no-cloudinvite:x",
		"no-cloudinvite:x:abc:carol",
		"no-cloudinvite:x::carol",
		"no-cloudinvite:x:-1:carol",
		"no-cloudinvite:x:4294967295:carol",
		"no-cloudinvite:x:500:http:alice",
		"no-cloudinvite:x:500:alice:",
		"no-cloudinvite:x:500:bob alice",
		"no-cloudinvite:x:500:bob;alice",
		"no-cloudinvite:x:500:carol,bob\talice,dave",
		" no-cloudinvite:x:abc:carol",
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct group_table *t = parse(broken[i], "no-cloudinvite");

		assert_false(group_names(t, "alice", 1000, out, sizeof(out)));
		assert_string_equal(out, "");
		assert_int_equal(group_broken_line(t), 1);
		group_table_free(t);
	}
	/* That group was not requested. */
	struct group_table *t = parse("games:x:abc:alice\nstaff:x:50:alice\n", "staff");
	assert_groups(t, "alice", 1000, "staff");
	group_table_free(t);
}

static void nis_lines_comments_and_empty_lines_are_passed_over(void **state)
{
	struct group_table *t =
		parse("\n# staff:x:50:eve\n+\n-staff\nstaff:x:50: alice , bob,,\n", "*");

	(void)state;
	assert_groups(t, "alice", 1000, "staff");
	assert_groups(t, "bob", 1000, "staff");
	assert_groups(t, "eve", 1000, "");
	group_table_free(t);
}

/* getent group no-cloudinvite shows alice for such a line. */
static void blanks_before_a_line_are_ignored_as_libc_does(void **state)
{
	struct group_table *t = parse(" no-cloudinvite:x:50:alice\n\t\v# x\n \n\r\n  +\n"
				      "\t\fstaff:x:51: bob\n",
		"no-cloudinvite staff");

	(void)state;
	assert_groups(t, "alice", 1000, "no-cloudinvite");
	assert_groups(t, "bob", 50, "no-cloudinvite staff");
	assert_int_equal(group_count(t), 2);
	assert_string_equal(group_name_at(t, 0), "no-cloudinvite");
	group_table_free(t);
}

static void a_name_with_blanks_is_written_in_quotation_marks(void **state)
{
	static const char text[] = "domain guests:x:500:alice\nc,d:x:501:alice\ndomain:x:502:bob\n"
				   "guests:x:503:bob\nstaff:x:504:alice\n";
	struct group_table *t = parse(text, "\"domain guests\" staff, \"c,d\"");

	(void)state;
	assert_groups(t, "alice", 1000, "\"c,d\" \"domain guests\" staff");
	assert_groups(t, "bob", 1000, "");
	group_table_free(t);
	t = parse(text, "domain?guests");
	assert_groups(t, "alice", 1000, "\"domain guests\"");
	assert_groups(t, "bob", 1000, "");
	group_table_free(t);
	t = parse(text, "domain guests");
	assert_groups(t, "alice", 1000, "");
	assert_groups(t, "bob", 1000, "domain guests");
	group_table_free(t);
}

static void a_group_whose_name_would_break_the_list_is_none(void **state)
{
	struct group_table *t = parse("a\"b:x:50:alice\n*:x:51:alice\n?:x:52:alice\n"
				      "\xff:x:54:alice\nok:x:55:alice\n",
		"*");

	(void)state;
	assert_groups(t, "alice", 1000, "ok");
	group_table_free(t);
}

static void more_groups_than_fit_are_unknown(void **state)
{
	struct group_table *t = parse(file, "*");
	char out[sizeof("dev staff")];

	(void)state;
	assert_false(group_names(t, "bob", 1000, out, sizeof(out) - 1));
	assert_true(group_names(t, "bob", 1000, out, sizeof(out)));
	assert_string_equal(out, "dev staff");
	group_table_free(t);
}

static void a_file_that_is_not_there_is_a_fault(void **state)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct group_table *t;

	assert_null(group_read(folder_path(*state, "group"), "*", &fault));
	assert_int_equal(fault.kind, FAULT_STORAGE);
	t = group_read(folder_write(*state, "group", file), "staff", &fault);
	assert_non_null(t);
	assert_groups(t, "alice", 1, "staff");
	group_table_free(t);
	t = group_read(folder_write(*state, "group", ""), "staff", &fault);
	assert_non_null(t);
	assert_groups(t, "alice", 1, "");
	group_table_free(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(groups_include_the_primary_group),
		TEST(a_group_on_two_lines_is_one),
		TEST(only_groups_that_are_asked_for_are_named),
		TEST(network_users_have_no_primary_group_here),
		TEST(a_broken_line_that_may_matter_leaves_groups_unknown),
		TEST(nis_lines_comments_and_empty_lines_are_passed_over),
		TEST(blanks_before_a_line_are_ignored_as_libc_does),
		TEST(a_name_with_blanks_is_written_in_quotation_marks),
		TEST(a_group_whose_name_would_break_the_list_is_none),
		TEST(more_groups_than_fit_are_unknown),
		TEST(a_file_that_is_not_there_is_a_fault),
	};

	return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
