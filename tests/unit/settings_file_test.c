/* SPDX-License-Identifier: Apache-2.0 */
#include "folder.h"

#define MAIN "cloudinvite.conf"

/* Loads what must load. */
static struct settings *good(struct folder *f, const char *text)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *s = settings_load(folder_write(f, MAIN, text), &fault);

	if (s == NULL)
		print_message("# %s | %s\n", fault.what, fault.remedy);
	assert_non_null(s);
	assert_int_equal(fault.kind, FAULT_NONE);
	return s;
}

/* All findings of a file that must not load. */
static struct found bad_bytes(struct folder *f, const char *text, size_t n)
{
	struct found found = {.count = 0};
	struct fault fault = {.kind = FAULT_NONE};
	const char *path = folder_write_bytes(f, MAIN, text, n);
	int count = 0;

	assert_null(settings_load(path, &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
	settings_free(settings_inspect(path, found_add, &found, &count));
	assert_int_equal(count, found.count);
	assert_true(count > 0);
	assert_string_equal(fault.what, found.faults[0].what);
	return found;
}

static struct found bad(struct folder *f, const char *text)
{
	return bad_bytes(f, text, strlen(text));
}

static void expect(struct folder *f, const char *text, const char *what, const char *remedy)
{
	struct found found = bad(f, text);

	assert_int_equal(found.count, 1);
	assert_true(found_says(&found, what, remedy));
	assert_true(text_starts(found.faults[0].what, f->path));
}

/* ---- what is right ------------------------------------------------------------------------------
 */

static void an_empty_file_gives_all_defaults(void **state)
{
	struct settings *s = good(*state, "");

	assert_string_equal(s->customer, "");
	assert_int_equal(s->timeout, 20);
	assert_int_equal(s->mode, MODE_DRY_RUN);
	assert_int_equal(s->triggers, TRIGGER_LOGIN | TRIGGER_CREATED);
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
					  "role = dispatcher");

	assert_string_equal(s->customer, "C01abc");
	assert_string_equal(s->endpoint, "https://127.0.0.1:8443");
	assert_string_equal(s->token_endpoint, "https://127.0.0.1:8443/token");
	assert_true(s->token_endpoint_set);
	assert_int_equal(s->timeout, 60);
	assert_int_equal(s->parallel, 3);
	assert_int_equal(s->mode, MODE_SEND);
	assert_int_equal(s->triggers, TRIGGER_CREATED);
	assert_true(s->cancel_on_delete);
	assert_string_equal(s->address, "{user}@example.com");
	assert_string_equal(s->domains, "example.com, example.org");
	assert_int_equal(s->role, ROLE_DISPATCHER);
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

	assert_true(text_in_list("alice", s->exclude_users));
	assert_true(text_in_list("bob", s->exclude_users));
	assert_true(text_in_list("dave", s->exclude_users));
	assert_false(text_in_list("second", s->exclude_users));
	assert_false(text_in_list("between", s->exclude_users));
	assert_int_equal(s->min_uid, 7);
	settings_free(s);
}

static void a_list_may_be_far_longer_than_a_line(void **state)
{
	struct text text = {.cap = 65536};
	struct settings *s;

	text_add(&text, "[people]\nexclude_users =\n");
	for (int i = 0; i < 1000; i++)
		text_addf(&text, "  someone-%d\n", i);
	s = good(*state, text.data);
	assert_true(text_in_list("someone-0", s->exclude_users));
	assert_true(text_in_list("someone-999", s->exclude_users));
	settings_free(s);
	text_free(&text);
}

static void a_long_comment_is_no_long_line(void **state)
{
	struct text text = {.cap = 65536};

	text_add(&text, "[google]\n# ");
	for (int i = 0; i < 100; i++)
		text_add(&text, "word after word ");
	text_add(&text, "\ntimeout = 3s\n");
	struct settings *s = good(*state, text.data);
	assert_int_equal(s->timeout, 3);
	settings_free(s);
	text_free(&text);
}

/* ---- drop-ins -----------------------------------------------------------------------------------
 */

struct wanted {
	const char *key, *value, *origin;
	bool found;
};

static bool look(const char *section, const char *key, const char *value, const char *origin,
	const char *help, void *ctx)
{
	struct wanted *w = ctx;

	assert_true(strlen(section) > 0 && strlen(help) > 10);
	if (strcmp(key, w->key) != 0)
		return true;
	assert_string_equal(value, w->value);
	assert_true(text_ends(origin, w->origin));
	w->found = true;
	return false;
}

static void assert_setting(
	const struct settings *s, const char *key, const char *value, const char *origin)
{
	struct wanted w = {key, value, origin, false};

	assert_false(settings_each(s, look, &w));
	assert_true(w.found);
}

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
	assert_non_null(strstr(fault.what, "conf.d may be written by others"));
	assert_non_null(strstr(fault.remedy, "chmod 0755"));
}

