/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I16 (docs/design.md, "Invariants"). */
/* The hosts that a credential's file may name: exactly Google's, or those that the settings name
 * too. */
#include "base/array.h"
#include "base/str.h"
#include "folder.h"

#include "google/auth/credential.h"
#include "google/auth/trusted_endpoint.h"

static char none[] = "";
static char elsewhere[] = "https://sso.example.com:8443/token";
static char google_token[] = "https://oauth2.googleapis.com/token";
static char google_sts[] = "https://sts.googleapis.com/v1/token";
static char google_iam[] = TRUSTED_IAM;
static char other_iam[] = "https://iam-vpc1.p.googleapis.com";

static struct settings defaults(void)
{
	return (struct settings){.token_endpoint = google_token,
		.sts_endpoint = google_sts,
		.iam_endpoint = google_iam};
}

/* Each begins like a valid address, or looks like one. %s: the rest of the host and its path. */
static const char *const tricks[] = {"https://%s@evil.example", "https://%s.evil.example",
	"https://evil.example/%s", "https://evil.example#%s", "https://evil.example?%s",
	"https://evil.example\\@%s", "https://evil.example\\.%s", "https://user@%s",
	"https://user:password@%s", "https://:@%s", "http://%s", "HTTPS://%s", "https:%s",
	"https:/%s", "https:///%s", "//%s", "%s", " https://%s", "https://%s ", "https://%s\n",
	"https://%s\r\nHost: evil.example", "https://%s?x=1", "https://%s#x", "https://%s/",
	"https://%s/../evil", "https://%s%%2e%%2e", "https://www.%s", "ftp://%s", "file://%s"};

/* Changes of the host alone. */
static const char *const hosts[] = {"OAUTH2.googleapis.com", "oauth2.googleapis.com.",
	"oauth2.googleapis.com:443", "oauth2.googleapis.com:8443",
	"oauth2.googleapis.com:", "oauth2%2egoogleapis.com", "oauth2.googleapis.com%2eevil.example",
	"oauth2.googleapis.com%00.evil.example", "oauth2.googleapis.com\xe3\x80\x82",
	"oauth2\xe3\x80\x82googleapis.com", "\xd0\xbeoauth2.googleapis.com",
	"oauth2.g\xd0\xbeogleapis.com", "oauth2.googleapis.com\\@evil.example",
	"oauth2.googleapis.com;evil.example", "oauth2.googleapis.com,evil.example",
	"oauth2.mtls.googleapis.com", "oauth2-evil.p.googleapis.com", "evil.googleapis.com",
	"oauth2.googleapis.example", "oauth2-googleapis.com", "[oauth2.googleapis.com]",
	"127.0.0.1", ""};

static void only_googles_own_address_passes_and_no_trick(void **state)
{
	struct settings s = defaults();
	char url[256];

	(void)state;
	assert_true(trusted_token_uri(google_token, &s));
	assert_true(trusted_token_uri("https://accounts.google.com/o/oauth2/token", &s));
	assert_true(trusted_sts_url(google_sts, &s));
	assert_string_equal(trusted_iam_path(TRUSTED_IAM "/v1/x", &s), "/v1/x");
	for (size_t i = 0; i < ARRAY_SIZE(tricks); i++) {
/* The patterns come from this table. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(url, sizeof(url), tricks[i], google_token + strlen("https://"));
		assert_false(trusted_token_uri(url, &s));
		(void)snprintf(url, sizeof(url), tricks[i], google_sts + strlen("https://"));
		assert_false(trusted_sts_url(url, &s));
		(void)snprintf(url, sizeof(url), tricks[i], google_iam + strlen("https://"));
#pragma GCC diagnostic pop
		/* What follows the host is the path, which keyless.c reads exactly. */
		if (!str_starts(url, TRUSTED_IAM "/"))
			assert_null(trusted_iam_path(url, &s));
	}
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		str_format(url, sizeof(url), "https://%s/token", hosts[i]);
		assert_false(trusted_token_uri(url, &s));
		str_format(url, sizeof(url), "https://%s/v1/token", hosts[i]);
		assert_false(trusted_sts_url(url, &s));
		assert_null(trusted_iam_path(url, &s));
	}
}

static void another_address_passes_only_where_the_settings_name_the_same(void **state)
{
	struct settings s = defaults();
	char upper[] = "https://SSO.example.com:8443/token";

	(void)state;
	assert_false(trusted_token_uri(elsewhere, &s));
	assert_false(trusted_sts_url(elsewhere, &s));
	s.token_endpoint = s.sts_endpoint = elsewhere;
	/* A default that was changed in the code does not count as a setting. */
	assert_false(trusted_token_uri(elsewhere, &s));
	assert_false(trusted_sts_url(elsewhere, &s));
	s.token_endpoint_set = s.sts_endpoint_set = true;
	assert_true(trusted_token_uri(elsewhere, &s));
	assert_true(trusted_sts_url(elsewhere, &s));
	assert_false(trusted_token_uri(upper, &s));
	assert_false(trusted_sts_url("https://sso.example.com:8443/token/more", &s));
	/* Google's own need not be in the settings: a file may be older than the setting. */
	assert_true(trusted_token_uri(google_token, &s));
	assert_null(trusted_iam_path("https://iam-vpc1.p.googleapis.com/v1/x", &s));
	s.iam_endpoint = other_iam;
	assert_string_equal(
		trusted_iam_path("https://iam-vpc1.p.googleapis.com/v1/x", &s), "/v1/x");
	assert_null(trusted_iam_path("https://iam-vpc1.p.googleapis.com.evil.example/v1/x", &s));
	assert_null(trusted_iam_path("https://iam-vpc1.p.googleapis.com:8443/v1/x", &s));
	assert_null(trusted_iam_path("https://iam-vpc1.p.googleapis.com@evil.example/v1/x", &s));
}

static void every_type_of_credential_from_another_universe_is_refused(void **state)
{
	static const char *const types[] = {"service_account", "authorized_user",
		"impersonated_service_account", "external_account"};
	static const char *const universes[] = {"\"example.goog\"", "\"\"", "\"GOOGLEAPIS.COM\"",
		"\"googleapis.com.\"", "\"googleapis.com.evil.example\"", "7", "null", "[]"};
	struct folder *folder = *state;
	struct settings s = defaults();
	char text[256];

	s.subject = s.service_account = s.key = s.key_id = s.quota_project = s.tokens = none;
	s.credentials = folder->file;
	for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
		for (size_t u = 0; u < ARRAY_SIZE(universes); u++) {
			struct fault f = {.kind = FAULT_NONE};

			str_format(text, sizeof(text), "{\"type\":\"%s\",\"universe_domain\":%s}",
				types[t], universes[u]);
			chmod(folder_write(folder, "key.json", text), 0600);
			assert_null(credential_load(&s, &f));
			assert_int_equal(f.kind, FAULT_CREDENTIALS);
			assert_string_equal(f.code, "universe");
			assert_non_null(strstr(f.what, "is not googleapis.com"));
			assert_non_null(strstr(f.remedy, "googleapis.com only"));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_googles_own_address_passes_and_no_trick),
		cmocka_unit_test(another_address_passes_only_where_the_settings_name_the_same),
		cmocka_unit_test_setup_teardown(
			every_type_of_credential_from_another_universe_is_refused, folder_new,
			folder_free),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
