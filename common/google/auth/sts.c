/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token exchange of RFC 8693.
 */
#include "google/auth/sts.h"

#include <curl/curl.h>

#include "base/strbuf.h"
#include "google/auth/errors.h"
#include "google/auth/token.h"
#include "google/auth/token_request.h"
#include "google/http/form.h"
#include "google/types.h"

#define GRANT_TYPE "urn:ietf:params:oauth:grant-type:token-exchange"
#define WANTED	   "urn:ietf:params:oauth:token-type:access_token"
#define FORM_MAX   262144

/* The options are percent-encoded JSON, which the form encodes again. */
static bool add_project(struct strbuf *form, const char *project)
{
	struct strbuf json = {0};
	char *escaped = NULL;
	bool ok = true;

	if (*project) {
		ok = strbuf_addf(&json, "{\"userProject\":\"%s\"}", project);
		escaped = ok ? curl_easy_escape(NULL, json.data, 0) : NULL;
		ok = escaped && form_add(form, "options", escaped);
	}
	curl_free(escaped);
	strbuf_free(&json);
	return ok;
}

static bool add_form(struct strbuf *form, const struct sts_exchange *what)
{
	return form_add(form, "grant_type", GRANT_TYPE) &&
	       form_add(form, "audience", what->audience) && form_add(form, "scope", IAM_SCOPE) &&
	       form_add(form, "requested_token_type", WANTED) &&
	       form_add(form, "subject_token_type", what->subject_token_type) &&
	       add_project(form, what->project) &&
	       form_add(form, "subject_token", what->subject_token);
}

/* Without a bearer, which may make the exchange fail. */
bool sts_exchange(const struct credential *c, struct http *http, const struct sts_exchange *what,
	struct credential_minted *out, struct fault *fault)
{
	struct http_request request = {.method = "POST",
		.url = c->settings->sts_endpoint,
		.user = what->client,
		.content_type = "application/x-www-form-urlencoded"};
	struct strbuf form = {.max = FORM_MAX};
	struct http_reply reply;
	bool ok = false;

	if (!add_form(&form, what)) {
		fault_set(fault, FAULT_CREDENTIALS, "subject_token_large",
			"%s: the subject token is too large", c->path);
		goto out;
	}
	request.body = form.data;
	request.body_len = form.len;
	http_perform(http, &request, &reply);
	if (reply.curl || reply.status != 200)
		error_sts(c, what->audience, &reply, fault);
	else
		ok = token_response_parse_access(reply.body.data, reply.body.len, out) ||
		     fault_set(fault, FAULT_TRANSIENT, "sts_reply_unexpected",
			     "%s answers 200, but without a token (%s)", request.url,
			     *reply.content_type ? reply.content_type : "no content type");
	http_reply_free(&reply);
out:
	strbuf_wipe(&form);
	strbuf_free(&form);
	return ok;
}