/* ---- files that are not fit ----------------------------------------------------------------- */

static void a_missing_file_is_a_fault_that_says_where_the_sample_is(void **state)
{
	struct fault fault;

	assert_null(settings_load(folder_path(*state, "nothing.conf"), &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
	assert_non_null(strstr(fault.what, "nothing.conf is not there"));
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

	text_copy(target, sizeof(target), folder_write(f, "managed", "[google]\nparallel = 9\n"));
	assert_int_equal(symlink(target, folder_path(f, MAIN)), 0);
	s = settings_load(f->file, NULL);
	assert_non_null(s);
	assert_int_equal(s->parallel, 9);
	settings_free(s);
}

/* ---- lines that are wrong ------------------------------------------------------------------- */

static void an_unknown_key_suggests_the_nearest(void **state)
{
	expect(*state, "[google]\n\ncustomr = C01\n", ":3: [google] has no key 'customr'",
		"Did you mean customer?");
	expect(*state, "[google]\nTimeout = 3\n", ":2: [google] has no key 'Timeout'",
		"Did you mean timeout?");
	expect(*state, "[people]\nmin_udi = 3\n", "min_udi", "Did you mean min_uid?");
	expect(*state, "[people]\nfrobnicate = 3\n", "frobnicate", "cloudinvite.conf(5)");
}

static void a_key_in_the_wrong_section_is_told_its_own(void **state)
{
	expect(*state, "[people]\ntimeout = 3\n", ":2: [people] has no key 'timeout'",
		"It belongs into [google].");
	expect(*state, "timeout = 3\n", ":1: 'timeout' stands before any [section]",
		"It belongs into [google].");
}

static void an_unknown_section_is_said_once_and_suggests_the_nearest(void **state)
{
	expect(*state, "[gogle]\ncustomer = C01\ntimeout = 3s\n", ":1: there is no section [gogle]",
		"Did you mean [google]?");
	expect(*state, "[Google]\n", "[Google]", "Did you mean [google]?");
	expect(*state, "[zzz]\n", "[zzz]",
		"The sections are google, people, invitations, privacy, storage and worker.");
}

static void a_key_that_is_there_twice_names_both_lines(void **state)
{
	expect(*state, "[google]\nparallel = 1\n[people]\n[google]\nparallel = 2\n",
		":5: parallel is on line 2 already", "Keep one of the two.");
}

static void a_line_that_is_nothing_is_an_error(void **state)
{
	expect(*state, "[google]\njust some words\n",
		":2: this is neither [section] nor key = value", "Put '='");
	expect(*state, "[google\n", ":1: a section's line is [name] and nothing else", "own");
	expect(*state, "[google] customer = C01\n", ":1: a section's line is [name]", "own");
	expect(*state, "[google]\n= 3\n", ":2: [google] has no key ''", "");
}

static void an_indented_line_never_changes_another_key_silently(void **state)
{
	expect(*state, "[google]\nparallel = 1\n  2\n",
		":3: an indented line continues the key above it (parallel)", "write: key = value");
}

static void an_indented_key_is_a_key(void **state)
{
	struct settings *s = good(*state, "[people]\n  exclude_users = a ; x = y\n"
					  "    b ; p = q\n  gecos = yes\n");

	assert_true(text_in_list("b", s->exclude_users));
	assert_false(text_in_list("gecos", s->exclude_users));
	assert_false(text_in_list("q", s->exclude_users));
	assert_true(s->gecos);
	settings_free(s);
}

static void an_indented_section_is_a_section(void **state)
{
	struct settings *s =
		good(*state, "[people]\nexclude_users = a\n  [google]\nparallel = 4\n");

	assert_string_equal(s->exclude_users, "a");
	assert_int_equal(s->parallel, 4);
	settings_free(s);
}

static void a_line_that_the_parser_would_cut_is_an_error(void **state)
{
	struct text text = {.cap = 65536};

	text_add(&text, "[people]\nexclude_users = ");
	for (int i = 0; i < 40; i++)
		text_addf(&text, "someone%d ", i);
	text_add(&text, "\n");
	expect(*state, text.data, ":2: this line is longer than", "may go on in the next line");
	text_free(&text);
}

static void a_comment_sign_of_other_formats_is_pointed_out(void **state)
{
	expect(*state, "[google]\nparallel = 3 # three\n",
		":2: parallel: '3 # three' is not a number", "';', not with '#'");
}

static void a_byte_order_mark_is_an_error(void **state)
{
	expect(*state, "\xef\xbb\xbf[google]\nparallel = 3\n",
		":1: the file begins with a byte order mark", "without a byte order mark");
}

static void a_nul_byte_is_an_error_with_its_line(void **state)
{
	static const char text[] = "[google]\nparallel = 3\n[peo\0ple]\nmin_uid = 0\n";
	struct found found = bad_bytes(*state, text, sizeof(text) - 1);

	assert_int_equal(found.count, 1);
	assert_true(found_says(&found, ":3: there is a NUL byte on this line", ""));
}

static void control_characters_and_broken_utf8_are_errors(void **state)
{
	expect(*state, "[google]\nsubject = admin\x1b[2J@example.com\n",
		":2: there is a control character", "Remove it");
	expect(*state, "[google]\ncustomer = C01\rsubject = x\n",
		":2: there is a control character", "");
	expect(*state, "[people]\nexclude_users = m\xfcller\n", ":2: this line is not valid UTF-8",
		"UTF-8");
}

static void all_errors_of_a_file_are_reported(void **state)
{
	struct found found = bad(*state, "[google]\n"
					 "parallel = 0\n"
					 "timeout = soon\n"
					 "[peple]\n"
					 "[people]\n"
					 "gecos = perhaps\n"
					 "nonsense\n");

	assert_int_equal(found.count, 5);
	assert_true(found_says(&found, ":2: parallel: '0' is out of range", "from 1 to 256"));
	assert_true(
		found_says(&found, ":3: timeout: 'soon' is not a span of time", "from 1s to 5m"));
	assert_true(found_says(&found, ":4: there is no section [peple]", "[people]"));
	assert_true(found_says(&found, ":6: gecos: 'perhaps' is neither yes nor no", "yes or no"));
	assert_true(found_says(&found, ":7: this is neither", ""));
}

static void a_password_is_in_no_message_and_in_no_listing(void **state)
{
	struct found found = bad(*state, "[google]\nproxy = http://me:hunter2@proxy\\host:3128\n");
	struct settings *s;

	assert_true(found_says(
		&found, ":2: proxy: the value is not a proxy's URL", "http://host:port"));
	assert_null(strstr(found.faults[0].what, "hunter2"));
	s = good(*state, "[google]\nproxy = http://me:hunter2@proxy:3128\n");
	assert_string_equal(s->proxy, "http://me:hunter2@proxy:3128");
	assert_setting(s, "proxy", "http://me:***@proxy:3128", ":2");
	settings_free(s);
}

/* ---- who is stopped by what ----------------------------------------------------------------- */

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
		"[worker]\nrole = collector\n",
		"[storage]\nledger = postgresql://db/cloudinvite\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
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
		TEST(a_long_comment_is_no_long_line),
		TEST(drop_ins_count_in_the_order_of_their_names),
		TEST(an_error_in_a_drop_in_names_the_drop_in),
		TEST(a_drop_in_directory_that_others_may_write_is_refused),
		TEST(a_missing_file_is_a_fault_that_says_where_the_sample_is),
		TEST(a_file_that_others_may_write_is_refused),
		TEST(a_fifo_or_a_directory_does_not_hold_us_up),
		TEST(a_link_of_configuration_management_is_followed),
		TEST(an_unknown_key_suggests_the_nearest),
		TEST(a_key_in_the_wrong_section_is_told_its_own),
		TEST(an_unknown_section_is_said_once_and_suggests_the_nearest),
		TEST(a_key_that_is_there_twice_names_both_lines),
		TEST(a_line_that_is_nothing_is_an_error),
		TEST(an_indented_line_never_changes_another_key_silently),
		TEST(an_indented_key_is_a_key),
		TEST(an_indented_section_is_a_section),
		TEST(a_line_that_the_parser_would_cut_is_an_error),
		TEST(a_comment_sign_of_other_formats_is_pointed_out),
		TEST(a_byte_order_mark_is_an_error),
		TEST(a_nul_byte_is_an_error_with_its_line),
		TEST(control_characters_and_broken_utf8_are_errors),
		TEST(all_errors_of_a_file_are_reported),
		TEST(a_password_is_in_no_message_and_in_no_listing),
		TEST(an_error_that_concerns_dispatching_leaves_the_collector_running),
		TEST(an_error_that_concerns_collecting_stops_both),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
