/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/strbuf.h"
#include "settings_text.h"

/* ---- invalid lines ---- */

static void an_unknown_key_suggests_the_nearest(void **state)
{
	expect(*state, "[google]\n\ncustomr = C01\n", ":3: [google] has no key 'customr'",
		"Did you mean customer?");
	expect(*state, "[google]\nTimeout = 3\n", ":2: [google] has no key 'Timeout'",
		"Did you mean timeout?");
	expect(*state, "[people]\nmin_udi = 3\n", "min_udi", "Did you mean min_uid?");
	expect(*state, "[people]\nfrobnicate = 3\n", "frobnicate", "cloudinvite.conf(5)");
}

static void an_old_key_is_unknown_and_its_remedy_names_the_new_one(void **state)
{
	expect(*state, "[people]\nallow_users = jenkins\n", ":2: [people] has no key 'allow_users'",
		"Use allow_reserved_names instead.");
	expect(*state, "[invitations]\nsettle = 2m\n", ":2: [invitations] has no key 'settle'",
		"Use creation_delay instead.");
	expect(*state, "[invitations]\nsweep_every = 24h\n",
		":2: [invitations] has no key 'sweep_every'", "Use resync_interval instead.");
	expect(*state, "[worker]\nuser = cloudinvite\n", ":2: [worker] has no key 'user'",
		"set collector_user, dispatcher_user and ledger_user");
}

static void an_old_role_is_not_a_choice_and_its_remedy_names_the_new_one(void **state)
{
	expect(*state, "[worker]\nrole = collector\n",
		":2: role: 'collector' is not a valid choice", "Use host instead.");
	expect(*state, "[worker]\nrole = dispatcher\n",
		":2: role: 'dispatcher' is not a valid choice", "Use hub instead.");
}

static void a_key_in_the_wrong_section_names_the_right_one(void **state)
{
	expect(*state, "[people]\ntimeout = 3\n", ":2: [people] has no key 'timeout'",
		"It belongs in [google].");
	expect(*state, "timeout = 3\n", ":1: 'timeout' comes before any [section]",
		"It belongs in [google].");
}

static void an_unknown_section_is_reported_once_with_a_suggestion(void **state)
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
		":5: parallel is already set on line 2", "Remove one of the two.");
}

static void a_line_that_cannot_be_parsed_is_an_error(void **state)
{
	expect(*state, "[google]\njust some words\n",
		":2: this line is neither [section] nor key = value", "Put '='");
	expect(*state, "[google\n", ":1: a section line must be [name] and nothing else",
		"separate line");
	expect(*state, "[google] customer = C01\n", ":1: a section line must be [name]",
		"separate line");
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

	assert_true(str_in_list("b", s->exclude_users));
	assert_false(str_in_list("gecos", s->exclude_users));
	assert_false(str_in_list("q", s->exclude_users));
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
	struct strbuf text = {.max = 65536};

	strbuf_add(&text, "[people]\nexclude_users = ");
	for (int i = 0; i < 40; i++)
		strbuf_addf(&text, "someone%d ", i);
	strbuf_add(&text, "\n");
	expect(*state, text.data, ":2: this line is longer than", "can continue on the next line");
	strbuf_free(&text);
}

static void a_comment_sign_of_other_formats_is_pointed_out(void **state)
{
	expect(*state, "[google]\nparallel = 3 # three\n",
		":2: parallel: '3 # three' is not a number", "';', not with '#'");
}

static void a_character_that_deceives_is_an_error_with_its_code_point(void **state)
{
	expect(*state, "[people]\nexclude_users = a\u200b\n",
		":2: this line has U+200B, which "
		"cannot be seen",
		"Type the line again.");
	expect(*state, "[people]\nexclude_users = a\n  b\u00a0c\n", ":3: this line has U+00A0", "");
	expect(*state, "[people]\nexclude_groups = contr\u0430ctors\n", ":2: this line has U+0430",
		"");
	expect(*state, "[people]\nexclude_groups = no\u2010cloudinvite\n", "U+2010", "");
	settings_free(good(*state, "[people]\nexclude_users = a ; \u201cleft\u00a0us\u201d\n"));
}

