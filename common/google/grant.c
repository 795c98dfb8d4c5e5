/* SPDX-License-Identifier: Apache-2.0 */
#include "google/grant.h"

#include <stdlib.h>
#include <string.h>

#include "google/failure.h"
#include "google/secret.h"

#define EXPIRES_MAX 43200 /* seconds; no Google token lives longer */

bool grant_token_valid(const char *token)
{
	size_t n = 0;

	for (; token[n]; n++) {
		if (token[n] <= ' ' || token[n] > '~' || n >= GRANT_TOKEN_MAX)
			return false;
	}
	return n > 0;
}

/* A number, or a number in a string. Absent: an hour, as RFC 6749 lets a server leave it out. */
static bool parse_expires(const json_t *json, int64_t *out)
{
	long long n = 3600;

	if (json_is_integer(json))
		n = json_integer_value(json);
	else if (json &&
		 (!json_is_string(json) || !text_number(json_string_value(json), 0, INT32_MAX, &n)))
		return false;
	*out = n < EXPIRES_MAX ? n : EXPIRES_MAX;
	return n > 0;
}

bool grant_parse(const char *body, size_t len, struct credential_minted *out)
{
	json_t *json = secret_json(body ? body : "", len, NULL);
	const char *token = json_string_value(json_object_get(json, "access_token"));
	const char *type = json_string_value(json_object_get(json, "token_type"));
	bool ok = token && grant_token_valid(token) &&
		  (!type || text_equal_nocase(type, "Bearer")) &&
		  parse_expires(json_object_get(json, "expires_in"), &out->expires_in);

	if (ok)
		out->access_token = strdup(token);
	secret_json_free(json);
	return ok && out->access_token;
}

bool grant_exchange(const struct credential *c, struct http *http, const char *form, size_t len,
	struct credential_minted *out, struct fault *fault)
{
	struct http_request request = {.method = "POST",
		.url = c->token_endpoint,
		.content_type = "application/x-www-form-urlencoded",
		.body = form,
		.body_len = len};
	struct http_reply reply;
	bool ok = false;

	http_now(http, &request, &reply);
	if (reply.curl || reply.status != 200)
		failure_token(c, &reply, http_clock_skew(http), fault);
	else
		ok = grant_parse(reply.body.data, reply.body.len, out) ||
		     fault_set(fault, FAULT_LATER, "token_reply_strange",
			     "%s answers 200, but with no token in it (%s)", c->token_endpoint,
			     *reply.content_type ? reply.content_type : "no content type");
	http_reply_free(&reply);
	return ok;
}
