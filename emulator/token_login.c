/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grants of a person's login: the consent page's code, and the refresh token for which it is
 * exchanged.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "xmalloc.h"
#include "reply.h"
#include "token.h"
#include "uri.h"

#define REVOKED	   "Token has been expired or revoked."
#define BAD	   "Bad Request"
#define NOT_NEEDED "code_verifier or verifier is not needed."

/* The form fields that both grants use. */
struct form {
	char *client_id, *client_secret, *code, *redirect_uri, *verifier, *refresh_token, *scope;
};

static void form_read(struct form *f, const char *body)
{
	*f = (struct form){.client_id = uri_field(body, "client_id"),
		.client_secret = uri_field(body, "client_secret"),
		.code = uri_field(body, "code"),
		.redirect_uri = uri_field(body, "redirect_uri"),
		.verifier = uri_field(body, "code_verifier"),
		.refresh_token = uri_field(body, "refresh_token"),
		.scope = uri_field(body, "scope")};
}

static void form_free(struct form *f)
{
	free(f->client_id);
	free(f->client_secret);
	free(f->code);
	free(f->redirect_uri);
	free(f->verifier);
	free(f->refresh_token);
	free(f->scope);
}

static bool same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static struct oauth_error client_check(const struct tenant *tenant, const struct form *f)
{
	const struct oauth_client *client =
		f->client_id ? logins_client(&tenant->logins, f->client_id) : NULL;

	if (!client)
		return (struct oauth_error){
			401, "invalid_client", "The OAuth client was not found."};
	if (client->deleted)
		return (struct oauth_error){401, "deleted_client", "The OAuth client was deleted."};
	if (!same(client->secret, f->client_secret))
		return (struct oauth_error){
			401, "invalid_client", "The provided client secret is invalid."};
	return (struct oauth_error){0};
}

static struct oauth_error person_check(const struct tenant *tenant, const char *address)
{
	const struct admin *admin = tenant_admin(tenant, address);

	if (!admin || admin->status == USER_DELETED || admin->status == USER_PURGED)
		return (struct oauth_error){400, "invalid_grant", "The account has been deleted"};
	if (admin->status == USER_RESTRICTED)
		return (struct oauth_error){403, "access_denied", "Account restricted"};
	return (struct oauth_error){0};
}

/* ---- the code ---- */

/* base64url of SHA-256, without padding. */
static bool is_challenge_of(const char *challenge, const char *verifier)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	char text[64];
	unsigned int n = 0;

	if (EVP_Digest(verifier, strlen(verifier), digest, &n, EVP_sha256(), NULL) != 1)
		xnonnull(NULL);
	EVP_EncodeBlock((unsigned char *)text, digest, (int)n);
	for (char *c = text; *c != '\0'; c++)
		*c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c == '=' ? '\0' : *c);
	return strcmp(text, challenge) == 0;
}

static struct oauth_error verifier_check(const struct consent_code *code, const char *verifier)
{
	size_t n = verifier ? strlen(verifier) : 0;

	if (!code->challenge && verifier)
		return (struct oauth_error){400, "invalid_grant", NOT_NEEDED};
	if (!code->challenge)
		return (struct oauth_error){0};
	if (!verifier)
		return (struct oauth_error){400, "invalid_grant", "Missing code verifier."};
	if (n < 43 || n > 128 ||
		!(code->s256 ? is_challenge_of(code->challenge, verifier)
			     : same(code->challenge, verifier)))
		return (struct oauth_error){400, "invalid_grant", "Invalid code verifier."};
	return (struct oauth_error){0};
}

/* A code can be tried once, even if the try fails. */
static struct oauth_error code_check(
	struct tenant *tenant, const struct form *f, struct consent_code **code)
{
	struct oauth_error refusal = client_check(tenant, f);

	*code = NULL;
	if (refusal.status != 0)
		return refusal;
	if (!f->code)
		return (struct oauth_error){
			400, "invalid_request", "Missing required parameter: code"};
	*code = logins_code(&tenant->logins, f->code);
	if (!*code || !same((*code)->client_id, f->client_id))
		return (struct oauth_error){400, "invalid_grant", "Malformed auth code."};
	if ((*code)->used || (*code)->expires <= tenant_now(tenant))
		return (struct oauth_error){400, "invalid_grant", BAD};
	(*code)->used = true;
	if (!same((*code)->redirect_uri, f->redirect_uri))
		return (struct oauth_error){400, "redirect_uri_mismatch", BAD};
	refusal = verifier_check(*code, f->verifier);
	return refusal.status != 0 ? refusal : person_check(tenant, (*code)->address);
}

