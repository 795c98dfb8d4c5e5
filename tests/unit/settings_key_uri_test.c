/* SPDX-License-Identifier: Apache-2.0 */
/* The value of `key`, and the keys that must accompany it. */
#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "folder.h"

#include "settings/key_uri.h"

#define TOKEN "pkcs11:token=cloudinvite;object=inviter"
#define HALF  "[google]\ncustomer = C01234567\nsubject = admin@example.com\n"
#define REST  "[people]\naddress = {user}@example.com\ndomains = example.com\n"
#define OWNER "service_account = inviter@p.iam.gserviceaccount.com\nkey_id = f00d\n"

/* ---- parsing ---- */

static void expect_attribute(const char *uri, const char *name, const char *value)
{
	char out[64];

	assert_true(key_uri_get(uri, name, out, sizeof(out)));
	assert_string_equal(out, value);
}

static void attributes_are_found_by_their_whole_name_and_decoded(void **state)
{
	const char *uri = "pkcs11:my-token=no;token=The%20one%3b;object=a?pin-value=1%2f2&x=y";

	(void)state;
	expect_attribute(uri, "token", "The one;");
	expect_attribute(uri, "object", "a");
	expect_attribute(uri, "pin-value", "1/2");
	expect_attribute(uri, "x", "y");
	assert_false(key_uri_has(uri, "serial"));
	assert_false(key_uri_has("handle:0x81000001;token=a", "token"));
}

static void what_is_not_text_is_not_handed_out(void **state)
{
	static const char *const uris[] = {"pkcs11:token=%", "pkcs11:token=%4", "pkcs11:token=%zz",
		"pkcs11:token=a%00b", "pkcs11:token=12345678"};
	char out[8];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(uris); i++) {
		assert_true(key_uri_has(uris[i], "token"));
		assert_false(key_uri_get(uris[i], "token", out, sizeof(out)));
	}
}

static void expect_bare(const char *uri, const char *bare)
{
	struct strbuf out = {0};

	assert_true(key_uri_bare(uri, &out));
	assert_string_equal(out.data, bare);
	strbuf_free(&out);
}

static void for_people_it_has_no_pin(void **state)
{
	(void)state;
	expect_bare(TOKEN "?pin-value=1234", TOKEN);
	expect_bare(TOKEN "?pin-source=file:/etc/pin", TOKEN);
	expect_bare("pkcs11:pin-value=1234;token=cloudinvite;object=inviter", TOKEN);
	expect_bare("pkcs11:token=cloudinvite;pin-value=1234;object=inviter?pin-value=5", TOKEN);
	expect_bare("handle:0x81000001", "handle:0x81000001");
}

static void a_pin_goes_into_a_uri_whatever_is_in_it(void **state)
{
	struct strbuf out = {0};
	char back[64];

	(void)state;
	assert_true(strbuf_add(&out, TOKEN "?pin-value=") && key_uri_encode("a;&?=% ü", &out));
	assert_true(key_uri_get(out.data, "pin-value", back, sizeof(back)));
	assert_string_equal(back, "a;&?=% ü");
	strbuf_free(&out);
}

static void the_pins_file_is_a_path_or_handed_over_by_systemd(void **state)
{
	char path[64];

	(void)state;
	assert_true(key_uri_pin_file(TOKEN "?pin-source=file:/etc/pin", path, sizeof(path)));
	assert_string_equal(path, "/etc/pin");
	assert_true(key_uri_pin_file(TOKEN "?pin-source=file:///etc/pin", path, sizeof(path)));
	assert_string_equal(path, "/etc/pin");
	assert_true(key_uri_pin_file(TOKEN, path, sizeof(path)));
	assert_string_equal(path, "");
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_false(key_uri_pin_file(TOKEN "?pin-source=systemd:pin", path, sizeof(path)));
	setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
	assert_true(key_uri_pin_file(TOKEN "?pin-source=systemd:pin", path, sizeof(path)));
	assert_string_equal(path, "/run/credentials/x/pin");
	assert_false(key_uri_pin_file(TOKEN "?pin-source=systemd:../x", path, sizeof(path)));
	unsetenv("CREDENTIALS_DIRECTORY");
}

/* ---- accepted values ---- */

static void expect_wrong(const char *uri, const char *what)
{
	const char *remedy = NULL, *wrong = key_uri_wrong(uri, &remedy);

	assert_non_null(wrong);
	if (!strstr(wrong, what))
		fail_msg("%s: '%s' is not in '%s'", uri, what, wrong);
	assert_true(remedy && strlen(remedy) > 10);
}

