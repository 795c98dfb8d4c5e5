/* SPDX-License-Identifier: Apache-2.0 */
/* Which account signs as the administrator, and which source asks for it. */
#include "base/array.h"
#include "base/str.h"
#include "google_keyless.h"

#include "base/log.h"
#include "google/auth/keyless.h"

/* ---- the account that signs ---- */

static void an_impersonation_file_names_the_account_and_brings_the_caller(void **state)
{
	struct test t = begin(state);
	struct credential *c = load(&t, impersonated());
	struct keyless *k;

	assert_non_null(c);
	k = c->data;
	assert_string_equal(c->identity, INVITER " as admin@example.com");
	assert_string_equal(c->issuer, INVITER);
	assert_string_equal(k->source_name, INVITER);
	assert_string_equal(k->member, "serviceAccount:" INVITER);
	assert_string_equal(c->type->name, "impersonated_service_account");
	credential_free(c);
}

static void the_url_must_be_googles_or_the_settings(void **state)
{
	static const char *const good[] = {IAM INVITER ":generateAccessToken",
		IAM INVITER ":signJwt",
		"https://127.0.0.1:8443/v1/projects/-/serviceAccounts/" INVITER ":signJwt"};
	static const char *const bad[] = {"", IAM INVITER, IAM INVITER ":generateIdToken",
		IAM ":generateAccessToken", IAM "inviter:generateAccessToken",
		IAM "a/../b@c.d:generateAccessToken", IAM "a@b.c%2f:generateAccessToken",
		"http://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" INVITER
		":generateAccessToken",
		"https://iamcredentials.googleapis.com.evil.example/v1/projects/-/"
		"serviceAccounts/" INVITER ":generateAccessToken",
		"https://iamcredentials.example.goog/v1/projects/-/serviceAccounts/" INVITER
		":generateAccessToken"};
	struct test t = begin(state);

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		expect_taken(&t, with(impersonated(), "service_account_impersonation_url",
					 json_string(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_refused(&t,
			with(impersonated(), "service_account_impersonation_url",
				json_string(bad[i])),
			"impersonation_url", "is not Google's");
	expect_refused(&t,
		with(impersonated(), "service_account_impersonation_url", json_integer(1)),
		"impersonation_url", "is not Google's");
}

static void file_and_settings_must_name_the_same_account(void **state)
{
	static char other[] = "other@inviter-1.iam.gserviceaccount.com";
	struct test t = begin(state);

	t.settings.service_account = other;
	expect_refused(&t, impersonated(), "service_account_differs", "other@");
	t.settings.service_account = inviter;
	expect_taken(&t, impersonated());
	expect_taken(&t, with(external(), "service_account_impersonation_url", NULL));
	t.settings.service_account = none;
	expect_refused(&t, with(external(), "service_account_impersonation_url", NULL),
		"service_account_missing", "no service account is set");
	assert_non_null(strstr(t.fault.remedy, "[google] service_account"));
}

static void the_subject_is_never_ignored(void **state)
{
	struct test t = begin(state);

	t.settings.subject = none;
	expect_refused(&t, impersonated(), "subject_missing", "`subject` is not set");
	expect_refused(&t, external(), "subject_missing", "`subject` is not set");
	t.settings.credentials = metadata;
	t.settings.service_account = inviter;
	t.settings.metadata_exposed = EXPOSED_ACCEPT;
	expect_refused(&t, json_object(), "subject_missing", "the metadata server: ");
	t.settings.subject = inviter;
	expect_refused(&t, json_object(), "subject_is_issuer", "itself");
}

static void metadata_needs_an_account_that_signs(void **state)
{
	struct test t = begin(state);

	t.settings.credentials = metadata;
	t.settings.metadata_exposed = EXPOSED_ACCEPT;
	expect_refused(&t, json_object(), "service_account_missing", "the metadata server");
	t.settings.service_account = inviter;
	expect_taken(&t, json_object());
	t.settings.metadata_exposed = EXPOSED_REFUSE;
	expect_refused(&t, json_object(), "metadata_reach_unknown", "other users");
}

static void other_settings_are_another_token(void **state)
{
	static char root[] = "root@example.com", worker[] = "worker@p.iam.gserviceaccount.com";
	struct test t = begin(state);
	char hashes[4][65];

	t.settings.metadata_exposed = EXPOSED_ACCEPT;
	for (int i = 0; i < 4; i++) {
		struct credential *c;

		t.settings.credentials = i == 3 ? t.folder->file : metadata;
		t.settings.subject = i == 1 ? root : admin;
		t.settings.service_account = i == 2 ? worker : inviter;
		c = load(&t, impersonated());
		assert_non_null(c);
		str_copy(hashes[i], sizeof(hashes[i]), c->hash);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(hashes[k], c->hash);
		credential_free(c);
	}
}

/* ---- impersonation ---- */

static void the_chain_of_delegates_is_read(void **state)
{
	struct test t = begin(state);
	struct credential *c =
		load(&t, with(impersonated(), "delegates",
				 json_pack("[s, s]",
					 "projects/-/serviceAccounts/a@b.iam.gserviceaccount.com",
					 "c@d.iam.gserviceaccount.com")));
	struct keyless *k;

	assert_non_null(c);
	k = c->data;
	assert_string_equal(
		k->delegates[0], "projects/-/serviceAccounts/a@b.iam.gserviceaccount.com");
	assert_string_equal(
		k->delegates[1], "projects/-/serviceAccounts/c@d.iam.gserviceaccount.com");
	assert_null(k->delegates[2]);
	credential_free(c);
	expect_taken(&t, with(impersonated(), "delegates", json_array()));
	expect_refused(&t, with(impersonated(), "delegates", json_string("a@b.c")), "delegates",
		"not a list");
	expect_refused(&t, with(impersonated(), "delegates", json_pack("[i]", 1)), "delegates",
		"not a list");
	expect_refused(&t, with(impersonated(), "delegates", json_pack("[s, s]", "a@b.c", "")),
		"delegates", "not a list");
	expect_refused(&t,
		with(impersonated(), "delegates",
			json_pack("[s, i, s]", "a@b.iam.gserviceaccount.com", 1,
				"c@d.iam.gserviceaccount.com")),
		"delegates", "not a list");
	expect_refused(&t,
		with(impersonated(), "delegates",
			json_pack("[s, s, s, s, s, s, s, s, s]", "a@b.c", "a@b.c", "a@b.c", "a@b.c",
				"a@b.c", "a@b.c", "a@b.c", "a@b.c", "a@b.c")),
		"delegates", "at most 8");
}

static json_t *login(const char *account)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s*}", "type", "authorized_user", "client_id", "id",
		"client_secret", "secret", "refresh_token", "1//x", "account", account);
}

