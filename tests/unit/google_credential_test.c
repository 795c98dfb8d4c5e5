/* SPDX-License-Identifier: Apache-2.0 */
/* Key files: what is accepted, and everything that is refused, with the reason. */
#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "folder.h"

#include "base/log.h"
#include "google/auth/credential.h"
#include "google/auth/token.h"
#include "google/types.h"
#include "google_key.h"

static char google_endpoint[] = "https://oauth2.googleapis.com/token";
static char local_endpoint[] = "https://127.0.0.1:8443/token";
static char admin[] = "admin@example.com", nobody[] = "";
static char *pem; /* 2048 bits */

struct test {
	struct folder *folder;
	struct settings settings;
	struct fault fault;
};

static struct test begin(void **state)
{
	struct test t = {.folder = *state,
		.settings = {.subject = admin,
			.token_endpoint = google_endpoint,
			.service_account = nobody,
			.tokens = nobody,
			.key = nobody,
			.key_id = nobody,
			.quota_project = nobody}};

	t.settings.credentials = t.folder->file;
	return t;
}

/* Takes ownership of `file`. */
static void write_file(struct test *t, json_t *file)
{
	char *text = json_dumps(file, 0);

	chmod(folder_write(t->folder, "key.json", text), 0600);
	free(text);
	json_decref(file);
}

static json_t *with(const char *name, json_t *value)
{
	json_t *file = key_file(pem);

	if (value)
		json_object_set_new(file, name, value);
	else
		json_object_del(file, name);
	return file;
}

static void expect_refused(struct test *t, const char *code, const char *says)
{
	struct credential *c = credential_load(&t->settings, &t->fault);

	assert_null(c);
	if (strcmp(t->fault.code, code) != 0)
		print_error("%s: %s\n", t->fault.code, t->fault.what);
	assert_int_equal(t->fault.kind, FAULT_CREDENTIALS);
	assert_string_equal(t->fault.code, code);
	if (!strstr(t->fault.what, says))
		print_error("'%s' is not in '%s'\n", says, t->fault.what);
	assert_non_null(strstr(t->fault.what, says));
	assert_null(strstr(t->fault.what, "PRIVATE"));
	fault_clear(&t->fault);
}

static void a_key_file_with_a_subject_is_taken(void **state)
{
	struct test t = begin(state);
	struct credential *c;

	write_file(&t, key_file(pem));
	c = credential_load(&t.settings, &t.fault);
	assert_non_null(c);
	assert_string_equal(c->type->name, "service_account");
	assert_string_equal(
		c->identity, "inviter@inviter-1.iam.gserviceaccount.com as admin@example.com");
	assert_string_equal(c->client_id, "112233445566778899000");
	assert_string_equal(c->key_id, "0123abcd");
	assert_string_equal(c->token_endpoint, google_endpoint);
	assert_int_equal(strlen(c->hash), 64);
	credential_free(c);
}

static void without_a_subject_it_names_the_account_to_delegate_to(void **state)
{
	struct test t = begin(state);

	t.settings.subject = nobody;
	write_file(&t, key_file(pem));
	assert_null(credential_load(&t.settings, &t.fault));
	assert_string_equal(t.fault.code, "subject_missing");
	assert_non_null(strstr(t.fault.remedy, "112233445566778899000"));
	assert_non_null(strstr(t.fault.remedy, GOOGLE_SCOPE));
}

static void the_service_account_itself_is_not_an_administrator(void **state)
{
	static char self[] = "Inviter@inviter-1.iam.gserviceaccount.com";
	struct test t = begin(state);

	t.settings.subject = self;
	write_file(&t, key_file(pem));
	expect_refused(&t, "subject_is_issuer", "itself");
}

static void a_missing_member_is_named(void **state)
{
	static const char *const members[] = {
		"client_email", "private_key", "private_key_id", "token_uri"};
	struct test t = begin(state);

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		write_file(&t, with(members[i], NULL));
		expect_refused(&t, "key_incomplete", members[i]);
		write_file(&t, with(members[i], json_integer(1)));
		expect_refused(&t, "key_incomplete", members[i]);
		write_file(&t, with(members[i], json_string("")));
		expect_refused(&t, "key_incomplete", members[i]);
	}
	write_file(&t, with("client_id", NULL)); /* only remedies use it */
	credential_free(credential_load(&t.settings, &t.fault));
	assert_int_equal(t.fault.kind, FAULT_NONE);
}

