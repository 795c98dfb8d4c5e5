/* SPDX-License-Identifier: Apache-2.0 */
/* The URI of a key in a token: which URIs are accepted, what messages show, where the PIN is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/array.h"
#include "base/strbuf.h"
#include "google/auth/hsm/hsm_uri.h"

#define TOKEN	"pkcs11:token=cloudinvite;object=inviter"
#define PRIVATE TOKEN ";type=private"

/* ---- without and with a PIN ---- */

static void expect_bare(const char *uri, const char *bare)
{
	struct strbuf out = {0};

	assert_true(hsm_uri_bare(uri, &out));
	assert_string_equal(out.data, bare);
	strbuf_free(&out);
}

static void bare_has_no_pin(void **state)
{
	(void)state;
	expect_bare(TOKEN "?pin-value=1234", TOKEN);
	expect_bare(TOKEN "?pin-source=file:/etc/pin", TOKEN);
	expect_bare("pkcs11:pin-value=1234;token=cloudinvite;object=inviter", TOKEN);
	expect_bare("pkcs11:token=cloudinvite;pin-value=1234;object=inviter?pin-value=5", TOKEN);
	expect_bare("handle:0x81000001", "handle:0x81000001");
}

static void bare_is_the_same_for_all_ways_to_write_one_key(void **state)
{
	(void)state;
	expect_bare("pkcs11:object=inviter;token=%63loudinvite", TOKEN);
	expect_bare("pkcs11:token=no;token=cloudinvite;object=inviter", TOKEN);
}

static void expect_uri(const char *uri, const char *pin, const char *expected)
{
	struct strbuf out = {0};

	assert_true(hsm_uri_with_pin(uri, pin, &out));
	assert_string_equal(out.data, expected);
	strbuf_free(&out);
}

static void with_pin_names_the_private_key_and_has_only_that_pin(void **state)
{
	(void)state;
	expect_uri(TOKEN, "", PRIVATE);
	expect_uri(PRIVATE "?pin-source=file:/etc/pin", "12 a", PRIVATE "?pin-value=12%20a");
	expect_uri(
		"pkcs11:pin-value=9;token=cloudinvite;object=inviter", "1", PRIVATE "?pin-value=1");
	expect_uri("handle:0x81000001", "", "handle:0x81000001");
}

static void with_pin_encodes_whatever_is_in_a_pin(void **state)
{
	struct strbuf out = {0}, back = {0};

	(void)state;
	assert_true(hsm_uri_with_pin(TOKEN, "a;&?=% ü", &out));
	assert_true(hsm_uri_pin_value(out.data, &back));
	assert_string_equal(back.data, "a;&?=% ü");
	strbuf_free(&out);
	strbuf_free(&back);
}

/* ---- where the PIN is ---- */

static void expect_file(const char *source, bool known, const char *expected)
{
	char uri[256], path[64];

	assert_true((size_t)snprintf(uri, sizeof(uri), TOKEN "%s", source) < sizeof(uri));
	assert_int_equal(hsm_uri_pin_file(uri, path, sizeof(path)), known);
	if (known)
		assert_string_equal(path, expected);
}

static void pin_file_is_a_path_or_passed_by_systemd(void **state)
{
	(void)state;
	expect_file("?pin-source=file:/etc/pin", true, "/etc/pin");
	expect_file("?pin-source=file:///etc/pin", true, "/etc/pin");
	expect_file("?pin-source=%2Fetc%2Fpin", true, "/etc/pin");
	expect_file("", true, "");
	expect_file("?pin-value=1", true, "");
	unsetenv("CREDENTIALS_DIRECTORY");
	expect_file("?pin-source=systemd:pin", false, NULL);
	setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
	expect_file("?pin-source=systemd:pin", true, "/run/credentials/x/pin");
	expect_file("?pin-source=systemd:../x", false, NULL);
	unsetenv("CREDENTIALS_DIRECTORY");
}

/* ---- accepted values ---- */

static void expect_wrong(const char *uri, const char *what)
{
	const char *remedy = NULL, *wrong = hsm_key_reader.wrong(uri, &remedy);

	assert_non_null(wrong);
	if (!strstr(wrong, what))
		fail_msg("%s: '%s' is not in '%s'", uri, what, wrong);
	assert_true(remedy && strlen(remedy) > 10);
}

static void a_uri_names_one_key_of_one_token_and_no_program(void **state)
{
	const char *remedy;

	(void)state;
	assert_null(hsm_key_reader.wrong(TOKEN, &remedy));
	assert_null(hsm_key_reader.wrong("pkcs11:serial=1;id=%01;type=private", &remedy));
	assert_null(hsm_key_reader.wrong(TOKEN "?pin-source=systemd:pin", &remedy));
	expect_wrong("pkcs11:object=inviter?pin-value=1", "the PIN could go to any");
	expect_wrong("pkcs11:token=cloudinvite", "a key of the token");
	expect_wrong(TOKEN ";type=public", "does not name a private key");
	expect_wrong(TOKEN "?pin-value=1&pin-source=/etc/pin", "pin-value and pin-source");
	expect_wrong(TOKEN "?pin-source=|/bin/ask", "has a pin-source that is not a file");
	expect_wrong(TOKEN "?pin-source=%7C/bin/ask", "has a pin-source that is not a file");
	expect_wrong(TOKEN "?module-path=/tmp/evil.so", "names a module");
	expect_wrong(TOKEN "?module-name=evil", "names a module");
}

static void a_uri_that_p11_kit_does_not_understand_is_refused(void **state)
{
	static const char *const uris[] = {"pkcs11:token=%;object=a", "pkcs11:token=%4;object=a",
		"pkcs11:token=%zz;object=a", "pkcs11:token", "pkcs11:my-token=a;token=a;object=a",
		"pkcs11:token=a;object=b;type=bogus", "pkcs11:token=a;object=b;module-path=/x",
		"pkcs11:token=a-label-of-more-than-32-characters;object=a"};
	struct strbuf out = {0};
	char path[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(uris); i++) {
		expect_wrong(uris[i], "is not a PKCS#11 URI");
		assert_null(hsm_uri_parse(uris[i]));
		assert_false(hsm_uri_bare(uris[i], &out));
		assert_false(hsm_uri_with_pin(uris[i], "1", &out));
		assert_false(hsm_uri_pin_value(uris[i], &out));
		assert_false(hsm_uri_pin_file(uris[i], path, sizeof(path)));
	}
	assert_int_equal(out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bare_has_no_pin),
		cmocka_unit_test(bare_is_the_same_for_all_ways_to_write_one_key),
		cmocka_unit_test(with_pin_names_the_private_key_and_has_only_that_pin),
		cmocka_unit_test(with_pin_encodes_whatever_is_in_a_pin),
		cmocka_unit_test(pin_file_is_a_path_or_passed_by_systemd),
		cmocka_unit_test(a_uri_names_one_key_of_one_token_and_no_program),
		cmocka_unit_test(a_uri_that_p11_kit_does_not_understand_is_refused),
	};

	return cmocka_run_group_tests_name("google: HSM URI", tests, NULL, NULL);
}
