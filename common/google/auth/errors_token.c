/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of the token endpoint (reference: token-endpoint errors), one row each. `error` NULL:
 * any; `starts` NULL: any description.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "google/auth/errors.h"
#include "google/auth/secret_json.h"
#include "google/http/errors.h"

#define LOGIN_AGAIN \
	"Log in again as the administrator (cloudinvite login --client FILE) and replace {file}."
#define GRANT_DELEGATION                                                                         \
	"In the Admin console, Security > Access and data control > API controls > Domain-wide " \
	"delegation, add client id {client_id} with exactly the scope {scope}. It can take a day."
#define CHECK_SUBJECT                                                                      \
	"Set [google] subject to the primary address of a super administrator who is not " \
	"suspended (Admin console > Directory > Users)."

struct row {
	const char *error, *starts, *subtype;
	enum fault_kind kind;
	const char *code, *what, *remedy;
};

/* ---- the login of a person ---- */

#define REAUTH                                                                         \
	FAULT_SETUP, "token_reauth",                                                   \
		"a session-control policy requires the administrator to log in again", \
		LOGIN_AGAIN " Or exempt the account from Google Cloud session control."
/* A login of an External app in testing ends after seven days; Google's text is the same. */
#define REVOKED                                                                                   \
	FAULT_SETUP, "token_revoked", "the login in {file} has expired or was revoked",           \
		LOGIN_AGAIN                                                                       \
		" If the login ends every seven days, the OAuth app is External and in testing: " \
		"make it Internal, or publish it."

/* Searched first, and only for a login: delegation, issuer and key play no role in one. */
static const struct row login_rows[] = {
	{"invalid_grant", NULL, "rapt_required", REAUTH},
	{"invalid_grant", NULL, "invalid_rapt", REAUTH},
	{"invalid_grant", "Token has been expired or revoked", NULL, REVOKED},
	{"invalid_grant", "Bad Request", NULL, REVOKED},
	{"invalid_grant", "The account has been deleted", NULL, FAULT_SETUP,
		"token_subject_deleted", "the account that logged in has been deleted",
		"Log in as another administrator (cloudinvite login --client FILE) and replace "
		"{file}."},
	{"invalid_grant", NULL, NULL, FAULT_SETUP, "token_grant_refused",
		"Google rejects the login in {file}", LOGIN_AGAIN},
	{"unauthorized_client", NULL, NULL, FAULT_SETUP, "token_client_refused",
		"the OAuth client of Google rejects the login in {file}",
		"Create an OAuth client of type Desktop app in the Google Cloud "
		"console. " LOGIN_AGAIN},
	{"access_denied", NULL, NULL, FAULT_SETUP, "token_access_denied",
		"a policy of the organisation does not allow the OAuth client to act as {subject}",
		"In the Admin console, Security > Access and data control > API controls > App "
		"access control, trust client id {client_id}."},
	{"admin_policy_enforced", NULL, NULL, FAULT_SETUP, "token_access_denied",
		"a policy of the organisation does not allow the OAuth client to act as {subject}",
		"In the Admin console, Security > Access and data control > API controls > App "
		"access control, trust client id {client_id}."},
	{"invalid_scope", NULL, NULL, FAULT_SETUP, "token_scope_missing",
		"the login in {file} does not include the scope {scope}",
		LOGIN_AGAIN " Keep its box ticked on Google's page."},
	{"invalid_client", NULL, NULL, FAULT_SETUP, "token_client_unknown",
		"the OAuth client in {file} is unknown, or its secret is wrong",
		"Create a new OAuth client in the Google Cloud console. " LOGIN_AGAIN},
	{"deleted_client", NULL, NULL, FAULT_SETUP, "token_client_deleted",
		"the OAuth client in {file} has been deleted",
		"Create a new one in the Google Cloud console. " LOGIN_AGAIN},
};

/* ---- other credentials, and errors of Google ---- */

