/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults of a login (google/http/errors.h).
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_ERRORS_LOGIN_H
#define CLOUDINVITE_GOOGLE_AUTH_ERRORS_LOGIN_H

#include "google/auth/oauth.h"

/* The browser came back with `error`, perhaps with a description. */
void error_consent(const struct oauth_client *client, const char *error, const char *description,
	struct fault *fault);
/* The token endpoint did not accept the code. */
void error_auth_code(const struct oauth_request *r, const struct settings *settings,
	const struct http_reply *reply, struct fault *fault);

#endif
