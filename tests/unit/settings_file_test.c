/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "settings_text.h"

/* ---- valid files ---- */

static void an_empty_file_gives_all_defaults(void **state)
{
	struct settings *s = good(*state, "");

	assert_string_equal(s->customer, "");
	assert_int_equal(s->timeout, 20);
	assert_int_equal(s->mode, MODE_DRY_RUN);
	assert_int_equal(s->triggers, TRIGGER_FLAG_LOGIN | TRIGGER_FLAG_CREATED);
	assert_false(s->token_endpoint_set);
	assert_string_equal(s->exclude_groups, "no-cloudinvite");
	settings_free(s);
}

static void every_kind_of_value_arrives(void **state)
{
	struct settings *s = good(*state, "# comment\n"
					  "; comment\n"
					  "[google]\n"
					  "customer = C01abc   ; behind a value\n"
					  "endpoint=https://127.0.0.1:8443/\n"
					  "token_endpoint: https://127.0.0.1:8443/token\n"
					  "timeout = 1m\r\n"
					  "  parallel = 3\n"
					  "\n"
					  "[invitations]\n"
					  "mode = send\n"
					  "triggers = created\n"
					  "cancel_on_delete = yes\n"
					  "[people]\n"
					  "address = {user}@Example.COM\n"
					  "domains = Example.com, example.org\n"
					  "[worker]\n"
					  "role = hub");

	assert_string_equal(s->customer, "C01abc");
	assert_string_equal(s->endpoint, "https://127.0.0.1:8443");
	assert_string_equal(s->token_endpoint, "https://127.0.0.1:8443/token");
	assert_true(s->token_endpoint_set);
	assert_int_equal(s->timeout, 60);
	assert_int_equal(s->parallel, 3);
	assert_int_equal(s->mode, MODE_SEND);
	assert_int_equal(s->triggers, TRIGGER_FLAG_CREATED);
	assert_true(s->cancel_on_delete);
	assert_string_equal(s->address, "{user}@example.com");
	assert_string_equal(s->domains, "example.com, example.org");
	assert_int_equal(s->role, ROLE_HUB);
	settings_free(s);
}

static void a_list_goes_on_in_indented_lines(void **state)
{
	struct settings *s = good(*state, "[people]\n"
					  "exclude_users = alice ; the first\n"
					  "\tbob    ; the second\n"
					  "\n"
					  "# between\n"
					  "    carol dave\n"
					  "min_uid = 7\n");

	assert_true(str_in_list("alice", s->exclude_users));
	assert_true(str_in_list("bob", s->exclude_users));
	assert_true(str_in_list("dave", s->exclude_users));
	assert_false(str_in_list("second", s->exclude_users));
	assert_false(str_in_list("between", s->exclude_users));
	assert_int_equal(s->min_uid, 7);
	settings_free(s);
}

static void a_list_may_be_far_longer_than_a_line(void **state)
{
	struct strbuf text = {.max = 65536};
	struct settings *s;

	strbuf_add(&text, "[people]\nexclude_users =\n");
	for (int i = 0; i < 1000; i++)
		strbuf_addf(&text, "  someone-%d\n", i);
	s = good(*state, text.data);
	assert_true(str_in_list("someone-0", s->exclude_users));
	assert_true(str_in_list("someone-999", s->exclude_users));
	settings_free(s);
	strbuf_free(&text);
}

static void a_long_comment_is_not_a_long_line(void **state)
{
	struct strbuf text = {.max = 65536};

	strbuf_add(&text, "[google]\n# ");
	for (int i = 0; i < 100; i++)
		strbuf_add(&text, "word after word ");
	strbuf_add(&text, "\ntimeout = 3s\n");
	struct settings *s = good(*state, text.data);
	assert_int_equal(s->timeout, 3);
	settings_free(s);
	strbuf_free(&text);
}

/* ---- drop-ins ---- */

static void drop_ins_count_in_the_order_of_their_names(void **state)
{
	struct folder *f = *state;
	struct settings *s;

	folder_make(f, "conf.d");
	folder_write(f, "conf.d/20-late.conf", "[google]\nparallel = 20\n");
	folder_write(f, "conf.d/10-early.conf", "[google]\n\nparallel = 10\ntimeout = 2m\n");
	folder_write(f, "conf.d/30-note.txt", "[google]\nparallel = 30\n");
	folder_write(f, "conf.d/.hidden.conf", "[google]\nparallel = 40\n");
	folder_write(f, "conf.d/40-old.conf~", "[google]\nparallel = 50\n");
	s = good(f, "[google]\nparallel = 1\nrequests_per_minute = 5\n");
	assert_int_equal(s->parallel, 20);
	assert_setting(s, "parallel", "20", "/conf.d/20-late.conf:2");
	assert_setting(s, "timeout", "2m", "/conf.d/10-early.conf:4");
	assert_setting(s, "requests_per_minute", "5", "/cloudinvite.conf:3");
	assert_setting(s, "api_version", "v1", "default");
	assert_string_equal(settings_path(s), folder_path(f, MAIN));
	settings_free(s);
}

