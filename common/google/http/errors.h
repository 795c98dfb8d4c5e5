/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults for what came back from the network instead of the reply: they tell an administrator what
 * to change. Tables, matched from the top. Texts of Google and libcurl are matched by their
 * beginning or by a part, never exactly, because they change.
 */
#ifndef CLOUDINVITE_GOOGLE_HTTP_ERRORS_H
#define CLOUDINVITE_GOOGLE_HTTP_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "google/http/http.h"

/* The remedy for problems on Google's side. */
#define ERROR_WAIT_REMEDY "No action is needed: the dispatcher retries automatically."

/* What the sentences may insert as {subject}, {issuer}, …; NULL counts as "". */
struct error_names {
	const char *subject, *issuer, *client_id, *key_id, *file, *customer, *project, *skew;
	const char *caller, *member, *audience;
};
void error_expand(char *out, size_t size, const char *pattern, const struct error_names *names);

/* Whether a text of libcurl says that a connection was reset, or ended without a TLS
 * close_notify. */
bool error_is_connection_end(const char *text);

/* No complete reply came from `url` (reply->curl is not 0). */
void error_transport(const char *url, const struct http_reply *reply, struct fault *fault);

/* A complete reply with a status below 300 came from `url`, but not with what the call promises.
 * Keeps the kind and the code of `fault`, and says where it happened and what to do. */
void error_unexpected_reply(const char *url, const struct http_reply *reply, struct fault *fault);

/* The part that concerns the proxy: true if the proxy was the cause. `host` is Google's. */
bool error_proxy(const char *host, const struct http_reply *reply, struct fault *fault);

#endif
