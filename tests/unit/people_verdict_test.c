/* SPDX-License-Identifier: Apache-2.0 */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#include "people/verdict.h"

#define MAIN "cloudinvite.conf"
#define USUAL                                                                         \
	"[people]\naddress = {user}@example.com\ndomains = example.com example.org\n" \
	"exclude_users = mallory svc-*\n"

/* A person that no rule excludes; each test changes one thing. */
static const struct sighting alice = {
	.host = "web1",
	.user = "alice",
	.uid = 1000,
	.local = true,
	.shell = "/bin/bash",
	.groups = "",
	.first = "Alice",
	.last = "Liddell",
};

struct evaluator {
	struct settings *settings;
	struct address_map *map;
};

static struct evaluator evaluator_new(struct folder *f, const char *settings, const char *map)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct evaluator e = {.settings = settings_load(folder_write(f, MAIN, settings), &fault)};

	if (e.settings)
		e.map = map_parse(map, strlen(map), "/etc/map", &fault);
	if (!e.map)
		fail_msg("%s", fault.what);
	return e;
}

static void evaluator_free(struct evaluator *e)
{
	settings_free(e->settings);
	map_free(e->map);
}

static struct verdict evaluated(const struct evaluator *e, const struct sighting *s)
{
	struct verdict v;

	verdict_evaluate(s, e->settings, e->map, &v);
	assert_true(strlen(v.sentence) > 15);
	assert_true(str_is_utf8(v.sentence, strlen(v.sentence)));
	for (const char *p = v.sentence; *p != '\0'; p++)
		assert_true((unsigned char)*p >= ' ' && *p != 0x7f);
	/* Only a mapped sighting has an address, and it is valid. */
	if (v.kind == VERDICT_MAPPED) {
		char plain[ADDRESS_MAX + 1];

		assert_true(address_plain(v.address, plain));
		assert_string_equal(plain, v.address);
		assert_true(address_in_domains(v.address, e->settings->domains));
	} else {
		assert_string_equal(v.address, "");
	}
	return v;
}

static void expect(struct folder *f, const char *settings, const char *map,
	const struct sighting *s, enum verdict_kind kind, const char *rule, const char *says)
{
	struct evaluator e = evaluator_new(f, settings, map);
	struct verdict v = evaluated(&e, s);

	if (v.kind != kind || strcmp(v.rule, rule) != 0 ||
		(!strstr(v.sentence, says) && strcmp(v.address, says) != 0))
		fail_msg("%s: %s %s %s: %s", s->user, verdict_word(v.kind), v.rule, v.address,
			v.sentence);
	evaluator_free(&e);
}

static struct sighting named(const char *user)
{
	struct sighting s = alice;

	assert_true(str_copy(s.user, sizeof(s.user), user));
	return s;
}

static struct sighting network(const char *user)
{
	struct sighting s = named(user);

	s.local = false;
	s.uid = -1;
	return s;
}

/* ---- the address ---- */

static void the_template_makes_the_address(void **state)
{
	struct sighting s = named("Alice");
	struct evaluator e = evaluator_new(*state, USUAL, "");
	struct verdict v = evaluated(&e, &s);

	assert_int_equal(v.kind, VERDICT_MAPPED);
	assert_string_equal(v.address, "alice@example.com");
	assert_true(v.from_template);
	assert_string_equal(v.sentence,
		"The template {user}@example.com gives the address alice@example.com to Alice.");
	evaluator_free(&e);
}

static void the_map_counts_before_the_template(void **state)
{
	struct evaluator e =
		evaluator_new(*state, USUAL, "db*:alice db@example.com\nALICE a.l@example.org\n");
	struct verdict v = evaluated(&e, &alice);

	assert_int_equal(v.kind, VERDICT_MAPPED);
	assert_string_equal(v.address, "a.l@example.org");
	assert_false(v.from_template);
	assert_string_equal(v.rule, "map");
	assert_non_null(strstr(v.sentence, "Line 2 of "));
	evaluator_free(&e);
}

