/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of the Security Token Service when it does not exchange, one row each. `part` is a part
 * of the description; NULL: any.
 */
#include <string.h>

#include "base/str.h"
#include "google/auth/errors.h"
#include "google/auth/secret_json.h"
#include "google/http/errors.h"

#define LOOK_AT_PROVIDER \
	"gcloud iam workload-identity-pools providers describe (or workforce-pools)"

static const struct row {
	const char *error, *part; /* lower case */
	enum fault_kind kind;
	const char *code, *what, *remedy;
} rows[] = {
	{"invalid_target", NULL, FAULT_SETUP, "sts_audience_unknown",
		"the pool or provider {audience} does not exist, or is disabled",
		"Check `audience` in {file}, and the provider: " LOOK_AT_PROVIDER "."},
	{"invalid_request", "audience", FAULT_SETUP, "sts_audience_unknown",
		"{audience} is not a pool provider",
		"Check `audience` in {file}. To generate the file again: gcloud iam "
		"workload-identity-pools create-cred-config"},
	{"invalid_request", NULL, FAULT_SETUP, "sts_refused",
		"Google refuses the token exchange for {audience}",
		"Check `audience` and `subject_token_type` in {file}."},
	{"invalid_grant", NULL, FAULT_SETUP, "sts_token_refused",
		"{audience} does not accept the subject token",
		"Check that the token is new and has the issuer and audience that the provider "
		"allows: " LOOK_AT_PROVIDER "."},
	{"unauthorized_client", NULL, FAULT_SETUP, "sts_condition",
		"the provider {audience} does not accept this subject",
		"Check its attribute condition and mapping: " LOOK_AT_PROVIDER "."},
	{"invalid_client", NULL, FAULT_SETUP, "sts_client_unknown",
		"the OAuth client in {file} is unknown, or its secret is wrong",
		"Correct client_id and client_secret in {file}."},
	{"invalid_scope", NULL, FAULT_SETUP, "sts_refused",
		"Google refuses the token exchange for {audience}", "Check `audience` in {file}."},
	{"internal_failure", NULL, FAULT_TRANSIENT, "sts_server",
		"Google reports an internal error", ERROR_WAIT_REMEDY},
	{"server_error", NULL, FAULT_TRANSIENT, "sts_server", "Google reports an internal error",
		ERROR_WAIT_REMEDY},
	{"temporarily_unavailable", NULL, FAULT_TRANSIENT, "sts_server",
		"Google's token exchange is not available at the moment", ERROR_WAIT_REMEDY},
	{NULL, NULL, FAULT_SETUP, "sts_refused", "Google refuses the token exchange for {audience}",
		"Check `audience` in {file}, and the provider: " LOOK_AT_PROVIDER "."},
};

static bool holds_nocase(const char *s, const char *part)
{
	size_t n = strlen(part);

	for (; *s; s++) {
		size_t k = 0;

		while (k < n && ascii_lower(s[k]) == part[k])
			k++;
		if (k == n)
			return true;
	}
	return false;
}

static const struct row *find_row(const char *error, const char *text)
{
	const struct row *row = rows;

	while (row->error &&
		(strcmp(row->error, error) != 0 || (row->part && !holds_nocase(text, row->part))))
		row++;
	return row;
}

static void from_row(const struct row *row, const struct credential *c, const char *audience,
	const char *says, struct fault *f)
{
	char what[512], remedy[1024];
	const struct error_names names = {.file = c->path, .audience = audience};

	error_expand(what, sizeof(what), row->what, &names);
	error_expand(remedy, sizeof(remedy), row->remedy, &names);
	fault_set(f, row->kind, row->code, "%s (Google: %.120s)", what, says);
	fault_remedy(f, "%s", remedy);
}

static void not_sts(const struct credential *c, int status, bool later, struct fault *f)
{
	fault_set(f, later ? FAULT_TRANSIENT : FAULT_SETUP, later ? "sts_server" : "sts_unexpected",
		"%s answers %d, but does not look like the token service",
		c->settings->sts_endpoint, status);
	fault_remedy(f, later ? ERROR_WAIT_REMEDY
			      : "Check [google] sts_endpoint. A proxy or a network login page may "
				"intercept the call ([google] proxy).");
}

static const char *member(const json_t *json, const char *name)
{
	const char *value = json_string_value(json_object_get(json, name));

	return value ? value : "";
}

void error_sts(const struct credential *c, const char *audience, const struct http_reply *reply,
	struct fault *fault)
{
	bool later = reply->status >= 500 || reply->status == 408 || reply->status == 429;
	const char *error, *text;
	char says[200];
	json_t *json;

	if (reply->curl) {
		error_transport(c->settings->sts_endpoint, reply, fault);
		return;
	}
	json = secret_json(reply->body.data ? reply->body.data : "", reply->body.len, NULL);
	error = member(json, "error");
	text = member(json, "error_description");
	str_format(says, sizeof(says), "%s: %s", error, text);
	if (later || !*error)
		not_sts(c, reply->status, later, fault);
	else
		from_row(find_row(error, text), c, audience, says, fault);
	secret_json_free(json);
}
