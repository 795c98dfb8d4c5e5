/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header lines as libcurl passes them, one on each line of the input: dates, Retry-After and the
 * others that are read.
 */
#include "common/google/http/transfer.c" /* on_header() is static */

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct transfer t = {0};
	char *text = fuzz_text(data, size), *line = text, *end;
	int64_t after;

	while (line < text + size) {
		end = memchr(line, '\n', (size_t)(text + size - line));
		end = end ? end + 1 : text + size;
		must(on_header(line, 1, (size_t)(end - line), &t) == (size_t)(end - line),
			"a header is taken whole");
		line = end;
	}
	after = retry_after(&t);
	must(after >= -1 && after <= RETRY_AFTER_MAX, "a wait is a day at most");
	must(t.reply.date >= 0, "a date is one");
	free(text);
	return 0;
}
