/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body in which Google's APIs refuse a request: {"error":{…}} with a google.rpc.Status and what
 * older and newer conventions add to it, or whatever another server sent.
 */
#ifndef CLOUDINVITE_GOOGLE_AUTH_RPC_STATUS_H
#define CLOUDINVITE_GOOGLE_AUTH_RPC_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "google/http/http.h"

/* Texts are "" if absent. `json` false: the body was not such an object. */
struct rpc_status {
	json_t *body;
	bool json;
	json_int_t code; /* 0: none */
	const char *message, *status;
	const char *reason; /* of google.rpc.ErrorInfo */
	const char *legacy; /* errors[0].reason */
	char project[64];   /* of ErrorInfo.metadata.consumer; safe in a link */
};

void rpc_status_read(struct rpc_status *r, const struct http_reply *reply);
void rpc_status_free(struct rpc_status *r);

/* Whether Google wrote it: its error object, with the status of the reply as its code. */
bool rpc_status_is_google(const struct rpc_status *r, const struct http_reply *reply);
/* Whether one of `reasons` (a list; "*": any) is its reason, its status or the challenge in the
 * header; or whether `contains` (lower case; may be NULL) is a part of the message, or of a body
 * that is not JSON. */
bool rpc_status_matches(const struct rpc_status *r, const struct http_reply *reply,
	const char *reasons, const char *contains);
/* The fault's code for it: "permission_denied", or "http_403" if Google gave no such word. */
void rpc_status_code(
	const struct rpc_status *r, const struct http_reply *reply, char *out, size_t size);

#endif
