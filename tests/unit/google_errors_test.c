/* SPDX-License-Identifier: Apache-2.0 */
/* Shows I13 (docs/design.md, "Invariants"). */
/* What Google answers instead of a token or a result, and what the administrator is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/api/errors.h"
#include "google/auth/errors.h"

static char path[] = "/etc/cloudinvite/credentials.json";
static char endpoint[] = "https://oauth2.googleapis.com/token";

static struct credential credential(void)
{
	return (struct credential){.issuer = "inviter@p.iam.gserviceaccount.com",
		.subject = "admin@example.com",
		.client_id = "112233445566",
		.key_id = "0123abcd",
		.path = path,
		.token_endpoint = endpoint};
}

static struct http_reply reply_with(int status, const char *body)
{
	struct http_reply r = {.status = status, .retry_after = -1};

	strbuf_add(&r.body, body);
	return r;
}

/* ---- the token endpoint ---- */

static struct fault endpoint_says(
	const struct credential *c, int status, const char *body, int64_t skew)
{
	struct http_reply r = reply_with(status, body);
	struct fault f = {0};

	error_token(c, &r, skew, &f);
	strbuf_free(&r.body);
	return f;
}

static struct fault token_says(int status, const char *body, int64_t skew)
{
	struct credential c = credential();

	return endpoint_says(&c, status, body, skew);
}

struct token_row {
	int status;
	const char *error, *description, *subtype;
	enum fault_kind kind;
	const char *code, *what, *remedy;
};

#define DELEGATION                                                                           \
	"add client id 112233445566 with exactly the scope https://www.googleapis.com/auth/" \
	"cloud-identity.userinvitations."

/* Every row of the reference, with Google's full sentence. */
static const struct token_row token_rows[] = {
	{400, "invalid_grant", "Invalid JWT Signature.", NULL, FAULT_SETUP, "token_key_unknown",
		"key 0123abcd is not (or no longer) a key of inviter@p.iam.gserviceaccount.com",
		"add a key of type JSON"},
	{400, "invalid_grant",
		"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
		"timeframe. "
		"Check your iat and exp values in the JWT claim.",
		NULL, FAULT_SETUP, ERROR_CLOCK_SKEW, "clock is wrong", "timedatectl"},
	{400, "invalid_grant", "Invalid JWT: No valid verifier found for issuer", NULL, FAULT_SETUP,
		"token_issuer_unknown", "inviter@p.iam.gserviceaccount.com does not exist",
		"client_email"},
	{400, "invalid_grant", "Account not found", NULL, FAULT_SETUP, "token_account_unknown",
		"admin@example.com does not exist", "subject"},
	{400, "invalid_grant", "Not a valid email or user ID.", NULL, FAULT_SETUP,
		"token_subject_unknown", "admin@example.com is not a user", "subject"},
	{400, "invalid_grant", "Invalid email or User ID", NULL, FAULT_SETUP,
		"token_subject_unknown", "admin@example.com is not a user", "subject"},
	{400, "invalid_grant", "Not a valid email", NULL, FAULT_SETUP, "token_subject_unknown",
		"admin@example.com is not a user", "subject"},
	{400, "invalid_grant", "The account has been deleted", NULL, FAULT_SETUP,
		"token_subject_deleted", "admin@example.com has been deleted", "subject"},
	{400, "invalid_request", "Invalid impersonation &quot;sub&quot; field", NULL, FAULT_SETUP,
		"token_subject_deleted", "admin@example.com was deleted", "subject"},
	{400, "invalid_request", "Invalid impersonation prn email address", NULL, FAULT_SETUP,
		"token_subject_unknown", "admin@example.com is not a user", "subject"},
	{400, "invalid_grant", "A sentence of the future", NULL, FAULT_SETUP, "token_grant_refused",
		"A sentence of the future", "subject"},
	{401, "unauthorized_client",
		"Client is unauthorized to retrieve access tokens using this method, or client not "
		"authorized for any of the scopes requested.",
		NULL, FAULT_SETUP, "token_delegation_missing", "domain-wide delegation is missing",
		DELEGATION},
	{401, "unauthorized_client", "Unauthorized client or scope in request", NULL, FAULT_SETUP,
		"token_delegation_missing", "may not act as admin@example.com", DELEGATION},
	{403, "access_denied", "Requested client not authorized.", NULL, FAULT_SETUP,
		"token_access_denied", "not authorised to act as admin@example.com", DELEGATION},
	{403, "access_denied", "Account restricted", NULL, FAULT_SETUP, "token_access_denied",
		"a policy of the organisation", "trust client id 112233445566"},
	{400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.", NULL,
		FAULT_SETUP, "token_scope_refused", "userinvitations for ", DELEGATION},
	{400, "invalid_account", "Forbidden", NULL, FAULT_SETUP, "token_account_refused",
		"rejects the account inviter@p.iam.gserviceaccount.com", "enabled"},
	{400, "internal_failure", "Backend Error", NULL, FAULT_TRANSIENT, "token_server",
		"internal error", ""},
	{400, "internal_failure", "None", NULL, FAULT_TRANSIENT, "token_server", "internal error",
		""},
	{400, "server_error", "", NULL, FAULT_TRANSIENT, "token_server", "internal error", ""},
	{400, "temporarily_unavailable", "", NULL, FAULT_TRANSIENT, "token_server", "not available",
		""},
	{400, "unknown", "internal_failure", NULL, FAULT_TRANSIENT, "token_server",
		"internal error", ""},
	{400, "unsupported_grant_type", "Invalid grant_type", NULL, FAULT_SETUP, "token_refused",
		"Google does not issue a token", "token_endpoint"},
	{503, "invalid_grant", "Bad Request", NULL, FAULT_TRANSIENT, "token_server", "503", ""},
	{429, "rate_limit", "Slow down", NULL, FAULT_TRANSIENT, "token_server", "429", ""},
};