static void a_person_may_be_the_caller(void **state)
{
	struct test t = begin(state);
	struct credential *c =
		load(&t, with(impersonated(), "source_credentials", login("eve@example.com")));
	const struct keyless *k;

	assert_non_null(c);
	k = c->data;
	assert_string_equal(c->identity, INVITER " as admin@example.com");
	assert_non_null(strstr(k->source_name, "eve@example.com"));
	assert_string_equal(k->member, "user:ADDRESS");
	credential_free(c);
	expect_taken(&t, with(impersonated(), "source_credentials", login(NULL)));
}

static void only_two_kinds_of_callers_are_spoken(void **state)
{
	struct test t = begin(state);

	expect_refused(&t,
		with(impersonated(), "source_credentials",
			json_pack("{s:s}", "type", "external_account_authorized_user")),
		"source_type", "workforce pool");
	expect_refused(&t,
		with(impersonated(), "source_credentials", json_pack("{s:s}", "type", "magic")),
		"source_type", "'magic'");
	expect_refused(&t, with(impersonated(), "source_credentials", impersonated()),
		"source_type", "'impersonated_service_account'");
	expect_refused(&t, with(impersonated(), "source_credentials", NULL), "source_type", "''");
	expect_refused(&t,
		with(impersonated(), "source_credentials",
			with(key_file(pem), "universe_domain", json_string("example.goog"))),
		"universe", "example.goog");
	expect_refused(&t,
		with(impersonated(), "source_credentials",
			with(key_file(pem), "token_uri", json_string("https://evil.example/"))),
		"token_uri_foreign", "evil");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_impersonation_file_names_the_account_and_brings_the_caller),
		TEST(the_url_must_be_googles_or_the_settings),
		TEST(file_and_settings_must_name_the_same_account),
		TEST(the_subject_is_never_ignored),
		TEST(metadata_needs_an_account_that_signs),
		TEST(other_settings_are_another_token),
		TEST(the_chain_of_delegates_is_read),
		TEST(a_person_may_be_the_caller),
		TEST(only_two_kinds_of_callers_are_spoken),
	};

	log_start("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("google", tests, make_pem, free_pem);
}
