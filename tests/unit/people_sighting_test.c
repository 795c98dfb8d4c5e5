/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#include "people/sighting.h"

static const struct settings believes = {.gecos = true};
static const struct settings doubts = {.gecos = false};

static struct sighting facts_of(const char *gecos)
{
	const struct account a = {.user = "x", .gecos = gecos, .shell = "/bin/sh", .uid = 7};
	struct sighting s = {.uid = -1};

	sighting_facts(&s, &a, NULL, &believes);
	return s;
}

static void assert_name(const char *gecos, const char *first, const char *last)
{
	struct sighting s = facts_of(gecos);

	assert_string_equal(s.first, first);
	assert_string_equal(s.last, last);
}

static void a_full_name_is_its_first_and_last_word(void **state)
{
	(void)state;
	assert_name("Alice Liddell", "Alice", "Liddell");
	assert_name("Ada Lovelace,Room 3,555-1234,", "Ada", "Lovelace");
	assert_name("  Alice   Liddell  ,x", "Alice", "Liddell");
	assert_name("J\xc3\xbcrgen M\xc3\xbcller", "J\xc3\xbcrgen", "M\xc3\xbcller");
}

static void three_words_are_not_guessed(void **state)
{
	static const char *const names[] = {"Dr Alice Liddell", "Alice Liddell III", "John A Smith",
		"Alice Liddell EXT", "Alice Liddell - Admin", "Ada King Lovelace,Room 3",
		"  Alice  B   Liddell  ", "Alice Liddell\u00a0x (y)"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_name(names[i], "", "");
}

static void one_word_is_not_a_full_name(void **state)
{
	(void)state;
	assert_name("Alice", "Alice", "");
	assert_name("Alice,Liddell", "Alice", "");
	assert_name("", "", "");
	assert_name(",,,", "", "");
	assert_name("   ", "", "");
}

static void a_name_with_control_characters_is_none(void **state)
{
	(void)state;
	assert_name("Alice\x1b[2J Liddell", "", "");
	assert_name("Alice Liddell\r\nBcc: all@example.com", "", "");
	assert_name("Alice\tB Liddell", "", "");
	assert_name("Alice \x7fLiddell", "", "");
	assert_name("Alice \xc2\x9bLiddell", "", "");
	assert_name("Alice: Liddell", "", "");
	assert_name("Al\xffice Liddell", "", "");
	assert_name("Alice \xed\xa0\x80", "", "");
}

static void a_name_that_does_not_fit_is_none_instead_of_half_of_one(void **state)
{
	char gecos[400];

	(void)state;
	memset(gecos, 'a', sizeof(gecos) - 1);
	gecos[sizeof(gecos) - 1] = '\0';
	memcpy(gecos, "Alice ", 6);
	assert_name(gecos, "Alice", "");
}

static void names_are_ignored_if_gecos_is_not_trusted(void **state)
{
	const struct account a = {.user = "alice", .gecos = "Alice Liddell", .shell = "/bin/sh"};
	struct sighting s = {.first = "Old", .last = "Name"};

	(void)state;
	sighting_facts(&s, &a, NULL, &doubts);
	assert_string_equal(s.first, "");
	assert_string_equal(s.last, "");
}

static void uid_shell_and_groups_are_the_accounts(void **state)
{
	const struct account a = {
		.user = "alice", .gecos = "", .shell = "/bin/zsh", .uid = 1000, .gid = 50};
	static const char groups[] = "dev:x:1:alice\nstaff:x:50:\n";
	struct group_table *t = group_parse(groups, sizeof(groups) - 1, "dev staff");
	struct sighting s = {.uid = -1};

	(void)state;
	sighting_facts(&s, &a, t, &doubts);
	assert_true(s.local);
	assert_int_equal(s.uid, 1000);
	assert_string_equal(s.shell, "/bin/zsh");
	assert_string_equal(s.groups, "dev staff");
	group_table_free(t);
}

static void unknown_groups_are_marked_as_unknown(void **state)
{
	const struct account a = {.user = "alice", .gecos = "", .shell = ""};
	static const char groups[] = "no-cloudinvite:x:broken\n";
	struct group_table *t = group_parse(groups, sizeof(groups) - 1, "no-cloudinvite");
	struct sighting s = {.uid = -1};

	(void)state;
	sighting_facts(&s, &a, t, &doubts);
	assert_string_equal(s.groups, SIGHTING_GROUPS_UNKNOWN);
	group_table_free(t);
}

static void a_long_path_keeps_the_shells_name(void **state)
{
	char shell[600];
	struct account a = {.user = "x", .gecos = "", .shell = shell};
	struct sighting s = {.uid = -1};

	(void)state;
	memset(shell, '/', sizeof(shell));
	memcpy(shell + sizeof(shell) - 9, "/nologin", 9);
	sighting_facts(&s, &a, NULL, &doubts);
	assert_true(str_ends(s.shell, "/nologin"));
	assert_int_equal(strlen(s.shell), sizeof(s.shell) - 1);
}

static void facts_are_compared_without_reason_and_time(void **state)
{
	struct sighting a = facts_of("Alice Liddell"), b = facts_of("Alice Liddell");

	(void)state;
	b.trigger = TRIGGER_CREATED;
	b.first_seen = 86400;
	assert_true(sighting_same_facts(&a, &b));
	b.uid++;
	assert_false(sighting_same_facts(&a, &b));
	b = a;
	b.local = false;
	assert_false(sighting_same_facts(&a, &b));
	b = a;
	str_copy(b.shell, sizeof(b.shell), "/bin/false");
	assert_false(sighting_same_facts(&a, &b));
	b = a;
	str_copy(b.groups, sizeof(b.groups), "staff");
	assert_false(sighting_same_facts(&a, &b));
	b = a;
	b.first[0] = '\0';
	assert_false(sighting_same_facts(&a, &b));
	b = a;
	b.last[0] = '\0';
	assert_false(sighting_same_facts(&a, &b));
}

static void reasons_have_words(void **state)
{
	enum trigger trigger = TRIGGER_LOGIN;

	(void)state;
	for (unsigned i = TRIGGER_LOGIN; i <= TRIGGER_MANUAL; i++) {
		assert_true(sighting_trigger_parse(trigger_word((enum trigger)i), &trigger));
		assert_int_equal(trigger, i);
	}
	assert_string_equal(trigger_word(TRIGGER_CREATED), "created");
	assert_false(sighting_trigger_parse("deleted", &trigger));
	assert_false(sighting_trigger_parse("", &trigger));
}

static void the_trigger_that_counts_matters_more_and_then_the_person_s_own_login(void **state)
{
	static const enum trigger all[] = {TRIGGER_CREATED, TRIGGER_LOGIN, TRIGGER_MANUAL};
	struct settings s = {.triggers = TRIGGER_FLAG_LOGIN | TRIGGER_FLAG_CREATED};

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(trigger_outranks(all[i], all[k], &s), i > k);
	s.triggers = TRIGGER_FLAG_LOGIN;
	assert_true(trigger_outranks(TRIGGER_LOGIN, TRIGGER_CREATED, &s));
	assert_true(trigger_outranks(TRIGGER_MANUAL, TRIGGER_CREATED, &s));
	assert_false(trigger_outranks(TRIGGER_CREATED, TRIGGER_LOGIN, &s));
	s.triggers = TRIGGER_FLAG_CREATED;
	assert_true(trigger_outranks(TRIGGER_CREATED, TRIGGER_LOGIN, &s));
	assert_false(trigger_outranks(TRIGGER_LOGIN, TRIGGER_CREATED, &s));
	assert_true(trigger_outranks(TRIGGER_MANUAL, TRIGGER_LOGIN, &s));
	s.triggers = 0;
	assert_true(trigger_outranks(TRIGGER_MANUAL, TRIGGER_CREATED, &s));
	assert_true(trigger_counts(TRIGGER_MANUAL, &s));
	assert_false(trigger_counts(TRIGGER_LOGIN, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_name_is_its_first_and_last_word),
		cmocka_unit_test(three_words_are_not_guessed),
		cmocka_unit_test(one_word_is_not_a_full_name),
		cmocka_unit_test(a_name_with_control_characters_is_none),
		cmocka_unit_test(a_name_that_does_not_fit_is_none_instead_of_half_of_one),
		cmocka_unit_test(names_are_ignored_if_gecos_is_not_trusted),
		cmocka_unit_test(uid_shell_and_groups_are_the_accounts),
		cmocka_unit_test(unknown_groups_are_marked_as_unknown),
		cmocka_unit_test(a_long_path_keeps_the_shells_name),
		cmocka_unit_test(facts_are_compared_without_reason_and_time),
		cmocka_unit_test(reasons_have_words),
		cmocka_unit_test(
			the_trigger_that_counts_matters_more_and_then_the_person_s_own_login),
	};

	return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
