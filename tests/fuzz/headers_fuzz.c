/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Header lines as libcurl passes them, one on each line of the input: dates, Retry-After and the
 * others that are read.
 */
#include "google/http/reply_header.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct transfer t = {0};
	char *text = fuzz_text(data, size), *line = text, *end;
	int64_t after;

	while (line < text + size) {
		end = memchr(line, '\n', (size_t)(text + size - line));
		end = end ? end + 1 : text + size;
		reply_header(&t, line, (size_t)(end - line));
		line = end;
	}
	after = reply_retry_after(&t);
	must(after >= -1 && after <= RETRY_AFTER_MAX, "a wait is a day at most");
	must(t.reply.date >= 0, "a date is not negative");
	free(text);
	return 0;
}
