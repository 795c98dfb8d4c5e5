/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a browser or a person brings back to a login: a code of this login, a refusal with a
 * sentence, or nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "google/auth/oauth.h"
#include "tests/fuzz/fuzz.h"

#define STATE "0123456789abcdef0123456789abcdef0123456789a"

static void check(enum oauth_answer found, const char *code, const struct fault *fault)
{
	must(found != OAUTH_CODE || access_token_valid(code), "a code is printable");
	must((found == OAUTH_REFUSED) == (fault->kind != FAULT_NONE), "a refusal has a reason");
	must(!strpbrk(fault->what, "\n\x1b"), "of one line");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char id[] = "1.apps.googleusercontent.com";
	const struct oauth_client client = {.id = id, .path = "client.json"};
	const struct oauth_request request = {.client = &client, .state = STATE};
	char *text = fuzz_text(data, size), code[OAUTH_CODE_MAX] = "";
	struct fault fault = {.kind = FAULT_NONE};
	enum oauth_answer found = oauth_answer(&request, text, code, &fault);

	check(found, code, &fault);
	must(found == OAUTH_UNEXPECTED || strstr(text, "state="), "only with the state");
	fault = (struct fault){.kind = FAULT_NONE};
	check(oauth_pasted(&request, text, code, &fault), code, &fault);
	free(text);
	return 0;
}