void grant_authorization_code(struct emulator *e, struct request *r, struct reply *out)
{
	struct tenant *tenant = e->tenant;
	struct consent_code *code;
	struct form form;
	struct oauth_error refusal;
	json_t *body;

	form_read(&form, r->body);
	refusal = code_check(tenant, &form, &code);
	if (refusal.status != 0) {
		reply_oauth_error(out, refusal.status, refusal.error, refusal.description);
	} else {
		/* gcc -fanalyzer: code and login below are NULL after an error only. */
		r->principal = xstrdup(code->address);
		body = token_body(tenant, tenant_token(tenant, code->address, false, code->scopes));
		json_object_set_new(body, "scope", json_string(code->scopes));
		if (code->offline)
			json_object_set_new(body, "refresh_token",
				json_string(logins_add(&tenant->logins, code->client_id,
					code->address, code->scopes, tenant_now(tenant))
						    ->token));
		reply_json(out, 200, body);
	}
	form_free(&form);
}

/* ---- the refresh token ---- */

static bool scopes_within(const char *scopes, const char *granted)
{
	while (*scopes != '\0') {
		size_t n = strcspn(scopes, " ");
		const char *at = granted;

		while (n > 0 && *at != '\0' &&
			(strcspn(at, " ") != n || memcmp(at, scopes, n) != 0))
			at += strcspn(at, " ") + (at[strcspn(at, " ")] == ' ');
		if (n > 0 && *at == '\0')
			return false;
		scopes += n + (scopes[n] == ' ');
	}
	return true;
}

/* With the subtype by which programs recognise it. */
static void reply_reauth(int wanted, struct reply *out)
{
	const char *subtype = wanted == RAPT_INVALID ? "invalid_rapt" : "rapt_required";

	reply_json(out, 400,
		json_pack("{s:s, s:o, s:s}", "error", "invalid_grant", "error_description",
			json_sprintf("reauth related error (%s)", subtype), "error_subtype",
			subtype));
}

static struct oauth_error refresh_check(
	struct tenant *tenant, const struct form *f, struct login **login)
{
	struct oauth_error refusal = client_check(tenant, f);

	if (refusal.status != 0)
		return refusal;
	if (!f->refresh_token)
		return (struct oauth_error){
			400, "invalid_request", "Missing required parameter: refresh_token"};
	*login = logins_find(&tenant->logins, f->refresh_token);
	if (!*login || !same((*login)->client_id, f->client_id))
		return (struct oauth_error){400, "invalid_grant", BAD};
	if (logins_ended(&tenant->logins, *login, tenant_now(tenant)))
		return (struct oauth_error){400, "invalid_grant", REVOKED};
	if (f->scope && !scopes_within(f->scope, (*login)->scopes))
		return (struct oauth_error){400, "invalid_scope", BAD};
	return person_check(tenant, (*login)->address);
}

/* The old token ends with the reply that carries the new one. */
static void rotate(struct tenant *tenant, const char *old, json_t *body)
{
	struct login *login = logins_find(&tenant->logins, old), copy = *login;

	login->revoked = true;
	login = logins_add(
		&tenant->logins, copy.client_id, copy.address, copy.scopes, tenant_now(tenant));
	login->at = copy.at;
	json_object_set_new(body, "refresh_token", json_string(login->token));
}

void grant_refresh_token(struct emulator *e, struct request *r, struct reply *out)
{
	struct tenant *tenant = e->tenant;
	struct login *login = NULL;
	const char *scopes;
	struct form form;
	struct oauth_error refusal;
	json_t *body;

	form_read(&form, r->body);
	refusal = refresh_check(tenant, &form, &login);
	if (refusal.status != 0) {
		reply_oauth_error(out, refusal.status, refusal.error, refusal.description);
	} else if (tenant->switches.rapt != RAPT_NONE) {
		reply_reauth(tenant->switches.rapt, out);
	} else {
		/* gcc -fanalyzer: see grant_authorization_code. */
		scopes = form.scope ? form.scope : login->scopes;
		login->used = tenant_now(tenant);
		r->principal = xstrdup(login->address);
		body = token_body(tenant, tenant_token(tenant, login->address, false, scopes));
		json_object_set_new(body, "scope", json_string(scopes));
		if (tenant->switches.refresh_rotates)
			rotate(tenant, form.refresh_token, body);
		reply_json(out, 200, body);
	}
	form_free(&form);
}
