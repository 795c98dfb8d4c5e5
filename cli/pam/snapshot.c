/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines of all files in /etc/pam.d, each behind the name of its file, so that two moments are
 * compared as two sets of lines. Whether a service can be read as a stack is part of the snapshot.
 */
#include "cli/pam/snapshot.h"

#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/pam/stack.h"

#define DIRECTORY "/etc/pam.d"
#define FILE_MAX  ((size_t)256 * 1024)
#define LINES_MAX ((size_t)64 * 1024 * 1024)

static const char *text_of(const struct strbuf *s)
{
	return s->data ? s->data : "";
}

/* ---- taking ---- */

static bool is_readable(const char *name)
{
	struct fault ignored;
	struct pam_stack stack;
	bool readable = pam_stack_read("", name, &stack, &ignored);

	pam_stack_free(&stack);
	return readable;
}

static bool add_service(const char *name, void *ctx)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .follow = true, .missing_ok = true};
	struct strbuf text = {.max = FILE_MAX + 1};
	struct pam_snapshot *s = ctx;
	char path[512];

	if (is_readable(name))
		strbuf_add_bytes(&s->services, name, strlen(name) + 1);
	if (str_format(path, sizeof(path), DIRECTORY "/%s", name))
		(void)file_read(path, &rules, &text, FAULT_STORAGE, NULL);
	for (const char *at = text_of(&text); *at != '\0'; at += *at == '\n') {
		int n = (int)strcspn(at, "\n");

		strbuf_addf(&s->lines, "%s: %.*s\n", path, n, at);
		at += n;
	}
	strbuf_free(&text);
	return !s->lines.failed && !s->services.failed;
}

bool pam_snapshot_take(struct pam_snapshot *s)
{
	*s = (struct pam_snapshot){.lines.max = LINES_MAX};
	return pam_services("", add_service, s);
}

void pam_snapshot_free(struct pam_snapshot *s)
{
	strbuf_free(&s->lines);
	strbuf_free(&s->services);
}

/* ---- comparing ---- */

/* How often the line of `n` bytes, its newline among them, stands before `end`. */
static int occurrences(const char *text, const char *end, const char *line, size_t n)
{
	int count = 0;

	for (const char *at = text; at < end; at += strcspn(at, "\n") + 1)
		count += strncmp(at, line, n) == 0;
	return count;
}

/* The lines that `from` has more often than `other`. */
static void add_surplus(
	const struct strbuf *from, const struct strbuf *other, char sign, struct strbuf *out)
{
	const char *text = text_of(from), *others = text_of(other);
	size_t n;

	for (const char *line = text; *line != '\0'; line += n) {
		int name = (int)(strstr(line, ": ") - line) + 1;

		n = strcspn(line, "\n") + 1;
		if (occurrences(text, line + n, line, n) >
			occurrences(others, others + other->len, line, n))
			strbuf_addf(
				out, "%.*s %c%.*s", name, line, sign, (int)n - name, line + name);
	}
}

bool pam_snapshot_compare(
	const struct pam_snapshot *before, const struct pam_snapshot *after, struct strbuf *out)
{
	add_surplus(&before->lines, &after->lines, '-', out);
	add_surplus(&after->lines, &before->lines, '+', out);
	return !out->failed;
}

const char *pam_snapshot_broken(const struct pam_snapshot *before)
{
	const char *name = text_of(&before->services), *end = name + before->services.len;

	for (; name < end; name += strlen(name) + 1)
		if (!is_readable(name))
			return name;
	return NULL;
}
