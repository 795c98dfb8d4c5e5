/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token endpoint: which grant answers a request.
 */
#include "token.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "endpoints.h"
#include "xmalloc.h"
#include "reply.h"
#include "uri.h"

static bool is_form(const char *content_type)
{
	static const char form[] = "application/x-www-form-urlencoded";

	return content_type && strncasecmp(content_type, form, sizeof form - 1) == 0 &&
	       strchr(" ;", content_type[sizeof form - 1]);
}

static const struct {
	const char *type;
	route_answer *answer;
} grant_types[] = {
	{"urn:ietf:params:oauth:grant-type:jwt-bearer", grant_jwt_bearer},
	{"authorization_code", grant_authorization_code},
	{"refresh_token", grant_refresh_token},
};

static void token_answer(struct emulator *e, struct request *r, struct reply *out)
{
	char *type = is_form(r->content_type) ? uri_field(r->body, "grant_type") : NULL;
	char *description;

	if (!type) {
		reply_oauth_error(
			out, 400, "invalid_request", "Missing required parameter: grant_type");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(grant_types); i++) {
		if (strcmp(grant_types[i].type, type) == 0) {
			free(type);
			grant_types[i].answer(e, r, out);
			return;
		}
	}
	description = xasprintf("Invalid grant_type: %s", type);
	reply_oauth_error(out, 400, "unsupported_grant_type", description);
	free(description);
	free(type);
}

void token_dispatch(struct request *r)
{
	if (strcmp(r->path, "/token") != 0 || strcmp(r->method, "POST") != 0)
		return;
	r->route = ROUTE_TOKEN;
	r->answer = token_answer;
}
