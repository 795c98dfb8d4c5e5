/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PAM files: three of them, of which the first may include the others. What can be read is
 * complete, and what cannot has a reason. A line of ours that is added to a file can be removed, so
 * that the file is what it was, byte for byte.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/strbuf.h"
#include "cli/pam/edit.h"
#include "cli/pam/stack.h"
#include "tests/fuzz/fuzz.h"

static void check_line(const struct pam_line *line)
{
	static const char *const results[] = {"success", "module_unknown", "ignore", ""};

	must(line->kind == PAM_KIND_MODULE, "every include is opened");
	must(line->file && line->number > 0, "a line is somewhere");
	must(line->control && line->module, "and says what it runs, and how");
	must(line->type <= PAM_TYPE_SESSION && pam_type_word(line->type), "for one of four types");
	for (int i = 0; i < line->argument_count; i++)
		must(line->arguments[i], "its arguments are words");
	for (size_t i = 0; i < ARRAY_SIZE(results); i++)
		must(pam_line_action(line, results[i]) >= PAM_ACTION_RESET,
			"a result has an action");
	(void)pam_line_runs(line, "pam_cloudinvite.so");
}

static void read_them(void)
{
	struct fault fault = {.kind = FAULT_NONE};
	struct pam_stack stack;
	bool good = pam_stack_read(fuzz_folder(), "/first", &stack, &fault);

	for (size_t i = 0; i < stack.count; i++)
		check_line(&stack.lines[i]);
	must(good == (fault.kind == FAULT_NONE), "who refuses says why");
	must(!strpbrk(fault.what, "\n\x1b"), "in one line");
	pam_stack_free(&stack);
}

static void put_and_take(const char *data, size_t size)
{
	struct strbuf before = {.max = 32768}, with = {.data = NULL}, after = {.data = NULL};

	strbuf_add_bytes(&before, data, size);
	/* The caller leaves a file alone that has our mark already. */
	if (size > 0 && strlen(data) == size && !strstr(data, "cloudinvite pam enable")) {
		must(pam_edit_add(&before, &with), "our line is added");
		must(pam_edit_remove(&with, &after), "and found again");
		must(after.len == size && memcmp(after.data, data, size) == 0, "nothing is left");
	}
	strbuf_free(&before);
	strbuf_free(&with);
	strbuf_free(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"first", "second", "third"};
	char *text = fuzz_text(data, size), *at = text;

	put_and_take(text, size);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t n = at < text + size ? strlen(at) : 0;

		fuzz_file(names[i], (const uint8_t *)at, n);
		at += n < (size_t)(text + size - at) ? n + 1 : n;
	}
	/* No file of this machine may be read. */
	if (size == 0 || !memmem(text, size, "..", 2))
		read_them();
	free(text);
	return 0;
}
