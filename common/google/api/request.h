/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The five calls as HTTP requests: their addresses and bodies.
 */
#ifndef CLOUDINVITE_GOOGLE_API_REQUEST_H
#define CLOUDINVITE_GOOGLE_API_REQUEST_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "google/api/google.h"

#define REQUEST_PAGE_MAX 200

/* Appends the URL. False with FAULT_SETTINGS (customer) or FAULT_USAGE (address): a value that
 * cannot be one segment of a path is refused, not escaped. */
bool request_url(const struct settings *settings, const struct google_call *call,
	struct strbuf *out, struct fault *fault);
/* "GET" or "POST". */
const char *request_method(enum google_method method);
/* The body of a POST: "{}"; NULL for a GET. */
const char *request_body(enum google_method method);
/* Whether a second time has no other effect than the first (RFC 9110, section 9.2.2). */
bool method_is_idempotent(enum google_method method);

#endif