/* Errors of a login; their sentences do not mention delegation or keys. */
static const struct token_row login_rows[] = {
	{400, "invalid_grant", "Token has been expired or revoked.", NULL, FAULT_SETUP,
		"token_revoked", "has expired or was revoked", "seven days"},
	{400, "invalid_grant", "Bad Request", NULL, FAULT_SETUP, "token_revoked",
		"has expired or was revoked", "cloudinvite login --client FILE"},
	{400, "invalid_grant", "reauth related error (rapt_required)", "rapt_required", FAULT_SETUP,
		"token_reauth", "session-control policy", "exempt"},
	{400, "invalid_grant", "reauth related error (invalid_rapt)", "invalid_rapt", FAULT_SETUP,
		"token_reauth", "session-control policy", "exempt"},
	{400, "invalid_grant", "The account has been deleted", NULL, FAULT_SETUP,
		"token_subject_deleted", "account that logged in", "another administrator"},
	{400, "invalid_grant", "A sentence of the future", NULL, FAULT_SETUP, "token_grant_refused",
		"A sentence of the future", "Log in again"},
	{401, "unauthorized_client", "Unauthorized", NULL, FAULT_SETUP, "token_client_refused",
		"OAuth client", "Desktop app"},
	{403, "access_denied", "Account restricted", NULL, FAULT_SETUP, "token_access_denied",
		"does not allow the OAuth client to act as",
		"trust client id 7-x.apps.googleusercontent.com"},
	{400, "admin_policy_enforced", "Access blocked", NULL, FAULT_SETUP, "token_access_denied",
		"policy", "trust client id 7-x.apps.googleusercontent.com"},
	{400, "invalid_scope", "Bad Request", NULL, FAULT_SETUP, "token_scope_missing",
		"does not include the scope", "ticked"},
	{401, "invalid_client", "The OAuth client was not found.", NULL, FAULT_SETUP,
		"token_client_unknown", "OAuth client in /etc/cloudinvite/credentials.json",
		"Create a new"},
	{401, "deleted_client", "The OAuth client was deleted.", NULL, FAULT_SETUP,
		"token_client_deleted", "has been deleted", "Create a new"},
	{400, "internal_failure", "Backend Error", NULL, FAULT_TRANSIENT, "token_server",
		"internal error", ""},
	{503, "invalid_grant", "Bad Request", NULL, FAULT_TRANSIENT, "token_server", "503", ""},
};

