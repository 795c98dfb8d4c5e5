/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#include "people/verdict.h"

static struct address_map *parse(const char *text)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct address_map *m = map_parse(text, strlen(text), "/etc/map", &fault);

	if (!m)
		fail_msg("%s", fault.what);
	return m;
}

static void assert_address(const struct address_map *m, const char *host, const char *user,
	const char *address, int line)
{
	int found = -1;
	const char *a = map_find(m, host, user, &found);

	assert_non_null(a);
	assert_string_equal(a, address);
	assert_int_equal(found, line);
}

static void assert_nobody(const struct address_map *m, const char *host, const char *user)
{
	int line = -1;

	assert_null(map_find(m, host, user, &line));
}

static void users_have_addresses(void **state)
{
	struct address_map *m = parse("# the map\n"
				      "\n"
				      "alice\tAlice.Liddell@Example.com   # comment\n"
				      "  bob   bob#1@example.com\n"
				      "eve -\r\n");

	(void)state;
	assert_address(m, "web1", "alice", "alice.liddell@example.com", 3);
	assert_address(m, "web1", "ALICE", "alice.liddell@example.com", 3);
	assert_address(m, "web1", "bob", "bob#1@example.com", 4);
	assert_address(m, "web1", "eve", "-", 5);
	assert_nobody(m, "web1", "alic");
	assert_nobody(m, "web1", "alice2");
	assert_nobody(m, "web1", "");
	map_free(m);
}

static void the_first_line_that_fits_host_and_user_counts(void **state)
{
	struct address_map *m = parse("web?:bob web@example.com\n"
				      "build-*:bob build@example.com\n"
				      "bob bob@example.com\n"
				      "db1:bob never@example.com\n"
				      "DB1:carol carol@example.com\n");

	(void)state;
	assert_address(m, "web1", "bob", "web@example.com", 1);
	assert_address(m, "build-12", "bob", "build@example.com", 2);
	assert_address(m, "BUILD-12", "bob", "build@example.com", 2);
	assert_address(m, "db1", "bob", "bob@example.com", 3);
	assert_address(m, "db1", "carol", "carol@example.com", 5);
	assert_nobody(m, "db2", "carol");
	map_free(m);
}

static void hostile_users_and_hosts_fit_no_line(void **state)
{
	struct address_map *m = parse("web1:bob web@example.com\n*:alice alice@example.com\n");
	char name[400];

	(void)state;
	assert_nobody(m, "*", "bob");
	assert_nobody(m, "web1", "*");
	assert_nobody(m, "web1", "web1:bob");
	assert_nobody(m, "web1", "bob web@example.com");
	assert_nobody(m, "web1", "bob\n");
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_nobody(m, name, "alice");
	assert_nobody(m, "web1", name);
	map_free(m);
}

static void network_users_are_users(void **state)
{
	struct address_map *m =
		parse("bob@corp.example bob@example.com\ncorp\\eve eve@example.com\n");

	(void)state;
	assert_address(m, "h", "bob@corp.example", "bob@example.com", 1);
	assert_address(m, "h", "CORP\\Eve", "eve@example.com", 2);
	map_free(m);
}

