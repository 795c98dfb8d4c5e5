/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map file: its result is "-" or an address of one line.
 */
#include <stdlib.h>
#include <string.h>

#include "people/verdict.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct fault fault = {.kind = FAULT_NONE};
	struct address_map *map = map_parse(text, size, "/etc/cloudinvite/addresses.map", &fault);
	int line = 0;
	const char *address;

	if (map) {
		address = map_find(map, "host.example.com", "alice", &line);
		must(!address || !strpbrk(address, " \t\r\n"), "an address is one word");
		must(!address || line > 0, "and stands in a line");
	} else {
		must(fault.kind == FAULT_SETTINGS && fault.what[0] != '\0', "a reason is given");
	}
	map_free(map);
	free(text);
	return 0;
}
