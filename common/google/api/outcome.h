/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an HTTP reply, or the lack of one, means for a call. Only this module decides whether a call
 * may be repeated.
 */
#ifndef CLOUDINVITE_GOOGLE_API_OUTCOME_H
#define CLOUDINVITE_GOOGLE_API_OUTCOME_H

#include "google/api/google.h"
#include "google/api/parse.h"
#include "google/auth/credential.h"
#include "google/http/http.h"

/* Fills in all of `out`. `url` is for the sentences; `c` may be NULL. */
void outcome_from_http(const struct google_call *call, const struct credential *c,
	const char *customer, const char *url, const struct http_reply *reply,
	struct reply_storage *memory, struct google_reply *out);

/* The request was not sent, because its `begin_until_ms` was over. */
void error_stood_still(struct fault *fault);

#endif
