/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the API answers when it refuses. Google does not document which code it uses for what, so a
 * refusal counts as a fault of the configuration only if it names the configuration. Any other
 * refusal of a call about a person is FAULT_REJECTED until the control call (a `list`) decides.
 */
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/api/errors.h"
#include "google/auth/rpc_status.h"
#include "google/http/errors.h"

enum effect { IS_QUOTA, IS_SETUP };

#define QUOTA_SAYS                                                                           \
	"quota", "Google's request quota is used up",                                        \
		"The dispatcher slows down automatically. If this persists, lower [google] " \
		"requests_per_minute: other programs may use the same quota.",               \
		NULL
#define DISABLED_SAYS                                                                        \
	"api_disabled", "the Cloud Identity API is not enabled in the credential's project", \
		"Enable it: "                                                                \
		"https://console.cloud.google.com/apis/library/"                             \
		"cloudidentity.googleapis.com?project={project} - then wait a few minutes.", \
		NULL
#define SCOPE_SAYS                                                                           \
	"scope_insufficient", "the token does not have the scope {scope}",                   \
		"In the Admin console, Security > Access and data control > API controls > " \
		"Domain-wide delegation, give client id {client_id} exactly the scope "      \
		"{scope}.",                                                                  \
		"Log in again (cloudinvite login --client FILE), and keep its box "          \
		"ticked on Google's page."
#define PROJECT_SAYS                                                                        \
	"quota_project", "{subject} may not use the project that the calls are charged to", \
		"Give {subject} the role Service Usage Consumer in project {project} "      \
		"(Google Cloud console > IAM & Admin > IAM), or correct [google] "          \
		"quota_project, or quota_project_id in {file}.",                            \
		NULL

/* A row matches if the status matches and one of its signals is present. */
static const struct row {
	int status;
	enum effect effect;
	const char *reasons;  /* list */
	const char *contains; /* in the message, or in a body that is not JSON; lower case */
	const char *code, *what, *remedy;
	const char *login; /* the remedy for a login, if it differs */
} rows[] = {
	{429, IS_QUOTA, "*", NULL, QUOTA_SAYS},
	{403, IS_QUOTA,
		"rateLimitExceeded userRateLimitExceeded sharingRateLimitExceeded quotaExceeded "
		"dailyLimitExceeded RATE_LIMIT_EXCEEDED RESOURCE_EXHAUSTED",
		NULL, QUOTA_SAYS},
	{403, IS_QUOTA, NULL, "quota exceeded", QUOTA_SAYS},
	{403, IS_QUOTA, NULL, "rate limit exceeded", QUOTA_SAYS},
	{403, IS_QUOTA, NULL, "request rate higher than configured", QUOTA_SAYS},
	{503, IS_QUOTA, NULL, "quota exceeded", QUOTA_SAYS},
	{401, IS_SETUP, "*", NULL, "token_not_accepted",
		"Google does not accept the token of {subject}, although it is new",
		"Check that {subject} is an administrator and not suspended (Admin console > "
		"Directory > Users), and that [google] endpoint is Google's.",
		NULL},
	{403, IS_SETUP, "SERVICE_DISABLED accessNotConfigured", NULL, DISABLED_SAYS},
	{403, IS_SETUP, NULL, "has not been used in project", DISABLED_SAYS},
	{403, IS_SETUP,
		"ACCESS_TOKEN_SCOPE_INSUFFICIENT insufficient_scope insufficientPermissions", NULL,
		SCOPE_SAYS},
	{403, IS_SETUP, NULL, "insufficient authentication scopes", SCOPE_SAYS},
	{403, IS_SETUP, "USER_PROJECT_DENIED", NULL, PROJECT_SAYS},
	{403, IS_SETUP, NULL, "serviceusage.services.use", PROJECT_SAYS},
	{403, IS_SETUP, "CONSUMER_INVALID", NULL, "quota_project",
		"the project that the calls are charged to does not exist",
		"Correct [google] quota_project, or quota_project_id in {file}.", NULL},
	{403, IS_SETUP, NULL, "requires a quota project", "quota_project",
		"the credential does not belong to a project that the calls can be charged to",
		"Set [google] quota_project to a project of yours with the Cloud Identity API "
		"enabled, or use a credential of such a project.",
		NULL},
	{403, IS_SETUP, NULL, "prohibited by organization's policy", "service_perimeter",
		"a service perimeter of the organisation (VPC Service Controls) blocks the call",
		"Allow {subject} and this host's network into the perimeter: Google Cloud console "
		"> Security > VPC Service Controls. Search for the identifier in Google's message.",
		NULL},
	{403, IS_SETUP, NULL, "authenticated user cannot access this service", "service_off",
		"{subject} may not use this Google service",
		"In the Admin console, Apps > Additional Google services, turn Google Cloud on for "
		"the organisational unit of {subject}.",
		NULL},
	/* A front end of the organisation's own that requires a certificate, in nginx's words. */
	{400, IS_SETUP, NULL, "no required ssl certificate was sent", "tls_client_certificate",
		"the endpoint requires a client certificate",
		"Set [google] client_certificate and client_key, or use the endpoint without mTLS, "
		"https://cloudidentity.googleapis.com.",
		NULL},
	{400, IS_SETUP, NULL, "the ssl certificate error", "tls_client_certificate",
		"the endpoint does not accept the client certificate",
		"Set [google] client_certificate and client_key to the files that the endpoint's "
		"certificate authority issued, and check that the certificate has not expired.",
		NULL},
};

