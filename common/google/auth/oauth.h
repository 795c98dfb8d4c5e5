/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person's consent: the address to open, the answer that comes back through the browser, and its
 * exchange for a refresh token (RFC 6749 and 8252, with PKCE, RFC 7636).
 *
 * `state` binds the answer to this request, and the verifier, which never leaves this process
 * before the exchange, binds the code to it: what somebody else may have seen or sent is of no use.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_OAUTH_H
#define CLOUDINVITE_GOOGLE_AUTH_OAUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "base/strbuf.h"
#include "google/auth/oauth_client.h"
#include "google/auth/token_request.h"
#include "settings/settings.h"

#define OAUTH_CODE_MAX 2048

struct oauth_request {
	const struct oauth_client *client;
	const struct oauth_redirect *redirect;
	char state[48];
	char verifier[128]; /* 86 characters */
	char challenge[48]; /* of it, S256 */
};

/* Draws state and verifier. What is pointed to must outlive it. */
bool oauth_begin(struct oauth_request *r, const struct oauth_client *client,
	const struct oauth_redirect *redirect, struct fault *fault);
void oauth_end(struct oauth_request *r); /* wipes them */

/* Appends the address to open. `hint`: who should log in, or "". */
bool oauth_address(const struct oauth_request *r, const struct settings *settings, const char *hint,
	struct strbuf *out);

enum oauth_answer {
	OAUTH_STRANGE, /* no answer to this request: the right one may still come */
	OAUTH_CODE,
	OAUTH_REFUSED, /* with the fault */
};
/* What the query of the redirect says. */
enum oauth_answer oauth_answer(const struct oauth_request *r, const char *query,
	char code[OAUTH_CODE_MAX], struct fault *fault);
/* The same for what a person has pasted: the whole redirect, or the code alone. */
enum oauth_answer oauth_pasted(const struct oauth_request *r, const char *typed,
	char code[OAUTH_CODE_MAX], struct fault *fault);

/* Exchanges the code. The reply has a refresh token and the scope; for token_response_free(). */
bool oauth_exchange(const struct oauth_request *r, const struct settings *settings,
	struct http *http, const char *code, struct token_response *out, struct fault *fault);

#endif