static void it_names_one_key_of_one_token_and_no_program(void **state)
{
	const char *remedy;

	(void)state;
	assert_null(key_uri_wrong(TOKEN, &remedy));
	assert_null(key_uri_wrong("pkcs11:serial=1;id=%01;type=private", &remedy));
	assert_null(key_uri_wrong(TOKEN "?pin-source=systemd:pin", &remedy));
	expect_wrong("pkcs11:object=inviter?pin-value=1", "the PIN could go to any");
	expect_wrong("pkcs11:token=cloudinvite", "a key of the token");
	expect_wrong(TOKEN ";type=public", "does not name a private key");
	expect_wrong(TOKEN "?pin-value=1&pin-source=/etc/pin", "pin-value and pin-source");
	expect_wrong(TOKEN "?pin-source=|/bin/ask", "has a pin-source that is not a file");
	expect_wrong(TOKEN "?pin-source=%7C/bin/ask", "has a pin-source that is not a file");
	expect_wrong(TOKEN "?module-path=/tmp/evil.so", "names a module");
	expect_wrong(TOKEN "?module-name=evil", "names a module");
}

static void a_handle_is_a_number_and_nothing_else(void **state)
{
	const char *remedy;

	(void)state;
	assert_null(key_uri_wrong("handle:0x81000001", &remedy));
	assert_null(key_uri_wrong("handle:0x8100Abcd", &remedy));
	expect_wrong("handle:0x", "not the handle");
	expect_wrong("handle:81000001", "not the handle");
	expect_wrong("handle:0x810000010", "not the handle");
	expect_wrong("handle:0x81000001?pass", "not the handle");
}

/* ---- keys that accompany it ---- */

static struct found check(struct folder *f, const char *google)
{
	struct found found = {.count = 0};
	struct fault fault = {.kind = FAULT_NONE};
	char text[2048];
	struct settings *s;

	assert_true(str_format(text, sizeof(text), HALF "%s" REST, google));
	folder_write(f, "cloudinvite.conf", text);
	s = settings_load(f->file, &fault);
	if (!s)
		fail_msg("%s", fault.what);
	settings_check(s, found_add, &found);
	settings_free(s);
	return found;
}

static void expect_found(struct folder *f, const char *google, const char *what, const char *remedy)
{
	struct found found = check(f, google);

	assert_int_equal(found.count, 1);
	assert_true(found_says(&found, what, remedy));
}

static void with_a_key_no_credentials_file_is_missed(void **state)
{
	assert_int_equal(check(*state, "key = " TOKEN "\n" OWNER).count, 0);
	assert_int_equal(check(*state, "key = handle:0x81000001\n" OWNER).count, 0);
}

static void a_key_without_its_service_account_or_id_is_reported(void **state)
{
	expect_found(*state, "key = " TOKEN "\nkey_id = f00d\n", "requires the service account",
		"gserviceaccount.com");
	expect_found(*state, "key = " TOKEN "\nservice_account = i@p.iam.gserviceaccount.com\n",
		"requires the ID that Google gave it", "gcloud iam service-accounts keys list");
	expect_found(*state, "credentials = systemd:google\nkey_id = f00d\n",
		"belongs to a key that is not set", "remove key_id");
}

static void a_pins_file_is_kept_like_a_credential(void **state)
{
	struct folder *f = *state;
	char google[512];

	folder_write(f, "pin", "1234\n");
	assert_true(str_format(
		google, sizeof(google), "key = " TOKEN "?pin-source=file:%s/pin\n" OWNER, f->path));
	expect_found(f, google, "pin can be read by every user", "0640");
	assert_int_equal(chmod(folder_path(f, "pin"), 0600), 0);
	assert_int_equal(unlink(folder_path(f, "pin")), 0);
	expect_found(f, google, "pin does not exist", "the token's PIN");
}

static void what_systemd_did_not_hand_over_is_seen_by_the_unit(void **state)
{
	struct folder *f = *state;

	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(check(f, "credentials = systemd:google\n").count, 0);
	setenv("CREDENTIALS_DIRECTORY", f->path, 1);
	expect_found(f, "credentials = systemd:google\n", "did not pass a credential 'google'",
		"LoadCredential=google:FILE");
	folder_write(f, "google", "{}");
	assert_int_equal(check(f, "credentials = systemd:google\n").count, 0);
	unsetenv("CREDENTIALS_DIRECTORY");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_are_found_by_their_whole_name_and_decoded),
		cmocka_unit_test(what_is_not_text_is_not_handed_out),
		cmocka_unit_test(for_people_it_has_no_pin),
		cmocka_unit_test(a_pin_goes_into_a_uri_whatever_is_in_it),
		cmocka_unit_test(the_pins_file_is_a_path_or_handed_over_by_systemd),
		cmocka_unit_test(it_names_one_key_of_one_token_and_no_program),
		cmocka_unit_test(a_handle_is_a_number_and_nothing_else),
		TEST(with_a_key_no_credentials_file_is_missed),
		TEST(a_key_without_its_service_account_or_id_is_reported),
		TEST(a_pins_file_is_kept_like_a_credential),
		TEST(what_systemd_did_not_hand_over_is_seen_by_the_unit),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
