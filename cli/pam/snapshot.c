/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of all files in /etc/pam.d, and their differences line by line. Whether a service can
 * still be read as a stack is part of the snapshot.
 */
#include "cli/pam/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/pam/stack.h"

#define DIRECTORY "/etc/pam.d"
#define FILE_MAX  ((size_t)256 * 1024)

/* ---- taking ---- */

static bool is_readable(const char *name)
{
	struct fault ignored;
	struct pam_stack stack;
	bool readable = pam_stack_read("", name, &stack, &ignored);

	pam_stack_free(&stack);
	return readable;
}

static bool add_file(const char *name, void *ctx)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .follow = true, .missing_ok = true};
	struct pam_snapshot *s = ctx;
	struct pam_file *file;
	char path[512];

	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 32;
		struct pam_file *files = reallocarray(s->files, room, sizeof(*files));
		if (!files)
			return false;
		s->files = files;
		s->room = room;
	}
	file = &s->files[s->count];
	*file = (struct pam_file){.text.max = FILE_MAX + 1, .readable = is_readable(name)};
	file->name = strdup(name);
	if (!file->name)
		return false;
	s->count++;
	if (str_format(path, sizeof(path), DIRECTORY "/%s", name))
		(void)file_read(path, &rules, &file->text, FAULT_STORAGE, NULL);
	return true;
}

bool pam_snapshot_take(struct pam_snapshot *s)
{
	*s = (struct pam_snapshot){.files = NULL};
	return pam_services("", add_file, s);
}

void pam_snapshot_free(struct pam_snapshot *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->files[i].name);
		strbuf_free(&s->files[i].text);
	}
	free(s->files);
	*s = (struct pam_snapshot){.files = NULL};
}

/* ---- comparing ---- */

static const struct pam_file *find_file(const struct pam_snapshot *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->files[i].name, name) == 0)
			return &s->files[i];
	return NULL;
}

static const char *bytes_of(const struct pam_file *file)
{
	return file && file->text.data ? file->text.data : "";
}

/* How many bytes both have at their beginning, in whole lines. */
static size_t common_head(const char *a, const char *b)
{
	size_t head = 0;

	for (size_t i = 0; a[i] && a[i] == b[i]; i++)
		if (a[i] == '\n')
			head = i + 1;
	return head;
}

static bool begins_line(const char *text, size_t at)
{
	return at == 0 || text[at - 1] == '\n';
}

/* The same at their end. */
static size_t common_tail(const char *a, size_t na, const char *b, size_t nb)
{
	size_t tail = 0;

	while (tail < na && tail < nb && a[na - tail - 1] == b[nb - tail - 1])
		tail++;
	while (tail > 0 && !(begins_line(a, na - tail) && begins_line(b, nb - tail)))
		tail--;
	return tail;
}

static void add_lines(struct strbuf *out, const char *name, char sign, const char *at, size_t n)
{
	const char *end = at + n;

	while (at < end) {
		size_t line = strcspn(at, "\n");
		strbuf_addf(out, DIRECTORY "/%s: %c %.*s\n", name, sign, (int)line, at);
		at += line + (at[line] == '\n');
	}
}

static void compare_file(
	const struct pam_file *before, const struct pam_file *after, struct strbuf *out)
{
	const char *a = bytes_of(before), *b = bytes_of(after);
	const char *name = before ? before->name : after->name;
	size_t head = common_head(a, b), na = strlen(a) - head, nb = strlen(b) - head;
	size_t tail = common_tail(a + head, na, b + head, nb);

	add_lines(out, name, '-', a + head, na - tail);
	add_lines(out, name, '+', b + head, nb - tail);
}

bool pam_snapshot_compare(
	const struct pam_snapshot *before, const struct pam_snapshot *after, struct strbuf *out)
{
	for (size_t i = 0; i < before->count; i++)
		compare_file(&before->files[i], find_file(after, before->files[i].name), out);
	for (size_t i = 0; i < after->count; i++)
		if (!find_file(before, after->files[i].name))
			compare_file(NULL, &after->files[i], out);
	return !out->failed;
}

const char *pam_snapshot_broken(const struct pam_snapshot *before, const struct pam_snapshot *after)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct pam_file *now = find_file(after, before->files[i].name);
		if (before->files[i].readable && (!now || !now->readable) &&
			!is_readable(before->files[i].name))
			return before->files[i].name;
	}
	return NULL;
}