static void expect_rows(const struct credential *c, const struct token_row *of, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct token_row *row = &of[i];
		json_t *json = json_pack(
			"{s:s, s:s}", "error", row->error, "error_description", row->description);
		struct fault f;
		char *body;

		if (row->subtype)
			json_object_set_new(json, "error_subtype", json_string(row->subtype));
		body = json_dumps(json, 0);
		f = endpoint_says(c, row->status, body, 0);
		if (f.kind != row->kind || strcmp(f.code, row->code) != 0 ||
			!strstr(f.what, row->what) || !strstr(f.remedy, row->remedy))
			print_error("%s: %s | %s | %s\n", body, f.code, f.what, f.remedy);
		assert_int_equal(f.kind, row->kind);
		assert_string_equal(f.code, row->code);
		assert_non_null(strstr(f.what, row->what));
		assert_non_null(strstr(f.remedy, row->remedy));
		assert_true(strlen(f.remedy) > 20);
		assert_int_equal(
			row->kind == FAULT_TRANSIENT, !!strstr(f.remedy, "No action is needed"));
		/* Nothing was cut off, and no placeholder is left. */
		assert_true(strlen(f.what) < sizeof(f.what) - 1);
		assert_true(strlen(f.remedy) < sizeof(f.remedy) - 1);
		assert_null(strpbrk(f.what, "{}"));
		assert_null(strpbrk(f.remedy, "{}"));
		free(body);
		json_decref(json);
	}
}

static void each_row_of_the_token_endpoint_has_its_word_sentence_and_remedy(void **state)
{
	struct credential c = credential();

	(void)state;
	expect_rows(&c, token_rows, ARRAY_SIZE(token_rows));
}

/* Names of the maximum length: 30 letters for the account, 30 for the project. */
static void no_remedy_is_cut_off_by_long_names(void **state)
{
	static char long_path[] = "/etc/cloudinvite/credentials-of-the-organisation.json";
	struct credential c = {.issuer = "abcdefghijklmnopqrstuvwxyz1234@"
					 "abcdefghijklmnopqrstuvwxyz1234.iam.gserviceaccount.com",
		.subject = "firstname.lastname@subsidiary.example.com",
		.client_id = "112233445566778899001",
		.key_id = "0123456789abcdef0123456789abcdef01234567",
		.path = long_path,
		.token_endpoint = endpoint};
	char body[512];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(token_rows); i++) {
		struct fault f;

		str_format(body, sizeof(body), "{\"error\":\"%s\",\"error_description\":\"%s\"}",
			token_rows[i].error, token_rows[i].description);
		f = endpoint_says(&c, token_rows[i].status, body, 0);
		if (strlen(f.remedy) >= sizeof(f.remedy) - 1)
			print_error("%s\n", f.remedy);
		assert_true(strlen(f.remedy) < sizeof(f.remedy) - 1);
	}
}

static void each_row_for_a_login_says_how_to_log_in_again(void **state)
{
	struct credential c = {.type = &credential_authorized_user,
		.client_id = "7-x.apps.googleusercontent.com",
		.path = path,
		.token_endpoint = endpoint};

	(void)state;
	expect_rows(&c, login_rows, ARRAY_SIZE(login_rows));
}

static void a_wrong_clock_is_reported_with_the_seconds(void **state)
{
	static const char body[] =
		"{\"error\":\"invalid_grant\",\"error_description\":"
		"\"Invalid JWT: Token must be a short-lived token (60 minutes)\"}";

	(void)state;
	assert_non_null(
		strstr(token_says(400, body, 600).what, "by 600 s (it is ahead of Google's)"));
	assert_non_null(strstr(token_says(400, body, -90).what, "by 90 s (it is behind Google's)"));
}

