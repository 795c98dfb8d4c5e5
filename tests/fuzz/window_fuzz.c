/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send_window: what is accepted has a next change.
 */
#include <stdlib.h>

#include "settings/window.h"
#include "tests/fuzz/fuzz.h"

#define NOW  1795392000
#define WEEK (8 * 86400) /* plus a day, for the hour that a zone may skip */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	int64_t change = INT64_MAX;
	const char *remedy = NULL, *what = window_check(text, &remedy);

	must(!what || remedy, "what is refused has a remedy");
	if (!what)
		(void)window_open(text, NOW, &change);
	must(change > NOW && (change == INT64_MAX || change <= NOW + WEEK),
		"when that changes is a week ahead at most");
	free(text);
	return 0;
}