static void types_that_can_be_no_administrator_are_refused_by_name(void **state)
{
	static const char *const types[] = {
		"external_account_authorized_user", "gdch_service_account"};
	struct test t = begin(state);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		write_file(&t, with("type", json_string(types[i])));
		expect_refused(&t, "type_unfit", types[i]);
	}
	write_file(&t, with("type", json_string("magic")));
	expect_refused(&t, "type_unknown", "magic");
	write_file(&t, with("type", NULL));
	expect_refused(&t, "type_unknown", "type");
	write_file(&t, json_pack("{s:{s:s}}", "installed", "client_id", "x"));
	expect_refused(&t, "type_client", "OAuth client");
}

static void another_universe_is_refused(void **state)
{
	struct test t = begin(state);

	write_file(&t, with("universe_domain", json_string("example.goog")));
	expect_refused(&t, "universe", "example.goog");
	write_file(&t, with("universe_domain", json_integer(3)));
	expect_refused(&t, "universe", "universe_domain");
	write_file(&t, with("universe_domain", NULL));
	credential_free(credential_load(&t.settings, &t.fault));
	assert_int_equal(t.fault.kind, FAULT_NONE);
}

static void a_token_uri_is_trusted_if_it_is_googles_or_the_settings(void **state)
{
	static const char *const googles[] = {"https://oauth2.googleapis.com/token",
		"https://accounts.google.com/o/oauth2/token",
		"https://www.googleapis.com/oauth2/v4/token"};
	struct test t = begin(state);
	struct credential *c;

	for (size_t i = 0; i < ARRAY_SIZE(googles); i++) {
		write_file(&t, with("token_uri", json_string(googles[i])));
		credential_free(credential_load(&t.settings, &t.fault));
		assert_int_equal(t.fault.kind, FAULT_NONE);
	}
	write_file(&t, with("token_uri", json_string(local_endpoint)));
	expect_refused(&t, "token_uri_foreign", local_endpoint);
	t.settings.token_endpoint = local_endpoint;
	expect_refused(&t, "token_uri_foreign", local_endpoint);
	t.settings.token_endpoint_set = true;
	c = credential_load(&t.settings, &t.fault);
	assert_non_null(c);
	assert_string_equal(c->token_endpoint, local_endpoint);
	credential_free(c);
	write_file(&t,
		with("token_uri", json_string("https://oauth2.googleapis.com/token.evil.example")));
	expect_refused(&t, "token_uri_foreign", "evil");
}

static void a_key_with_backslash_n_is_called_that(void **state)
{
	struct test t = begin(state);
	struct strbuf mangled = {0};

	for (const char *p = pem; *p; p++)
		strbuf_addf(&mangled, *p == '\n' ? "\\n" : "%c", *p);
	write_file(&t, with("private_key", json_string(mangled.data)));
	expect_refused(&t, "key_mangled", "instead of line breaks");
	strbuf_free(&mangled);
}

static void a_key_that_is_none_is_refused(void **state)
{
	struct test t = begin(state);

	write_file(&t, with("private_key", json_string("secret")));
	expect_refused(&t, "key_unreadable", "not a PEM private key");
	write_file(
		&t, with("private_key", json_string("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n"
						    "-----END ENCRYPTED PRIVATE KEY-----\n")));
	expect_refused(&t, "key_encrypted", "passphrase");
}

static void a_key_that_is_not_rsa_is_refused(void **state)
{
	struct test t = begin(state);
	EVP_PKEY *ec = EVP_EC_gen("P-256");
	char *text = key_pem(ec);

	write_file(&t, with("private_key", json_string(text)));
	expect_refused(&t, "key_not_rsa", "RSA");
	free(text);
	EVP_PKEY_free(ec);
}

static void a_short_key_is_refused(void **state)
{
	struct test t = begin(state);
	EVP_PKEY *key = key_rsa(1024);
	char *text = key_pem(key);

	write_file(&t, with("private_key", json_string(text)));
	expect_refused(&t, "key_short", "1024");
	free(text);
	EVP_PKEY_free(key);
}

static void a_file_that_others_can_read_is_refused(void **state)
{
	struct test t = begin(state);

	write_file(&t, key_file(pem));
	chmod(t.settings.credentials, 0644);
	expect_refused(&t, "readable_by_others", "key.json");
	chmod(t.settings.credentials, 0604);
	expect_refused(&t, "readable_by_others", "key.json");
	chmod(t.settings.credentials, 0640); /* our own group */
	credential_free(credential_load(&t.settings, &t.fault));
	assert_int_equal(t.fault.kind, FAULT_NONE);
}

