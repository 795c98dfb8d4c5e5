/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The security token service: POST /v1/token exchanges the token of an identity provider for one of
 * a federated principal (docs/google.md 4.3). Form or JSON.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "endpoints.h"
#include "jwt.h"
#include "xmalloc.h"
#include "reply.h"
#include "token.h"
#include "uri.h"

#define GRANT	      "urn:ietf:params:oauth:grant-type:token-exchange"
#define TYPE	      "urn:ietf:params:oauth:token-type:"
#define TYPE_ACCESS   TYPE "access_token"
#define ISSUED_WITHIN (INT64_C(24) * 3600)

#define TARGET                                                                                \
	"The target service indicated by the \"audience\" parameters is invalid. This might " \
	"either "                                                                             \
	"be because the pool or provider is disabled or deleted or because it doesn't exist."
#define AUDIENCE                                                                              \
	"Invalid value for \"audience\". This value should be the full resource name of the " \
	"Identity Provider."

static const struct oauth_error exchanged = {0, NULL, NULL};

/* A field of the form, or the same in camelCase JSON; the caller frees. */
struct exchange {
	char *grant_type, *audience, *scope, *requested_token_type;
	char *subject_token, *subject_token_type;
};

static void exchange_free(struct exchange *x)
{
	free(x->grant_type);
	free(x->audience);
	free(x->scope);
	free(x->requested_token_type);
	free(x->subject_token);
	free(x->subject_token_type);
}

static void exchange_read_form(struct exchange *x, const char *body)
{
	x->grant_type = uri_field(body, "grant_type");
	x->audience = uri_field(body, "audience");
	x->scope = uri_field(body, "scope");
	x->requested_token_type = uri_field(body, "requested_token_type");
	x->subject_token = uri_field(body, "subject_token");
	x->subject_token_type = uri_field(body, "subject_token_type");
}

static char *member(json_t *object, const char *name)
{
	return xstrdup(json_string_value(json_object_get(object, name)));
}

static bool exchange_read_json(struct exchange *x, const char *body, size_t size)
{
	json_t *object = json_loadb(body, size, 0, NULL);
	bool ok = json_is_object(object);

	x->grant_type = member(object, "grantType");
	x->audience = member(object, "audience");
	x->scope = member(object, "scope");
	x->requested_token_type = member(object, "requestedTokenType");
	x->subject_token = member(object, "subjectToken");
	x->subject_token_type = member(object, "subjectTokenType");
	json_decref(object);
	return ok;
}

static bool content_is(const struct request *r, const char *type)
{
	size_t n = strlen(type);

	return r->content_type && strncasecmp(r->content_type, type, n) == 0 &&
	       strchr(" ;", r->content_type[n]);
}

static bool exchange_read(struct exchange *x, const struct request *r)
{
	const char *body = r->body ? r->body : "";

	if (content_is(r, "application/json"))
		return exchange_read_json(x, body, r->body_size);
	if (!content_is(r, "application/x-www-form-urlencoded"))
		return false;
	exchange_read_form(x, body);
	return true;
}

static struct oauth_error wrong(const char *error, const char *description)
{
	return (struct oauth_error){400, error, description};
}

static bool same(const char *a, const char *b)
{
	return a && strcmp(a, b) == 0;
}

/* Everything except the token itself. */
static struct oauth_error exchange_check(const struct exchange *x)
{
	if (!x->grant_type)
		return wrong("invalid_request", "Missing required parameter: grant_type");
	if (!same(x->grant_type, GRANT))
		return wrong("unsupported_grant_type", "Invalid value for \"grant_type\".");
	if (!same(x->requested_token_type, TYPE_ACCESS))
		return wrong("invalid_request", "Invalid value for \"requested_token_type\".");
	if (!same(x->subject_token_type, TYPE "jwt") &&
		!same(x->subject_token_type, TYPE "id_token"))
		return wrong("invalid_request", "Invalid value for \"subject_token_type\".");
	if (!x->audience || strncmp(x->audience, POOL_PREFIX, strlen(POOL_PREFIX)) != 0 ||
		!strstr(x->audience, "/providers/"))
		return wrong("invalid_request", AUDIENCE);
	if (!scopes_valid(x->scope))
		return wrong("invalid_scope", "Invalid value for \"scope\".");
	if (!x->subject_token || x->subject_token[0] == '\0')
		return wrong("invalid_request", "Missing required parameter: subject_token");
	return exchanged;
}

static bool signature_found(const struct identity_provider *p, const struct jwt *j)
{
	const char *kid = json_string_value(json_object_get(j->header, "kid"));

	for (size_t i = 0; kid && i < p->n_keys; i++) {
		if (strcmp(p->keys[i].kid, kid) == 0)
			return jwt_verify(j, p->keys[i].key);
	}
	return false;
}

