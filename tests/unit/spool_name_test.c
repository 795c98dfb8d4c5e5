/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in the spool: every user has exactly one, and none of them leads out of its directory.
 */
#include "base/str.h"
#include "tests/unit/folder.h"

#include <stdbool.h>

#include "base/array.h"
#include "spool/spool.h"

/* A name is safe as one component of a path, for a shell, and on a terminal. */
static void expect_safe(const char *name)
{
	assert_true(strlen(name) >= 1 && strlen(name) <= SPOOL_NAME_MAX);
	assert_int_not_equal(name[0], '.');
	for (const char *at = name; *at; at++)
		assert_true(ascii_is_alnum(*at) || strchr("._-%", *at));
}

/* There and back, as a marker and as every arrival. */
static void expect_round_trip(const char *user)
{
	char name[SPOOL_NAME_MAX + 1], back[SPOOL_USER_MAX + 1];
	enum trigger trigger;

	assert_true(spool_mark_name(name, user));
	expect_safe(name);
	assert_true(spool_parse_mark(name, back));
	assert_string_equal(back, user);
	for (int r = TRIGGER_LOGIN; r <= TRIGGER_DELETED; r++) {
		assert_true(spool_arrival_name(name, user, (enum trigger)r));
		expect_safe(name);
		assert_true(spool_parse_arrival(name, back, &trigger));
		assert_string_equal(back, user);
		assert_int_equal(trigger, r);
	}
}

/* ---- round trips ---- */

static void ordinary_names_stay_readable(void **state)
{
	static const char *const names[] = {
		"alice", "Alice", "bob.b", "svc-web_1", "a", "-rf", "_x", "x.", "a..b", "0"};
	char name[SPOOL_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_true(spool_mark_name(name, names[i]));
		assert_string_equal(name, names[i]);
		expect_round_trip(names[i]);
	}
	assert_true(spool_arrival_name(name, "bob.b", TRIGGER_CREATED));
	assert_string_equal(name, "bob.b.created");
}

static void other_bytes_are_escaped_as_the_design_says(void **state)
{
	static const struct {
		const char *user, *name;
	} cases[] = {
		{"..", "%2E..login"},
		{".hidden", "%2Ehidden.login"},
		{"a%b", "a%25b.login"},
		{"a/b", "a%2Fb.login"},
		{"a\nb", "a%0Ab.login"},
		{"\xc3\xa4", "%C3%A4.login"},
		{"x.login", "x.login.login"},
	};
	char name[SPOOL_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(spool_arrival_name(name, cases[i].user, TRIGGER_LOGIN));
		assert_string_equal(name, cases[i].name);
	}
}

static void every_byte_at_every_place_comes_back(void **state)
{
	char user[] = "abc";

	(void)state;
	for (int byte = 1; byte < 256; byte++) {
		for (size_t at = 0; at < 3; at++) {
			str_copy(user, sizeof(user), "abc");
			user[at] = (char)byte;
			expect_round_trip(user);
		}
		expect_round_trip((const char[]){(char)byte, '\0'});
	}
}

static void hostile_names_come_back(void **state)
{
	static const char *const names[] = {"..", ".", "...", "../../etc/passwd", "/", ".ledger",
		".mark", "alice.login", "alice.login.created", ".login", "%", "%%", "%2E", "%00",
		"%41lice", "a\nb", "a\r\nBcc: x@y", "\033]0;x\007", "a b", "--help", "a;reboot",
		"$(id)", "`id`", "*", "alice@evil.com", "DOMAIN\\alice", "\xc3\xa4lfred",
		"\xff\xfe", "\xf0\x9f\x90\xa7", "a:b", "login", "created"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect_round_trip(names[i]);
}

static void random_names_come_back(void **state)
{
	unsigned seed = 20261123;
	char user[54];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t n = 1 + (size_t)(rand_r(&seed) % 50);

		for (size_t i = 0; i < n; i++)
			user[i] = (char)(1 + rand_r(&seed) % 255);
		user[n] = '\0';
		expect_round_trip(user);
	}
}

/* ---- length ---- */

static void what_does_not_fit_has_no_name(void **state)
{
	char name[SPOOL_NAME_MAX + 1], user[300];

	(void)state;
	assert_false(spool_mark_name(name, ""));
	assert_false(spool_arrival_name(name, "", TRIGGER_LOGIN));
	memset(user, 'a', sizeof(user));
	for (size_t n = 150; n < sizeof(user); n++) {
		char after = user[n];

		user[n] = '\0';
		assert_int_equal(spool_mark_name(name, user), n <= 160);
		assert_int_equal(spool_arrival_name(name, user, TRIGGER_LOGIN), n <= 160 - 6);
		assert_int_equal(spool_arrival_name(name, user, TRIGGER_CREATED), n <= 160 - 8);
		user[n] = after;
	}
	memset(user, '/', sizeof(user));
	for (size_t n = 40; n < 70; n++) {
		user[n] = '\0';
		assert_int_equal(spool_mark_name(name, user), n <= 53);
		assert_int_equal(spool_arrival_name(name, user, TRIGGER_MANUAL), n <= 51);
		user[n] = '/';
	}
}