static void what_is_not_a_file_or_not_json_is_refused(void **state)
{
	static char unset[] = "";
	struct test t = begin(state);

	folder_path(t.folder, "key.json");
	unlink(t.folder->file);
	expect_refused(&t, "missing", "key.json");
	assert_int_equal(mkfifo(t.folder->file, 0600), 0);
	expect_refused(&t, "not_regular", "key.json");
	unlink(t.folder->file);
	chmod(folder_write(t.folder, "key.json", "{\n\"type\":\n"), 0600);
	expect_refused(&t, "credentials_no_json", "key.json:");
	folder_write(t.folder, "key.json", "[]");
	chmod(t.folder->file, 0600);
	expect_refused(&t, "credentials_no_json", "not an object");
	folder_write(t.folder, "key.json", "");
	chmod(t.folder->file, 0600);
	expect_refused(&t, "credentials_no_json", "key.json");
	folder_write(t.folder, "key.json", "{\"type\":\"a\",\"type\":\"service_account\"}");
	chmod(t.folder->file, 0600);
	expect_refused(&t, "credentials_no_json", "uplicate");
	chmod(folder_write(t.folder, "key.json", pem), 0600);
	assert_null(credential_load(&t.settings, &t.fault));
	assert_non_null(strstr(t.fault.what, "contains only a private key"));
	folder_write(t.folder, "key.json", "\xef\xbb\xbf{\"type\": \"service_account\"}");
	chmod(t.folder->file, 0600);
	expect_refused(&t, "credentials_no_json", "begins with a byte order mark");
	folder_write(t.folder, "key.json", "{\n\"private_key\": \"-----BEGIN\"\n}\nEOF\n");
	chmod(t.folder->file, 0600);
	expect_refused(&t, "credentials_no_json", "key.json:4: not JSON");
	folder_write(t.folder, "key.json", "\"{\\\"private_key\\\": \\\"-----BEGIN\\\"}\"");
	chmod(t.folder->file, 0600);
	expect_refused(&t, "credentials_no_json", "key.json:1: not JSON");
	folder_write(t.folder, "key.json", "{\"a\": 1 \"-----BEGIN KEY\"}");
	chmod(t.folder->file, 0600);
	assert_null(credential_load(&t.settings, &t.fault));
	assert_null(strstr(t.fault.what, "KEY"));
	t.settings.credentials = unset;
	expect_refused(&t, "credentials_missing", "no credential");
}

static void each_part_of_the_token_has_its_own_cache(void **state)
{
	static char other_admin[] = "root@example.com";
	struct test t = begin(state);
	char hashes[4][65];

	for (int i = 0; i < 4; i++) {
		struct credential *c;

		write_file(&t, i == 3 ? with("project_id", json_string("other")) : key_file(pem));
		t.settings.subject = i == 1 ? other_admin : admin;
		t.settings.token_endpoint = i == 2 ? local_endpoint : google_endpoint;
		c = credential_load(&t.settings, &t.fault);
		assert_non_null(c);
		str_copy(hashes[i], sizeof(hashes[i]), c->hash);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(hashes[k], c->hash);
		credential_free(c);
	}
}

static void a_replaced_file_is_read_again_and_a_broken_one_is_not(void **state)
{
	struct test t = begin(state);
	struct credential *c;
	char old[65];

	write_file(&t, key_file(pem));
	c = credential_load(&t.settings, &t.fault);
	assert_false(credential_refresh(&c));
	str_copy(old, sizeof(old), c->hash);

	unlink(t.settings.credentials);
	assert_false(credential_refresh(&c));
	chmod(folder_write(t.folder, "key.json", "{"), 0600);
	assert_false(credential_refresh(&c));
	assert_string_equal(c->hash, old);

	write_file(&t, with("private_key_id", json_string("4567")));
	assert_true(credential_refresh(&c));
	assert_string_equal(c->key_id, "4567");
	assert_string_not_equal(c->hash, old);
	credential_free(c);
}

static int make_pem(void **state)
{
	EVP_PKEY *key = key_rsa(2048);

	(void)state;
	pem = key_pem(key);
	EVP_PKEY_free(key);
	return pem ? 0 : -1;
}

static int free_pem(void **state)
{
	(void)state;
	free(pem);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_key_file_with_a_subject_is_taken),
		TEST(without_a_subject_it_names_the_account_to_delegate_to),
		TEST(the_service_account_itself_is_not_an_administrator),
		TEST(a_missing_member_is_named),
		TEST(types_that_can_be_no_administrator_are_refused_by_name),
		TEST(another_universe_is_refused),
		TEST(a_token_uri_is_trusted_if_it_is_googles_or_the_settings),
		TEST(a_key_with_backslash_n_is_called_that),
		TEST(a_key_that_is_none_is_refused),
		TEST(a_key_that_is_not_rsa_is_refused),
		TEST(a_short_key_is_refused),
		TEST(a_file_that_others_can_read_is_refused),
		TEST(what_is_not_a_file_or_not_json_is_refused),
		TEST(each_part_of_the_token_has_its_own_cache),
		TEST(a_replaced_file_is_read_again_and_a_broken_one_is_not),
	};

	log_start("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("google", tests, make_pem, free_pem);
}
