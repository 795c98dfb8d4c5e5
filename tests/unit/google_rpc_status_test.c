/* SPDX-License-Identifier: Apache-2.0 */
/* Every known way in which Google's API refuses, with whole bodies, for every method. */
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
#include "google/api/parse.h"

#define ERROR(code, status, message) \
	"{\"error\":{\"code\":" code ",\"message\":\"" message "\",\"status\":\"" status "\"}}"
#define PLAIN(code, message) "{\"error\":{\"code\":" code ",\"message\":\"" message "\"}}"
#define LEGACY(code, domain, reason)                                              \
	"{\"error\":{\"errors\":[{\"domain\":\"" domain "\",\"reason\":\"" reason \
	"\",\"message\":\"x\"}],\"code\":" code ",\"message\":\"x\"}}"
#define DETAIL(code, reason)                                                              \
	"{\"error\":{\"code\":" code ",\"details\":[{\"@type\":\"type.googleapis.com/"    \
	"google.rpc.Help\",\"links\":[]},{\"@type\":\"type.googleapis.com/"               \
	"google.rpc.ErrorInfo\",\"reason\":\"" reason "\",\"domain\":\"googleapis.com\"," \
	"\"metadata\":{\"service\":\"cloudidentity.googleapis.com\",\"consumer\":"        \
	"\"projects/N\"}}]}}"

/* The bodies of the reference, as publicly quoted. */
#define BODY_A                                                                             \
	ERROR("401", "UNAUTHENTICATED",                                                    \
		"Request had invalid authentication credentials. Expected OAuth 2 access " \
		"token, login cookie or other valid authentication credential. See "       \
		"https://developers.google.com/identity/sign-in/web/devconsole-project.")
#define BODY_B                                                                             \
	"{\"error\":{\"code\":403,\"message\":\"Request had insufficient authentication "  \
	"scopes.\",\"status\":\"PERMISSION_DENIED\",\"details\":[{\"@type\":"              \
	"\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":"                         \
	"\"ACCESS_TOKEN_SCOPE_INSUFFICIENT\",\"domain\":\"googleapis.com\",\"metadata\":{" \
	"\"service\":\"cloudidentity.googleapis.com\",\"method\":\"google.apps."           \
	"cloudidentity.userinvitations.v1.UserInvitationsService.SendUserInvitation\"}}]}}"
#define BODY_C                                                                            \
	"{\"error\":{\"code\":403,\"message\":\"Cloud Identity API has not been used in " \
	"project 77 before or it is disabled. Enable it by visiting "                     \
	"https://console.developers.google.com/apis/api/cloudidentity.googleapis.com/"    \
	"overview?project=77 then retry. If you enabled this API recently, wait a few "   \
	"minutes for the action to propagate to our systems and retry.\",\"status\":"     \
	"\"PERMISSION_DENIED\",\"details\":[{\"@type\":\"type.googleapis.com/"            \
	"google.rpc.Help\",\"links\":[{\"description\":\"Google developers console API "  \
	"activation\",\"url\":\"https://console.developers.google.com/apis/api/"          \
	"cloudidentity.googleapis.com/overview?project=77\"}]},{\"@type\":"               \
	"\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"SERVICE_DISABLED\","   \
	"\"domain\":\"googleapis.com\",\"metadata\":{\"service\":"                        \
	"\"cloudidentity.googleapis.com\",\"consumer\":\"projects/77\"}}]}}"
#define BODY_D ERROR("403", "PERMISSION_DENIED", "The caller does not have permission")
#define QUOTA_TEXT                                                                 \
	"Quota exceeded for quota metric 'M' and limit 'M per minute' of service " \
	"'cloudidentity.googleapis.com' for consumer 'project_number:7'."
#define BODY_E ERROR("429", "RESOURCE_EXHAUSTED", QUOTA_TEXT)
#define BODY_E_403                                                                         \
	"{\"error\":{\"code\":403,\"message\":\"" QUOTA_TEXT "\",\"status\":"              \
	"\"PERMISSION_DENIED\",\"errors\":[{\"message\":\"x\",\"domain\":\"usageLimits\"," \
	"\"reason\":\"rateLimitExceeded\"}]}}"
