/* SPDX-License-Identifier: Apache-2.0 */
/* The value of `key`, and the keys that must accompany it. */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#include "google/auth/hsm/hsm_uri.h"

#define TOKEN "pkcs11:token=cloudinvite;object=inviter"
#define HALF  "[google]\ncustomer = C01234567\nsubject = admin@example.com\n"
#define REST  "[people]\naddress = {user}@example.com\ndomains = example.com\n"
#define OWNER "service_account = inviter@p.iam.gserviceaccount.com\nkey_id = f00d\n"

/* ---- the value ---- */

/* Writes it, and returns what settings_load says: "" if it is taken. */
static const char *load_fault(struct folder *f, const char *value)
{
	static struct fault fault;
	char text[2048];
	struct settings *s;

	fault = (struct fault){.kind = FAULT_NONE};
	assert_true(str_format(text, sizeof(text), HALF "key = %s\n" OWNER REST, value));
	folder_write(f, "cloudinvite.conf", text);
	s = settings_load(f->file, &fault);
	assert_true(s || fault.remedy[0]);
	settings_free(s);
	return fault.what;
}

static void expect_wrong(struct folder *f, const char *value, const char *what)
{
	const char *wrong = load_fault(f, value);

	if (!strstr(wrong, what) || !strstr(wrong, "cloudinvite.conf:4: "))
		fail_msg("%s: '%s' is not in '%s'", value, what, wrong);
}

static void a_handle_is_a_number_and_nothing_else(void **state)
{
	assert_string_equal(load_fault(*state, "handle:0x81000001"), "");
	assert_string_equal(load_fault(*state, "handle:0x8100Abcd"), "");
	expect_wrong(*state, "handle:0x", "not the handle");
	expect_wrong(*state, "handle:81000001", "not the handle");
	expect_wrong(*state, "handle:0x810000010", "not the handle");
	expect_wrong(*state, "handle:0x81000001?pass", "not the handle");
	expect_wrong(*state, "/etc/key.pem", "neither pkcs11:");
}

static void a_uri_is_checked_by_the_reader_where_there_is_one(void **state)
{
	assert_string_equal(load_fault(*state, TOKEN), "");
	expect_wrong(*state, "pkcs11:object=inviter", "does not select a token");
	settings_read_keys_with(NULL);
	assert_string_equal(load_fault(*state, "pkcs11:object=inviter"), "");
	settings_read_keys_with(&hsm_key_reader);
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
		TEST(a_handle_is_a_number_and_nothing_else),
		TEST(a_uri_is_checked_by_the_reader_where_there_is_one),
		TEST(with_a_key_no_credentials_file_is_missed),
		TEST(a_key_without_its_service_account_or_id_is_reported),
		TEST(a_pins_file_is_kept_like_a_credential),
		TEST(what_systemd_did_not_hand_over_is_seen_by_the_unit),
	};

	settings_read_keys_with(&hsm_key_reader);
	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
