/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token request: the exchange of a grant for an access token at the token endpoint.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_TOKEN_REQUEST_H
#define CLOUDINVITE_GOOGLE_AUTH_TOKEN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "google/auth/credential.h"

/* An access token goes into a header line: printable ASCII without blanks, at most what Google
 * documents (12 KiB) and some more. */
#define ACCESS_TOKEN_MAX 16384
bool access_token_valid(const char *token);

/* A successful reply (RFC 6749). The last two are NULL if it does not have them. */
struct token_response {
	struct credential_minted minted;
	char *refresh_token;
	char *scope; /* separated by spaces */
};

/* Posts the form (already encoded) to `endpoint`; `out` is filled as by http_perform(). */
void token_request_post(const char *endpoint, struct http *http, const char *form, size_t len,
	struct http_reply *out);
/* Reads the body of a successful reply. False if it does not match RFC 6749. */
bool token_response_parse(const char *body, size_t len, struct token_response *out);
/* Whether the reply grants `scope`; one without a scope grants what was asked for. */
bool token_response_has_scope(const struct token_response *reply, const char *scope);
/* Wipes it. */
void token_response_free(struct token_response *reply);

/* Posts the form for `c` and reads the reply. The faults are those of google/http/errors.h. */
bool token_request(const struct credential *c, struct http *http, const char *form, size_t len,
	struct token_response *out, struct fault *fault);

/* The same, for callers that need only the access token. */
bool token_request_access(const struct credential *c, struct http *http, const char *form,
	size_t len, struct credential_minted *out, struct fault *fault);
bool token_response_parse_access(const char *body, size_t len, struct credential_minted *out);

#endif