#define BODY_F                                                                             \
	"{\"error\":{\"code\":403,\"message\":\"Permission 'iam.serviceAccounts.signJwt' " \
	"denied on resource (or it may not exist).\",\"status\":\"PERMISSION_DENIED\","    \
	"\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":" \
	"\"IAM_PERMISSION_DENIED\",\"domain\":\"iam.googleapis.com\",\"metadata\":{"       \
	"\"permission\":\"iam.serviceAccounts.signJwt\"}}]}}"

static char path[] = "/etc/cloudinvite/credentials.json";

static struct google_reply say(const struct credential *c, enum google_method method, int status,
	const char *body, const char *authenticate)
{
	const struct google_call call = {
		.method = method, .address = method == GOOGLE_LIST ? NULL : "alice@example.com"};
	struct http_reply r = {.status = status, .retry_after = -1};
	struct google_reply out = {.status = status};

	strbuf_add(&r.body, body);
	str_copy(r.authenticate, sizeof(r.authenticate), authenticate ? authenticate : "");
	error_api(&call, c, "C01234567", &r, &out);
	strbuf_free(&r.body);
	return out;
}

static struct credential credential(void)
{
	return (struct credential){.issuer = "inviter@p.iam.gserviceaccount.com",
		.subject = "admin@example.com",
		.client_id = "112233445566",
		.path = path};
}

struct refused {
	int status;
	const char *body, *authenticate;
	enum fault_kind kind; /* PERSON: for calls about a person; list and get differ */
	const char *code, *what, *remedy;
};