static void a_reply_that_is_not_a_token_endpoints_is_named_so(void **state)
{
	static const struct {
		int status;
		enum fault_kind kind;
		const char *body;
	} all[] = {{403, FAULT_SETUP, "<html>Login</html>"}, {404, FAULT_SETUP, ""},
		{302, FAULT_SETUP, ""}, {400, FAULT_SETUP, "[]"},
		{400, FAULT_SETUP, "{\"error\":{\"code\":400}}"},
		{502, FAULT_TRANSIENT, "<html>Bad gateway</html>"}, {503, FAULT_TRANSIENT, ""},
		{408, FAULT_TRANSIENT, ""}, {429, FAULT_TRANSIENT, "slow"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		struct fault f = token_says(all[i].status, all[i].body, 0);

		assert_int_equal(f.kind, all[i].kind);
		assert_non_null(strstr(f.what, endpoint));
	}
}

static void a_hostile_description_cannot_harm_a_terminal(void **state)
{
	struct fault f = token_says(400,
		"{\"error\":\"invalid_grant\",\"error_description\":\"\\u001b[31m\\r\\nPASS "
		"{file}\"}",
		0);

	(void)state;
	assert_null(strpbrk(f.what, "\033\r\n"));
	assert_non_null(strstr(f.what, "{file}"));
}

/* ---- the API ---- */

static struct google_reply api_says(
	enum google_method method, int status, const char *body, const char *authenticate)
{
	const struct google_call call = {
		.method = method, .address = method == GOOGLE_LIST ? NULL : "alice@example.com"};
	struct credential c = credential();
	struct http_reply r = reply_with(status, body);
	struct google_reply out = {.status = status};

	str_copy(r.authenticate, sizeof(r.authenticate), authenticate ? authenticate : "");
	error_api(&call, &c, "C01234567", &r, &out);
	strbuf_free(&r.body);
	return out;
}

#define ERROR(code, status, message) \
	"{\"error\":{\"code\":" code ",\"message\":\"" message "\",\"status\":\"" status "\"}}"

/* The bodies of docs/google.md 2 and 3.1. */
#define BODY_401 ERROR("401", "UNAUTHENTICATED", "Request had invalid authentication credentials.")
#define BODY_SCOPE                                                                       \
	"{\"error\":{\"code\":403,\"message\":\"No.\",\"status\":\"PERMISSION_DENIED\"," \
	"\"details\":[{"                                                                 \
	"\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":"             \
	"\"ACCESS_TOKEN_SCOPE_INSUFFICIENT\",\"domain\":\"googleapis.com\"}]}}"
#define BODY_DISABLED                                                                             \
	"{\"error\":{\"code\":403,\"message\":\"Cloud Identity API has not been used in project " \
	"77 "                                                                                     \
	"before or it is disabled.\",\"status\":\"PERMISSION_DENIED\",\"details\":[{\"@type\":"   \
	"\"type.googleapis.com/google.rpc.Help\",\"links\":[]},{\"@type\":"                       \
	"\"type.googleapis.com/"                                                                  \
	"google.rpc.ErrorInfo\",\"reason\":\"SERVICE_DISABLED\",\"metadata\":{"                   \
	"\"service\":\"cloudidentity.googleapis.com\",\"consumer\":\"projects/77\"}}]}}"
#define BODY_DENIED ERROR("403", "PERMISSION_DENIED", "The caller does not have permission")
#define BODY_QUOTA  ERROR("429", "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'M'")
#define BODY_404    ERROR("404", "NOT_FOUND", "Requested entity was not found.")
#define BODY_400    ERROR("400", "INVALID_ARGUMENT", "Request contains an invalid argument.")
#define LEGACY(reason)                                                                        \
	"{\"error\":{\"code\":403,\"message\":\"x\",\"errors\":[{\"domain\":\"usageLimits\"," \
	"\"reason\":\"" reason "\"}]}}"

static void a_used_up_quota_is_for_later_in_each_of_its_forms(void **state)
{
	static const struct {
		int status;
		const char *body;
	} all[] = {{429, BODY_QUOTA}, {429, ""}, {429, "<html>"},
		{403, ERROR("403", "PERMISSION_DENIED", "Quota exceeded for quota metric 'M'")},
		{403, ERROR("403", "RESOURCE_EXHAUSTED", "x")}, {403, LEGACY("rateLimitExceeded")},
		{403, LEGACY("userRateLimitExceeded")}, {403, LEGACY("quotaExceeded")},
		{403, "Request rate higher than configured"},
		{403, ERROR("403", "PERMISSION_DENIED", "User Rate Limit Exceeded")}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		for (int m = 0; m < GOOGLE_METHODS; m++) {
			struct google_reply r =
				api_says((enum google_method)m, all[i].status, all[i].body, NULL);

			assert_int_equal(r.fault.kind, FAULT_TRANSIENT);
			assert_string_equal(r.fault.code, "quota");
			assert_true(r.quota);
		}
	}
}

static void what_names_the_setup_is_the_setup_for_every_method(void **state)
{
	static const struct {
		int status;
		const char *body, *authenticate, *code, *remedy;
	} all[] = {{401, BODY_401, NULL, "token_not_accepted", "admin@example.com"},
		{401, "", NULL, "token_not_accepted", "admin@example.com"},
		{403, BODY_SCOPE, NULL, "scope_insufficient", "client id 112233445566"},
		{403,
			ERROR("403", "PERMISSION_DENIED",
				"Request had insufficient authentication scopes."),
			NULL, "scope_insufficient", "cloud-identity.userinvitations"},
		{403, BODY_DENIED, "Bearer realm=\"x\", error=\"insufficient_scope\", scope=\"y\"",
			"scope_insufficient", "Domain-wide"},
		{403, BODY_DISABLED, NULL, "api_disabled", "googleapis.com?project=77"},
		{403, LEGACY("accessNotConfigured"), NULL, "api_disabled", "Enable it"},
		{403,
			ERROR("403", "PERMISSION_DENIED",
				"The cloudidentity.googleapis.com API requires a quota project"),
			NULL, "quota_project", "project of yours"},
		{403,
			ERROR("403", "PERMISSION_DENIED",
				"The authenticated user cannot access this service"),
			NULL, "service_off", "organisational unit of admin@example.com"},
		{302, "", NULL, "redirected", "proxy"}, {307, "{}", NULL, "redirected", "proxy"},
		{403, "<html>Blocked</html>", NULL, "endpoint_unexpected", "endpoint"},
		{404, "<html>Not Found</html>", NULL, "endpoint_unexpected", "endpoint"},
		{400, "", NULL, "endpoint_unexpected", "endpoint"},
		{405, ERROR("405", "", ""), NULL, "endpoint_unexpected", "api_version"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		for (int m = 0; m < GOOGLE_METHODS; m++) {
			struct google_reply r = api_says((enum google_method)m, all[i].status,
				all[i].body, all[i].authenticate);

			if (strcmp(r.fault.code, all[i].code) != 0)
				print_error(
					"%d %s: %s\n", all[i].status, all[i].body, r.fault.code);
			assert_int_equal(r.fault.kind, FAULT_SETUP);
			assert_string_equal(r.fault.code, all[i].code);
			assert_non_null(strstr(r.fault.remedy, all[i].remedy));
			assert_null(strpbrk(r.fault.remedy, "{}"));
			assert_false(r.quota);
		}
	}
}

static void other_refusals_are_the_persons_until_the_control_call(void **state)
{
	static const struct {
		int status;
		const char *body, *code;
	} all[] = {{400, BODY_400, "invalid_argument"}, {403, BODY_DENIED, "permission_denied"},
		{400, ERROR("400", "FAILED_PRECONDITION", "Precondition check failed."),
			"failed_precondition"},
		{409, ERROR("409", "ALREADY_EXISTS", "x"), "already_exists"},
		{412, ERROR("412", "", "x"), "http_412"}, {404, BODY_404, "not_found"},
		{403, ERROR("403", "BAD\\u001b[0m", "x"), "http_403"}};
	static const enum google_method about[] = {GOOGLE_CHECK, GOOGLE_SEND, GOOGLE_CANCEL};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		for (size_t m = 0; m < ARRAY_SIZE(about); m++) {
			struct google_reply r =
				api_says(about[m], all[i].status, all[i].body, NULL);

			assert_int_equal(r.fault.kind, FAULT_REJECTED);
			assert_string_equal(r.fault.code, all[i].code);
		}
		assert_int_equal(api_says(GOOGLE_LIST, all[i].status, all[i].body, NULL).fault.kind,
			FAULT_SETUP);
	}
}

static void a_404_of_the_api_is_not_a_fault(void **state)
{
	struct google_reply r = api_says(GOOGLE_GET, 404, BODY_404, NULL);

	(void)state;
	assert_int_equal(r.fault.kind, FAULT_NONE);
	assert_false(r.shown);
}

static void a_control_call_that_is_refused_names_administrator_and_customer(void **state)
{
	struct google_reply r = api_says(GOOGLE_LIST, 403, BODY_DENIED, NULL);

	(void)state;
	assert_int_equal(r.fault.kind, FAULT_SETUP);
	assert_non_null(strstr(r.fault.what, "C01234567"));
	assert_non_null(strstr(r.fault.remedy, "admin@example.com is a super administrator"));
}

static void a_sick_server_is_for_later(void **state)
{
	static const int codes[] = {408, 500, 501, 502, 503, 504, 599};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		assert_int_equal(api_says(GOOGLE_CHECK, codes[i], "<html>", NULL).fault.kind,
			FAULT_TRANSIENT);
		assert_int_equal(
			api_says(GOOGLE_LIST, codes[i], ERROR("503", "UNAVAILABLE", "x"), NULL)
				.fault.kind,
			FAULT_TRANSIENT);
	}
}

