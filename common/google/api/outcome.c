/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a call may be repeated. Only `send` can be AMBIGUOUS; it is so unless the reply, or the
 * lack of one, proves that Google did nothing. And whose reply it is: only the Date of one that
 * Google wrote is Google's clock.
 */
#include "google/api/outcome.h"

#include <string.h>

#include "google/api/errors.h"
#include "google/http/errors.h"

/* A proxy that returns a page of its own instead of the reply may have passed the request on. */
static bool from_elsewhere(const struct fault *fault)
{
	return strcmp(fault->code, "redirected") == 0 ||
	       strcmp(fault->code, "endpoint_unexpected") == 0;
}

/* A complete reply of the API below 500 says what was done, or that nothing was. Without one, or
 * with 5xx or 408, a request that may have been written may have been carried out. */
static bool effect_unknown(const struct http_reply *reply, const struct fault *fault)
{
	return reply->maybe_sent && (reply->curl || reply->status >= 500 || reply->status == 408 ||
					    from_elsewhere(fault));
}

static void make_ambiguous(struct fault *fault)
{
	struct fault cause = *fault;

	fault_set(fault, FAULT_AMBIGUOUS, cause.code,
		"it is not known whether the invitation went out: %s", cause.what);
	fault_remedy(fault, "It is not sent again automatically; Google will show the result.");
}

/* Google answers 200 or refuses. Any other status below 300 is a part of a reply, or not
 * Google's. */
static void read_body(const struct google_call *call, const char *url,
	const struct http_reply *reply, struct reply_storage *memory, struct google_reply *out)
{
	if (reply->status == 200)
		parse_reply(call, reply->body.data, reply->body.len, memory, out);
	else
		fault_set(&out->fault, FAULT_AMBIGUOUS, "reply_unexpected",
			"the reply to %s has the status %d, which Google never uses",
			google_method_word(call->method), reply->status);
	if (strcmp(out->fault.code, "reply_unexpected") == 0)
		error_unexpected_reply(url, reply, &out->fault);
	else
		out->date = reply->date;
}

void error_stood_still(struct fault *fault)
{
	fault_set(fault, FAULT_STOPPED, "stood_still",
		"the request was not sent any more: this program, or its host, stood still before "
		"it");
	fault_remedy(fault, "Run the command again.");
}

void outcome_from_http(const struct google_call *call, const struct credential *c,
	const char *customer, const char *url, const struct http_reply *reply,
	struct reply_storage *memory, struct google_reply *out)
{
	*out = (struct google_reply){.status = reply->status,
		.retry_after = reply->retry_after,
		.duration_us = reply->duration_us};
	if (reply->too_late)
		error_stood_still(&out->fault);
	else if (reply->curl)
		error_transport(url, reply, &out->fault);
	else if (reply->status < 300)
		read_body(call, url, reply, memory, out);
	else
		error_api(call, c, customer, reply, out);

	if (call->method != GOOGLE_SEND) {
		/* Repeating any other call does no harm. */
		if (out->fault.kind == FAULT_AMBIGUOUS)
			out->fault.kind = FAULT_TRANSIENT;
	} else if (out->fault.kind == FAULT_AMBIGUOUS || effect_unknown(reply, &out->fault)) {
		make_ambiguous(&out->fault);
	}
}
