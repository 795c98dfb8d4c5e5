/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential files of every type: they are used or refused with a sentence, and never decide where
 * tokens are requested.
 */
#include <stdio.h>
#include <string.h>

#include "google/auth/credential.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings *settings;
	struct fault fault = {.kind = FAULT_NONE};
	struct credential *c;

	if (!settings) {
		static const char conf[] = "[google]\ncredentials = %s/key.json\n"
					   "subject = admin@example.com\n";
		char text[256];
		int n = snprintf(text, sizeof(text), conf, fuzz_folder());

		settings = settings_load(
			fuzz_file("cloudinvite.conf", (const uint8_t *)text, (size_t)n), &fault);
		must(settings, fault.what);
	}
	fuzz_file("key.json", data, size);
	c = credential_load(settings, &fault);
	must(c || (fault.kind != FAULT_NONE && fault.what[0] != '\0'), "a reason is given");
	must(!c || strcmp(c->token_endpoint, "https://oauth2.googleapis.com/token") == 0,
		"the token endpoint is the settings'");
	credential_free(c);
	return 0;
}