static void never_in_the_map_excludes(void **state)
{
	expect(*state, USUAL, "x:alice a@example.com\nweb1:alice -\nalice b@example.com\n", &alice,
		VERDICT_EXCLUDED, "map", "Line 2 of ");
}

static void an_address_on_another_domain_is_foreign(void **state)
{
	expect(*state, USUAL, "alice alice@gmail.com\n", &alice, VERDICT_FOREIGN_DOMAIN, "domains",
		"alice@gmail.com is not in one of the organisation's domains");
	expect(*state, "[people]\naddress = {user}@example.net\ndomains = example.com\n", "",
		&alice, VERDICT_FOREIGN_DOMAIN, "domains", "alice@example.net");
	expect(*state, "[people]\naddress = {user}@example.com\n", "", &alice,
		VERDICT_FOREIGN_DOMAIN, "domains", "alice@example.com");
}

static void without_template_and_map_line_no_user_is_mapped(void **state)
{
	expect(*state, "[people]\ndomains = example.com\n", "bob bob@example.com\n", &alice,
		VERDICT_UNMAPPED, "no_template", "Add a line");
}

static void full_names_make_addresses_if_gecos_is_trusted(void **state)
{
	static const char settings[] = "[people]\naddress = {first}.{last}@example.com\n"
				       "domains = example.com\ngecos = yes\n";
	struct sighting s = alice;

	expect(*state, settings, "", &s, VERDICT_MAPPED, "address", "alice.liddell@example.com");
	str_copy(s.last, sizeof(s.last), "Smith-Jones");
	expect(*state, settings, "", &s, VERDICT_MAPPED, "address",
		"alice.smith-jones@example.com");
	expect(*state, "[people]\naddress = {first}.{last}@example.com\ndomains = example.com\n",
		"", &alice, VERDICT_UNMAPPED, "gecos", "gecos = no");
}

static void a_full_name_that_would_have_to_be_guessed_suggests_the_map(void **state)
{
	static const char settings[] = "[people]\naddress = {first}.{last}@example.com\n"
				       "domains = example.com\ngecos = yes\n";
	static const char *const names[] = {"M\xc3\xbcller", "", "O'Brien", "de.la", "x@evil.com",
		"a\"b", "a,b", "a\nb", "a%40b", "-x", "a+b", "a b", "\xff", "{user}", "a/b"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct sighting s = alice;

		str_copy(s.last, sizeof(s.last), names[i]);
		expect(*state, settings, "", &s, VERDICT_UNMAPPED, "template", "addresses.map");
		s = alice;
		str_copy(s.first, sizeof(s.first), names[i]);
		expect(*state, settings, "", &s, VERDICT_UNMAPPED, "template", "addresses.map");
	}
}

/* ---- hostile names ---- */

static void a_hostile_user_name_gets_no_address(void **state)
{
	static const char *const users[] = {"bob@evil.com", "bob@example.com", "a b", " bob",
		"../x", "a/../b", "/bob", "-o", "--upload-file=x", "-", "x\r\nBcc: y",
		"x\nBcc:y@example.com", "%2e", "bob%evil.com", "evil.com!bob", "m\xc3\xbcller",
		"\342\200\256bob", "bo\377b", "\x1b[2J", "bob\x7f", "\"bob\"", "<bob>", "bob,eve",
		"bob;eve", "bob:eve", "`id`", "$(id)", "a|b", "a&b", "a#b", "a?b=c", "a=b",
		"{user}", "{first}", ".", "..", ".bob", "bob.", "b..ob", "+bob", "CORP\\bob",
		"bob'", "bob*", "a\tb", ""};

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		struct sighting s = named(users[i]);

		expect(*state, USUAL, "", &s, VERDICT_UNMAPPED, "template", "No address for ");
	}
}

static void a_name_of_256_bytes_gets_no_address(void **state)
{
	struct sighting s = alice;

	memset(s.user, 'a', USER_MAX);
	s.user[USER_MAX] = '\0';
	expect(*state, USUAL, "", &s, VERDICT_UNMAPPED, "template", "No address for aaa");
	/* At most 64 bytes may precede an @. */
	s.user[65] = '\0';
	expect(*state, USUAL, "", &s, VERDICT_UNMAPPED, "template", "too long");
	s.user[64] = '\0';
	expect(*state, USUAL, "", &s, VERDICT_MAPPED, "address", "@example.com");
}

