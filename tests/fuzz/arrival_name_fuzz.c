/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names in the spool: a name that is read as an arrival or a marker is exactly the one that would
 * be written for that user, so that no two names mean the same user, and every user's name is read
 * back as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "spool/spool.h"
#include "tests/fuzz/fuzz.h"

static void try_name(const char *name)
{
	char user[SPOOL_USER_MAX + 1], again[SPOOL_NAME_MAX + 1];
	enum trigger trigger;

	if (spool_parse_arrival(name, user, &trigger))
		must(spool_arrival_name(again, user, trigger) &&
				(strcmp(again, name) == 0 || trigger == TRIGGER_MANUAL),
			"an arrival's name is the only one of its user and trigger");
	if (spool_parse_mark(name, user))
		must(spool_mark_name(again, user) && strcmp(again, name) == 0,
			"a mark's name is the only one of its user");
}

static void try_user(const char *user)
{
	char name[SPOOL_NAME_MAX + 1], again[SPOOL_USER_MAX + 1];
	enum trigger trigger;

	if (!spool_arrival_name(name, user, TRIGGER_MANUAL))
		return;
	must(!strchr(name, '/') && name[0] != '.', "a name is a plain file's");
	must(spool_parse_arrival(name, again, &trigger) && trigger == TRIGGER_MANUAL &&
			strcmp(again, user) == 0,
		"a user's name comes back as it was");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	try_name(text);
	try_user(text);
	free(text);
	return 0;
}
