/* SPDX-License-Identifier: Apache-2.0 */
#include "google/reply.h"

#include "google/failure.h"

/* A whole reply below 500 says that nothing was done, or what was. Without one, or with 5xx or 408,
 * a request that may have been written may have been carried out. */
static bool effect_unknown(const struct http_reply *reply)
{
	return reply->written && (reply->curl || reply->status >= 500 || reply->status == 408);
}

static void make_unconfirmed(struct fault *fault)
{
	struct fault cause = *fault;

	fault_set(fault, FAULT_UNCONFIRMED, cause.code,
		"whether the invitation went out is not known: %s", cause.what);
	fault_remedy(fault, "It is not sent again by itself; what Google shows of it will tell.");
}

void reply_read(const struct google_call *call, const struct credential *c, const char *customer,
	const char *url, const struct http_reply *reply, struct parse_memory *memory,
	struct google_reply *out)
{
	*out = (struct google_reply){.status = reply->status,
		.date = reply->date,
		.retry_after = reply->retry_after,
		.duration_us = reply->duration_us};
	if (reply->curl)
		failure_transport(url, reply, &out->fault);
	else if (reply->status >= 200 && reply->status < 300)
		parse_reply(call, reply->body.data, reply->body.len, memory, out);
	else
		failure_api(call, c, customer, reply, out);

	if (call->method != GOOGLE_SEND) {
		/* Repeating anything else does no harm. */
		if (out->fault.kind == FAULT_UNCONFIRMED)
			out->fault.kind = FAULT_LATER;
	} else if (out->fault.kind == FAULT_UNCONFIRMED || effect_unknown(reply)) {
		make_unconfirmed(&out->fault);
	}
}