static void a_plus_in_a_name_stays_a_plus(void **state)
{
	struct sighting s = named("alice+work");

	expect(*state, USUAL, "", &s, VERDICT_MAPPED, "address", "alice+work@example.com");
	s = named("alice_x-y.z9");
	expect(*state, USUAL, "", &s, VERDICT_MAPPED, "address", "alice_x-y.z9@example.com");
}

static void a_hostile_name_is_harmless_in_the_sentence(void **state)
{
	struct sighting s = named("x\r\nBcc: y\x1b[31m");
	struct evaluator e = evaluator_new(*state, USUAL, "");
	struct verdict v = evaluated(&e, &s);

	assert_non_null(strstr(v.sentence, "x\\x0d\\x0aBcc: y\\x1b[31m"));
	evaluator_free(&e);
}

/* ---- network users ---- */

#define NETWORK USUAL "network_users = yes\n"

static void a_network_user_is_named_without_the_realm(void **state)
{
	struct sighting s = network("Alice@Corp.Example");

	expect(*state, NETWORK, "", &s, VERDICT_MAPPED, "address", "alice@example.com");
	s = network("CORP\\Alice");
	expect(*state, NETWORK, "", &s, VERDICT_MAPPED, "address", "alice@example.com");
	s = network("alice");
	expect(*state, NETWORK, "", &s, VERDICT_MAPPED, "address", "alice@example.com");
}

static void a_name_with_more_than_one_realm_is_refused(void **state)
{
	static const char *const users[] = {"alice@a@b", "A\\B\\alice", "CORP\\alice@corp", "@corp",
		"alice @corp", "CORP\\", "CORP\\-o", "../x@corp"};

	for (size_t i = 0; i < ARRAY_SIZE(users); i++) {
		struct sighting s = network(users[i]);

		expect(*state, NETWORK, "", &s, VERDICT_UNMAPPED, "template", "No address for ");
	}
}

static void a_network_user_counts_only_where_the_settings_say_so(void **state)
{
	struct sighting s = network("alice@corp");

	expect(*state, USUAL, "", &s, VERDICT_EXCLUDED, "network_users", "network_users = no");
}

static void rules_know_a_network_user_with_and_without_the_realm(void **state)
{
	struct sighting s = network("Mallory@corp");

	expect(*state, NETWORK, "", &s, VERDICT_EXCLUDED, "exclude_users", "exclude_users");
	expect(*state, "[people]\nnetwork_users = yes\nexclude_users = *@corp\n", "", &s,
		VERDICT_EXCLUDED, "exclude_users", "exclude_users");
	s = network("CORP\\administrator");
	expect(*state, NETWORK, "", &s, VERDICT_EXCLUDED, "reserved_name", "shared name");
	s = network("alice@corp");
	expect(*state, NETWORK, "alice@corp a1@example.com\nalice a2@example.com\n", &s,
		VERDICT_MAPPED, "map", "a1@example.com");
	expect(*state, NETWORK, "corp\\alice a1@example.com\nalice a2@example.com\n", &s,
		VERDICT_MAPPED, "map", "a2@example.com");
	expect(*state, NETWORK, "alice -\n", &s, VERDICT_EXCLUDED, "map", "never");
}

/* ---- policy ---- */

static void a_uid_outside_the_range_is_excluded(void **state)
{
	static const struct {
		int64_t uid;
		bool in;
	} uids[] = {{-1, false}, {0, false}, {999, false}, {1000, true}, {60000, true},
		{60001, false}, {4294967295, false}};

	for (size_t i = 0; i < ARRAY_SIZE(uids); i++) {
		struct sighting s = alice;

		s.uid = uids[i].uid;
		if (uids[i].in)
			expect(*state, USUAL, "", &s, VERDICT_MAPPED, "address", "alice");
		else
			expect(*state, USUAL, "", &s, VERDICT_EXCLUDED, "uid_range", "uid");
	}
	struct sighting s = network("alice");
	s.uid = 999999;
	expect(*state, NETWORK, "", &s, VERDICT_MAPPED, "address", "alice@example.com");
}

