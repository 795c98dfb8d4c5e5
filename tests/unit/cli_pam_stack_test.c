/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "tests/unit/pam_tree.h"

/* "type control module argument…;" for every line of the stack. */
static const char *read_stack(struct folder *f, const char *service, struct fault *fault)
{
	static char shown[4096];
	struct pam_stack stack;
	struct strbuf text = {.max = sizeof(shown)};
	bool good = pam_stack_read(f->path, service, &stack, fault);

	for (size_t i = 0; i < stack.count; i++) {
		const struct pam_line *line = &stack.lines[i];
		strbuf_addf(&text, "%s%s %s %s", line->quiet ? "-" : "", pam_type_word(line->type),
			line->control, line->module);
		for (int k = 0; k < line->argument_count; k++)
			strbuf_addf(&text, " %s", line->arguments[k]);
		strbuf_add(&text, ";");
	}
	str_copy(shown, sizeof(shown), good ? text.data ? text.data : "" : "refused");
	strbuf_free(&text);
	pam_stack_free(&stack);
	return shown;
}

static const char *stack_of(struct folder *f, const char *service)
{
	struct fault fault = {.kind = FAULT_NONE};

	return read_stack(f, service, &fault);
}

static void comments_blanks_and_continued_lines_are_read_as_libpam_does(void **state)
{
	struct folder *f = *state;

	folder_write(f, "etc/pam.d/sshd",
		"#%PAM-1.0\n\n   # nothing\n"
		"session\toptional \\\n  pam_a.so \\\n# between\n one # two \\\n"
		"-SESSION Required pam_b.so\n");
	assert_string_equal(
		stack_of(f, "sshd"), "session optional pam_a.so one;-session Required pam_b.so;");
}

static void controls_and_arguments_in_brackets_are_one_word(void **state)
{
	struct folder *f = *state;

	folder_write(f, "etc/pam.d/sshd",
		"session [success=1 default=ignore] pam_a.so [a b] x=[y [c\\]d]\n");
	assert_string_equal(
		stack_of(f, "sshd"), "session success=1 default=ignore pam_a.so a b x=[y c]d;");
}

static void include_takes_lines_of_its_type_and_at_include_takes_all(void **state)
{
	struct folder *f = *state;

	folder_write(f, "etc/pam.d/common", "auth required pam_u.so\nsession optional pam_s.so\n");
	folder_write(f, "etc/pam.d/one", "auth required pam_1.so\nsession include common\n");
	folder_write(f, "etc/pam.d/two", "@include common\n");
	assert_string_equal(
		stack_of(f, "one"), "auth required pam_1.so;session optional pam_s.so;");
	assert_string_equal(
		stack_of(f, "two"), "auth required pam_u.so;session optional pam_s.so;");
}

static void an_include_may_have_a_whole_path(void **state)
{
	struct folder *f = *state;

	folder_write(f, "usr/lib/pam.d/sshd", "session required pam_v.so\n");
	folder_write(f, "etc/pam.d/sshd",
		"session include /usr/lib/pam.d/sshd\nsession optional pam_o.so\n");
	assert_string_equal(
		stack_of(f, "sshd"), "session required pam_v.so;session optional pam_o.so;");
}

static void the_vendor_s_file_counts_where_etc_has_none(void **state)
{
	struct folder *f = *state;
	char path[PATH_MAX];

	folder_write(f, "usr/lib/pam.d/sshd", "session required pam_v.so\n");
	assert_string_equal(stack_of(f, "sshd"), "session required pam_v.so;");
	assert_true(pam_find(f->path, "sshd", path, sizeof(path)));
	assert_string_equal(path, "/usr/lib/pam.d/sshd");
	folder_write(f, "etc/pam.d/sshd", "session required pam_e.so\n");
	assert_string_equal(stack_of(f, "sshd"), "session required pam_e.so;");
	assert_false(pam_find(f->path, "nobody", path, sizeof(path)));
}

static void a_type_without_lines_is_that_of_other(void **state)
{
	struct folder *f = *state;

	folder_write(
		f, "etc/pam.d/other", "auth required pam_deny.so\nsession required pam_warn.so\n");
	folder_write(f, "etc/pam.d/su", "auth required pam_1.so\n");
	assert_string_equal(
		stack_of(f, "su"), "auth required pam_1.so;session required pam_warn.so;");
}

static void files_that_include_each_other_are_refused(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};

	folder_write(f, "etc/pam.d/a", "session include b\n");
	folder_write(f, "etc/pam.d/b", "session include a\n");
	assert_string_equal(read_stack(f, "a", &fault), "refused");
	assert_string_equal(fault.code, "pam_unreadable");
	assert_non_null(strstr(fault.what, "include each other"));
}

/* Sixteen times two includes are 65,536 files. */
static void files_that_include_each_other_very_often_are_refused(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	char name[32], text[128];

	for (int i = 0; i < 12; i++) {
		snprintf(name, sizeof(name), "etc/pam.d/level%d", i);
		snprintf(text, sizeof(text), "session include level%d\nsession include level%d\n",
			i + 1, i + 1);
		folder_write(f, name, text);
	}
	folder_write(f, "etc/pam.d/level12", "");
	assert_string_equal(read_stack(f, "level0", &fault), "refused");
	assert_non_null(strstr(fault.what, "include each other in a loop"));
	assert_string_equal(read_stack(f, "level8", &fault), "");
}

