/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JWT-bearer grant: a service account's signed assertion.
 */
#include "token.h"

#include <stdlib.h>
#include <string.h>

#include "jwt.h"
#include "must.h"
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

static const struct refusal granted = {0};

static const char *claim(const struct jwt *j, const char *name)
{
	return json_string_value(json_object_get(j->claims, name));
}

/* The key that the header names, among those of the issuer. */
static bool signature_valid(const struct service_account *account, const struct jwt *j)
{
	const char *algorithm = json_string_value(json_object_get(j->header, "alg"));
	const char *kid = json_string_value(json_object_get(j->header, "kid"));

	if (algorithm == NULL || strcmp(algorithm, "RS256") != 0 || kid == NULL)
		return false;
	for (size_t i = 0; i < account->n_keys; i++) {
		if (strcmp(account->keys[i].kid, kid) == 0)
			return jwt_verify(j, account->keys[i].key);
	}
	return false;
}

static struct refusal issuer_check(
	const struct world *w, const struct jwt *j, const struct service_account **account)
{
	const char *issuer = claim(j, "iss");

	*account = issuer != NULL ? world_service_account(w, issuer) : NULL;
	if (*account == NULL)
		return (struct refusal){
			400, "invalid_grant", "Invalid JWT: No valid verifier found for issuer"};
	if ((*account)->deleted)
		return (struct refusal){400, "invalid_grant", "Account not found"};
	if (!signature_valid(*account, j))
		return (struct refusal){400, "invalid_grant", "Invalid JWT Signature."};
	return granted;
}

static bool audience_valid(const struct emulator *e, const char *audience)
{
	const struct switches *s = &e->world->switches;
	size_t base = strlen(e->google.base);

	if (audience == NULL)
		return false;
	if (strcmp(audience, AUDIENCE) == 0)
		return true;
	if (s->legacy_audience && strcmp(audience, AUDIENCE_LEGACY) == 0)
		return true;
	return s->local_audience && strncmp(audience, e->google.base, base) == 0 &&
	       strcmp(audience + base, "/token") == 0;
}

static bool times_valid(const struct world *w, const struct jwt *j)
{
	json_t *iat = json_object_get(j->claims, "iat"), *exp = json_object_get(j->claims, "exp");
	int64_t now = world_now(w) / MOMENT_SECOND;

	if (!json_is_integer(iat) || !json_is_integer(exp))
		return false;
	return json_integer_value(iat) <= now + w->switches.iat_tolerance &&
	       json_integer_value(exp) > now &&
	       json_integer_value(exp) - json_integer_value(iat) <= LIFETIME_MAX;
}

/* The person to act as: known to the customer, not gone, and not fenced off by policy. */
static struct refusal subject_check(const struct world *w, const char *subject)
{
	const struct admin *admin = world_admin(w, subject);
	const struct account *account = accounts_find(&w->accounts, subject);

	if (admin == NULL && (account == NULL || account->kind != ACCOUNT_MANAGED))
		return (struct refusal){400, "invalid_grant", "Not a valid email or user ID."};
	if (admin == NULL)
		return granted;
	switch (admin->status) {
	case USER_DELETED:
		return (struct refusal){400, "invalid_grant", "The account has been deleted"};
	case USER_PURGED:
		return (struct refusal){
			400, "invalid_request", "Invalid impersonation &quot;sub&quot; field."};
	case USER_RESTRICTED:
		return (struct refusal){403, "access_denied", "Account restricted"};
	case USER_ACTIVE:
		break;
	}
	return granted;
}

static struct refusal delegation_check(const struct world *w, const struct service_account *account,
	const char *subject, const char *scopes)
{
	if (strchr(subject, '@') == NULL)
		return (struct refusal){400, "invalid_grant", "Not a valid email or user ID."};
	if (world_domain(w, subject) == NULL || !world_granted(w, account->client_id, scopes))
		return (struct refusal){401, "unauthorized_client", UNAUTHORIZED};
	return subject_check(w, subject);
}

static struct refusal assertion_check(
	const struct emulator *e, const struct jwt *j, const struct service_account **account)
{
	const struct world *w = e->world;
	const char *subject = claim(j, "sub"), *scopes = claim(j, "scope");
	struct refusal refusal = issuer_check(w, j, account);

	if (refusal.status != 0)
		return refusal;
	if (!audience_valid(e, claim(j, "aud")))
		return (struct refusal){400, "invalid_grant",
			"Invalid JWT: Failed audience check. The right audience is " AUDIENCE};
	if (!times_valid(w, j))
		return (struct refusal){400, "invalid_grant", TIMEFRAME};
	if (!scopes_valid(scopes))
		return (struct refusal){
			400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."};
	if (json_object_get(j->claims, "sub") == NULL)
		return granted;
	return delegation_check(w, *account, subject != NULL ? subject : "", scopes);
}

void grant_jwt_bearer(struct emulator *e, struct request *r, struct reply *out)
{
	char *assertion = uri_field(r->body, "assertion");
	const struct service_account *account = NULL;
	struct refusal refusal = {400, "invalid_grant", "Invalid JWT Signature."};
	struct jwt j = {0};

	if (assertion == NULL)
		refusal = (struct refusal){
			400, "invalid_request", "Missing required parameter: assertion"};
	else if (jwt_read(&j, assertion))
		refusal = assertion_check(e, &j, &account);
	if (refusal.status == 0) {
		const char *subject = claim(&j, "sub");

		r->principal = must_copy(subject != NULL ? subject : account->email);
		reply_json(out, 200,
			token_body(e->world, world_token(e->world, r->principal, subject == NULL,
						     claim(&j, "scope"))));
	} else {
		reply_oauth_error(out, refusal.status, refusal.error, refusal.description);
	}
	jwt_free(&j);
	free(assertion);
}
