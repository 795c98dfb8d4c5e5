/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of the API to all five calls. The first two bytes select the call and the status. A reply
 * without a fault is complete; a send with an unexpected reply is unconfirmed, never to be
 * repeated.
 */
#include <string.h>

#include "base/array.h"
#include "base/strbuf.h"
#include "google/api/outcome.h"
#include "tests/fuzz/fuzz.h"

static const int statuses[] = {200, 200, 200, 204, 302, 400, 401, 403, 404, 409, 429, 500, 503};

static void check_reply(const struct google_call *call, int status, const struct google_reply *r)
{
	must(r->fault.kind != FAULT_NONE || status / 100 == 2 ||
			(call->method == GOOGLE_GET && status == 404),
		"only 2xx is an answer");
	must(r->fault.kind == FAULT_NONE || r->fault.what[0] != '\0', "a fault has a sentence");
	must(r->fault.kind != FAULT_TRANSIENT || call->method != GOOGLE_SEND || status == 401 ||
			status == 403 || status == 429 || status / 100 == 2,
		"what may have mailed somebody is not repeated");
	for (size_t i = 0; i < r->page_count; i++)
		must(r->page[i].address[0] != '\0', "a row of a list has an address");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_reply http = {.retry_after = -1, .maybe_sent = true};
	struct google_call call = {.address = "alice@example.com", .list_page_size = 200};
	struct reply_storage memory = {0};
	struct google_reply reply;

	if (size < 2)
		return 0;
	call.method = (enum google_method)(data[0] % GOOGLE_METHODS);
	http.status = statuses[data[1] % (ARRAY_SIZE(statuses))];
	must(strbuf_add_bytes(&http.body, (const char *)data + 2, size - 2), "memory");
	outcome_from_http(&call, NULL, "C01234567", "https://example.com", &http, &memory, &reply);
	check_reply(&call, http.status, &reply);
	reply_storage_free(&memory);
	strbuf_free(&http.body);
	return 0;
}
