/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JWT-bearer grant: a service account's signed assertion.
 */
#include "token.h"

#include <stdlib.h>
#include <string.h>

#include "jwt.h"
#include "xmalloc.h"
#include "reply.h"
#include "uri.h"

#define AUDIENCE	"https://oauth2.googleapis.com/token"
#define AUDIENCE_LEGACY "https://accounts.google.com/o/oauth2/token"
#define LIFETIME_MAX	3600

#define TIMEFRAME                                                                          \
	"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable " \
	"timeframe. Check your iat and exp values in the JWT claim."
#define UNAUTHORIZED                                                                         \
	"Client is unauthorized to retrieve access tokens using this method, or client not " \
	"authorized for any of the scopes requested."

static const struct oauth_error granted = {0};

static const char *claim(const struct jwt *j, const char *name)
{
	return json_string_value(json_object_get(j->claims, name));
}

/* Verifies with the issuer's key that the header names. */
static bool signature_valid(const struct service_account *account, const struct jwt *j)
{
	const char *algorithm = json_string_value(json_object_get(j->header, "alg"));
	const char *kid = json_string_value(json_object_get(j->header, "kid"));

	if (!algorithm || strcmp(algorithm, "RS256") != 0 || !kid)
		return false;
	for (size_t i = 0; i < account->n_keys; i++) {
		if (strcmp(account->keys[i].kid, kid) == 0)
			return jwt_verify(j, account->keys[i].key);
	}
	return false;
}

static struct oauth_error issuer_check(
	const struct tenant *tenant, const struct jwt *j, const struct service_account **account)
{
	const char *issuer = claim(j, "iss");

	*account = issuer ? tenant_service_account(tenant, issuer) : NULL;
	if (!*account)
		return (struct oauth_error){
			400, "invalid_grant", "Invalid JWT: No valid verifier found for issuer"};
	if ((*account)->deleted)
		return (struct oauth_error){400, "invalid_grant", "Account not found"};
	if (!signature_valid(*account, j))
		return (struct oauth_error){400, "invalid_grant", "Invalid JWT Signature."};
	return granted;
}

static bool audience_valid(const struct emulator *e, const char *audience)
{
	const struct switches *s = &e->tenant->switches;
	size_t base = strlen(e->google.base);

	if (!audience)
		return false;
	if (strcmp(audience, AUDIENCE) == 0)
		return true;
	if (s->legacy_audience && strcmp(audience, AUDIENCE_LEGACY) == 0)
		return true;
	return s->local_audience && strncmp(audience, e->google.base, base) == 0 &&
	       strcmp(audience + base, "/token") == 0;
}

static bool times_valid(const struct tenant *tenant, const struct jwt *j)
{
	json_t *iat = json_object_get(j->claims, "iat"), *exp = json_object_get(j->claims, "exp");
	int64_t now = tenant_now(tenant) / USEC_PER_SEC;

	if (!json_is_integer(iat) || !json_is_integer(exp))
		return false;
	return json_integer_value(iat) <= now + tenant->switches.iat_tolerance &&
	       json_integer_value(exp) > now &&
	       json_integer_value(exp) - json_integer_value(iat) <= LIFETIME_MAX;
}

/* The person to act as: known to the customer, not deleted, and not excluded by policy. */
static struct oauth_error subject_check(const struct tenant *tenant, const char *subject)
{
	const struct admin *admin = tenant_admin(tenant, subject);
	const struct account *account = accounts_find(&tenant->accounts, subject);

	if (!admin && (!account || account->kind != ACCOUNT_MANAGED))
		return (struct oauth_error){400, "invalid_grant", "Not a valid email or user ID."};
	if (!admin)
		return granted;
	switch (admin->status) {
	case USER_DELETED:
		return (struct oauth_error){400, "invalid_grant", "The account has been deleted"};
	case USER_PURGED:
		return (struct oauth_error){
			400, "invalid_request", "Invalid impersonation &quot;sub&quot; field."};
	case USER_RESTRICTED:
		return (struct oauth_error){403, "access_denied", "Account restricted"};
	case USER_ACTIVE:
		break;
	}
	return granted;
}

static struct oauth_error delegation_check(const struct tenant *tenant,
	const struct service_account *account, const char *subject, const char *scopes)
{
	if (!strchr(subject, '@'))
		return (struct oauth_error){400, "invalid_grant", "Not a valid email or user ID."};
	if (!tenant_domain(tenant, subject) || !tenant_granted(tenant, account->client_id, scopes))
		return (struct oauth_error){401, "unauthorized_client", UNAUTHORIZED};
	return subject_check(tenant, subject);
}

static struct oauth_error assertion_check(
	const struct emulator *e, const struct jwt *j, const struct service_account **account)
{
	const struct tenant *tenant = e->tenant;
	const char *subject = claim(j, "sub"), *scopes = claim(j, "scope");
	struct oauth_error refusal = issuer_check(tenant, j, account);

	if (refusal.status != 0)
		return refusal;
	if (!audience_valid(e, claim(j, "aud")))
		return (struct oauth_error){400, "invalid_grant",
			"Invalid JWT: Failed audience check. The right audience is " AUDIENCE};
	if (!times_valid(tenant, j))
		return (struct oauth_error){400, "invalid_grant", TIMEFRAME};
	if (!scopes_valid(scopes))
		return (struct oauth_error){
			400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."};
	if (!json_object_get(j->claims, "sub"))
		return granted;
	return delegation_check(tenant, *account, subject ? subject : "", scopes);
}

void grant_jwt_bearer(struct emulator *e, struct request *r, struct reply *out)
{
	char *assertion = uri_field(r->body, "assertion");
	const struct service_account *account = NULL;
	struct oauth_error refusal = {400, "invalid_grant", "Invalid JWT Signature."};
	struct jwt j = {0};

	if (!assertion)
		refusal = (struct oauth_error){
			400, "invalid_request", "Missing required parameter: assertion"};
	else if (jwt_read(&j, assertion))
		refusal = assertion_check(e, &j, &account);
	if (refusal.status == 0) {
		const char *subject = claim(&j, "sub");

		r->principal = xstrdup(subject ? subject : account->email);
		reply_json(out, 200,
			token_body(e->tenant, tenant_token(e->tenant, r->principal, !subject,
						      claim(&j, "scope"))));
	} else {
		reply_oauth_error(out, refusal.status, refusal.error, refusal.description);
	}
	jwt_free(&j);
	free(assertion);
}
