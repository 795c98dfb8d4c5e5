/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults for a token that was not given: replies of the token endpoint, IAM, the Security Token
 * Service and the metadata server (google/http/errors.h).
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_ERRORS_H
#define CLOUDINVITE_GOOGLE_AUTH_ERRORS_H

#include <stdbool.h>
#include <stdint.h>

#include "google/auth/credential.h"
#include "google/http/http.h"

struct iam_signer;

#define ERROR_CLOCK_SKEW "token_clock_skew"

/* The token endpoint did not give a token. `skew`: seconds by which our clock is ahead. */
void error_token(const struct credential *c, const struct http_reply *reply, int64_t skew,
	struct fault *fault);

/* True if the metadata server replied with 200; otherwise the fault says why not. */
bool error_metadata(
	const struct settings *settings, const struct http_reply *reply, struct fault *fault);

/* The reply cannot come from a metadata server. Returns false. */
bool error_metadata_unexpected(const struct settings *settings, const struct http_reply *reply,
	const char *what, struct fault *fault);

/* IAM at `url` did not sign. */
void error_iam(const struct credential *c, const struct iam_signer *by, const char *url,
	const struct http_reply *reply, struct fault *fault);

/* The Security Token Service did not exchange the subject token of `audience`. */
void error_sts(const struct credential *c, const char *audience, const struct http_reply *reply,
	struct fault *fault);

#endif