static void what_libpam_refuses_is_refused_and_named(void **state)
{
	static const struct {
		const char *line, *says;
	} rows[] = {
		{"session include nowhere\n", "includes nowhere, which does not exist"},
		{"session optional\n", "does not name a module"},
		{"session\n", "has neither a control field nor a module"},
		{"sesion optional pam_a.so\n", "does not begin with auth"},
		{"@include\n", "does not name a file"},
	};
	struct folder *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct fault fault = {.kind = FAULT_NONE};
		char text[256];

		str_format(text, sizeof(text), "\n%s", rows[i].line);
		folder_write(f, "etc/pam.d/x", text);
		assert_string_equal(read_stack(f, "x", &fault), "refused");
		assert_non_null(strstr(fault.what, "/etc/pam.d/x:2: "));
		assert_non_null(strstr(fault.what, rows[i].says));
	}
}

static void a_substack_is_a_stack_of_its_own(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	struct pam_stack stack;

	folder_write(f, "etc/pam.d/inner", "session optional pam_i.so\n");
	folder_write(f, "etc/pam.d/x",
		"session optional pam_1.so\nsession substack inner\nsession include inner\n"
		"session substack inner\n");
	assert_true(pam_stack_read(f->path, "x", &stack, &fault));
	assert_int_equal(stack.count, 4);
	assert_int_equal(stack.lines[0].substack, 0);
	assert_int_equal(stack.lines[1].substack, 1);
	assert_int_equal(stack.lines[2].substack, 0);
	assert_int_equal(stack.lines[3].substack, 2);
	assert_string_equal(stack.lines[3].file, "/etc/pam.d/inner");
	pam_stack_free(&stack);
}

static int action(const char *control, const char *result)
{
	char copy[128];
	const struct pam_line line = {.control = copy};

	str_copy(copy, sizeof(copy), control);
	return pam_line_action(&line, result);
}

static void a_control_gives_an_action_for_each_result(void **state)
{
	(void)state;
	assert_int_equal(action("optional", "success"), PAM_ACTION_OK);
	assert_int_equal(action("optional", "module_unknown"), PAM_ACTION_IGNORE);
	assert_int_equal(action("REQUIRED", "module_unknown"), PAM_ACTION_BAD);
	assert_int_equal(action("requisite", "module_unknown"), PAM_ACTION_DIE);
	assert_int_equal(action("sufficient", "success"), PAM_ACTION_DONE);
	assert_int_equal(action("success=2 default=ignore", "success"), 2);
	assert_int_equal(action("success=2 default=ignore", "module_unknown"), PAM_ACTION_IGNORE);
	assert_int_equal(action("success=ok", "module_unknown"), PAM_ACTION_BAD);
	assert_int_equal(action("nonsense", "success"), PAM_ACTION_BAD);
}

struct names {
	char text[256];
};

static bool add_name(const char *name, void *ctx)
{
	struct names *names = ctx;
	size_t n = strlen(names->text);

	return str_format(names->text + n, sizeof(names->text) - n, "%s ", name);
}

static void every_service_is_named_once_and_leftovers_are_not(void **state)
{
	struct folder *f = *state;
	struct names names = {.text = ""};

	folder_write(f, "etc/pam.d/sshd", "");
	folder_write(f, "etc/pam.d/login", "");
	folder_write(f, "etc/pam.d/login~", "");
	folder_write(f, "etc/pam.d/login.dpkg-old", "");
	folder_write(f, "etc/pam.d/login.rpmnew", "");
	folder_write(f, "etc/pam.d/common-session.pam-old", "");
	folder_write(f, "usr/lib/pam.d/sshd", "");
	folder_write(f, "usr/lib/pam.d/cron", "");
	assert_true(pam_services(f->path, add_name, &names));
	assert_string_equal(names.text, "cron login sshd ");
}

static void this_host_s_own_files_can_be_read(void **state)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct pam_stack stack;
	char path[PATH_MAX];

	(void)state;
	if (!pam_find("", "login", path, sizeof(path)))
		skip();
	assert_true(pam_stack_read("", "login", &stack, &fault));
	assert_true(stack.count > 0);
	pam_stack_free(&stack);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, pam_tree_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(comments_blanks_and_continued_lines_are_read_as_libpam_does),
		TREE_TEST(controls_and_arguments_in_brackets_are_one_word),
		TREE_TEST(include_takes_lines_of_its_type_and_at_include_takes_all),
		TREE_TEST(an_include_may_have_a_whole_path),
		TREE_TEST(the_vendor_s_file_counts_where_etc_has_none),
		TREE_TEST(a_type_without_lines_is_that_of_other),
		TREE_TEST(files_that_include_each_other_are_refused),
		TREE_TEST(files_that_include_each_other_very_often_are_refused),
		TREE_TEST(what_libpam_refuses_is_refused_and_named),
		TREE_TEST(a_substack_is_a_stack_of_its_own),
		cmocka_unit_test(a_control_gives_an_action_for_each_result),
		TREE_TEST(every_service_is_named_once_and_leftovers_are_not),
		cmocka_unit_test(this_host_s_own_files_can_be_read),
	};

	return cmocka_run_group_tests_name("cli", tests, NULL, NULL);
}