static void a_shell_that_allows_no_login_excludes(void **state)
{
	static const char *const shells[] = {
		"/usr/sbin/nologin", "/sbin/nologin", "/bin/false", "nologin", "/opt/x/nologin"};
	struct sighting s = alice;

	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		str_copy(s.shell, sizeof(s.shell), shells[i]);
		expect(*state, USUAL, "", &s, VERDICT_EXCLUDED, "shell", shells[i]);
	}
	str_copy(s.shell, sizeof(s.shell), "");
	expect(*state, USUAL, "", &s, VERDICT_MAPPED, "address", "alice@example.com");
	str_copy(s.shell, sizeof(s.shell), "/bin/falsehood");
	expect(*state, USUAL, "", &s, VERDICT_MAPPED, "address", "alice@example.com");
}

static void a_reserved_name_is_excluded_unless_allowed(void **state)
{
	struct sighting s = named("Ubuntu");

	expect(*state, USUAL, "", &s, VERDICT_EXCLUDED, "reserved_name", "cloud image");
	expect(*state, USUAL "allow_reserved_names = ubuntu\n", "", &s, VERDICT_MAPPED, "address",
		"ubuntu@example.com");
	expect(*state, USUAL, "ubuntu mark@example.com\n", &s, VERDICT_EXCLUDED, "reserved_name",
		"allow_reserved_names");
	expect(*state, USUAL "allow_reserved_names = ubuntu\n", "ubuntu mark@example.com\n", &s,
		VERDICT_MAPPED, "map", "mark@example.com");
	/* It is a list of exceptions, not of the only users that are allowed. */
	expect(*state, USUAL "allow_reserved_names = ubuntu mallory\n", "", &alice, VERDICT_MAPPED,
		"address", "alice@example.com");
	s = named("mallory");
	expect(*state, USUAL "allow_reserved_names = ubuntu mallory\n", "", &s, VERDICT_EXCLUDED,
		"exclude_users", "mallory");
}

static void exclude_users_excludes_with_wildcards_and_in_any_case(void **state)
{
	struct sighting s = named("MALLORY");

	expect(*state, USUAL, "", &s, VERDICT_EXCLUDED, "exclude_users", "MALLORY");
	s = named("svc-x");
	expect(*state, USUAL, "", &s, VERDICT_EXCLUDED, "exclude_users", "svc-x");
	s = named("mallory2");
	expect(*state, USUAL, "", &s, VERDICT_MAPPED, "address", "mallory2@example.com");
}

static void groups_let_in_and_keep_out(void **state)
{
	struct sighting s = alice;

	expect(*state, USUAL "include_groups = staff dev-*\n", "", &s, VERDICT_EXCLUDED,
		"include_groups", "staff dev-*");
	str_copy(s.groups, sizeof(s.groups), "dev-web other");
	expect(*state, USUAL "include_groups = staff dev-*\n", "", &s, VERDICT_MAPPED, "address",
		"alice@example.com");
	str_copy(s.groups, sizeof(s.groups), "dev-web no-cloudinvite staff");
	expect(*state, USUAL "include_groups = staff dev-*\n", "", &s, VERDICT_EXCLUDED,
		"exclude_groups", "the group no-cloudinvite");
	expect(*state, USUAL "exclude_groups =\n", "", &s, VERDICT_MAPPED, "address",
		"alice@example.com");
	str_copy(s.groups, sizeof(s.groups), "no-cloudinviteX");
	expect(*state, USUAL, "", &s, VERDICT_MAPPED, "address", "alice@example.com");
}