static void a_proxy_that_is_refused_says_which_character_or_file_is_wrong(void **state)
{
	expect(*state, "[google]\nproxy = http://us#er:p%40ss@proxy:3128\n",
		":2: proxy: ", "# as %23");
	expect(*state, "[google]\nproxy = http://example.com/proxy.pac\n", "a PAC file",
		"the proxy that it names");
	expect(*state, "[google]\nproxy = HTTP://wpad/WPAD.dat?x\n", "a PAC file", "not run here");
}

static void a_domain_that_is_not_ascii_has_another_form(void **state)
{
	expect(*state, "[people]\ndomains = example.com m\u00fcller.example\n",
		":2: domains: ", "xn--mller-kva.example for m\u00fcller.example");
	settings_free(good(*state, "[people]\ndomains = xn--mller-kva.example\n"));
}

static void an_address_is_in_lower_case(void **state)
{
	struct settings *s = good(*state, "[google]\nsubject = Admin@Example.COM\n"
					  "service_account = Inviter@P.iam.gserviceaccount.com\n");

	assert_string_equal(s->subject, "admin@example.com");
	assert_string_equal(s->service_account, "inviter@p.iam.gserviceaccount.com");
	settings_free(s);
}

static void a_name_in_half_a_quotation_is_an_error(void **state)
{
	expect(*state, "[people]\nexclude_groups = \"domain guests\n",
		":2: exclude_groups: ", "\"domain guests\"");
	expect(*state, "[people]\nexclude_groups = domain\\ guests\n", "is not a list of names",
		"quotation marks");
	expect(*state, "[people]\nexclude_users = a\"b c\"\n", ":2: exclude_users: ", "");
	settings_free(good(*state, "[people]\nexclude_groups = \"domain guests\" b\n"
				   "exclude_users = CORP\\eve \"First Last\"\n"));
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
	assert_true(found_says(&found, ":3: timeout: 'soon' is not a duration", "from 1s to 5m"));
	assert_true(found_says(&found, ":4: there is no section [peple]", "[people]"));
	assert_true(found_says(&found, ":6: gecos: 'perhaps' is neither yes nor no", "yes or no"));
	assert_true(found_says(&found, ":7: this line is neither", ""));
}

static void a_password_is_in_no_message_and_in_no_listing(void **state)
{
	struct found found = bad(*state, "[google]\nproxy = http://me:hunter2@proxy\\host:3128\n");
	struct settings *s;

	assert_true(
		found_says(&found, ":2: proxy: the value is not a proxy URL", "http://host:port"));
	assert_null(strstr(found.faults[0].what, "hunter2"));
	s = good(*state, "[google]\nproxy = http://me:hunter2@proxy:3128\n");
	assert_string_equal(s->proxy, "http://me:hunter2@proxy:3128");
	assert_setting(s, "proxy", "http://me:***@proxy:3128", ":2");
	settings_free(s);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_unknown_key_suggests_the_nearest),
		TEST(an_old_key_is_unknown_and_its_remedy_names_the_new_one),
		TEST(an_old_role_is_not_a_choice_and_its_remedy_names_the_new_one),
		TEST(a_key_in_the_wrong_section_names_the_right_one),
		TEST(an_unknown_section_is_reported_once_with_a_suggestion),
		TEST(a_key_that_is_there_twice_names_both_lines),
		TEST(a_line_that_cannot_be_parsed_is_an_error),
		TEST(an_indented_line_never_changes_another_key_silently),
		TEST(an_indented_key_is_a_key),
		TEST(an_indented_section_is_a_section),
		TEST(a_line_that_the_parser_would_cut_is_an_error),
		TEST(a_comment_sign_of_other_formats_is_pointed_out),
		TEST(a_character_that_deceives_is_an_error_with_its_code_point),
		TEST(a_proxy_that_is_refused_says_which_character_or_file_is_wrong),
		TEST(a_domain_that_is_not_ascii_has_another_form),
		TEST(an_address_is_in_lower_case),
		TEST(a_name_in_half_a_quotation_is_an_error),
		TEST(a_byte_order_mark_is_an_error),
		TEST(a_nul_byte_is_an_error_with_its_line),
		TEST(control_characters_and_broken_utf8_are_errors),
		TEST(all_errors_of_a_file_are_reported),
		TEST(a_password_is_in_no_message_and_in_no_listing),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
