/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exchange at the token endpoint, and strict reading of its reply.
 */
#include "google/auth/token_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "google/auth/errors.h"
#include "google/auth/secret_json.h"
#include "google/http/secret.h"

#define EXPIRES_MAX 43200 /* seconds; no Google token lives longer */

bool access_token_valid(const char *token)
{
	size_t n = 0;

	for (; token[n]; n++) {
		if (token[n] <= ' ' || token[n] > '~' || n >= ACCESS_TOKEN_MAX)
			return false;
	}
	return n > 0;
}

/* A number, or a number in a string. Absent: an hour; RFC 6749 allows a server to leave it out. */
static bool parse_expires(const json_t *json, int64_t *out)
{
	long long n = 3600;

	if (json_is_integer(json))
		n = json_integer_value(json);
	else if (json &&
		 (!json_is_string(json) || !str_number(json_string_value(json), 0, INT32_MAX, &n)))
		return false;
	*out = n < EXPIRES_MAX ? n : EXPIRES_MAX;
	return n > 0;
}

/* The text of a member, which goes into forms and into a file of ours. */
static bool take_text(const json_t *body, const char *name, char **out)
{
	const json_t *value = json_object_get(body, name);
	const char *text = json_string_value(value);

	if (!value || json_is_null(value))
		return true;
	if (!text || strlen(text) > ACCESS_TOKEN_MAX)
		return false;
	*out = strdup(text);
	return *out;
}

static bool take_token(const json_t *body, struct credential_minted *out)
{
	const char *token = json_string_value(json_object_get(body, "access_token"));
	const char *type = json_string_value(json_object_get(body, "token_type"));

	if (!token || !access_token_valid(token) || (type && !str_equal_nocase(type, "Bearer")) ||
		!parse_expires(json_object_get(body, "expires_in"), &out->expires_in))
		return false;
	out->access_token = strdup(token);
	return out->access_token;
}

bool token_response_parse(const char *body, size_t len, struct token_response *out)
{
	json_t *json = secret_json(body ? body : "", len, NULL);
	bool ok;

	*out = (struct token_response){0};
	ok = take_token(json, &out->minted) && take_text(json, "scope", &out->scope) &&
	     take_text(json, "refresh_token", &out->refresh_token) &&
	     (!out->refresh_token || access_token_valid(out->refresh_token));
	if (!ok)
		token_response_free(out);
	secret_json_free(json);
	return ok;
}

bool token_response_has_scope(const struct token_response *reply, const char *scope)
{
	size_t len = strlen(scope);

	for (const char *at = reply->scope; at && *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, scope, n) == 0)
			return true;
		at += n;
	}
	return !reply->scope;
}

void token_response_free(struct token_response *reply)
{
	secret_free(reply->minted.access_token);
	secret_free(reply->refresh_token);
	free(reply->scope);
	*reply = (struct token_response){0};
}

bool token_response_parse_access(const char *body, size_t len, struct credential_minted *out)
{
	struct token_response reply;
	bool ok = token_response_parse(body, len, &reply);

	*out = reply.minted;
	reply.minted.access_token = NULL;
	token_response_free(&reply);
	return ok;
}

void token_request_post(const char *endpoint, struct http *http, const char *form, size_t len,
	struct http_reply *out)
{
	const struct http_request request = {.method = "POST",
		.url = endpoint,
		.content_type = "application/x-www-form-urlencoded",
		.body = form,
		.body_len = len};

	http_perform(http, &request, out);
}

bool token_request(const struct credential *c, struct http *http, const char *form, size_t len,
	struct token_response *out, struct fault *fault)
{
	struct http_reply reply;
	bool ok = false;

	token_request_post(c->token_endpoint, http, form, len, &reply);
	if (reply.curl || reply.status != 200)
		error_token(c, &reply, http_clock_skew(http), fault);
	else
		ok = token_response_parse(reply.body.data, reply.body.len, out) ||
		     fault_set(fault, FAULT_TRANSIENT, "token_reply_unexpected",
			     "%s answers 200, but without a token (%s)", c->token_endpoint,
			     *reply.content_type ? reply.content_type : "no content type");
	http_reply_free(&reply);
	return ok;
}

bool token_request_access(const struct credential *c, struct http *http, const char *form,
	size_t len, struct credential_minted *out, struct fault *fault)
{
	struct token_response reply = {0};
	bool ok = token_request(c, http, form, len, &reply, fault);

	*out = reply.minted;
	reply.minted.access_token = NULL;
	token_response_free(&reply);
	return ok;
}