static void google_may_echo_an_address_and_the_fault_does_not(void **state)
{
	struct google_reply r = api_says(GOOGLE_CHECK, 400,
		ERROR("400", "INVALID_ARGUMENT",
			"customers/C1/userinvitations/ALICE@example.com: bad"),
		NULL);

	(void)state;
	assert_null(strstr(r.fault.what, "example.com"));
	assert_non_null(strstr(r.fault.what, "(the address): bad"));
}

static void a_project_that_is_none_gets_into_no_link(void **state)
{
	struct google_reply r = api_says(GOOGLE_CHECK, 403,
		"{\"error\":{\"code\":403,\"message\":\"\",\"details\":[{\"@type\":"
		"\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"SERVICE_DISABLED\","
		"\"metadata\":{\"consumer\":\"projects/7&x=//evil.example\"}},7,null]}}",
		NULL);

	(void)state;
	assert_string_equal(r.fault.code, "api_disabled");
	assert_null(strstr(r.fault.remedy, "evil"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_of_the_token_endpoint_has_its_word_sentence_and_remedy),
		cmocka_unit_test(no_remedy_is_cut_off_by_long_names),
		cmocka_unit_test(each_row_for_a_login_says_how_to_log_in_again),
		cmocka_unit_test(a_wrong_clock_is_reported_with_the_seconds),
		cmocka_unit_test(a_reply_that_is_not_a_token_endpoints_is_named_so),
		cmocka_unit_test(a_hostile_description_cannot_harm_a_terminal),
		cmocka_unit_test(a_used_up_quota_is_for_later_in_each_of_its_forms),
		cmocka_unit_test(what_names_the_setup_is_the_setup_for_every_method),
		cmocka_unit_test(other_refusals_are_the_persons_until_the_control_call),
		cmocka_unit_test(a_404_of_the_api_is_not_a_fault),
		cmocka_unit_test(a_control_call_that_is_refused_names_administrator_and_customer),
		cmocka_unit_test(a_sick_server_is_for_later),
		cmocka_unit_test(google_may_echo_an_address_and_the_fault_does_not),
		cmocka_unit_test(a_project_that_is_none_gets_into_no_link),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