static void names_of_os_login_hold_the_domain(void **state)
{
#define OS_LOGIN                                                                             \
	"[people]\naddress = {oslogin}@my-firm.example.com\ndomains = my-firm.example.com\n" \
	"network_users = yes\n"
	struct sighting s = named("carol_my-firm_example_com");

	s.local = false;
	s.uid = 2000000001;
	expect(*state, OS_LOGIN, "", &s, VERDICT_MAPPED, "address", "carol@my-firm.example.com");
	str_copy(s.user, sizeof(s.user), "Carol_My-Firm_example_com");
	expect(*state, OS_LOGIN, "", &s, VERDICT_MAPPED, "address", "carol@my-firm.example.com");
	str_copy(s.user, sizeof(s.user), "carol_smith_my-firm_example_com");
	expect(*state, OS_LOGIN, "", &s, VERDICT_UNMAPPED, "template", "may be a dot");
	expect(*state, OS_LOGIN,
		"carol_smith_my-firm_example_com carol.smith@my-firm.example.com\n", &s,
		VERDICT_MAPPED, "map", "carol.smith@my-firm.example.com");
	str_copy(s.user, sizeof(s.user), "ext_x_gmail_com");
	expect(*state, OS_LOGIN, "", &s, VERDICT_UNMAPPED, "template", "another organisation");
	str_copy(s.user, sizeof(s.user), "ext_x_my-firm_example_com");
	expect(*state, OS_LOGIN, "", &s, VERDICT_UNMAPPED, "template", "another organisation");
	str_copy(s.user, sizeof(s.user), "carol_example_com");
	expect(*state, OS_LOGIN, "", &s, VERDICT_UNMAPPED, "template", "does not end with the");
	str_copy(s.user, sizeof(s.user), "_my-firm_example_com");
	expect(*state, OS_LOGIN, "", &s, VERDICT_UNMAPPED, "template", "does not end with the");
	str_copy(s.user, sizeof(s.user), "sa_104567890123456789012");
	expect(*state, OS_LOGIN, "", &s, VERDICT_EXCLUDED, "reserved_name", "machine account");
	expect(*state, USUAL "network_users = yes\n", "", &s, VERDICT_EXCLUDED, "reserved_name",
		"machine account");
}

static void a_group_with_a_blank_in_its_name_can_be_named(void **state)
{
	static const char *const excludes[] = {"exclude_groups = \"domain guests\"\n",
		"exclude_groups = x \"domain guests\",y\n", "exclude_groups = domain?guests\n",
		"exclude_groups = \"domain *\"\n"};
	struct sighting s = alice;

	str_copy(s.groups, sizeof(s.groups), "\"domain guests\" staff");
	for (size_t i = 0; i < ARRAY_SIZE(excludes); i++) {
		char settings[512];

		str_format(settings, sizeof(settings), USUAL "%s", excludes[i]);
		expect(*state, settings, "", &s, VERDICT_EXCLUDED, "exclude_groups",
			"the group domain guests");
	}
	expect(*state, USUAL "include_groups = \"domain guests\"\n", "", &s, VERDICT_MAPPED,
		"address", "alice@example.com");
	expect(*state, USUAL "exclude_groups = domain guests\n", "", &s, VERDICT_MAPPED, "address",
		"alice@example.com");
}

static void unknown_groups_exclude(void **state)
{
	struct sighting s = alice;

	str_copy(s.groups, sizeof(s.groups), SIGHTING_GROUPS_UNKNOWN);
	expect(*state, USUAL, "", &s, VERDICT_EXCLUDED, "groups_unknown", "group file");
	s.local = false;
	expect(*state, USUAL "network_users = yes\n", "", &s, VERDICT_EXCLUDED, "groups_unknown",
		"id alice");
	s.local = true;
	expect(*state, USUAL "include_groups = *\n", "", &s, VERDICT_EXCLUDED, "groups_unknown",
		"web1");
}

static void policy_counts_for_people_in_the_map(void **state)
{
	struct sighting s = alice;

	s.uid = 33;
	expect(*state, USUAL, "alice a@example.com\n", &s, VERDICT_EXCLUDED, "uid_range", "33");
	s = named("mallory");
	expect(*state, USUAL, "mallory m@example.com\n", &s, VERDICT_EXCLUDED, "exclude_users", "");
}

/* An administrator is not told to map a daemon. */
static void a_person_who_is_excluded_is_not_called_unmapped(void **state)
{
	struct sighting s = named("www-data%x");

	s.uid = 33;
	expect(*state, USUAL, "", &s, VERDICT_EXCLUDED, "uid_range", "");
}

