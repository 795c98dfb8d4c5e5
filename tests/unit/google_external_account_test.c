/* SPDX-License-Identifier: Apache-2.0 */
/* Federated credentials: the file, and where it says that the subject token is. */
#include "google_keyless.h"

#include "base/array.h"
#include "base/log.h"
#include "google/auth/keyless.h"

static json_t *with_source(json_t *source)
{
	return with(external(), "credential_source", source);
}

/* ---- federation ---- */

static void a_federated_file_names_its_subjects_member(void **state)
{
	struct test t = begin(state);
	struct credential *c = load(&t, external());
	const struct keyless *k;

	assert_non_null(c);
	k = c->data;
	assert_string_equal(k->member,
		"principal://iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/"
		"k8s/subject/SUBJECT");
	assert_string_equal(k->source_name,
		"the subject of projects/7/locations/global/workloadIdentityPools/k8s");
	credential_free(c);
}

static void the_subjects_token_goes_to_google_only(void **state)
{
	struct test t = begin(state);

	expect_refused(&t, with(external(), "token_url", json_string("https://evil.example/token")),
		"token_url_foreign", "evil");
	expect_refused(&t,
		with(external(), "token_url", json_string("https://sts.googleapis.com/v1/token/x")),
		"token_url_foreign", "/x");
	expect_refused(&t, with(external(), "token_url", json_string(sts_endpoint)),
		"token_url_foreign", "127.0.0.1");
	t.settings.sts_endpoint_set = true;
	expect_taken(&t, with(external(), "token_url", json_string(sts_endpoint)));
}

static void a_federated_file_must_be_whole(void **state)
{
	static const char *const members[] = {"audience", "subject_token_type", "token_url"};
	struct test t = begin(state);

	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		expect_refused(
			&t, with(external(), members[i], NULL), "file_incomplete", members[i]);
		expect_refused(&t, with(external(), members[i], json_string("a b")),
			"file_incomplete", members[i]);
	}
	expect_refused(&t, with(external(), "audience", json_string("https://example.com")),
		"audience", "not a pool provider");
	expect_refused(&t,
		with(external(), "audience", json_string("//iam.example.goog/projects/1")),
		"audience", "not a pool provider");
	expect_refused(&t, with(external(), "universe_domain", json_string("example.goog")),
		"universe", "example.goog");
	expect_refused(&t, with(external(), "client_id", json_string("x")), "client",
		"must be set together");
	expect_refused(&t,
		with(with(external(), "client_id", json_string("a:b")), "client_secret",
			json_string("s")),
		"client", "must be set together");
	expect_taken(&t, with(with(external(), "client_id", json_string("a")), "client_secret",
				 json_string("s")));
}

static void a_workforces_project_belongs_to_a_workforce(void **state)
{
	static const char workforce[] =
		"//iam.googleapis.com/locations/global/workforcePools/p/providers/q";
	struct test t = begin(state);

	expect_refused(&t, with(external(), "workforce_pool_user_project", json_string("7")),
		"workforce_project", "not a workforce pool");
	expect_taken(&t, with(with(external(), "audience", json_string(workforce)),
				 "workforce_pool_user_project", json_string("7")));
	expect_refused(&t,
		with(with(external(), "audience", json_string(workforce)),
			"workforce_pool_user_project", json_string("7\"}")),
		"workforce_project", "not a project");
}

static void no_file_runs_a_program(void **state)
{
	struct test t = begin(state);

	expect_refused(&t,
		with_source(json_pack("{s:{s:s}}", "executable", "command", "/bin/touch /tmp/x")),
		"source_executable", "programs named in a file are not run");
	expect_refused(&t,
		with_source(json_pack("{s:s, s:s}", "environment_id", "aws1", "url", "http://x")),
		"source_aws", "AWS");
	expect_refused(&t,
		with_source(
			json_pack("{s:{s:b}}", "certificate", "use_default_certificate_config", 1)),
		"source_certificate", "certificate");
	/* Not even beside a supported source. */
	expect_refused(&t,
		with_source(
			json_pack("{s:s, s:{s:s}}", "file", "/x", "executable", "command", "x")),
		"source_executable", "programs named in a file are not run");
}

static void a_source_is_one_file_or_one_url(void **state)
{
	struct test t = begin(state);

	expect_refused(&t, with_source(NULL), "source_unknown", "neither");
	expect_refused(&t, with_source(json_object()), "source_unknown", "neither");
	expect_refused(&t, with_source(json_pack("{s:s, s:s}", "file", "/x", "url", "https://x")),
		"source_unknown", "both");
	expect_refused(
		&t, with_source(json_pack("{s:s}", "file", "token")), "source_file", "absolute");
	expect_refused(&t,
		with_source(json_pack("{s:s, s:{s:s}}", "file", "/x", "format", "type", "yaml")),
		"source_format", "neither text nor json");
	expect_refused(&t,
		with_source(json_pack("{s:s, s:{s:s}}", "file", "/x", "format", "type", "json")),
		"source_format", "subject_token_field_name");
	expect_refused(&t, with_source(json_pack("{s:s, s:s}", "file", "/x", "format", "json")),
		"source_format", "neither");
}

static void a_url_is_https_or_the_metadata_endpoint_of_the_settings(void **state)
{
	static const char *const bad[] = {"http://169.254.169.254/identity", "ftp://x/",
		"http://metadata.google.internal.evil.example/", "file:///etc/shadow",
		"https://a b", "http://metadata.google.internal:81/"};
	struct test t = begin(state);

	expect_taken(&t, with_source(json_pack("{s:s}", "url", "https://ci.example.com/token")));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		expect_refused(
			&t, with_source(json_pack("{s:s}", "url", bad[i])), "source_url", "source");
	t.settings.metadata_endpoint = azure;
	/* Any user who reaches it can act as we do. */
	expect_refused(&t, with_source(json_pack("{s:s}", "url", bad[0])), "metadata_reach_unknown",
		"other users");
	t.settings.metadata_exposed = EXPOSED_ACCEPT;
	expect_taken(&t, with_source(json_pack("{s:s}", "url", bad[0])));
}

static void a_header_is_one_line(void **state)
{
	static const char *const names[] = {"", "a b", "a:b", "a\r\nHost"};
	struct test t = begin(state);

	expect_taken(&t, with_source(json_pack("{s:s, s:{s:s}}", "url", "https://x/", "headers",
				 "Authorization", "bearer x")));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect_refused(&t,
			with_source(json_pack(
				"{s:s, s:{s:s}}", "url", "https://x/", "headers", names[i], "v")),
			"source_headers", "header");
	expect_refused(&t,
		with_source(json_pack(
			"{s:s, s:{s:s}}", "url", "https://x/", "headers", "a", "v\r\nHost: y")),
		"source_headers", "header");
	expect_refused(&t,
		with_source(json_pack("{s:s, s:{s:i}}", "url", "https://x/", "headers", "a", 1)),
		"source_headers", "header");
	expect_refused(&t,
		with_source(json_pack("{s:s, s:s}", "url", "https://x/", "headers", "a: b")),
		"source_headers", "header");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_free)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_federated_file_names_its_subjects_member),
		TEST(the_subjects_token_goes_to_google_only),
		TEST(a_federated_file_must_be_whole),
		TEST(a_workforces_project_belongs_to_a_workforce),
		TEST(no_file_runs_a_program),
		TEST(a_source_is_one_file_or_one_url),
		TEST(a_url_is_https_or_the_metadata_endpoint_of_the_settings),
		TEST(a_header_is_one_line),
	};

	log_start("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("google", tests, make_pem, free_pem);
}
