/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The consent page: /o/oauth2/v2/auth. What Google shows on a page of its own instead of sending
 * the browser back (an unknown client, a redirect that is not registered, a wrong scope) is a page
 * here too.
 */
#include <stdlib.h>
#include <string.h>

#include "endpoints.h"
#include "xmalloc.h"
#include "reply.h"
#include "token.h"
#include "uri.h"

#define TYPE_HTML "text/html; charset=utf-8"
#define CODE_LIFE (USEC_PER_SEC * 600)
#define STATE_MAX 4096

/* The query, decoded; NULL for absent parameters. */
struct question {
	char *client_id, *redirect_uri, *response_type, *scope, *state, *challenge, *method,
		*access_type, *prompt, *hint;
	const struct oauth_client *client;
};

static void question_read(struct question *q, const char *query)
{
	*q = (struct question){.client_id = uri_field(query, "client_id"),
		.redirect_uri = uri_field(query, "redirect_uri"),
		.response_type = uri_field(query, "response_type"),
		.scope = uri_field(query, "scope"),
		.state = uri_field(query, "state"),
		.challenge = uri_field(query, "code_challenge"),
		.method = uri_field(query, "code_challenge_method"),
		.access_type = uri_field(query, "access_type"),
		.prompt = uri_field(query, "prompt"),
		.hint = uri_field(query, "login_hint")};
}

static void question_free(struct question *q)
{
	free(q->client_id);
	free(q->redirect_uri);
	free(q->response_type);
	free(q->scope);
	free(q->state);
	free(q->challenge);
	free(q->method);
	free(q->access_type);
	free(q->prompt);
	free(q->hint);
}

static bool is(const char *value, const char *wanted)
{
	return value && strcmp(value, wanted) == 0;
}

/* ---- pages ---- */

static void page(struct reply *out, int status, const char *text)
{
	char *html = xasprintf("<!DOCTYPE html>\n<title>Sign in (emulated)</title>\n%s", text);

	reply_text(out, status, TYPE_HTML, html);
	free(html);
}

/* Google's words for it on its own page, or NULL. */
static const char *wrong(const struct tenant *tenant, struct question *q)
{
	q->client = q->client_id ? logins_client(&tenant->logins, q->client_id) : NULL;
	if (!q->client)
		return "Error 401: invalid_client";
	if (q->client->deleted)
		return "Error 401: deleted_client";
	if (!q->redirect_uri || !logins_redirect_allowed(q->client, q->redirect_uri))
		return "Error 400: redirect_uri_mismatch";
	if (!is(q->response_type, "code"))
		return "Error 400: invalid_request";
	if (q->challenge && q->method && !is(q->method, "S256") && !is(q->method, "plain"))
		return "Error 400: invalid_request";
	if (!scopes_valid(q->scope))
		return "Error 400: invalid_scope";
	return NULL;
}

/* Nothing of the question is on the page: the form is sent to the same address. */
static void ask(const struct tenant *tenant, struct reply *out)
{
	char *people = xstrdup("");

	for (size_t i = 0; i < tenant->n_admins; i++) {
		char *more = xasprintf("%s<option>%s", people, tenant->admins[i].address);

		free(people);
		people = more;
	}
	char *form = xasprintf("<form method=post>\n<p>Account: <select name=account>%s</select>\n"
			       "<p><label><input type=checkbox name=granted value=yes checked> "
			       "what is asked for</label>\n"
			       "<p><button name=decision value=allow>Allow</button>\n"
			       "<button name=decision value=deny>Deny</button>\n</form>\n",
		people);

	page(out, 200, form);
	free(form);
	free(people);
}

/* ---- back to the client ---- */

static char *escape(const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	char *out = xcalloc(3 * strlen(text) + 1), *at = out;

	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (strchr("-._~", c) || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z')) {
			*at++ = (char)c;
		} else {
			*at++ = '%';
			*at++ = hex[c >> 4];
			*at++ = hex[c & 15];
		}
	}
	return out;
}