/* ---- words and rules ---- */

static void verdicts_have_words(void **state)
{
	enum verdict_kind kind = VERDICT_NONE;

	(void)state;
	for (unsigned i = VERDICT_NONE; i <= VERDICT_COLLISION; i++) {
		assert_true(verdict_parse(verdict_word((enum verdict_kind)i), &kind));
		assert_int_equal(kind, i);
	}
	assert_string_equal(verdict_word(VERDICT_FOREIGN_DOMAIN), "foreign_domain");
	assert_false(verdict_parse("Mapped", &kind));
}

static uint64_t rules(struct folder *f, const char *settings, const char *map)
{
	struct evaluator e = evaluator_new(f, settings, map);
	uint64_t number = rules_fingerprint(e.settings, e.map);

	evaluator_free(&e);
	return number;
}

static void the_rules_number_changes_with_every_rule_and_with_nothing_else(void **state)
{
	static const char *const changed[] = {"address = {user}@example.org\n",
		"domains = example.com\n", "map = /etc/other\n", "min_uid = 500\n",
		"max_uid = 500000\n", "network_users = yes\n", "allow_reserved_names = admin\n",
		"exclude_users = bob\n", "include_groups = staff\n", "exclude_groups = staff\n",
		"gecos = yes\n"};
	uint64_t usual = rules(*state, "[people]\n", "alice a@example.com\n");
	char text[256];

	for (size_t i = 0; i < ARRAY_SIZE(changed); i++) {
		str_format(text, sizeof(text), "[people]\n%s", changed[i]);
		assert_true(rules(*state, text, "alice a@example.com\n") != usual);
	}
	assert_true(rules(*state, "[people]\n", "alice b@example.com\n") != usual);
	assert_true(rules(*state, "[people]\n", "web:alice a@example.com\n") != usual);
	assert_true(rules(*state, "[people]\n", "") != usual);
	assert_true(rules(*state, "[people]\nallow_reserved_names = a\nexclude_users = b\n", "") !=
		    rules(*state, "[people]\nallow_reserved_names = b\nexclude_users = a\n", ""));
	assert_true(rules(*state, "[invitations]\nmode = send\n[google]\nparallel = 3\n",
			    "# comment\nalice   a@example.com\n") == usual);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_template_makes_the_address),
		TEST(the_map_counts_before_the_template),
		TEST(never_in_the_map_excludes),
		TEST(an_address_on_another_domain_is_foreign),
		TEST(without_template_and_map_line_no_user_is_mapped),
		TEST(full_names_make_addresses_if_gecos_is_trusted),
		TEST(a_full_name_that_would_have_to_be_guessed_suggests_the_map),
		TEST(a_hostile_user_name_gets_no_address),
		TEST(a_name_of_256_bytes_gets_no_address),
		TEST(a_plus_in_a_name_stays_a_plus),
		TEST(a_hostile_name_is_harmless_in_the_sentence),
		TEST(a_network_user_is_named_without_the_realm),
		TEST(a_name_with_more_than_one_realm_is_refused),
		TEST(a_network_user_counts_only_where_the_settings_say_so),
		TEST(rules_know_a_network_user_with_and_without_the_realm),
		TEST(a_uid_outside_the_range_is_excluded),
		TEST(a_shell_that_allows_no_login_excludes),
		TEST(a_reserved_name_is_excluded_unless_allowed),
		TEST(exclude_users_excludes_with_wildcards_and_in_any_case),
		TEST(groups_let_in_and_keep_out),
		TEST(names_of_os_login_hold_the_domain),
		TEST(a_group_with_a_blank_in_its_name_can_be_named),
		TEST(unknown_groups_exclude),
		TEST(policy_counts_for_people_in_the_map),
		TEST(a_person_who_is_excluded_is_not_called_unmapped),
		TEST(verdicts_have_words),
		TEST(the_rules_number_changes_with_every_rule_and_with_nothing_else),
	};

	return cmocka_run_group_tests_name("people", tests, NULL, NULL);
}
