/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies: JSON, and Google's error bodies (docs/google.md 2) with their exact texts.
 */
#ifndef CLOUDINVITE_EMULATOR_REPLY_H
#define CLOUDINVITE_EMULATOR_REPLY_H

#include "emulator.h"
#include "request.h"

#define MESSAGE_INVALID	     "Request contains an invalid argument."
#define MESSAGE_NOT_FOUND    "Requested entity was not found."
#define MESSAGE_DENIED	     "The caller does not have permission"
#define MESSAGE_PRECONDITION "Precondition check failed."

/* A service of Google, as errors name it. */
struct service {
	const char *host, *title;
	const char *rpcs;  /* the common prefix of its methods' names */
	const char *scope; /* the scope that it requires */
};
extern const struct service service_invitations, service_iam;

/* Takes ownership of `body`. */
void reply_json(struct reply *out, int status, json_t *body);
/* Makes a copy. */
void reply_text(struct reply *out, int status, const char *content_type, const char *text);
void reply_header(struct reply *out, const char *name, const char *value);
void reply_free(struct reply *out);

/* An API error with HTTP code 400, 401, 403, 404, 405, 409, 429, 500 or 503 and the status word
 * that belongs to it. */
void reply_error(struct emulator *e, struct reply *out, int code, const char *message);
/* The same with a status word and details (takes ownership; may be NULL). */
void reply_error_details(struct emulator *e, struct reply *out, int code, const char *status,
	const char *message, json_t *details);
/* 400 FAILED_PRECONDITION, or another error, depending on the code. */
void reply_precondition(struct emulator *e, struct reply *out, int code);
void reply_unauthenticated(struct emulator *e, struct reply *out);
void reply_scope_missing(
	struct emulator *e, struct reply *out, const struct service *service, const char *rpc);
void reply_api_disabled(struct emulator *e, struct reply *out, const struct service *service);
/* Body F: signJwt and related methods. */
void reply_permission_denied(struct emulator *e, struct reply *out, const char *permission);
void reply_quota_exceeded(struct emulator *e, struct reply *out);
/* The form of the token endpoint. */
void reply_oauth_error(struct reply *out, int status, const char *error, const char *description);

#endif