static const struct row rows[] = {
	{"invalid_grant", "Invalid JWT Signature", NULL, FAULT_SETUP, "token_key_unknown",
		"key {key_id} is not (or no longer) a key of {issuer}",
		"The key was deleted, disabled or replaced. In the Google Cloud console, IAM & "
		"Admin > Service accounts > {issuer} > Keys, add a key of type JSON and store it "
		"in {file}. No restart is needed."},
	{"invalid_grant", "Invalid JWT: Token must be a short-lived token", NULL, FAULT_SETUP,
		ERROR_CLOCK_SKEW, "this host's clock is wrong{skew}",
		"Set the clock. `timedatectl` shows whether it is synchronised."},
	{"invalid_grant", "Invalid JWT: No valid verifier found for issuer", NULL, FAULT_SETUP,
		"token_issuer_unknown", "the service account {issuer} does not exist",
		"Check client_email in {file}. If the account was deleted, create another one "
		"(Google Cloud console, IAM & Admin > Service accounts), give it domain-wide "
		"delegation, and store its key in {file}."},
	{"invalid_grant", "Invalid JWT", NULL, FAULT_SETUP, "token_jwt_refused",
		"Google rejects the request that {issuer} signed",
		"In the Google Cloud console, IAM & Admin > Service accounts > {issuer} > Keys, "
		"add a key of type JSON and store it in {file}."},
	{"invalid_grant", "Account not found", NULL, FAULT_SETUP, "token_account_unknown",
		"the service account {issuer} or the administrator {subject} does not exist",
		CHECK_SUBJECT " Check that {issuer} still exists."},
	{"invalid_grant", "Invalid grant: account not found", NULL, FAULT_SETUP,
		"token_account_unknown",
		"the service account {issuer} or the administrator {subject} does not exist",
		CHECK_SUBJECT " Check that {issuer} still exists."},
	{"invalid_grant", "Not a valid email", NULL, FAULT_SETUP, "token_subject_unknown",
		"{subject} is not a user at Google", CHECK_SUBJECT},
	{"invalid_grant", "Invalid email or User ID", NULL, FAULT_SETUP, "token_subject_unknown",
		"{subject} is not a user at Google", CHECK_SUBJECT},
	{"invalid_grant", "The account has been deleted", NULL, FAULT_SETUP,
		"token_subject_deleted", "the administrator {subject} has been deleted",
		CHECK_SUBJECT},
	{"invalid_request", "Invalid impersonation prn email address", NULL, FAULT_SETUP,
		"token_subject_unknown", "{subject} is not a user at Google", CHECK_SUBJECT},
	/* The quotes around sub come HTML-escaped. */
	{"invalid_request", "Invalid impersonation", NULL, FAULT_SETUP, "token_subject_deleted",
		"the administrator {subject} was deleted or never existed", CHECK_SUBJECT},
	{"invalid_grant", NULL, NULL, FAULT_SETUP, "token_grant_refused",
		"Google rejects the credential", "Check {file} and [google] subject."},
	{"unauthorized_client", "Unauthorized client or scope in request", NULL, FAULT_SETUP,
		"token_delegation_missing",
		"{issuer} may not act as {subject}, or {subject} is not a user at Google",
		GRANT_DELEGATION},
	{"unauthorized_client", NULL, NULL, FAULT_SETUP, "token_delegation_missing",
		"{issuer} may not act as {subject}: domain-wide delegation is missing or has "
		"another scope",
		GRANT_DELEGATION},
	{"access_denied", "Account restricted", NULL, FAULT_SETUP, "token_access_denied",
		"a policy of the organisation does not allow {issuer} to act as {subject}",
		"In the Admin console, Security > Access and data control > API controls > App "
		"access control, trust client id {client_id}. {subject} must have signed in once."},
	{"access_denied", NULL, NULL, FAULT_SETUP, "token_access_denied",
		"{issuer} is not authorised to act as {subject}", GRANT_DELEGATION},
	{"invalid_scope", NULL, NULL, FAULT_SETUP, "token_scope_refused",
		"Google refuses the scope {scope} for {subject}", GRANT_DELEGATION},
	{"invalid_account", NULL, NULL, FAULT_SETUP, "token_account_refused",
		"Google rejects the account {issuer}",
		"Check in the Google Cloud console, IAM & Admin > Service accounts, that {issuer} "
		"is enabled."},
	{"internal_failure", NULL, NULL, FAULT_TRANSIENT, "token_server",
		"Google reports an internal error", ERROR_WAIT_REMEDY},
	{"server_error", NULL, NULL, FAULT_TRANSIENT, "token_server",
		"Google reports an internal error", ERROR_WAIT_REMEDY},
	{"temporarily_unavailable", NULL, NULL, FAULT_TRANSIENT, "token_server",
		"Google's token service is not available at the moment", ERROR_WAIT_REMEDY},
	{NULL, "internal_failure", NULL, FAULT_TRANSIENT, "token_server",
		"Google reports an internal error", ERROR_WAIT_REMEDY},
	{NULL, "server_error", NULL, FAULT_TRANSIENT, "token_server",
		"Google reports an internal error", ERROR_WAIT_REMEDY},
	{NULL, "temporarily_unavailable", NULL, FAULT_TRANSIENT, "token_server",
		"Google's token service is not available at the moment", ERROR_WAIT_REMEDY},
	{NULL, NULL, NULL, FAULT_SETUP, "token_refused", "Google does not issue a token",
		"Check {file}, [google] subject and token_endpoint."},
};

