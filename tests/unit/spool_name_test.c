/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in the spool: every user has one, no name means two things, none leaves the directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spool/spool.h"

static void check_round_trip(const char *user)
{
	char name[SPOOL_NAME_MAX + 1], again[SPOOL_USER_MAX + 1];
	enum spool_reason reason;

	assert_true(spool_mark_name(name, user));
	assert_true(name[0] != '.' && name[0] != '\0');
	assert_null(strchr(name, '/'));
	for (const char *p = name; *p; p++)
		assert_true(*p > ' ' && *p < 0x7f);
	assert_true(spool_parse_mark(name, again));
	assert_string_equal(again, user);
	for (int r = SPOOL_LOGIN; r <= SPOOL_ASKED; r++) {
		if (!spool_arrival_name(name, user, (enum spool_reason)r))
			continue;
		assert_true(spool_parse_arrival(name, again, &reason));
		assert_string_equal(again, user);
		assert_int_equal(reason, r);
	}
}

static void every_byte_goes_there_and_back(void **state)
{
	char user[8];

	(void)state;
	for (int c = 1; c < 256; c++) {
		for (int where = 0; where < 3; where++) {
			memcpy(user, "ab", 3);
			user[where] = (char)c;
			user[where == 2 ? 3 : 2] = '\0';
			check_round_trip(user);
		}
	}
}

static void hostile_users_go_there_and_back(void **state)
{
	static const char *const users[] = {"..", ".", "...", ".ledger", ".mark", "a.login",
		"a.login.login", "alice.deleted", "%", "%%", "%2E", "%41lice", "a%", "a%4", "-rf",
		"--", "~", "$(id)", "`id`", "a;b", "a b", "a\nb", "\n", "a\r\nBcc: x",
		"../../etc/passwd", "/", "/etc/passwd", "a/../b", "\xff", "\xc3\xa4", "*", "?",
		"user@REALM.EXAMPLE", "DOMAIN\\user", "\x7f", "\x1b[2J"};

	(void)state;
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++)
		check_round_trip(users[i]);
}

static void random_users_have_names_of_their_own(void **state)
{
	char user[24], other[24], name[SPOOL_NAME_MAX + 1], another[SPOOL_NAME_MAX + 1];

	(void)state;
	srandom(20261123);
	for (int i = 0; i < 20000; i++) {
		size_t n = 1 + (size_t)random() % 20;

		for (size_t at = 0; at < n; at++)
			user[at] = (char)(1 + random() % 255);
		user[n] = '\0';
		check_round_trip(user);
		memcpy(other, user, n + 1);
		other[(size_t)random() % n] ^= 1;
		if (!other[0] || strlen(other) != n || strcmp(user, other) == 0)
			continue;
		assert_true(spool_mark_name(name, user) && spool_mark_name(another, other));
		assert_string_not_equal(name, another);
	}
}

static void names_read_as_the_design_says(void **state)
{
	static const struct {
		const char *user, *name;
	} cases[] = {
		{"alice", "alice.login"},
		{"bob.b", "bob.b.login"},
		{".hidden", "%2Ehidden.login"},
		{"..", "%2E..login"},
		{"a%b", "a%25b.login"},
		{"a/b", "a%2Fb.login"},
		{"a\nb", "a%0Ab.login"},
		{"\xc3\xa4", "%C3%A4.login"},
		{"A_z-9", "A_z-9.login"},
		{"x.login", "x.login.login"},
	};
	char name[SPOOL_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(spool_arrival_name(name, cases[i].user, SPOOL_LOGIN));
		assert_string_equal(name, cases[i].name);
	}
}

/* 160 bytes are the most; what is longer has no name at all, rather than a shared one. */
static void too_long_or_empty_users_have_no_name(void **state)
{
	char user[400], name[SPOOL_NAME_MAX + 1];

	(void)state;
	assert_false(spool_mark_name(name, ""));
	assert_false(spool_arrival_name(name, "", SPOOL_LOGIN));
	for (size_t n = 1; n < sizeof(user); n++) {
		memset(user, 'a', n);
		user[n] = '\0';
		assert_int_equal(spool_mark_name(name, user), n <= 160);
		assert_int_equal(spool_arrival_name(name, user, SPOOL_LOGIN), n <= 160 - 6);
		assert_int_equal(spool_arrival_name(name, user, SPOOL_DELETED), n <= 160 - 8);
		memset(user, '/', n);
		assert_int_equal(spool_mark_name(name, user), n <= 160 / 3);
	}
}

