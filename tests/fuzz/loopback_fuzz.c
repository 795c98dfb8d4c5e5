/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What any program on this machine may send to the port on which a login waits for its browser:
 * only a GET of the one path has a query, and that is one word.
 */
#include <stdlib.h>

#include "base/str.h"
#include "cli/api/loopback.c"
#include "tests/fuzz/fuzz.h"

#define PATH "/oauth2/callback"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *copy = fuzz_text(data, size);
	const struct page *page = NULL;
	const char *query = query_of(text, PATH, &page);

	if (query) {
		must(str_starts(copy, "GET " PATH), "it asks for our page");
		must(!strpbrk(query, " \r\n"), "with one word behind it");
		must(!*query || (query >= text && query <= text + size), "which is in the request");
	} else {
		must(page == &bad_method || page == &not_found, "or it gets a page");
	}
	free(text);
	free(copy);
	return 0;
}
