/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token endpoint: POST /token, a grant type a file. Every check has the error that Google gives
 * for it (docs/google.md 3.1).
 */
#ifndef CLOUDINVITE_EMULATOR_TOKEN_H
#define CLOUDINVITE_EMULATOR_TOKEN_H

#include "emulator.h"
#include "request.h"

/* A refusal: the HTTP status, the word and the sentence. Zero status: none. */
struct oauth_error {
	int status;
	const char *error;
	const char *description;
};

/* Every word one of Google's scopes, and at least one. */
bool scopes_valid(const char *scopes);
/* The token and its lifetime; the caller adds what else its grant says. */
json_t *token_body(const struct tenant *tenant, const struct access *access);

route_answer grant_jwt_bearer;	       /* token_assertion.c */
route_answer grant_authorization_code; /* token_login.c */
route_answer grant_refresh_token;

#endif