/* ---- the fault ---- */

static const struct row *find_row(const struct rpc_status *says, const struct http_reply *reply)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].status == reply->status &&
			rpc_status_matches(says, reply, rows[i].reasons, rows[i].contains))
			return &rows[i];
	}
	return NULL;
}

/* How many bytes of `s` may be one address: up to a blank, quote, bracket, comma, full stop or
 * slash (as in a path). */
static size_t word_length(const char *s)
{
	size_t n = strcspn(s, " \t\r\n\"'<>()[],;:/=");

	while (n && s[n - 1] == '.')
		n--;
	return n;
}

static const char *address_or_word(const struct google_call *call, const char *word)
{
	if (!strchr(word, '@') || strstr(word, ".gserviceaccount.com"))
		return word;
	return call->address && str_equal_nocase(word, call->address) ? "(the address)"
								      : "(an address)";
}

/* Google's own words, for the end of a sentence. Addresses of people in them are replaced, because
 * faults are logged. */
static void quote(const struct google_call *call, const char *message, char *out, size_t size)
{
	struct strbuf t = {.max = 512};
	char word[256];

	while (*message && t.len < 200) {
		size_t len = word_length(message);

		if (!len) {
			strbuf_add_bytes(&t, message++, 1);
			continue;
		}
		/* Longer than any address. */
		if (!str_format(word, sizeof(word), "%.*s", (int)(len < 255 ? len : 255), message))
			break;
		strbuf_add(&t, address_or_word(call, word));
		message += len;
	}
	str_copy(out, size, t.data ? t.data : "");
	strbuf_free(&t);
}

static void fault_from_row(const struct row *row, const struct credential *c, const char *customer,
	const struct rpc_status *says, const char *quoted, struct google_reply *out)
{
	bool login = row->login && c && c->type && c->type->login;
	char what[512], remedy[512];
	struct error_names names = {.subject = credential_administrator(c),
		.client_id = c && *c->client_id ? c->client_id : "of the service account",
		.file = c ? c->path : "the credential's file",
		.customer = customer,
		.project = *says->project ? says->project : "PROJECT"};

	out->quota = row->effect == IS_QUOTA;
	error_expand(what, sizeof(what), row->what, &names);
	error_expand(remedy, sizeof(remedy), login ? row->login : row->remedy, &names);
	fault_set(&out->fault, out->quota ? FAULT_TRANSIENT : FAULT_SETUP, row->code, "%s (%d%s%s)",
		what, out->status, *quoted ? " " : "", quoted);
	fault_remedy(&out->fault, "%s", remedy);
}

/* No person is concerned: if the control call is refused, every other call would be. */
static void list_refused(const char *code, const struct credential *c, const char *customer,
	const char *quoted, struct google_reply *out)
{
	fault_set(&out->fault, FAULT_SETUP, code,
		"Google refuses to list the invitations of %s: %d %s", customer, out->status,
		quoted);
	fault_remedy(&out->fault,
		"Check that %s is a super administrator, and that [google] customer is this "
		"organisation's ID (Admin console > Account > Account settings).",
		credential_administrator(c));
}

/* The code does not say what is wrong with the person: Google does not document its codes. */
#define FIX_AND_RETRY                                                                            \
	"Other people are not affected. Look up the address in the Admin console: it may be an " \
	"alias, "                                                                                \
	"managed already, or in a domain that is not verified. Then run: cloudinvite retry "     \
	"ADDRESS"

static void person_refused(const struct google_call *call, const char *code, const char *quoted,
	struct google_reply *out)
{
	fault_set(&out->fault, FAULT_REJECTED, code, "Google refuses to %s: %d %s",
		google_method_word(call->method), out->status, quoted);
	fault_remedy(&out->fault, FIX_AND_RETRY);
}

static void server_error(const char *code, const char *quoted, struct google_reply *out)
{
	fault_set(&out->fault, FAULT_TRANSIENT, code,
		"Google, or a proxy in between, answers %d%s%s", out->status, quoted[0] ? " " : "",
		quoted);
	fault_remedy(&out->fault, ERROR_WAIT_REMEDY);
}

