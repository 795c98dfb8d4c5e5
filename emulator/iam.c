/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IAM credentials: POST /v1/projects/-/serviceAccounts/ACCOUNT:signJwt and :generateAccessToken
 * (docs/google.md 4.1). What they sign, the token endpoint accepts.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "endpoints.h"
#include "authorize.h"
#include "jwt.h"
#include "xmalloc.h"
#include "reply.h"
#include "uri.h"

#define PREFIX	      "/v1/projects/-/serviceAccounts/"
#define DELEGATE      "projects/-/serviceAccounts/"
#define JWT_MAX	      (INT64_C(12) * 3600)
#define LIFETIME_MAX  3600
#define BAD_PROJECT   "Invalid form of account ID. Should be projects/-/serviceAccounts/ACCOUNT."
#define BAD_PAYLOAD   "Invalid value at 'payload': a JWT Claims Set as a JSON string is needed."
#define BAD_EXP	      "Invalid exp: an integer, not in the past and at most 12 hours ahead."
#define BAD_DELEGATES "Invalid value at 'delegates': projects/-/serviceAccounts/ACCOUNT."
#define BAD_LIFETIME  "Invalid value at 'lifetime': at most 3600s."
#define BAD_SCOPE     "Invalid value at 'scope': at least one scope is needed."

/* Answers 400 and returns false, so that a check can return it. */
static bool invalid(struct emulator *e, struct reply *out, const char *message)
{
	reply_error(e, out, 400, message);
	return false;
}

static const struct access *iam_caller(
	struct emulator *e, struct request *r, const char *rpc, struct reply *out)
{
	const struct access *access = access_lookup(e->tenant, r->authorization);

	if (!access) {
		reply_unauthenticated(e, out);
		return NULL;
	}
	r->principal = xstrdup(access->principal);
	if (e->tenant->switches.iam_disabled)
		reply_api_disabled(e, out, &service_iam);
	else if (!scopes_include(access->scopes, SCOPE_CLOUD) &&
		 !scopes_include(access->scopes, SCOPE_IAM))
		reply_scope_missing(e, out, &service_iam, rpc);
	else
		return access;
	return NULL;
}

/* The body, an object with no other members; or NULL with the refusal. */
static json_t *iam_body(
	struct emulator *e, struct request *r, const char *const *names, struct reply *out)
{
	json_t *body = json_loadb(r->body ? r->body : "", r->body_size, 0, NULL);
	struct doc_error doc_error = {0};

	if (body && members_known(body, names, "the request", &doc_error))
		return body;
	json_decref(body);
	reply_error(e, out, 400,
		!body ? "Invalid JSON payload received."
		      : "Invalid JSON payload received. Unknown name.");
	return NULL;
}

/* By address or by number; a deleted account counts as absent. */
static const struct service_account *iam_account(const struct tenant *tenant, const char *name)
{
	for (size_t i = 0; i < tenant->n_service_accounts; i++) {
		const struct service_account *account = &tenant->service_accounts[i];

		if (!account->deleted && (strcmp(account->email, name) == 0 ||
						 strcmp(account->client_id, name) == 0))
			return account;
	}
	return NULL;
}

/* Each account in the chain may act as the next one; at the end, `permission` is missing.
 * google-auth sends null if there is no chain. */
static bool chain_holds(struct emulator *e, const char *holder, json_t *delegates,
	const struct service_account *account, const char *permission, struct reply *out)
{
	const struct keyless *k = &e->tenant->keyless;
	json_t *delegate;
	size_t i;

	if (delegates && !json_is_null(delegates) && !json_is_array(delegates))
		return invalid(e, out, BAD_DELEGATES);
	json_array_foreach(delegates, i, delegate)
	{
		const char *name = json_string_value(delegate);

		if (!name || strncmp(name, DELEGATE, strlen(DELEGATE)) != 0)
			return invalid(e, out, BAD_DELEGATES);
		name += strlen(DELEGATE);
		if (!keyless_may_act(k, holder, name)) {
			reply_permission_denied(e, out, "iam.serviceAccounts.implicitDelegation");
			return false;
		}
		holder = name;
	}
	if (account && keyless_may_act(k, holder, account->email))
		return true;
	if (!account && e->tenant->switches.iam_unknown == 404)
		reply_error(e, out, 404, MESSAGE_NOT_FOUND);
	else
		reply_permission_denied(e, out, permission);
	return false;
}

static bool expiry_valid(const struct tenant *tenant, json_t *claims)
{
	json_t *exp = json_object_get(claims, "exp");
	int64_t now = tenant_now(tenant) / USEC_PER_SEC;

	return !exp || (json_is_integer(exp) && json_integer_value(exp) >= now &&
			       json_integer_value(exp) <= now + JWT_MAX);
}

