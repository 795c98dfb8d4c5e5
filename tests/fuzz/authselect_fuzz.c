/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output of authselect: the profile with its features, and the files that it would write. Only
 * files in /etc/pam.d are read, and a file with the same content is recognised.
 */
#include <stdlib.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "cli/pam/authselect.c"
#include "tests/fuzz/fuzz.h"

/* The bytes of the present input, for every file. */
static const char *content;

bool __wrap_file_read(const char *path, const struct file_rules *rules, struct strbuf *out,
	enum fault_kind kind, struct fault *fault);
bool __wrap_file_read(const char *path, const struct file_rules *rules, struct strbuf *out,
	enum fault_kind kind, struct fault *fault)
{
	(void)kind, (void)fault;
	must(str_starts(path, "/etc/pam.d/"), "only PAM files are compared");
	must(rules->missing_ok, "one that is not there says nothing");
	return strbuf_add(out, content);
}

static void check_words(const char *text)
{
	struct selection s = {.text = {.max = FILE_MAX}};

	strbuf_add(&s.text, text);
	split(&s);
	must(s.count <= FEATURES_MAX, "there is room for all");
	for (int i = 0; i < s.count; i++)
		must(s.words[i][0] && !strpbrk(s.words[i], " \t\n"), "each is a word");
	strbuf_free(&s.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), edited[256] = "";
	const char *half = text + strlen(text) / 2;

	content = text;
	check_words(text);
	must(same_lines(text, text + strlen(text), text, text + strlen(text)), "it is the same");
	must(same_lines(text, half, half, half + strlen(half)) ==
			same_lines(half, half + strlen(half), text, half),
		"from both sides");
	(void)all_say(text, edited, sizeof(edited));
	free(text);
	return 0;
}
