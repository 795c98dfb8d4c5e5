/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why no token was given: the replies of the token endpoint, of IAM, of the Security Token Service
 * and of the metadata server, as faults (google/http/errors.h).
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_ERRORS_H
#define CLOUDINVITE_GOOGLE_AUTH_ERRORS_H

#include <stdbool.h>
#include <stdint.h>

#include "google/auth/credential.h"
#include "google/http/http.h"

struct iam_signer;

#define ERROR_CLOCK_SKEW "token_clock_skew"

/* The token endpoint did not give a token. `skew`: seconds that our clock is ahead. */
void error_token(const struct credential *c, const struct http_reply *reply, int64_t skew,
	struct fault *fault);

/* The metadata server: true if that is what answered, with 200. */
bool error_metadata(
	const struct settings *settings, const struct http_reply *reply, struct fault *fault);

/* Something else must have answered. Returns false. */
bool error_metadata_unexpected(const struct settings *settings, const struct http_reply *reply,
	const char *what, struct fault *fault);

/* IAM at `url` did not sign. */
void error_iam(const struct credential *c, const struct iam_signer *by, const char *url,
	const struct http_reply *reply, struct fault *fault);

/* The Security Token Service did not exchange the token of a subject of `audience`. */
void error_sts(const struct credential *c, const char *audience, const struct http_reply *reply,
	struct fault *fault);

#endif