static bool audience_is(const struct identity_provider *p, const char *audience)
{
	if (!audience)
		return false;
	for (size_t i = 0; i < p->n_allowed_audiences; i++) {
		if (strcmp(p->allowed_audiences[i], audience) == 0)
			return true;
	}
	if (p->n_allowed_audiences > 0)
		return false;
	return strcmp(audience, p->audience) == 0 ||
	       (strncmp(audience, "https:", 6) == 0 && strcmp(audience + 6, p->audience) == 0);
}

/* "aud" is one string or an array of them. */
static bool audience_found(const struct identity_provider *p, json_t *audience)
{
	json_t *one;
	size_t i;

	json_array_foreach(audience, i, one)
	{
		if (audience_is(p, json_string_value(one)))
			return true;
	}
	return audience_is(p, json_string_value(audience));
}

static struct oauth_error times_check(const struct tenant *tenant, const struct jwt *j)
{
	json_t *iat = json_object_get(j->claims, "iat"), *exp = json_object_get(j->claims, "exp");
	int64_t now = tenant_now(tenant) / USEC_PER_SEC;

	if (!json_is_integer(iat) || !json_is_integer(exp))
		return wrong("invalid_grant", "ID Token has no iat or exp claim.");
	if (json_integer_value(exp) <= now)
		return wrong("invalid_grant", "ID Token is expired.");
	if (json_integer_value(iat) > now + tenant->switches.iat_tolerance)
		return wrong("invalid_grant", "ID Token was issued in the future.");
	if (json_integer_value(iat) < now - ISSUED_WITHIN)
		return wrong("invalid_grant", "ID Token issued at is stale to sign-in.");
	return exchanged;
}

static struct oauth_error subject_check(
	const struct tenant *tenant, const struct identity_provider *p, const struct jwt *j)
{
	const char *issuer = json_string_value(json_object_get(j->claims, "iss"));
	const char *subject = json_string_value(json_object_get(j->claims, "sub"));

	if (!signature_found(p, j))
		return wrong("invalid_grant", "Invalid JWT signature, or its key is unknown.");
	if (!same(issuer, p->issuer))
		return wrong("invalid_grant",
			"The issuer in ID Token does not match the expected ones.");
	if (!audience_found(p, json_object_get(j->claims, "aud")))
		return wrong("invalid_grant",
			"The audience in ID Token does not match the expected audience.");
	if (!subject || *subject == '\0')
		return wrong("invalid_grant", "The mapped attribute google.subject is empty.");
	return times_check(tenant, j);
}

static void exchange_reply(
	struct tenant *tenant, const struct exchange *x, char *principal, struct reply *out)
{
	const struct access *access = tenant_federated_token(
		tenant, principal, x->scope, (size_t)tenant->switches.sts_token_size);
	json_t *body = json_pack("{s:s, s:s, s:s}", "access_token", access->token,
		"issued_token_type", TYPE_ACCESS, "token_type", "Bearer");

	if (tenant->switches.sts_expires_in)
		json_object_set_new(
			body, "expires_in", json_integer(tenant->switches.token_lifetime));
	reply_json(out, 200, body);
}

static struct oauth_error exchange_do(
	struct emulator *e, struct request *r, const struct exchange *x, struct reply *out)
{
	const struct identity_provider *p;
	struct oauth_error refusal = exchange_check(x);
	struct jwt j = {0};

	if (refusal.status != 0)
		return refusal;
	p = keyless_provider(&e->tenant->keyless, x->audience);
	if (!p || p->disabled)
		return wrong("invalid_target", TARGET);
	if (jwt_read(&j, x->subject_token))
		refusal = subject_check(e->tenant, p, &j);
	else
		refusal = wrong("invalid_grant", "Unable to parse the ID Token.");
	if (refusal.status == 0) {
		r->principal =
			keyless_principal(p, json_string_value(json_object_get(j.claims, "sub")));
		exchange_reply(e->tenant, x, r->principal, out);
	}
	jwt_free(&j);
	return refusal;
}

static void sts_answer(struct emulator *e, struct request *r, struct reply *out)
{
	bool bearer = r->authorization && strncasecmp(r->authorization, "Basic ", 6) != 0;
	struct oauth_error refusal = wrong("invalid_request", "Neither a form nor JSON.");
	struct exchange x = {0};

	if (bearer && e->tenant->switches.sts_bearer == 401) {
		reply_unauthenticated(e, out);
		return;
	}
	if (bearer)
		refusal = wrong("invalid_request", "The request must not have an access token.");
	else if (exchange_read(&x, r))
		refusal = exchange_do(e, r, &x, out);
	if (refusal.status != 0)
		reply_oauth_error(out, refusal.status, refusal.error, refusal.description);
	exchange_free(&x);
}

void sts_dispatch(struct request *r)
{
	if (strcmp(r->path, "/v1/token") != 0 || strcmp(r->method, "POST") != 0)
		return;
	r->route = ROUTE_STS;
	r->answer = sts_answer;
}
