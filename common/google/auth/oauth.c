/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address, the answer and the exchange of a login. An answer with another `state` is ignored,
 * so that no other user can end or complete the login.
 */
#include "google/auth/oauth.h"

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/base64url.h"
#include "google/auth/errors_login.h"
#include "google/auth/token.h"
#include "google/http/form.h"
#include "google/types.h"

#define STATE_BYTES    32
#define VERIFIER_BYTES 64

/* ---- the request ---- */

static bool encode(const unsigned char *bytes, size_t n, char *out, size_t size)
{
	struct strbuf t = {0};
	bool ok = base64url_add(&t, bytes, n) && str_copy(out, size, t.data);

	strbuf_wipe(&t);
	strbuf_free(&t);
	return ok;
}

static bool draw(size_t n, char *out, size_t size)
{
	unsigned char bytes[VERIFIER_BYTES];
	bool ok = RAND_bytes(bytes, (int)n) == 1 && encode(bytes, n, out, size);

	OPENSSL_cleanse(bytes, sizeof(bytes));
	return ok;
}

static bool digest(const char *verifier, char *out, size_t size)
{
	unsigned char bytes[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return EVP_Digest(verifier, strlen(verifier), bytes, &n, EVP_sha256(), NULL) == 1 &&
	       encode(bytes, n, out, size);
}

bool oauth_begin(struct oauth_request *r, const struct oauth_client *client,
	const struct oauth_redirect *redirect, struct fault *fault)
{
	*r = (struct oauth_request){.client = client, .redirect = redirect};
	return (draw(STATE_BYTES, r->state, sizeof(r->state)) &&
		       draw(VERIFIER_BYTES, r->verifier, sizeof(r->verifier)) &&
		       digest(r->verifier, r->challenge, sizeof(r->challenge))) ||
	       fault_set(fault, FAULT_TRANSIENT, "no_random",
		       "OpenSSL cannot generate random numbers");
}

void oauth_end(struct oauth_request *r)
{
	OPENSSL_cleanse(r, sizeof(*r));
}

/* prompt=consent: Google issues a second refresh token only after asking again (docs/google.md). */
bool oauth_address(const struct oauth_request *r, const struct settings *settings, const char *hint,
	struct strbuf *out)
{
	struct strbuf query = {0};
	bool ok = form_add(&query, "response_type", "code") &&
		  form_add(&query, "client_id", r->client->id) &&
		  form_add(&query, "redirect_uri", r->redirect->uri) &&
		  form_add(&query, "scope", GOOGLE_SCOPE) && form_add(&query, "state", r->state) &&
		  form_add(&query, "code_challenge", r->challenge) &&
		  form_add(&query, "code_challenge_method", "S256") &&
		  form_add(&query, "access_type", "offline") &&
		  form_add(&query, "prompt", "consent") &&
		  (!*hint || form_add(&query, "login_hint", hint)) &&
		  strbuf_add(out, settings->authorization_endpoint) && strbuf_add(out, "?") &&
		  strbuf_add(out, query.data);

	strbuf_free(&query);
	return ok;
}

/* ---- the answer ---- */

/* The one member of that name, decoded. False if it is absent, appears twice, or is malformed. */
static bool field(const char *query, const char *name, char *out, size_t size)
{
	size_t len = strlen(name);
	int found = 0;
	bool ok = true;

	*out = '\0';
	while (*query && *query != '#') {
		size_t n = strcspn(query, "&#");

		if (n > len && query[len] == '=' && memcmp(query, name, len) == 0) {
			int decoded = 0;
			char *value = curl_easy_unescape(
				NULL, query + len + 1, (int)(n - len - 1), &decoded);

			found++;
			ok = value && strlen(value) == (size_t)decoded &&
			     str_copy(out, size, value);
			curl_free(value);
		}
		query += n + (query[n] == '&');
	}
	return ok && found == 1 && *out;
}

static bool same_state(const struct oauth_request *r, const char *state)
{
	size_t n = strlen(r->state);

	return n && strlen(state) == n && CRYPTO_memcmp(state, r->state, n) == 0;
}

enum oauth_answer oauth_answer(const struct oauth_request *r, const char *query,
	char code[OAUTH_CODE_MAX], struct fault *fault)
{
	char state[128], error[128], description[512];

	if (!field(query, "state", state, sizeof(state)) || !same_state(r, state))
		return OAUTH_UNEXPECTED;
	if (field(query, "error", error, sizeof(error))) {
		field(query, "error_description", description, sizeof(description));
		error_consent(r->client, error, description, fault);
		return OAUTH_REFUSED;
	}
	return field(query, "code", code, OAUTH_CODE_MAX) && access_token_valid(code)
		       ? OAUTH_CODE
		       : OAUTH_UNEXPECTED;
}

/* A code alone has no state to check; the verifier still binds it to this request. */
static enum oauth_answer bare_code(const char *typed, char code[OAUTH_CODE_MAX])
{
	struct strbuf query = {.max = OAUTH_CODE_MAX * 3 + 8};
	bool ok = *typed && strcspn(typed, ":&=?# ") == strlen(typed) &&
		  strbuf_add(&query, "code=") && strbuf_add(&query, typed) &&
		  field(query.data, "code", code, OAUTH_CODE_MAX) && access_token_valid(code);

	strbuf_free(&query);
	return ok ? OAUTH_CODE : OAUTH_UNEXPECTED;
}

enum oauth_answer oauth_pasted(const struct oauth_request *r, const char *typed,
	char code[OAUTH_CODE_MAX], struct fault *fault)
{
	const char *question = strchr(typed, '?');

	if (question)
		return oauth_answer(r, question + 1, code, fault);
	if (strchr(typed, '&') || strchr(typed, '='))
		return oauth_answer(r, typed, code, fault);
	return bare_code(typed, code);
}

/* ---- the exchange ---- */

static bool add_form(const struct oauth_request *r, const char *code, struct strbuf *form)
{
	return form_add(form, "grant_type", "authorization_code") && form_add(form, "code", code) &&
	       form_add(form, "client_id", r->client->id) &&
	       form_add(form, "client_secret", r->client->secret) &&
	       form_add(form, "redirect_uri", r->redirect->uri) &&
	       form_add(form, "code_verifier", r->verifier);
}

static bool check_reply(
	const struct oauth_request *r, const struct token_response *reply, struct fault *f)
{
	if (!token_response_has_scope(reply, GOOGLE_SCOPE)) {
		fault_set(f, FAULT_SETUP, "scope_not_granted",
			"the permission that is needed was not granted on Google's "
			"page: " GOOGLE_SCOPE);
		return fault_remedy(f, "Log in again, and tick its box on the page.");
	}
	if (!reply->refresh_token) {
		fault_set(f, FAULT_SETUP, "no_refresh_token",
			"Google issued a token for one hour, but no refresh token");
		return fault_remedy(f,
			"Remove the app of client %s at https://myaccount.google.com/connections, "
			"then log in again.",
			r->client->id);
	}
	return true;
}

bool oauth_exchange(const struct oauth_request *r, const struct settings *settings,
	struct http *http, const char *code, struct token_response *out, struct fault *fault)
{
	struct strbuf form = {0};
	struct http_reply reply = {0};
	bool ok = false;

	*out = (struct token_response){0};
	if (!add_form(r, code, &form)) {
		fault_no_memory(fault, FAULT_TRANSIENT);
		goto out;
	}
	token_request_post(settings->token_endpoint, http, form.data, form.len, &reply);
	if (reply.curl || reply.status != 200)
		error_auth_code(r, settings, &reply, fault);
	else
		ok = token_response_parse(reply.body.data, reply.body.len, out) ||
		     fault_set(fault, FAULT_TRANSIENT, "token_reply_unexpected",
			     "%s answers 200, but without a token (%s)", settings->token_endpoint,
			     *reply.content_type ? reply.content_type : "no content type");
	ok = ok && check_reply(r, out, fault);
	if (!ok)
		token_response_free(out);
	http_reply_free(&reply);
out:
	strbuf_wipe(&form);
	strbuf_free(&form);
	return ok;
}