static void only_names_that_we_would_write_are_read(void **state)
{
	static const char *const bad[] = {"", ".", "..", ".login", "login", "alice", "alice.",
		"alice.logout", "alice.Login", "alice.login ", "alice.login.", "alice.login~",
		".alice.login", "..login", "...login", "a%2f.login", "a%2F%.login", "a%2.login",
		"a%.login", "%61lice.login", "a%2D.login", "a%2Eb.login", "a%5F.login", "%00.login",
		"a%00b.login", "a b.login", "a/b.login", "\xc3\xa4.login", "a\nb.login",
		"%2e.login", "alice%.login", "alice.loginlogin", "%.login"};
	char user[SPOOL_USER_MAX + 1], name[400];
	enum spool_reason reason;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (spool_parse_arrival(bad[i], user, &reason))
			fail_msg("'%s' was taken as an arrival of '%s'", bad[i], user);
	assert_false(spool_parse_mark("", user));
	assert_false(spool_parse_mark(".ledger", user));
	assert_false(spool_parse_mark(".mark", user));
	assert_false(spool_parse_mark("%2", user));
	assert_false(spool_parse_mark("a%2f", user));
	memset(name, 'a', sizeof(name));
	memcpy(name + 161 - 6, ".login", 7);
	assert_false(spool_parse_arrival(name, user, &reason));
	memcpy(name + 160 - 6, ".login", 7);
	assert_true(spool_parse_arrival(name, user, &reason));
	memset(name, 'a', 161);
	name[161] = '\0';
	assert_false(spool_parse_mark(name, user));
}

/* Whatever a directory may hold: it is refused, or it is what its user's name would be. */
static void any_name_is_refused_or_canonical(void **state)
{
	static const char letters[] = "%2E0aAfF./\n\xc3-_login";
	char name[64], user[SPOOL_USER_MAX + 1], again[SPOOL_NAME_MAX + 1];
	enum spool_reason reason;
	int taken = 0;

	(void)state;
	srandom(4711);
	for (int i = 0; i < 200000; i++) {
		size_t n = (size_t)random() % 10;

		for (size_t at = 0; at < n; at++)
			name[at] = letters[(size_t)random() % (sizeof(letters) - 1)];
		memcpy(name + n, ".login", 7);
		if (random() % 4 == 0)
			name[n] = '\0';
		if (spool_parse_arrival(name, user, &reason)) {
			assert_true(spool_arrival_name(again, user, reason));
			assert_string_equal(again, name);
			taken++;
		}
		if (spool_parse_mark(name, user)) {
			assert_true(spool_mark_name(again, user));
			assert_string_equal(again, name);
		}
	}
	assert_true(taken > 100);
}

static void reasons_have_words(void **state)
{
	enum spool_reason reason;

	(void)state;
	for (int r = SPOOL_LOGIN; r <= SPOOL_ASKED; r++) {
		assert_true(spool_reason_parse(spool_reason_word((enum spool_reason)r), &reason));
		assert_int_equal(reason, r);
	}
	assert_string_equal(spool_reason_word(SPOOL_CREATED), "created");
	assert_false(spool_reason_parse("", &reason));
	assert_false(spool_reason_parse("Login", &reason));
	assert_false(spool_reason_parse("logins", &reason));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_goes_there_and_back),
		cmocka_unit_test(hostile_users_go_there_and_back),
		cmocka_unit_test(random_users_have_names_of_their_own),
		cmocka_unit_test(names_read_as_the_design_says),
		cmocka_unit_test(too_long_or_empty_users_have_no_name),
		cmocka_unit_test(only_names_that_we_would_write_are_read),
		cmocka_unit_test(any_name_is_refused_or_canonical),
		cmocka_unit_test(reasons_have_words),
	};

	return cmocka_run_group_tests_name("spool names", tests, NULL, NULL);
}