static const struct refused all[] = {
	{401, BODY_A, NULL, FAULT_SETUP, "token_not_accepted", "admin@example.com", "Directory"},
	{401, PLAIN("401", "x"), NULL, FAULT_SETUP, "token_not_accepted", "although it is new",
		"suspended"},
	{401, LEGACY("401", "global", "authError"), NULL, FAULT_SETUP, "token_not_accepted",
		"admin@example.com", "suspended"},
	{401, DETAIL("401", "ACCESS_TOKEN_TYPE_UNSUPPORTED"), NULL, FAULT_SETUP,
		"token_not_accepted", "ACCESS_TOKEN_TYPE_UNSUPPORTED", "suspended"},
	{401, ERROR("401", "PERMISSION_DENIED", "x"), NULL, FAULT_SETUP, "token_not_accepted",
		"admin@example.com", "suspended"},
	{403, BODY_B, NULL, FAULT_SETUP, "scope_insufficient", "userinvitations",
		"client id 112233445566"},
	{403, PLAIN("403", "Request had insufficient authentication scopes."), NULL, FAULT_SETUP,
		"scope_insufficient", "userinvitations", "Domain-wide delegation"},
	{403, LEGACY("403", "global", "insufficientPermissions"), NULL, FAULT_SETUP,
		"scope_insufficient", "userinvitations", "Domain-wide delegation"},
	{403, DETAIL("403", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"), NULL, FAULT_SETUP,
		"scope_insufficient", "userinvitations", "Domain-wide delegation"},
	{403, BODY_D, "Bearer realm=\"https://accounts.google.com/\", error=\"insufficient_scope\"",
		FAULT_SETUP, "scope_insufficient", "userinvitations", "Domain-wide delegation"},
	{403, BODY_C, NULL, FAULT_SETUP, "api_disabled", "not enabled", "?project=77 "},
	{403, PLAIN("403", "Cloud Identity API has not been used in project 77 before"), NULL,
		FAULT_SETUP, "api_disabled", "not enabled", "Enable it"},
	{403, LEGACY("403", "usageLimits", "accessNotConfigured"), NULL, FAULT_SETUP,
		"api_disabled", "not enabled", "Enable it"},
	{403, DETAIL("403", "SERVICE_DISABLED"), NULL, FAULT_SETUP, "api_disabled", "not enabled",
		"?project=N "},
	{403, DETAIL("403", "USER_PROJECT_DENIED"), NULL, FAULT_SETUP, "quota_project",
		"admin@example.com may not use the project", "Service Usage Consumer"},
	{403,
		PLAIN("403",
			"Caller does not have required permission to use project p. Grant the "
			"caller the roles/serviceusage.serviceUsageConsumer role, or a custom role "
			"with the serviceusage.services.use permission, by visiting https://x"),
		NULL, FAULT_SETUP, "quota_project", "may not use the project", "quota_project_id"},
	{403, DETAIL("403", "CONSUMER_INVALID"), NULL, FAULT_SETUP, "quota_project",
		"does not exist", "[google] quota_project"},
	{403,
		PLAIN("403",
			"The cloudidentity.googleapis.com API requires a quota project, which is "
			"not set by default."),
		NULL, FAULT_SETUP, "quota_project", "the calls can be charged to",
		"[google] quota_project"},
	{403,
		PLAIN("403", "Request is prohibited by organization's policy. "
			     "vpcServiceControlsUniqueIdentifier: AbC"),
		NULL, FAULT_SETUP, "service_perimeter", "AbC", "VPC Service Controls"},
	{403, PLAIN("403", "The authenticated user cannot access this service."), NULL, FAULT_SETUP,
		"service_off", "admin@example.com may not use", "Additional Google services"},
	{429, BODY_E, NULL, FAULT_TRANSIENT, "quota", "used up", "requests_per_minute"},
	{429, PLAIN("429", "insufficient quota"), NULL, FAULT_TRANSIENT, "quota", "used up",
		"slows down"},
	{429, "quota exceeded for quota metric", NULL, FAULT_TRANSIENT, "quota", "used up",
		"slows down"},
	{429, "", NULL, FAULT_TRANSIENT, "quota", "used up", "slows down"},
	{403, BODY_E_403, NULL, FAULT_TRANSIENT, "quota", "used up", "slows down"},
	{403, PLAIN("403", QUOTA_TEXT), NULL, FAULT_TRANSIENT, "quota", "used up", "slows down"},
	{403, LEGACY("403", "usageLimits", "rateLimitExceeded"), NULL, FAULT_TRANSIENT, "quota",
		"used up", "slows down"},
	{403, LEGACY("403", "usageLimits", "userRateLimitExceeded"), NULL, FAULT_TRANSIENT, "quota",
		"used up", "slows down"},
	{403, LEGACY("403", "usageLimits", "quotaExceeded"), NULL, FAULT_TRANSIENT, "quota",
		"used up", "slows down"},
	{403, LEGACY("403", "usageLimits", "sharingRateLimitExceeded"), NULL, FAULT_TRANSIENT,
		"quota", "used up", "slows down"},
	{403, DETAIL("403", "RATE_LIMIT_EXCEEDED"), NULL, FAULT_TRANSIENT, "quota", "used up",
		"slows down"},
	{403, "Request rate higher than configured", NULL, FAULT_TRANSIENT, "quota", "used up",
		"slows down"},
	{503, PLAIN("503", "Quota exceeded for the current request"), NULL, FAULT_TRANSIENT,
		"quota", "used up", "slows down"},
	{400, "<html><title>400 No required SSL certificate was sent</title></html>", NULL,
		FAULT_SETUP, "tls_client_certificate", "requires a client certificate",
		"client_certificate and client_key"},
	{400, "<html><title>400 The SSL certificate error</title></html>", NULL, FAULT_SETUP,
		"tls_client_certificate", "does not accept the client certificate", "expired"},
	{302, "", NULL, FAULT_SETUP, "redirected", "redirect (302)", "login page"},
	{404, "<html><title>404 Not Found</title></html>", NULL, FAULT_SETUP, "endpoint_unexpected",
		"404", "api_version"},
	{403, "<html><title>Blocked by the firewall</title></html>", NULL, FAULT_SETUP,
		"endpoint_unexpected", "403", "proxy"},
	{405, PLAIN("405", "x"), NULL, FAULT_SETUP, "endpoint_unexpected", "405", "endpoint"},
	{408, "", NULL, FAULT_TRANSIENT, "http_408", "408", "No action is needed"},
	{500, ERROR("500", "INTERNAL", "Internal error encountered."), NULL, FAULT_TRANSIENT,
		"internal", "500 Internal error", "No action is needed"},
	{500, PLAIN("500", "Backend Error"), NULL, FAULT_TRANSIENT, "http_500", "Backend Error",
		"No action is needed"},
	{500, ERROR("500", "UNKNOWN", ""), NULL, FAULT_TRANSIENT, "unknown", "500",
		"No action is needed"},
	{501, ERROR("501", "UNIMPLEMENTED", "x"), NULL, FAULT_TRANSIENT, "unimplemented", "501",
		"No action is needed"},
	{502, "<html><title>Bad Gateway</title></html>", NULL, FAULT_TRANSIENT, "http_502", "502",
		"No action is needed"},
	{503, ERROR("503", "UNAVAILABLE", "The service is currently unavailable."), NULL,
		FAULT_TRANSIENT, "unavailable", "currently unavailable", "No action is needed"},
	{504, "Gateway Timeout", NULL, FAULT_TRANSIENT, "http_504", "504", "No action is needed"},
	/* The person or the configuration: the control call decides. */
	{403, BODY_D, NULL, FAULT_REJECTED, "permission_denied", "does not have permission", ""},
	{403, BODY_F, NULL, FAULT_REJECTED, "permission_denied", "signJwt", ""},
	{403, LEGACY("403", "global", "forbidden"), NULL, FAULT_REJECTED, "http_403", "403", ""},
	{403, PLAIN("403", "Error(2015): Actor does not have permission"), NULL, FAULT_REJECTED,
		"http_403", "2015", ""},
	{404, ERROR("404", "NOT_FOUND", "Requested entity was not found."), NULL, FAULT_REJECTED,
		"not_found", "not found", ""},
	{404, LEGACY("404", "global", "notFound"), NULL, FAULT_REJECTED, "http_404", "404", ""},
	{400, ERROR("400", "INVALID_ARGUMENT", "Request contains an invalid argument."), NULL,
		FAULT_REJECTED, "invalid_argument", "invalid argument", ""},
	{400, ERROR("400", "FAILED_PRECONDITION", "Precondition check failed."), NULL,
		FAULT_REJECTED, "failed_precondition", "Precondition", ""},
	{400, LEGACY("400", "global", "invalid"), NULL, FAULT_REJECTED, "http_400", "400", ""},
	{409, ERROR("409", "ALREADY_EXISTS", "x"), NULL, FAULT_REJECTED, "already_exists", "409",
		""},
	{409, ERROR("409", "ABORTED", "x"), NULL, FAULT_REJECTED, "aborted", "409", ""},
	{412, PLAIN("412", "x"), NULL, FAULT_REJECTED, "http_412", "412", ""},
};

/* No text is cut off, no placeholder is left, and there is always a remedy. */
static void assert_sentences(const struct fault *f)
{
	assert_true(strlen(f->what) < sizeof(f->what) - 1);
	assert_true(strlen(f->remedy) > 20 && strlen(f->remedy) < sizeof(f->remedy) - 1);
	assert_null(strpbrk(f->what, "{}\r\n"));
	assert_null(strpbrk(f->remedy, "{}\r\n"));
	assert_null(strstr(f->what, "alice"));
	assert_null(strstr(f->remedy, "alice"));
}

static void expect(const struct refused *row, enum google_method method, enum fault_kind kind)
{
	struct credential c = credential();
	struct google_reply r = say(&c, method, row->status, row->body, row->authenticate);

	if (r.fault.kind != kind || strcmp(r.fault.code, row->code) != 0 ||
		!strstr(r.fault.what, row->what) || !strstr(r.fault.remedy, row->remedy))
		print_error("%s %d %s: %s | %s | %s\n", google_method_word(method), row->status,
			row->body, r.fault.code, r.fault.what, r.fault.remedy);
	assert_int_equal(r.fault.kind, kind);
	assert_string_equal(r.fault.code, row->code);
	assert_non_null(strstr(r.fault.what, row->what));
	assert_non_null(strstr(r.fault.remedy, row->remedy));
	assert_int_equal(r.quota, strcmp(row->code, "quota") == 0);
	assert_sentences(&r.fault);
}

static void every_refusal_has_its_kind_word_sentence_and_remedy_for_every_method(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		bool person = all[i].kind == FAULT_REJECTED;

		expect(&all[i], GOOGLE_CHECK, all[i].kind);
		expect(&all[i], GOOGLE_SEND, all[i].kind);
		expect(&all[i], GOOGLE_CANCEL, all[i].kind);
		expect(&all[i], GOOGLE_LIST, person ? FAULT_SETUP : all[i].kind);
		if (!person || all[i].status != 404)
			expect(&all[i], GOOGLE_GET, all[i].kind);
	}
}

