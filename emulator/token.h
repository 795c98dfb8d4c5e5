/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The token endpoint: POST /token, one file for each grant type. Every check has the error that
 * Google gives for it (docs/google.md 3.1).
 */
#ifndef CLOUDINVITE_EMULATOR_TOKEN_H
#define CLOUDINVITE_EMULATOR_TOKEN_H

#include "emulator.h"
#include "request.h"

/* A refusal: HTTP status, word and sentence. Zero status: none. */
struct oauth_error {
	int status;
	const char *error;
	const char *description;
};

/* At least one word, and each is one of Google's scopes. */
bool scopes_valid(const char *scopes);
/* The token and its lifetime; the caller adds the members of its grant. */
json_t *token_body(const struct tenant *tenant, const struct access *access);

route_answer grant_jwt_bearer;	       /* token_assertion.c */
route_answer grant_authorization_code; /* token_login.c */
route_answer grant_refresh_token;

#endif
