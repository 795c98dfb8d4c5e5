/* SPDX-License-Identifier: Apache-2.0 */
/* What IAM and the token exchange answer instead of what was asked, and what an administrator
 * reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <curl/curl.h>
#include <string.h>

#include "google/failure.h"

#define INVITER "inviter@p.iam.gserviceaccount.com"
#define PROVIDER \
	"//iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/k8s/providers/c1"

static char path[] = "/etc/cloudinvite/credentials.json";
static char iam[] = "https://iamcredentials.googleapis.com";
static char sts[] = "https://sts.googleapis.com/v1/token";
static const struct settings settings = {.iam_endpoint = iam, .sts_endpoint = sts};

static struct credential credential(void)
{
	return (struct credential){.issuer = INVITER,
		.subject = "admin@example.com",
		.path = path,
		.settings = &settings};
}

static struct http_reply reply_with(int status, const char *body)
{
	struct http_reply r = {.status = status, .retry_after = -1};

	text_add(&r.body, body);
	return r;
}

struct expected {
	int status;
	const char *body;
	enum fault_kind kind;
	const char *code, *what, *remedy;
};

static void expect(const struct fault *f, const struct expected *e)
{
	if (strcmp(f->code, e->code) != 0 || !strstr(f->what, e->what) ||
		!strstr(f->remedy, e->remedy))
		print_error(
			"%d %s: %s | %s | %s\n", e->status, e->body, f->code, f->what, f->remedy);
	assert_string_equal(f->code, e->code);
	assert_int_equal(f->kind, e->kind);
	assert_non_null(strstr(f->what, e->what));
	assert_non_null(strstr(f->remedy, e->remedy));
	assert_null(strchr(f->remedy, '{'));
	assert_true(strlen(f->remedy) < sizeof(f->remedy) - 1);
	assert_true(f->kind == FAULT_LATER || *f->remedy);
}

/* ---- IAM ---- */

#define ERROR(message, status, more) \
	"{\"error\":{\"code\":0,\"message\":\"" message "\",\"status\":\"" status "\"" more "}}"
#define INFO(reason)                                      \
	",\"details\":[{\"@type\":\"type.googleapis.com/" \
	"google.rpc.ErrorInfo\",\"reason\":\"" reason     \
	"\",\"metadata\":{\"consumer\":\"projects/77\"}}]"
#define BINDING                                                       \
	"gcloud iam service-accounts add-iam-policy-binding " INVITER \
	" --member=serviceAccount:worker@p.iam.gserviceaccount.com "  \
	"--role=roles/iam.serviceAccountTokenCreator"

static const struct expected iam_says[] = {
	{403,
		ERROR("Permission 'iam.serviceAccounts.signJwt' denied on resource (or it may not "
		      "exist).",
			"PERMISSION_DENIED", INFO("IAM_PERMISSION_DENIED")),
		FAULT_SETUP, "iam_denied",
		"worker@p.iam.gserviceaccount.com may not sign as " INVITER " (403 Permission",
		BINDING},
	{403, ERROR("The caller does not have permission", "PERMISSION_DENIED", ""), FAULT_SETUP,
		"iam_denied", "may not sign", BINDING},
	{403,
		ERROR("Permission 'iam.serviceAccounts.implicitDelegation' denied on resource",
			"PERMISSION_DENIED", ""),
		FAULT_SETUP, "iam_delegates", "chain of delegates", "`delegates` of "},
	{403,
		ERROR("IAM Service Account Credentials API has not been used in project 77 before "
		      "or it is disabled.",
			"PERMISSION_DENIED", INFO("SERVICE_DISABLED")),
		FAULT_SETUP, "iam_api_disabled", "not enabled in project 77",
		"gcloud services enable iamcredentials.googleapis.com --project=77"},
	{403, ERROR("It has not been used in project 77.", "PERMISSION_DENIED", ""), FAULT_SETUP,
		"iam_api_disabled", "not enabled", "--project=PROJECT"},
	{403,
		ERROR("Request had insufficient authentication scopes.", "PERMISSION_DENIED",
			INFO("ACCESS_TOKEN_SCOPE_INSUFFICIENT")),
		FAULT_SETUP, "iam_scope_insufficient", "lacks the scope",
		"--scopes=cloud-platform"},
	{403, ERROR("x", "PERMISSION_DENIED", INFO("USER_PROJECT_DENIED")), FAULT_SETUP,
		"iam_quota_project", "may not be used", "quota_project_id"},
	{403, ERROR("Quota exceeded for quota metric", "PERMISSION_DENIED", ""), FAULT_LATER,
		"iam_quota", "quota", ""},
	{429, ERROR("x", "RESOURCE_EXHAUSTED", ""), FAULT_LATER, "iam_quota", "quota", ""},
	{404, ERROR("Requested entity was not found.", "NOT_FOUND", ""), FAULT_SETUP,
		"iam_account_unknown", INVITER " does not exist", "service_account"},
	{401, ERROR("x", "UNAUTHENTICATED", ""), FAULT_SETUP, "iam_token_refused",
		"the token of worker@", "not disabled"},
	{400, ERROR("x", "FAILED_PRECONDITION", ""), FAULT_SETUP, "iam_account_disabled",
		"cannot sign", "gcloud iam service-accounts describe " INVITER},
	{400, ERROR("x", "INVALID_ARGUMENT", ""), FAULT_SETUP, "iam_refused", "400 x", "clock"},
	{503, ERROR("x", "UNAVAILABLE", ""), FAULT_LATER, "iam_server", "503", ""},
	{500, "", FAULT_LATER, "iam_server", "500", ""},
	{429, "slow down", FAULT_LATER, "iam_server", "429", ""},
	{403, "<html>Forbidden</html>", FAULT_SETUP, "iam_endpoint_strange", "not as IAM does",
		"proxy"},
};