static void a_login_without_the_scope_gets_a_remedy_without_delegation(void **state)
{
	struct credential c = {.type = &credential_authorized_user, .path = path};
	struct google_reply r = say(&c, GOOGLE_SEND, 403, BODY_B, NULL);

	(void)state;
	assert_string_equal(r.fault.code, "scope_insufficient");
	assert_non_null(strstr(r.fault.remedy, "cloudinvite login --client FILE"));
	assert_null(strstr(r.fault.remedy, "elegation"));
	assert_sentences(&r.fault);
}

/* ---- contents of an Operation ---- */

static struct google_reply operation_says(enum google_method method, int code, const char *message)
{
	const struct google_call call = {.method = method, .address = "alice@example.com"};
	struct reply_storage memory = {0};
	struct google_reply out = {.status = 200};
	struct strbuf body = {0};

	strbuf_addf(&body, "{\"name\":\"operations/1\",\"done\":true,\"error\":{\"code\":%d", code);
	strbuf_addf(&body, ",\"message\":\"%s\"}}", message);
	parse_reply(&call, body.data, body.len, &memory, &out);
	reply_storage_free(&memory);
	strbuf_free(&body);
	return out;
}

static void every_code_of_an_operation_has_its_kind_and_remedy(void **state)
{
	static const struct {
		int code;
		enum fault_kind kind;
		const char *word, *remedy;
	} codes[] = {{1, FAULT_AMBIGUOUS, "cancelled", "cloudinvite get"},
		{2, FAULT_AMBIGUOUS, "unknown", "cloudinvite get"},
		{3, FAULT_REJECTED, "invalid_argument", "cloudinvite retry"},
		{4, FAULT_AMBIGUOUS, "deadline_exceeded", "cloudinvite get"},
		{5, FAULT_REJECTED, "not_found", "cloudinvite retry"},
		{6, FAULT_REJECTED, "already_exists", "cloudinvite retry"},
		{7, FAULT_REJECTED, "permission_denied", "cloudinvite retry"},
		{8, FAULT_TRANSIENT, "resource_exhausted", "No action is needed"},
		{9, FAULT_REJECTED, "failed_precondition", "cloudinvite retry"},
		{10, FAULT_REJECTED, "aborted", "cloudinvite retry"},
		{11, FAULT_REJECTED, "out_of_range", "cloudinvite retry"},
		{12, FAULT_SETUP, "unimplemented", "api_version"},
		{13, FAULT_AMBIGUOUS, "internal", "cloudinvite get"},
		{14, FAULT_AMBIGUOUS, "unavailable", "cloudinvite get"},
		{15, FAULT_AMBIGUOUS, "data_loss", "cloudinvite get"},
		{16, FAULT_SETUP, "unauthenticated", "suspended"},
		/* Undefined codes, including HTTP's. */
		{0, FAULT_AMBIGUOUS, "unknown", "cloudinvite get"},
		{17, FAULT_AMBIGUOUS, "unknown", "cloudinvite get"},
		{-1, FAULT_AMBIGUOUS, "unknown", "cloudinvite get"},
		{403, FAULT_AMBIGUOUS, "unknown", "cloudinvite get"},
		{2147483647, FAULT_AMBIGUOUS, "unknown", "cloudinvite get"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		struct google_reply r =
			operation_says(GOOGLE_SEND, codes[i].code, "no: alice@example.com");

		assert_int_equal(r.fault.kind, codes[i].kind);
		assert_string_equal(r.fault.code, codes[i].word);
		assert_non_null(strstr(r.fault.remedy, codes[i].remedy));
		assert_int_equal(r.quota, codes[i].code == 8);
		assert_false(r.confirmed);
		assert_sentences(&r.fault);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_refusal_has_its_kind_word_sentence_and_remedy_for_every_method),
		cmocka_unit_test(a_login_without_the_scope_gets_a_remedy_without_delegation),
		cmocka_unit_test(every_code_of_an_operation_has_its_kind_and_remedy),
	};

	return cmocka_run_group_tests_name("google", tests, NULL, NULL);
}
