/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failures: what Google, or the way there, answered instead of what was asked for, as a fault that
 * tells an administrator what to change. Tables, matched from the top; Google's sentences are
 * matched by their beginning or by a part, never exactly, because they change.
 */
#ifndef CLOUDINVITE_GOOGLE_FAILURE_H
#define CLOUDINVITE_GOOGLE_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

#include "google/credential.h"
#include "google/google.h"
#include "google/http.h"
#include "google/iam.h"

#define ERROR_CLOCK_SKEW "token_clock_skew"
/* The remedy for what is Google's own trouble. */
#define ERROR_WAIT_REMEDY "No action is needed: the dispatcher retries automatically."

/* What the sentences may name, as {subject}, {issuer}, …; NULL counts as "". */
struct error_names {
	const char *subject, *issuer, *client_id, *key_id, *file, *customer, *project, *skew;
	const char *caller, *member, *audience;
};
void error_expand(char *out, size_t size, const char *pattern, const struct error_names *names);

/* No whole reply came from `url` (reply->curl is not 0). */
void error_transport(const char *url, const struct http_reply *reply, struct fault *fault);
/* A whole reply with a status below 300 came from `url`, which is not what the call promises. Keeps
 * the kind and the code of `fault`, and says where it happened and what to do. */
void error_unexpected_reply(const char *url, const struct http_reply *reply, struct fault *fault);

/* The part of it that concerns the proxy: true if that was it. `host` is Google's. */
bool error_proxy(const char *host, const struct http_reply *reply, struct fault *fault);

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

/* The API answered with something else than 2xx. Sets out->fault and out->quota. `c` may be NULL.
 */
void error_api(const struct google_call *call, const struct credential *c, const char *customer,
	const struct http_reply *reply, struct google_reply *out);

/* A google.rpc.Status inside an Operation of send or cancel: the same for its code. */
void error_operation(
	const struct google_call *call, int code, const char *message, struct google_reply *out);

#endif