static void redirected(struct google_reply *out)
{
	fault_set(&out->fault, FAULT_SETUP, "redirected",
		"the API's address answers with a redirect (%d), which Google never does",
		out->status);
	fault_remedy(&out->fault, "A network login page or a proxy intercepts the call: check "
				  "[google] endpoint and proxy.");
}

/* An HTML page with 403 or 404 does not come from the API, so it says nothing about an
 * invitation. */
static void not_google(struct google_reply *out)
{
	fault_set(&out->fault, FAULT_SETUP, "endpoint_unexpected",
		"a server that is not the Cloud Identity API answers %d", out->status);
	fault_remedy(&out->fault, "Check [google] endpoint and api_version. A proxy or a network "
				  "login page may intercept the call.");
}

static bool about_person(int status)
{
	return status == 400 || status == 403 || status == 404 || status == 409 || status == 412;
}

static void classify(const struct google_call *call, const struct credential *c,
	const char *customer, const struct http_reply *reply, const struct rpc_status *says,
	struct google_reply *out)
{
	const struct row *row = find_row(says, reply);
	const char *said = *says->message  ? says->message
			   : *says->status ? says->status
			   : *says->reason ? says->reason
					   : says->legacy;
	char quoted[240], code[40];
	int status = reply->status;

	quote(call, said, quoted, sizeof(quoted));
	rpc_status_code(says, reply, code, sizeof(code));
	if (row)
		fault_from_row(row, c, customer, says, quoted, out);
	else if (status >= 500 || status == 408)
		server_error(code, quoted, out);
	else if (status >= 300 && status < 400)
		redirected(out);
	else if (!says->json || !about_person(status))
		not_google(out);
	else if (call->method == GOOGLE_LIST)
		list_refused(code, c, customer, quoted, out);
	else if (call->method != GOOGLE_GET || status != 404)
		person_refused(call, code, quoted, out);
}

void error_api(const struct google_call *call, const struct credential *c, const char *customer,
	const struct http_reply *reply, struct google_reply *out)
{
	struct rpc_status says;

	rpc_status_read(&says, reply);
	classify(call, c, customer, reply, &says, out);
	if (rpc_status_is_google(&says, reply))
		out->date = reply->date;
	rpc_status_free(&says);
}

/* ---- google.rpc.Code ---- */

#define LOOK_AND_RETRY                                                                  \
	"To see the result at Google: cloudinvite get ADDRESS, then cloudinvite retry " \
	"ADDRESS"

static const struct {
	const char *word;
	enum fault_kind kind;
	const char *remedy;
} rpc[] = {
	[1] = {"cancelled", FAULT_AMBIGUOUS, LOOK_AND_RETRY},
	[2] = {"unknown", FAULT_AMBIGUOUS, LOOK_AND_RETRY},
	[3] = {"invalid_argument", FAULT_REJECTED, FIX_AND_RETRY},
	[4] = {"deadline_exceeded", FAULT_AMBIGUOUS, LOOK_AND_RETRY},
	[5] = {"not_found", FAULT_REJECTED, FIX_AND_RETRY},
	[6] = {"already_exists", FAULT_REJECTED, FIX_AND_RETRY},
	[7] = {"permission_denied", FAULT_REJECTED, FIX_AND_RETRY},
	[8] = {"resource_exhausted", FAULT_TRANSIENT, ERROR_WAIT_REMEDY},
	[9] = {"failed_precondition", FAULT_REJECTED, FIX_AND_RETRY},
	[10] = {"aborted", FAULT_REJECTED, FIX_AND_RETRY},
	[11] = {"out_of_range", FAULT_REJECTED, FIX_AND_RETRY},
	[12] = {"unimplemented", FAULT_SETUP, "Check [google] api_version: v1 has this method."},
	[13] = {"internal", FAULT_AMBIGUOUS, LOOK_AND_RETRY},
	[14] = {"unavailable", FAULT_AMBIGUOUS, LOOK_AND_RETRY},
	[15] = {"data_loss", FAULT_AMBIGUOUS, LOOK_AND_RETRY},
	[16] = {"unauthenticated", FAULT_SETUP,
		"Check that the administrator to act as is not suspended (Admin console > "
		"Directory > Users)."},
};

void error_operation(
	const struct google_call *call, int code, const char *message, struct google_reply *out)
{
	bool known = code >= 1 && code < (int)(ARRAY_SIZE(rpc));
	enum fault_kind kind = known ? rpc[code].kind : FAULT_AMBIGUOUS;
	const char *word = known ? rpc[code].word : "unknown";
	char quoted[240];

	quote(call, message, quoted, sizeof(quoted));
	out->quota = code == 8;
	fault_set(&out->fault, kind, word,
		"Google accepted the request to %s, but it failed: %s (code %d) %s",
		google_method_word(call->method), word, code, quoted);
	fault_remedy(&out->fault, "%s", known ? rpc[code].remedy : LOOK_AND_RETRY);
}
