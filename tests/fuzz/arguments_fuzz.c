/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's arguments, one word each: the module accepts or ignores whatever is in /etc/pam.d.
 */
#include <stdlib.h>
#include <string.h>

#include "common/pam/arguments.h"
#include "tests/fuzz/fuzz.h"

#define WORDS 16

static void wrong(const char *argument, void *ctx)
{
	must(argument, "it is said which");
	++*(int *)ctx;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *rest = text, *word;
	const char *words[WORDS];
	struct arguments a;
	int n = 0, count = 0;

	while (n < WORDS && (word = strsep(&rest, "\n")))
		words[n++] = word;
	arguments_parse(&a, n, words, wrong, &count);
	must(count <= n, "every word is wrong at most once");
	must(a.spool && a.services && a.skip_services, "what is not said has its default");
	if (a.spool && a.message_file)
		must(strncmp(a.message_file, a.spool, strlen(a.spool)) == 0,
			"a message is in the spool");
	must(a.min_uid >= ARGUMENT_UNSET && a.max_uid >= ARGUMENT_UNSET, "a uid is not negative");
	for (int i = 0; i < n; i++)
		(void)arguments_service(&a, words[i]);
	free(text);
	return 0;
}
