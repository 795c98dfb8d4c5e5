/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google's errors for a login: those that come back through the browser, and those of the token
 * endpoint when the code is exchanged. Google shows many of the former only on its own page.
 * `error` NULL: any; `starts` NULL: any description.
 */
#include "google/auth/errors_login.h"

#include <string.h>

#include "base/str.h"
#include "google/auth/secret_json.h"
#include "google/http/errors.h"

#define AGAIN "Run cloudinvite login again."
#define TRUST                                                                            \
	"In the Admin console, Security > Access and data control > API controls > App " \
	"access control, trust client id {client_id}. Then log in again."

struct row {
	const char *error, *starts;
	enum fault_kind kind;
	const char *code, *what, *remedy;
};

/* ---- at the consent page ---- */

static const struct row consent_rows[] = {
	{"access_denied", NULL, FAULT_SETUP, "consent_denied",
		"consent was refused on Google's page",
		"Log in as a super administrator and allow access. If the app is in testing, the "
		"account must be one of its test users (Google Cloud console > OAuth consent "
		"screen)."},
	{"invalid_scope", NULL, FAULT_SETUP, "consent_scope",
		"Google does not allow this client to request {scope}",
		"Enable the Cloud Identity API in the client's project, make its OAuth app "
		"Internal, and log in with an account of the same organisation."},
	{"invalid_request", "Account restricted", FAULT_SETUP, "consent_policy",
		"a policy does not allow this account to give consent", TRUST},
	{"admin_policy_enforced", NULL, FAULT_SETUP, "consent_policy",
		"a policy of the organisation does not allow this account to give consent", TRUST},
	{"org_internal", NULL, FAULT_SETUP, "consent_foreign",
		"the OAuth app is Internal, and the account does not belong to its organisation",
		"Log in with an account of the organisation that owns the client's project."},
	{"unauthorized_client", NULL, FAULT_SETUP, "consent_client",
		"this OAuth client may not request consent",
		"Create a client of type Desktop app in the Google Cloud console."},
	{"server_error", NULL, FAULT_TRANSIENT, "consent_server",
		"Google reports an internal error", AGAIN},
	{"temporarily_unavailable", NULL, FAULT_TRANSIENT, "consent_server",
		"Google's login is not available at the moment", AGAIN},
	{NULL, NULL, FAULT_SETUP, "consent_refused", "Google refuses to show the consent page",
		AGAIN},
};

/* ---- at the token endpoint ---- */

static const struct row code_rows[] = {
	{"redirect_uri_mismatch", NULL, FAULT_SETUP, "code_redirect",
		"the redirect URI of this login is not registered for the client",
		"Add it in the Google Cloud console, or download the client's file again."},
	{"invalid_grant", NULL, FAULT_SETUP, "code_refused",
		"the code was already used, has expired, or belongs to another login", AGAIN},
	{"invalid_client", NULL, FAULT_SETUP, "code_client",
		"the OAuth client in {file} is unknown, or its secret is wrong",
		"Download its file again from the Google Cloud console."},
	{"deleted_client", NULL, FAULT_SETUP, "code_client",
		"the OAuth client in {file} has been deleted",
		"Create another one in the Google Cloud console."},
	{"unauthorized_client", NULL, FAULT_SETUP, "code_client",
		"the OAuth client in {file} may not be used for this",
		"Create a client of type Desktop app in the Google Cloud console."},
	{"internal_failure", NULL, FAULT_TRANSIENT, "token_server",
		"Google reports an internal error", AGAIN},
	{"server_error", NULL, FAULT_TRANSIENT, "token_server", "Google reports an internal error",
		AGAIN},
	{"temporarily_unavailable", NULL, FAULT_TRANSIENT, "token_server",
		"Google's token service is not available at the moment", AGAIN},
	{NULL, NULL, FAULT_SETUP, "code_refused", "Google does not accept the code", AGAIN},
};

static void from_rows(const struct row *row, const struct oauth_client *client, const char *error,
	const char *description, struct fault *fault)
{
	const struct error_names names = {.client_id = client->id, .file = client->path};
	char what[512], remedy[512];

	while ((row->error && strcmp(row->error, error) != 0) ||
		(row->starts && !str_starts(description, row->starts)))
		row++;
	error_expand(what, sizeof(what), row->what, &names);
	error_expand(remedy, sizeof(remedy), row->remedy, &names);
	fault_set(fault, row->kind, row->code, "%s (Google: %.60s%s%.100s)", what, error,
		*description ? ": " : "", description);
	fault_remedy(fault, "%s", remedy);
}

void error_consent(const struct oauth_client *client, const char *error, const char *description,
	struct fault *fault)
{
	from_rows(consent_rows, client, error, description, fault);
}

static const char *member(const json_t *json, const char *name)
{
	const char *value = json_string_value(json_object_get(json, name));

	return value ? value : "";
}

static void not_google(const char *endpoint, int status, struct fault *f)
{
	fault_set(f,
		status >= 500 || status == 408 || status == 429 ? FAULT_TRANSIENT : FAULT_SETUP,
		"token_endpoint_unexpected",
		"%s answers %d, but does not look like a token endpoint", endpoint, status);
	fault_remedy(f, "Check [google] token_endpoint and proxy, then: " AGAIN);
}

void error_auth_code(const struct oauth_request *r, const struct settings *settings,
	const struct http_reply *reply, struct fault *fault)
{
	json_t *json;

	if (reply->curl) {
		error_transport(settings->token_endpoint, reply, fault);
		return;
	}
	json = secret_json(reply->body.data ? reply->body.data : "", reply->body.len, NULL);
	if (!*member(json, "error") || reply->status >= 500)
		not_google(settings->token_endpoint, reply->status, fault);
	else
		from_rows(code_rows, r->client, member(json, "error"),
			member(json, "error_description"), fault);
	secret_json_free(json);
}