static bool starts_nocase(const char *s, const char *prefix)
{
	for (; *prefix; s++, prefix++) {
		if (ascii_lower(*s) != ascii_lower(*prefix))
			return false;
	}
	return true;
}

static bool matches(const struct row *row, const char *error, const char *text, const char *subtype)
{
	return (!row->error || strcmp(row->error, error) == 0) &&
	       (!row->starts || starts_nocase(text, row->starts)) &&
	       (!row->subtype || strcmp(row->subtype, subtype) == 0);
}

static const struct row *find_row(
	const struct credential *c, const char *error, const char *text, const char *subtype)
{
	const struct row *row = rows;

	for (size_t i = 0; i < ARRAY_SIZE(login_rows); i++) {
		if (c->type && c->type->login && matches(&login_rows[i], error, text, subtype))
			return &login_rows[i];
	}
	while (!matches(row, error, text, subtype))
		row++;
	return row;
}

static void from_row(const struct row *row, const struct credential *c, const char *google_says,
	int64_t skew, struct fault *fault)
{
	char what[512], remedy[512], skew_text[80] = "";
	struct error_names names = {.subject = credential_administrator(c),
		.issuer = c->issuer,
		.client_id = *c->client_id ? c->client_id : "of the service account",
		.key_id = c->key_id,
		.file = c->path,
		.skew = skew_text};

	if (skew)
		str_format(skew_text, sizeof(skew_text), " by %lld s (it is %s Google's)",
			llabs(skew), skew > 0 ? "ahead of" : "behind");
	error_expand(what, sizeof(what), row->what, &names);
	error_expand(remedy, sizeof(remedy), row->remedy, &names);
	fault_set(fault, row->kind, row->code, "%s (Google: %.120s)", what, google_says);
	fault_remedy(fault, "%s", remedy);
}

/* The reply is not one of a token endpoint: another server answered. */
static void not_google(const struct credential *c, const struct http_reply *reply, struct fault *f)
{
	int s = reply->status;
	bool later = s >= 500 || s == 408 || s == 429;

	fault_set(f, later ? FAULT_TRANSIENT : FAULT_SETUP,
		later ? "token_server" : "token_endpoint_unexpected",
		"%s answers %d, but does not look like a token endpoint", c->token_endpoint, s);
	fault_remedy(f, later ? ERROR_WAIT_REMEDY
			      : "Check [google] token_endpoint. A proxy or a network login page "
				"may intercept the call ([google] proxy).");
}

static void token_server(int status, const char *says, struct fault *f)
{
	fault_set(f, FAULT_TRANSIENT, "token_server", "Google's token service answers %d (%.120s)",
		status, says);
	fault_remedy(f, ERROR_WAIT_REMEDY);
}

static const char *member(const json_t *json, const char *name)
{
	const char *value = json_string_value(json_object_get(json, name));

	return value ? value : "";
}

void error_token(const struct credential *c, const struct http_reply *reply, int64_t skew,
	struct fault *fault)
{
	const struct row *row;
	json_t *json;
	char says[200];

	if (reply->curl) {
		error_transport(c->token_endpoint, reply, fault);
		return;
	}
	json = secret_json(reply->body.data ? reply->body.data : "", reply->body.len, NULL);
	row = find_row(c, member(json, "error"), member(json, "error_description"),
		member(json, "error_subtype"));
	str_format(says, sizeof(says), "%s: %s", member(json, "error"),
		member(json, "error_description"));
	if (!*member(json, "error"))
		not_google(c, reply, fault);
	else if (row->kind != FAULT_TRANSIENT &&
		 (reply->status >= 500 || reply->status == 408 || reply->status == 429))
		token_server(reply->status, says, fault);
	else
		from_row(row, c, says, skew, fault);
	secret_json_free(json);
}