static bool payload_valid(struct emulator *e, json_t *payload, struct reply *out)
{
	json_t *claims =
		json_is_string(payload) ? json_loads(json_string_value(payload), 0, NULL) : NULL;
	bool ok = false;

	if (!json_is_object(claims))
		invalid(e, out, BAD_PAYLOAD);
	else if (!expiry_valid(e->tenant, claims))
		invalid(e, out, BAD_EXP);
	else
		ok = true;
	json_decref(claims);
	return ok;
}

static void sign_jwt(struct emulator *e, struct request *r, struct reply *out)
{
	static const char *const names[] = {"payload", "delegates", NULL};
	const struct access *caller = iam_caller(e, r, "SignJwt", out);
	json_t *body = caller ? iam_body(e, r, names, out) : NULL;
	const struct service_account *account = iam_account(e->tenant, r->address);
	json_t *payload = json_object_get(body, "payload");

	if (body &&
		chain_holds(e, caller->principal, json_object_get(body, "delegates"), account,
			"iam.serviceAccounts.signJwt", out) &&
		payload_valid(e, payload, out)) {
		const struct signing_key *key = tenant_managed_key(e->tenant, &e->keyring, account);
		char *jwt = jwt_sign(key->key, key->kid, json_string_value(payload));

		reply_json(out, 200, json_pack("{s:s, s:s}", "keyId", key->kid, "signedJwt", jwt));
		free(jwt);
	}
	json_decref(body);
}

/* "3600s", or nothing. */
static bool lifetime_read(json_t *value, int64_t *seconds)
{
	const char *lifetime = json_string_value(value);
	char *end;

	*seconds = LIFETIME_MAX;
	if (!value || json_is_null(value))
		return true;
	if (!lifetime)
		return false;
	*seconds = strtoll(lifetime, &end, 10);
	return end != lifetime && strcmp(end, "s") == 0 && *seconds > 0 && *seconds <= LIFETIME_MAX;
}

/* Separated by spaces; the caller frees. NULL: none, or invalid. */
static char *scopes_join(json_t *scopes)
{
	char *out = NULL;
	json_t *scope;
	size_t i;

	json_array_foreach(scopes, i, scope)
	{
		char *longer = xasprintf("%s%s%s", out ? out : "", out ? " " : "",
			json_is_string(scope) ? json_string_value(scope) : "");

		free(out);
		out = longer;
	}
	return out;
}

/* google-auth does not accept a fraction of a second. */
static void token_reply(const struct access *access, struct reply *out)
{
	char expires[TIMESTAMP_TEXT_SIZE];

	timestamp_rfc3339(access->expires / USEC_PER_SEC * USEC_PER_SEC, expires);
	reply_json(out, 200,
		json_pack("{s:s, s:s}", "accessToken", access->token, "expireTime", expires));
}

static void generate_access_token(struct emulator *e, struct request *r, struct reply *out)
{
	static const char *const names[] = {"scope", "delegates", "lifetime", NULL};
	const struct access *caller = iam_caller(e, r, "GenerateAccessToken", out);
	json_t *body = caller ? iam_body(e, r, names, out) : NULL;
	const struct service_account *account = iam_account(e->tenant, r->address);
	char *scopes = scopes_join(json_object_get(body, "scope"));
	int64_t seconds;

	if (body && chain_holds(e, caller->principal, json_object_get(body, "delegates"), account,
			    "iam.serviceAccounts.getAccessToken", out)) {
		if (!scopes) {
			invalid(e, out, BAD_SCOPE);
		} else if (!lifetime_read(json_object_get(body, "lifetime"), &seconds)) {
			invalid(e, out, BAD_LIFETIME);
		} else {
			struct access *access =
				tenant_token(e->tenant, account->email, true, scopes);

			access->expires = tenant_now(e->tenant) + seconds * USEC_PER_SEC;
			token_reply(access, out);
		}
	}
	free(scopes);
	json_decref(body);
}

/* Any project but "-" is refused, even the account's own. */
static void bad_project(struct emulator *e, struct request *r, struct reply *out)
{
	(void)r;
	reply_error(e, out, 400, BAD_PROJECT);
}

static const struct {
	const char *verb;
	route_answer *answer;
} verbs[] = {
	{":signJwt", sign_jwt},
	{":generateAccessToken", generate_access_token},
};

void iam_dispatch(struct request *r)
{
	const char *verb = strrchr(r->path, ':');
	const char *name = r->path + strlen(PREFIX);

	if (!verb || strcmp(r->method, "POST") != 0 || !strstr(r->path, "/serviceAccounts/"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].verb, verb) != 0)
			continue;
		r->route = ROUTE_IAM;
		r->answer = bad_project;
		if (strncmp(r->path, PREFIX, strlen(PREFIX)) != 0)
			return;
		r->address = uri_decode(name, (size_t)(verb - name), false);
		if (!r->address)
			r->address = xstrdup("");
		r->answer = verbs[i].answer;
	}
}
