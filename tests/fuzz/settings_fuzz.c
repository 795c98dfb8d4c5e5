/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudinvite.conf: settings that load are complete; an error says where it is and what to do.
 */
#include <string.h>

#include "google/auth/hsm/hsm_uri.h"
#include "settings/settings.h"
#include "tests/fuzz/fuzz.h"

static bool each(const char *section, const char *key, const char *value, const char *origin,
	const char *help, void *ctx)
{
	(void)section, (void)ctx;
	must(key && value && origin && help, "a key is shown whole");
	return true;
}

static void said(const struct fault *fault, void *ctx)
{
	(void)ctx;
	must(fault->what[0] != '\0' && !strchr(fault->what, '\n'), "a finding is a sentence");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file("cloudinvite.conf", data, size);
	struct fault fault = {.kind = FAULT_NONE};
	struct settings *s;

	settings_read_keys_with(&hsm_key_reader);
	s = settings_load(path, &fault);
	if (s) {
		settings_each(s, each, NULL);
		(void)settings_check(s, said, NULL);
	} else {
		must(fault.kind == FAULT_SETTINGS && fault.what[0] != '\0', "a reason is given");
	}
	settings_free(s);
	return 0;
}
