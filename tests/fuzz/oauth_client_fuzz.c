/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OAuth clients' files: they are used or refused with a sentence, and only this host is listened
 * on.
 */
#include <strings.h>

#include "google/auth/oauth_client.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct oauth_client client = {.web = false};
	struct fault fault = {.kind = FAULT_NONE};
	struct oauth_redirect redirect;

	if (!oauth_client_load(&client, fuzz_file("client.json", data, size), &fault)) {
		must(fault.kind != FAULT_NONE && fault.what[0] != '\0', "a reason is given");
	} else {
		must(client.id && client.id[0] != '\0', "a client has an id");
		if (!oauth_client_redirect(&client, 0, &redirect, &fault))
			must(fault.what[0] != '\0', "a reason is given");
		else if (redirect.loopback && !redirect.port)
			oauth_redirect_bound(&redirect, 8080);
		must(fault.kind || !redirect.loopback || strncasecmp(redirect.uri, "http:", 5) == 0,
			"a loopback address is one");
	}
	oauth_client_free(&client);
	return 0;
}