/* ---- only written names are read ---- */

static void only_the_one_name_of_a_user_is_read(void **state)
{
	static const char *const names[] = {
		"",		  /* no user */
		".login",	  /* no user */
		"alice",	  /* no trigger */
		"alice.",	  /* no trigger */
		"alice.logout",	  /* not a trigger */
		"alice.Login",	  /* triggers are lower case */
		"alice.login ",	  /* a blank */
		"alice.login\n",  /* a newline */
		"alice.login.",	  /* an editor's file */
		"alice.login~",	  /* an editor's file */
		"%61lice.login",  /* a letter is not escaped */
		"a%2Eb.login",	  /* nor a dot inside */
		"%2f.login",	  /* lower-case hex */
		"%2F%2f.login",	  /* lower-case hex */
		".alice.login",	  /* a first dot is escaped */
		"..login",	  /* a first dot is escaped */
		"a/b.login",	  /* so is a slash */
		"a b.login",	  /* and a blank */
		"\xc3\xa4.login", /* and every byte beyond ASCII */
		"%.login",	  /* cut */
		"%4.login",	  /* cut */
		"a%2.login",	  /* cut */
		"%zz.login",	  /* not hex */
		"% 1.login",	  /* not hex */
		"%+1.login",	  /* not hex */
		"%00.login",	  /* NUL would end the name */
		"a%00b.login",	  /* NUL would end the name */
	};
	char user[SPOOL_USER_MAX + 1];
	enum trigger trigger;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_false(spool_parse_arrival(names[i], user, &trigger));
}

static void no_name_that_is_too_long_is_read(void **state)
{
	char name[300], user[SPOOL_USER_MAX + 1];
	enum trigger trigger;

	(void)state;
	for (size_t n = 155; n < 260; n++) {
		memset(name, 'a', n);
		name[n] = '\0';
		assert_int_equal(spool_parse_mark(name, user), n <= 160);
		memcpy(name + n - 6, ".login", 6);
		assert_int_equal(spool_parse_arrival(name, user, &trigger), n <= 160);
		for (size_t i = 0; i + 3 <= n; i += 3)
			memcpy(name + i, "%2F", 3);
		name[n - n % 3] = '\0';
		assert_int_equal(spool_parse_mark(name, user), strlen(name) <= 160);
	}
}

/* All names of up to five characters of this alphabet: a name that can be read is written the same
 * way. */
static void no_two_names_mean_one_user(void **state)
{
	static const char alphabet[] = "a.%2Ee/0F";
	const size_t letters = sizeof(alphabet) - 1;
	char name[6], user[SPOOL_USER_MAX + 1], again[SPOOL_NAME_MAX + 1];
	size_t read = 0;

	(void)state;
	for (size_t n = 1, all = letters; n <= 5; n++, all *= letters) {
		for (size_t number = 0; number < all; number++) {
			size_t rest = number;

			for (size_t i = 0; i < n; i++, rest /= letters)
				name[i] = alphabet[rest % letters];
			name[n] = '\0';
			if (!spool_parse_mark(name, user))
				continue;
			read++;
			assert_true(spool_mark_name(again, user));
			assert_string_equal(again, name);
		}
	}
	assert_true(read > 1000);
}

static void reasons_are_four_words(void **state)
{
	static const char *const words[] = {"login", "created", "manual", "deleted"};
	enum trigger trigger = TRIGGER_MANUAL;

	(void)state;
	for (int r = TRIGGER_LOGIN; r <= TRIGGER_MANUAL; r++) {
		assert_string_equal(trigger_word((enum trigger)r), words[r]);
		assert_true(trigger_parse(words[r], &trigger));
		assert_int_equal(trigger, r);
	}
	assert_false(trigger_parse("", &trigger));
	assert_false(trigger_parse("log", &trigger));
	assert_false(trigger_parse("logins", &trigger));
}

static void an_arrival_of_an_earlier_version_is_read(void **state)
{
	char user[SPOOL_USER_MAX + 1];
	enum trigger trigger = TRIGGER_LOGIN;

	(void)state;
	assert_true(spool_parse_arrival("a%2Fb.asked", user, &trigger));
	assert_string_equal(user, "a/b");
	assert_int_equal(trigger, TRIGGER_MANUAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_names_stay_readable),
		cmocka_unit_test(other_bytes_are_escaped_as_the_design_says),
		cmocka_unit_test(every_byte_at_every_place_comes_back),
		cmocka_unit_test(hostile_names_come_back),
		cmocka_unit_test(random_names_come_back),
		cmocka_unit_test(what_does_not_fit_has_no_name),
		cmocka_unit_test(only_the_one_name_of_a_user_is_read),
		cmocka_unit_test(no_name_that_is_too_long_is_read),
		cmocka_unit_test(no_two_names_mean_one_user),
		cmocka_unit_test(reasons_are_four_words),
		cmocka_unit_test(an_arrival_of_an_earlier_version_is_read),
	};

	return cmocka_run_group_tests_name("spool: names", tests, NULL, NULL);
}
