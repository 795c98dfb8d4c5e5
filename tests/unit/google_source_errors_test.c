/* SPDX-License-Identifier: Apache-2.0 */
/* What IAM and the Security Token Service refuse to a source without a key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/errors.h"
#include "google/auth/iam.h"

#define PLAIN(code, message) "{\"error\":{\"code\":" code ",\"message\":\"" message "\"}}"
#define ERROR(code, status, message) \
	"{\"error\":{\"code\":" code ",\"message\":\"" message "\",\"status\":\"" status "\"}}"
#define DETAIL(code, reason)                                                                \
	"{\"error\":{\"code\":" code ",\"message\":\"x\",\"status\":\"PERMISSION_DENIED\"," \
	"\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\","             \
	"\"reason\":\"" reason "\",\"metadata\":{\"consumer\":\"projects/7\"}}]}}"
#define OAUTH(error, text) "{\"error\":\"" error "\",\"error_description\":\"" text "\"}"
#define BODY_F                                                                             \
	"{\"error\":{\"code\":403,\"message\":\"Permission 'iam.serviceAccounts.signJwt' " \
	"denied on resource (or it may not exist).\",\"status\":\"PERMISSION_DENIED\","    \
	"\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\","            \
	"\"reason\":\"IAM_PERMISSION_DENIED\",\"domain\":\"iam.googleapis.com\","          \
	"\"metadata\":{\"permission\":\"iam.serviceAccounts.signJwt\"}}]}}"

#define AUDIENCE \
	"//iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/p/providers/q"

static char path[] = "/etc/cloudinvite/credentials.json";
static char iam[] = "https://iamcredentials.googleapis.com";
static char sts[] = "https://sts.googleapis.com/v1/token";
static char iam_url[] =
	"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/i@p:signJwt";

struct refused {
	int status;
	const char *body;
	enum fault_kind kind;
	const char *code, *what, *remedy;
};

typedef void ask(const struct credential *c, const struct http_reply *reply, struct fault *f);

static void ask_iam(const struct credential *c, const struct http_reply *reply, struct fault *f)
{
	const struct iam_signer by = {.name = "worker@p.iam.gserviceaccount.com",
		.member = "serviceAccount:worker@p.iam.gserviceaccount.com"};

	error_iam(c, &by, iam_url, reply, f);
}

static void ask_sts(const struct credential *c, const struct http_reply *reply, struct fault *f)
{
	error_sts(c, AUDIENCE, reply, f);
}

static struct fault answer(ask *server, struct http_reply *reply)
{
	const struct settings settings = {.iam_endpoint = iam, .sts_endpoint = sts};
	const struct credential c = {.issuer = "inviter@p.iam.gserviceaccount.com",
		.subject = "admin@example.com",
		.path = path,
		.settings = &settings};
	struct fault f = {.kind = FAULT_NONE};

	server(&c, reply, &f);
	return f;
}

static void expect(ask *server, const struct refused *row)
{
	struct http_reply r = {.status = row->status, .retry_after = -1};
	struct fault f;

	strbuf_add(&r.body, row->body);
	f = answer(server, &r);
	strbuf_free(&r.body);
	if (f.kind != row->kind || strcmp(f.code, row->code) != 0 || !strstr(f.what, row->what) ||
		!strstr(f.remedy, row->remedy))
		print_error(
			"%d %s: %s | %s | %s\n", row->status, row->body, f.code, f.what, f.remedy);
	assert_int_equal(f.kind, row->kind);
	assert_string_equal(f.code, row->code);
	assert_non_null(strstr(f.what, row->what));
	assert_non_null(strstr(f.remedy, row->remedy));
	assert_true(strlen(f.what) < sizeof(f.what) - 1);
	assert_true(strlen(f.remedy) > 20 && strlen(f.remedy) < sizeof(f.remedy) - 1);
	assert_null(strpbrk(f.what, "{}\r\n"));
	assert_null(strpbrk(f.remedy, "{}\r\n"));
}

static void every_refusal_of_iam_has_its_kind_word_sentence_and_remedy(void **state)
{
	static const struct refused rows[] = {
		{403, BODY_F, FAULT_SETUP, "iam_denied",
			"worker@p.iam.gserviceaccount.com may not sign as inviter@p",
			"--member=serviceAccount:worker@p.iam.gserviceaccount.com "
			"--role=roles/iam.serviceAccountTokenCreator"},
		{403, PLAIN("403", "The caller does not have permission"), FAULT_SETUP,
			"iam_denied", "may not sign", "serviceAccountTokenCreator"},
		{403,
			PLAIN("403",
				"Permission 'iam.serviceAccounts.implicitDelegation' denied on "
				"resource"),
			FAULT_SETUP, "iam_delegates", "chain of delegates", "on the next one"},
		{403, DETAIL("403", "SERVICE_DISABLED"), FAULT_SETUP, "iam_api_disabled",
			"in project 7", "--project=7 "},
		{403,
			PLAIN("403",
				"IAM Service Account Credentials API has not been used in project "
				"7 before"),
			FAULT_SETUP, "iam_api_disabled", "not enabled",
			"enable iamcredentials.googleapis.com"},
		{403, DETAIL("403", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), FAULT_SETUP,
			"iam_scope_insufficient", "does not have the scope",
			"--scopes=cloud-platform"},
		{403, PLAIN("403", "Request had insufficient authentication scopes."), FAULT_SETUP,
			"iam_scope_insufficient", "does not have the scope",
			"--scopes=cloud-platform"},
		{403, DETAIL("403", "USER_PROJECT_DENIED"), FAULT_SETUP, "iam_quota_project",
			"charged", "quota_project_id"},
		{404, ERROR("404", "NOT_FOUND", "Unknown service account"), FAULT_SETUP,
			"iam_account_unknown", "inviter@p.iam.gserviceaccount.com does not exist",
			"service-accounts list"},
		{401, ERROR("401", "UNAUTHENTICATED", "x"), FAULT_SETUP, "iam_token_refused",
			"does not accept", "disabled"},
		{400, ERROR("400", "FAILED_PRECONDITION", "x"), FAULT_SETUP, "iam_account_disabled",
			"cannot sign", "enabled"},
		{400, ERROR("400", "INVALID_ARGUMENT", "x"), FAULT_SETUP, "iam_refused",
			"refuses to sign", "clock"},
		{429, ERROR("429", "RESOURCE_EXHAUSTED", "x"), FAULT_TRANSIENT, "iam_quota",
			"used up", "No action is needed"},
		{403, PLAIN("403", "Quota exceeded for quota metric 'M'"), FAULT_TRANSIENT,
			"iam_quota", "used up", "No action is needed"},
		{403, DETAIL("403", "RATE_LIMIT_EXCEEDED"), FAULT_TRANSIENT, "iam_quota", "used up",
			"No action is needed"},
		{500, ERROR("500", "INTERNAL", "x"), FAULT_TRANSIENT, "iam_server", "500",
			"No action is needed"},
		{503, "<html>", FAULT_TRANSIENT, "iam_server", "503", "No action is needed"},
		{408, "", FAULT_TRANSIENT, "iam_server", "408", "No action is needed"},
		{403, "<html>Log in</html>", FAULT_SETUP, "iam_endpoint_unexpected",
			"not look like IAM", "iam_endpoint"},
		{302, "", FAULT_SETUP, "iam_endpoint_unexpected", "302", "login page"},
		{409, PLAIN("409", "x"), FAULT_SETUP, "iam_endpoint_unexpected", "409",
			"iam_endpoint"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(ask_iam, &rows[i]);
}

static void every_refusal_of_the_exchange_has_its_kind_word_sentence_and_remedy(void **state)
{
	static const struct refused rows[] = {
		{400,
			OAUTH("invalid_target",
				"The target service indicated by the \\\"audience\\\" parameters "
				"is invalid. This might either be because the pool or provider is "
				"disabled or deleted or because it doesn't exist."),
			FAULT_SETUP, "sts_audience_unknown", "does not exist, or is disabled",
			"providers describe"},
		{400, OAUTH("invalid_request", "Invalid value for \\\"audience\\\"."), FAULT_SETUP,
			"sts_audience_unknown", "not a pool provider", "create-cred-config"},
		{400, OAUTH("invalid_request", "x"), FAULT_SETUP, "sts_refused",
			"refuses the token exchange", "subject_token_type"},
		{400, OAUTH("invalid_grant", "ID Token issued at 1 is stale"), FAULT_SETUP,
			"sts_token_refused", "does not accept the subject token", "token is new"},
		{403, OAUTH("unauthorized_client", "rejected by the attribute condition"),
			FAULT_SETUP, "sts_condition", "does not accept this subject",
			"attribute condition"},
		{401, OAUTH("invalid_client", "x"), FAULT_SETUP, "sts_client_unknown",
			"OAuth client", "client_secret"},
		{400, OAUTH("invalid_scope", "x"), FAULT_SETUP, "sts_refused",
			"refuses the token exchange", "audience"},
		{400, OAUTH("a_word_of_the_future", "x"), FAULT_SETUP, "sts_refused",
			"a_word_of_the_future", "audience"},
		{400, OAUTH("internal_failure", ""), FAULT_TRANSIENT, "sts_server", "internal",
			"No action is needed"},
		{400, OAUTH("server_error", ""), FAULT_TRANSIENT, "sts_server", "internal",
			"No action is needed"},
		{400, OAUTH("temporarily_unavailable", ""), FAULT_TRANSIENT, "sts_server",
			"not available", "No action is needed"},
		{500, OAUTH("invalid_grant", ""), FAULT_TRANSIENT, "sts_server", "500",
			"No action is needed"},
		{429, "", FAULT_TRANSIENT, "sts_server", "429", "No action is needed"},
		{404, "<html>", FAULT_SETUP, "sts_unexpected", "404", "sts_endpoint"},
		{403, PLAIN("403", "x"), FAULT_SETUP, "sts_unexpected", "403", "sts_endpoint"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(ask_sts, &rows[i]);
}

/* A command without its end would be useless. */
static void no_command_is_cut_off_by_long_names(void **state)
{
	const struct credential c = {.issuer = "abcdefghijklmnopqrstuvwxyz1234@"
					       "abcdefghijklmnopqrstuvwxyz1234.iam."
					       "gserviceaccount.com",
		.path = path};
	const struct iam_signer by = {.name = "the subject of a pool",
		.member = "principal://iam.googleapis.com/projects/123456789012/locations/global/"
			  "workloadIdentityPools/abcdefghijklmnopqrstuvwxyz123456/subject/SUBJECT"};
	struct http_reply r = {.status = 403};
	struct fault f = {.kind = FAULT_NONE};

	(void)state;
	strbuf_add(&r.body, BODY_F);
	error_iam(&c, &by, iam_url, &r, &f);
	strbuf_free(&r.body);
	assert_non_null(strstr(f.remedy, by.member));
	assert_true(str_ends(f.remedy, "wait a few minutes."));
}

static void without_an_answer_it_is_the_network(void **state)
{
	struct http_reply r = {.curl = CURLE_COULDNT_CONNECT, .error = "refused"};

	(void)state;
	assert_string_equal(answer(ask_iam, &r).code, "network_connect");
	assert_non_null(strstr(answer(ask_iam, &r).what, "iamcredentials.googleapis.com"));
	assert_string_equal(answer(ask_sts, &r).code, "network_connect");
	assert_non_null(strstr(answer(ask_sts, &r).what, "sts.googleapis.com"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_refusal_of_iam_has_its_kind_word_sentence_and_remedy),
		cmocka_unit_test(
			every_refusal_of_the_exchange_has_its_kind_word_sentence_and_remedy),
		cmocka_unit_test(no_command_is_cut_off_by_long_names),
		cmocka_unit_test(without_an_answer_it_is_the_network),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
