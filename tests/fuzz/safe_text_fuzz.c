/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that is shown on a terminal or logged: whatever the input, the output is one line of UTF-8
 * without anything that a terminal obeys or that a reader cannot see, and it fits.
 */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "tests/fuzz/fuzz.h"

/* Examples of each kind of invisible character that changes what a reader sees. */
static const char *const invisible[] = {
	"\u00ad", "\u061c", "\u200b", "\u202e", "\u2028", "\u2066", "\ufeff", "\U000e0041"};

static void check(const char *out, size_t size)
{
	size_t n = strlen(out);

	must(n < size, "it fits");
	must(str_is_utf8(out, n), "it is UTF-8");
	for (size_t i = 0; i < n; i++) {
		unsigned char byte = (unsigned char)out[i];

		must(byte >= 0x20 && byte != 0x7f, "no control character");
		must(byte != 0xc2 || (unsigned char)out[i + 1] >= 0xa0,
			"of the second set neither");
	}
	for (size_t i = 0; i < ARRAY_SIZE(invisible); i++)
		must(!strstr(out, invisible[i]), "everything is seen");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t room = size > 0 ? 1 + data[0] : 1, whole = 4 * size + 1;
	char *text = fuzz_text(data, size), *cut = malloc(room);
	char *out = malloc(whole), *again = malloc(whole);

	if (!cut || !out || !again)
		abort();
	check(str_safe(cut, room, text), room);
	check(str_safe(out, whole, text), whole);
	must(strcmp(str_safe(again, whole, out), out) == 0, "what is safe stays as it is");
	check(str_safe(cut, room, str_mask_address(again, whole, text)), room);
	free(text);
	free(cut);
	free(out);
	free(again);
	return 0;
}
