/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of the token endpoint: a token that fits into a header line, or a reason.
 */
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "google/auth/errors.h"
#include "google/auth/token_request.h"
#include "google/http/secret.h"
#include "tests/fuzz/fuzz.h"

static char endpoint[] = "https://oauth2.googleapis.com/token";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct credential c = {.token_endpoint = endpoint, .path = endpoint};
	struct http_reply http = {.status = 400, .retry_after = -1};
	struct credential_minted minted = {0};
	struct fault fault = {.kind = FAULT_NONE};

	if (token_response_parse_access((const char *)data, size, &minted)) {
		must(access_token_valid(minted.access_token), "a token is printable");
		must(minted.expires_in > 0 && minted.expires_in <= 43200, "and ends");
	}
	secret_free(minted.access_token);
	must(strbuf_add_bytes(&http.body, (const char *)data, size), "memory");
	error_token(&c, &http, 0, &fault);
	must(fault.kind != FAULT_NONE && fault.what[0] != '\0', "a refusal has a sentence");
	must(!strpbrk(fault.what, "\n\x1b"), "of one line");
	strbuf_free(&http.body);
	return 0;
}
