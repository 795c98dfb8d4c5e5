/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to IAM: signJwt. The claims are those of a local signature, so the rest of the grant
 * is the same.
 */
#include "google/auth/iam.h"

#include <jansson.h>
#include <string.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/errors.h"
#include "google/auth/secret_json.h"

#define JWT_MAX 16384

bool iam_account_valid(const char *account)
{
	const char *at = strchr(account, '@');

	for (const char *p = account; *p; p++) {
		if (!ascii_is_alnum(*p) && !strchr("@.-_", *p))
			return false;
	}
	return at && at > account && strchr(at, '.') && !strchr(at + 1, '@') &&
	       strlen(account) < 256;
}

/* ---- the request ---- */

/* The claims are a string inside the JSON: exactly that string is signed. */
static json_t *request_body(const struct iam_signer *by, const struct assertion *what)
{
	struct strbuf claims = {0};
	json_t *body = NULL, *delegates = json_array();

	for (size_t i = 0; by->delegates && by->delegates[i]; i++)
		json_array_append_new(delegates, json_string(by->delegates[i]));
	if (assertion_claims(what, &claims))
		body = json_pack("{s:s}", "payload", claims.data);
	if (json_array_size(delegates))
		json_object_set(body, "delegates", delegates);
	json_decref(delegates);
	strbuf_free(&claims);
	return body;
}

/* ---- the reply ---- */

/* It goes into a form unchanged, so it must be three segments of base64url. */
static bool jwt_valid(const char *jwt)
{
	size_t n = strlen(jwt), dots = 0;

	for (size_t i = 0; i < n; i++) {
		dots += jwt[i] == '.';
		if (!ascii_is_alnum(jwt[i]) && !strchr("-_.", jwt[i]))
			return false;
	}
	return n > 0 && n <= JWT_MAX && dots == 2 && jwt[0] != '.' && jwt[n - 1] != '.';
}

static bool take_jwt(const struct credential *c, const struct http_reply *reply, struct strbuf *out,
	struct fault *f)
{
	json_t *json = secret_json(reply->body.data ? reply->body.data : "", reply->body.len, NULL);
	const char *jwt = json_string_value(json_object_get(json, "signedJwt"));
	bool good = jwt && jwt_valid(jwt) && strbuf_add(out, jwt);

	secret_json_free(json);
	return good ||
	       fault_set(f, FAULT_TRANSIENT, "iam_reply_unexpected",
		       "%s answers 200, but without a signed JWT (%s)", c->settings->iam_endpoint,
		       *reply->content_type ? reply->content_type : "no content type");
}

bool iam_sign_jwt(const struct credential *c, struct http *http, const struct iam_signer *by,
	const struct assertion *what, struct strbuf *out, struct fault *fault)
{
	struct http_request request = {.method = "POST",
		.bearer = by->token,
		.quota_project = by->quota_project,
		.content_type = "application/json"};
	struct http_reply reply;
	json_t *json = request_body(by, what);
	char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;
	struct strbuf url = {0};
	bool ok = false;

	strbuf_addf(&url, "%s/v1/" IAM_ACCOUNT "%s:signJwt", c->settings->iam_endpoint, c->issuer);
	if (!body || url.failed) {
		fault_no_memory(fault, FAULT_TRANSIENT);
		goto out;
	}
	request.url = url.data;
	request.body = body;
	request.body_len = strlen(body);
	http_perform(http, &request, &reply);
	if (reply.curl || reply.status != 200)
		error_iam(c, by, url.data, &reply, fault);
	else
		ok = take_jwt(c, &reply, out, fault);
	http_reply_free(&reply);
out:
	strbuf_free(&url);
	free(body);
	json_decref(json);
	return ok;
}
