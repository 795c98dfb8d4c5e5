/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of the API other than the requested one, as faults (google/http/errors.h).
 */
#ifndef CLOUDINVITE_GOOGLE_API_ERRORS_H
#define CLOUDINVITE_GOOGLE_API_ERRORS_H

#include "google/auth/credential.h"
#include "google/http/http.h"
#include "google/types.h"

/* The API replied with a status other than 2xx. Sets out->fault and out->quota. `c` may be NULL. */
void error_api(const struct google_call *call, const struct credential *c, const char *customer,
	const struct http_reply *reply, struct google_reply *out);

/* A google.rpc.Status inside an Operation of send or cancel: the same, by its code. */
void error_operation(
	const struct google_call *call, int code, const char *message, struct google_reply *out);

#endif