static void a_broken_line_makes_the_map_an_error_with_its_line(void **state)
{
	static const struct {
		const char *line, *what;
	} broken[] = {
		{"bob", "two words"},
		{"bob bob@example.com more", "two words"},
		{"bob bob@example.com,eve@example.com", "plain address"},
		{"bob bob", "plain address"},
		{"bob bob@", "plain address"},
		{"bob <bob@example.com>", "plain address"},
		{"bob \"b\"@example.com", "plain address"},
		{"bob bob@localhost", "plain address"},
		{"bob --", "plain address"},
		{":bob bob@example.com", "before and after the ':'"},
		{"web1: bob@example.com", "before and after the ':'"},
		{"a:b:bob bob@example.com", "before and after the ':'"},
		{"b* bob@example.com", "not in the user"},
		{"web1:* bob@example.com", "not in the user"},
		{"b\xff bob@example.com", "UTF-8"},
		{"b\x1b[0m bob@example.com\x1b", "plain address"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		struct fault fault = {.kind = FAULT_NONE};
		char text[256];

		str_format(text, sizeof(text), "alice a@example.com\n\n%s\n", broken[i].line);
		assert_null(map_parse(text, strlen(text), "/etc/map", &fault));
		assert_int_equal(fault.kind, FAULT_SETTINGS);
		assert_true(str_starts(fault.what, "/etc/map:3: "));
		assert_non_null(strstr(fault.what, broken[i].what));
		assert_true(strlen(fault.remedy) > 10);
	}
}

/* Each would make the line one for a user who never comes, and the template would be used. */
static void a_line_that_only_looks_right_is_an_error_with_its_code_point(void **state)
{
	static const struct {
		const char *text, *what;
	} deceptive[] = {
		{"\xef\xbb\xbf"
		 "alice alice.liddell@example.com\r\n",
			":1: the file begins with a byte order mark"},
		{"\xef\xbb\xbf# people\neve -\n", ":1: the file begins with a byte order mark"},
		{"bob b@example.com\n\u200balice a@example.com\n", ":2: this line has U+200B"},
		{"alice\u200b a@example.com\n", ":1: this line has U+200B"},
		{"al\u00adice -\n", ":1: this line has U+00AD"},
		{"alice\u00a0 a@example.com\n", "U+00A0, which looks like a space"},
		{"ali\u202ece a@example.com\n", "U+202E"},
		{"web\u2060*:alice a@example.com\n", "U+2060"},
		{"\u0430lice a@example.com\n", "U+0430, a letter of another script in a Latin"},
		{"alic\u0435@corp.example a@example.com\n", "U+0435"},
		{"CORP\\\u0441\u043e\u0440\u0443 a@example.com\n", "that looks Latin"},
		{"anna\u2013maria a@example.com\n", "U+2013, which looks like another"},
		{"mu\u0308ller a@example.com\n", "U+0308, a combining mark"},
		{"\uff41lice a@example.com\n", "U+FF41"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(deceptive); i++) {
		struct fault fault = {.kind = FAULT_NONE};

		assert_null(map_parse(
			deceptive[i].text, strlen(deceptive[i].text), "/etc/map", &fault));
		assert_int_equal(fault.kind, FAULT_SETTINGS);
		if (!strstr(fault.what, deceptive[i].what))
			fail_msg("%s instead of %s", fault.what, deceptive[i].what);
		assert_true(strlen(fault.remedy) > 10);
	}
}

static void letters_of_any_language_are_names(void **state)
{
	struct address_map *m = parse("m\u00fcller a@example.com # \u201cIn\u00a0charge\u201d\n"
				      "\u0438\u0432\u0430\u043d b@example.com\n"
				      "\u0434\u0438\u043c\u0430@corp.example c@example.com\n"
				      "\u592a\u90ce d@example.com\n");

	(void)state;
	assert_address(m, "h", "m\u00fcller", "a@example.com", 1);
	assert_address(m, "h", "\u0438\u0432\u0430\u043d", "b@example.com", 2);
	assert_address(m, "h", "\u592a\u90ce", "d@example.com", 4);
	map_free(m);
}

static void a_nul_byte_is_an_error(void **state)
{
	static const char text[] = "alice a@example.com\0\n";
	struct fault fault = {.kind = FAULT_NONE};

	(void)state;
	assert_null(map_parse(text, sizeof(text) - 1, "/etc/map", &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
}

static void two_addresses_for_one_user_are_a_contradiction(void **state)
{
	static const char text[] =
		"bob bob@example.com\n*:eve e@example.com\nBob robert@example.com\n";
	struct fault fault = {.kind = FAULT_NONE};

	(void)state;
	assert_null(map_parse(text, sizeof(text) - 1, "/etc/map", &fault));
	assert_non_null(strstr(fault.what, "/etc/map:3: 'bob' has a different address on line 1"));
	/* The same line twice does no harm. */
	map_free(parse("bob bob@example.com\nbob bob@example.com\n"));
}

static void the_default_map_may_be_missing_and_another_may_not(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};
	struct address_map *m = map_load("", &fault);

	assert_non_null(m);
	assert_nobody(m, "h", "alice");
	map_free(m);
	if (access(CLOUDINVITE_SYSCONFDIR "/addresses.map", F_OK) != 0) {
		m = map_load(CLOUDINVITE_SYSCONFDIR "/addresses.map", &fault);
		assert_non_null(m);
		map_free(m);
	}
	assert_null(map_load(folder_path(f, "map"), &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
	m = map_load(folder_write(f, "map", "alice a@example.com\n"), &fault);
	assert_non_null(m);
	assert_address(m, "h", "alice", "a@example.com", 1);
	map_free(m);
}

static void a_map_that_others_may_write_is_refused(void **state)
{
	struct folder *f = *state;
	struct fault fault = {.kind = FAULT_NONE};

	folder_write(f, "map", "alice a@example.com\n");
	assert_int_equal(chmod(f->file, 0666), 0);
	assert_null(map_load(f->file, &fault));
	assert_int_equal(fault.kind, FAULT_SETTINGS);
	assert_non_null(strstr(fault.remedy, "chmod"));
}

static void the_sample_is_a_map(void **state)
{
	const char *source = getenv("CLOUDINVITE_SOURCE");
	struct folder *f = *state;
	char path[PATH_MAX], text[4096];
	size_t n;

	str_format(path, sizeof(path), "%s/config/addresses.map", source ? source : ".");
	FILE *sample = fopen(path, "re");
	assert_non_null(sample);
	n = fread(text, 1, sizeof(text), sample);
	(void)fclose(sample);
	assert_true(n > 100 && n < sizeof(text));
	text[n] = '\0';
	struct address_map *m = map_load(folder_write_bytes(f, "map", text, n), NULL);
	assert_non_null(m);
	assert_nobody(m, "h", "alice");
	map_free(m);
	/* Its examples are valid when uncommented. */
	for (char *p = text; (p = strstr(p, "\n#")) && p < text + n; p++)
		if (p[2] != ' ' && p[2] != '\n')
			p[1] = ' ';
	m = map_load(folder_write_bytes(f, "map", text, n), NULL);
	assert_non_null(m);
	int line;
	assert_string_equal(map_find(m, "h", "alice", &line), "alice.liddell@example.com");
	assert_string_equal(map_find(m, "h", "contractor", &line), "-");
	assert_string_equal(map_find(m, "build-7", "bob", &line), "bob@example.com");
	map_free(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(users_have_addresses),
		TEST(the_first_line_that_fits_host_and_user_counts),
		TEST(hostile_users_and_hosts_fit_no_line),
		TEST(network_users_are_users),
		TEST(a_broken_line_makes_the_map_an_error_with_its_line),
		TEST(a_line_that_only_looks_right_is_an_error_with_its_code_point),
		TEST(letters_of_any_language_are_names),
		TEST(a_nul_byte_is_an_error),
		TEST(two_addresses_for_one_user_are_a_contradiction),
		TEST(the_default_map_may_be_missing_and_another_may_not),
		TEST(a_map_that_others_may_write_is_refused),
		TEST(the_sample_is_a_map),
	};

	return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