static void each_refusal_of_iam_says_what_to_change(void **state)
{
	const struct iam_caller by = {.name = "worker@p.iam.gserviceaccount.com",
		.member = "serviceAccount:worker@p.iam.gserviceaccount.com"};
	struct credential c = credential();

	(void)state;
	for (size_t i = 0; i < sizeof(iam_says) / sizeof(*iam_says); i++) {
		struct http_reply r = reply_with(iam_says[i].status, iam_says[i].body);
		struct fault f = {0};

		failure_iam(&c, &by, iam, &r, &f);
		expect(&f, &iam_says[i]);
		text_free(&r.body);
	}
}

/* The longest member that there is still leaves the command whole. */
static void a_federated_caller_is_named_as_iam_wants_it(void **state)
{
	const struct iam_caller by = {
		.name = "the subject of projects/123456789012/locations/global/"
			"workloadIdentityPools/production-clusters",
		.member = "principal://iam.googleapis.com/projects/123456789012/locations/global/"
			  "workloadIdentityPools/production-clusters/subject/SUBJECT"};
	struct http_reply r = reply_with(403, ERROR("x", "PERMISSION_DENIED", ""));
	struct credential c = credential();
	struct fault f = {0};

	(void)state;
	failure_iam(&c, &by, iam, &r, &f);
	assert_non_null(strstr(f.remedy, "production-clusters/subject/SUBJECT"));
	assert_non_null(strstr(f.remedy, "--role=roles/iam.serviceAccountTokenCreator"));
	text_free(&r.body);
}

static void without_an_answer_the_way_to_iam_is_named(void **state)
{
	const struct iam_caller by = {.name = "x", .member = "y"};
	struct http_reply r = {.curl = CURLE_COULDNT_RESOLVE_HOST};
	struct credential c = credential();
	struct fault f = {0};

	(void)state;
	failure_iam(&c, &by, iam, &r, &f);
	assert_int_equal(f.kind, FAULT_LATER);
	assert_string_equal(f.code, "network_name");
	assert_non_null(strstr(f.what, "iamcredentials.googleapis.com"));
}

/* ---- the Security Token Service ---- */

#define SAYS(error, text) "{\"error\":\"" error "\",\"error_description\":\"" text "\"}"

static const struct expected sts_says[] = {
	{400,
		SAYS("invalid_target",
			"The target service indicated by the \\\"audience\\\" parameters is "
			"invalid. This might either be because the pool or provider is disabled "
			"or deleted or because it doesn't exist."),
		FAULT_SETUP, "sts_audience_unknown", PROVIDER, "providers describe"},
	{400, SAYS("invalid_request", "Invalid value for \\\"audience\\\". x"), FAULT_SETUP,
		"sts_audience_unknown", "is no provider", "create-cred-config"},
	{400, SAYS("invalid_request", "Something else"), FAULT_SETUP, "sts_refused", "refused",
		"subject_token_type"},
	{400, SAYS("invalid_grant", "ID Token issued at 1 is stale to sign-in."), FAULT_SETUP,
		"sts_token_refused", "does not accept the subject's token", "fresh"},
	{400,
		SAYS("unauthorized_client", "The given credential is rejected by the attribute "
					    "condition."),
		FAULT_SETUP, "sts_condition", "does not admit", "attribute condition"},
	{401, SAYS("invalid_client", "x"), FAULT_SETUP, "sts_client_unknown", "OAuth client",
		"client_secret"},
	{400, SAYS("invalid_scope", "x"), FAULT_SETUP, "sts_refused", "refused",
		"credentials.json"},
	{400, SAYS("never_seen", "x"), FAULT_SETUP, "sts_refused", "never_seen: x",
		"credentials.json"},
	{400, SAYS("internal_failure", "x"), FAULT_LATER, "sts_server", "internal", ""},
	{400, SAYS("temporarily_unavailable", "x"), FAULT_LATER, "sts_server", "not available", ""},
	{503, SAYS("invalid_grant", "x"), FAULT_LATER, "sts_server", "503", ""},
	{429, "", FAULT_LATER, "sts_server", "429", ""},
	{404, "<html>", FAULT_SETUP, "sts_strange", "404", "sts_endpoint"},
	{302, "", FAULT_SETUP, "sts_strange", "302", "proxy"},
};

static void each_refusal_of_an_exchange_says_what_to_change(void **state)
{
	struct credential c = credential();

	(void)state;
	for (size_t i = 0; i < sizeof(sts_says) / sizeof(*sts_says); i++) {
		struct http_reply r = reply_with(sts_says[i].status, sts_says[i].body);
		struct fault f = {0};

		failure_sts(&c, PROVIDER, &r, &f);
		expect(&f, &sts_says[i]);
		text_free(&r.body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_refusal_of_iam_says_what_to_change),
		cmocka_unit_test(a_federated_caller_is_named_as_iam_wants_it),
		cmocka_unit_test(without_an_answer_the_way_to_iam_is_named),
		cmocka_unit_test(each_refusal_of_an_exchange_says_what_to_change),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
