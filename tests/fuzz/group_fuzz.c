/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group file: which of the groups in the settings a user is in.
 */
#include <stdlib.h>
#include <string.h>

#include "people/account.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), names[64];
	struct group_table *table = group_parse(text, size, "staff no-cloudinvite");

	if (table && group_names(table, "alice", 1000, names, sizeof(names)))
		must(strlen(names) <= strlen("staff no-cloudinvite") &&
				strspn(names, "staff no-cloudinvite") == strlen(names),
			"only groups that were asked for");
	group_table_free(table);
	free(text);
	return 0;
}