static void go_back(const struct question *q, const char *fields, struct reply *out)
{
	char *state = escape(q->state ? q->state : "");
	char *target =
		xasprintf("%s%s%s%s%s", q->redirect_uri, strchr(q->redirect_uri, '?') ? "&" : "?",
			q->state ? "state=" : "", state, q->state ? "&" : "");
	char *whole = xasprintf("%s%s", target, fields);

	page(out, 302, "");
	reply_header(out, "Location", whole);
	free(whole);
	free(target);
	free(state);
}

/* A refresh token is given once for each person and client, unless consent is requested again. */
static void allow(struct tenant *tenant, const struct question *q, const char *account,
	bool granted, struct reply *out)
{
	bool again = q->prompt && strstr(q->prompt, "consent");
	char *scopes = granted ? xstrdup(q->scope) : xstrdup("openid");
	struct consent_code code = {.client_id = q->client_id,
		.address = xstrdup(account),
		.scopes = scopes,
		.redirect_uri = q->redirect_uri,
		.challenge = q->challenge,
		.s256 = is(q->method, "S256"),
		.offline = is(q->access_type, "offline") &&
			   (again || !logins_granted(&tenant->logins, q->client_id, account)),
		.expires = tenant_now(tenant) + CODE_LIFE};
	char *value = escape(logins_add_code(&tenant->logins, &code)->code),
	     *scope = escape(scopes);
	char *fields = xasprintf("code=%s&scope=%s", value, scope);

	go_back(q, fields, out);
	free(fields);
	free(scope);
	free(value);
	free(code.address);
	free(scopes);
}

static void decide(struct tenant *tenant, const struct question *q, int decision,
	const char *account, bool granted, struct reply *out)
{
	switch (decision) {
	case CONSENT_APPROVE:
		allow(tenant, q, account, granted, out);
		break;
	case CONSENT_INVALID_SCOPE:
		go_back(q, "error=invalid_scope", out);
		break;
	case CONSENT_RESTRICTED:
		go_back(q, "error=invalid_request&error_description=Account%20restricted", out);
		break;
	default:
		go_back(q, "error=access_denied", out);
	}
}

/* The person in the hint, or the first administrator. */
static const char *likely(const struct tenant *tenant, const struct question *q)
{
	if (q->hint && tenant_admin(tenant, q->hint))
		return q->hint;
	return tenant->n_admins > 0 ? tenant->admins[0].address : "";
}

/* If the switch is set, it answers for the person. Otherwise a GET shows the page, and its form
 * brings the decision. */
static void answer_question(
	struct tenant *tenant, const struct request *r, const struct question *q, struct reply *out)
{
	char *decision = uri_field(r->body, "decision"), *account = uri_field(r->body, "account"),
	     *granted = uri_field(r->body, "granted");

	if (tenant->switches.consent != CONSENT_ASK)
		decide(tenant, q, tenant->switches.consent, likely(tenant, q), true, out);
	else if (strcmp(r->method, "POST") != 0 || !decision)
		ask(tenant, out);
	else
		decide(tenant, q, is(decision, "allow") ? CONSENT_APPROVE : CONSENT_DENY,
			account && tenant_admin(tenant, account) ? account : likely(tenant, q),
			granted, out);
	free(granted);
	free(account);
	free(decision);
}

static void consent_answer(struct emulator *e, struct request *r, struct reply *out)
{
	struct question q;
	const char *error;

	question_read(&q, r->query ? r->query : "");
	error = wrong(e->tenant, &q);
	if (error) {
		char *text = xasprintf("<p>Access blocked\n<p>%s\n", error);

		page(out, 400, text);
		free(text);
	} else {
		answer_question(e->tenant, r, &q, out);
	}
	question_free(&q);
}

void consent_dispatch(struct request *r)
{
	if (strcmp(r->path, "/o/oauth2/v2/auth") != 0 ||
		(strcmp(r->method, "GET") != 0 && strcmp(r->method, "POST") != 0))
		return;
	r->route = ROUTE_CONSENT;
	r->answer = consent_answer;
}