static void an_error_in_a_drop_in_names_the_drop_in(void **state)
{
	struct folder *f = *state;
	struct fault fault;

	folder_make(f, "conf.d");
	folder_write(f, "conf.d/10.conf", "[google]\nparallel = many\n");
	assert_null(settings_load(folder_write(f, MAIN, ""), &fault));
	assert_non_null(strstr(fault.what, "/conf.d/10.conf:2: parallel: 'many' is not a number"));
	assert_string_equal(fault.remedy, "Write a number from 1 to 256.");
}

static void a_drop_in_directory_that_others_may_write_is_refused(void **state)
{
	struct folder *f = *state;
	struct fault fault;

	folder_make(f, "conf.d");
	folder_write(f, "conf.d/10.conf", "[invitations]\nmode = send\n");
	assert_int_equal(chmod(folder_path(f, "conf.d"), 0777), 0);
	assert_null(settings_load(folder_write(f, MAIN, ""), &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
	assert_non_null(strstr(fault.what, "conf.d can be written by users other than root"));
	assert_non_null(strstr(fault.remedy, "chmod 0755"));
}

/* ---- files that are refused ---- */

static void a_missing_file_is_a_fault_that_says_where_the_sample_is(void **state)
{
	struct fault fault;

	assert_null(settings_load(folder_path(*state, "nothing.conf"), &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
	assert_non_null(strstr(fault.what, "nothing.conf does not exist"));
	assert_non_null(strstr(fault.remedy, "/usr/share/doc/cloudinvite/"));
}

static void a_file_that_others_may_write_is_refused(void **state)
{
	struct folder *f = *state;
	const char *path = folder_write(f, MAIN, "[invitations]\nmode = send\n");
	struct fault fault;

	assert_int_equal(chmod(path, 0666), 0);
	assert_null(settings_load(path, &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
	assert_non_null(strstr(fault.what, path));
	assert_non_null(strstr(fault.remedy, "chmod"));
}

static void a_fifo_or_a_directory_does_not_hold_us_up(void **state)
{
	struct folder *f = *state;
	struct fault fault;

	assert_int_equal(mkfifo(folder_path(f, MAIN), 0644), 0);
	assert_null(settings_load(f->file, &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
	assert_null(settings_load(f->path, &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
}

static void a_link_of_configuration_management_is_followed(void **state)
{
	struct folder *f = *state;
	char target[PATH_MAX];
	struct settings *s;

	str_copy(target, sizeof(target), folder_write(f, "managed", "[google]\nparallel = 9\n"));
	assert_int_equal(symlink(target, folder_path(f, MAIN)), 0);
	s = settings_load(f->file, NULL);
	assert_non_null(s);
	assert_int_equal(s->parallel, 9);
	settings_free(s);
}

/* ---- which programs a fault stops ---- */

static void an_error_that_concerns_dispatching_leaves_the_collector_running(void **state)
{
	struct folder *f = *state;
	const char *path = folder_write(
		f, MAIN, "[google]\nparalel = 3\ntimeout = soon\n[people]\naddress = nonsense\n");
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *s = settings_load_checked(path, false, &fault);

	assert_non_null(s);
	assert_int_equal(fault.kind, FAULT_NONE);
	assert_int_equal(s->timeout, 20);
	settings_free(s);
	assert_null(settings_load_checked(path, true, &fault));
	assert_non_null(strstr(fault.what, "paralel"));
}

static void an_error_that_concerns_collecting_stops_both(void **state)
{
	static const char *const texts[] = {
		"[storage]\nspol = /var/spool/elsewhere\n",
		"[people]\nmin_uid = few\n",
		"[people]\nexclude_group = staff\n",
		"[storag]\nspool = /x\n",
		"words\n",
		"[people]\nmin_uid = 5000\nmax_uid = 4000\n",
		"[worker]\nrole = host\n",
		"[storage]\nledger = postgresql://db/cloudinvite\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *path = folder_write(*state, MAIN, texts[i]);
		struct fault fault = {.kind = FAULT_NONE};

		assert_null(settings_load_checked(path, false, &fault));
		assert_int_equal(fault.kind, FAULT_SETTINGS);
		assert_null(settings_load_checked(path, true, NULL));
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_empty_file_gives_all_defaults),
		TEST(every_kind_of_value_arrives),
		TEST(a_list_goes_on_in_indented_lines),
		TEST(a_list_may_be_far_longer_than_a_line),
		TEST(a_long_comment_is_not_a_long_line),
		TEST(drop_ins_count_in_the_order_of_their_names),
		TEST(an_error_in_a_drop_in_names_the_drop_in),
		TEST(a_drop_in_directory_that_others_may_write_is_refused),
		TEST(a_missing_file_is_a_fault_that_says_where_the_sample_is),
		TEST(a_file_that_others_may_write_is_refused),
		TEST(a_fifo_or_a_directory_does_not_hold_us_up),
		TEST(a_link_of_configuration_management_is_followed),
		TEST(an_error_that_concerns_dispatching_leaves_the_collector_running),
		TEST(an_error_that_concerns_collecting_stops_both),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
