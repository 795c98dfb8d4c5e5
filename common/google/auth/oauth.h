/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person's consent: the address to open, the answer that comes back through the browser, and its
 * exchange for a refresh token (RFC 6749 and 8252, with PKCE, RFC 7636).
 *
 * `state` binds the answer to this request. The verifier, which does not leave this process before
 * the exchange, binds the code to it. So a code that another user has seen is useless to that user,
 * and an answer that another user has sent is not accepted.
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
	char challenge[48]; /* of the verifier, S256 */
};

/* Generates state and verifier. Everything that it points to must outlive it. */
bool oauth_begin(struct oauth_request *r, const struct oauth_client *client,
	const struct oauth_redirect *redirect, struct fault *fault);
void oauth_end(struct oauth_request *r); /* wipes both */

/* Appends the address to open. `hint`: the person who should log in, or "". */
bool oauth_address(const struct oauth_request *r, const struct settings *settings, const char *hint,
	struct strbuf *out);

enum oauth_answer {
	OAUTH_UNEXPECTED, /* not an answer to this request; the right one may still come */
	OAUTH_CODE,
	OAUTH_REFUSED, /* with the fault */
};
/* Reads the query of the redirect. */
enum oauth_answer oauth_answer(const struct oauth_request *r, const char *query,
	char code[OAUTH_CODE_MAX], struct fault *fault);
/* The same for what a person has pasted: the whole redirect, or only the code. */
enum oauth_answer oauth_pasted(const struct oauth_request *r, const char *typed,
	char code[OAUTH_CODE_MAX], struct fault *fault);

/* Exchanges the code. The reply has a refresh token and the scope; free it with
 * token_response_free(). */
bool oauth_exchange(const struct oauth_request *r, const struct settings *settings,
	struct http *http, const char *code, struct token_response *out, struct fault *fault);

#endif
