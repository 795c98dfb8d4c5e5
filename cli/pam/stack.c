/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the stack of a service as libpam does: it searches the same directories in the same order
 * and opens include, substack and @include, with limits on depth, files and lines.
 */
#include "cli/pam/stack.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"

#define FILE_MAX  ((size_t)256 * 1024)
#define DEPTH_MAX 16 /* as libpam's PAM_SUBSTACK_MAX_LEVEL */
#define FILES_MAX 512
#define LINES_MAX 4096
#define ANY_TYPE  (-1)

/* In libpam's order. The last is SUSE's older vendor directory. */
static const char *const directories[] = {"/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d"};
#define DIRECTORIES (ARRAY_SIZE(directories))

/* ---- files ---- */

static bool file_exists(const char *root, const char *path)
{
	char whole[PATH_MAX];

	return str_format(whole, sizeof(whole), "%s%s", root, path) && access(whole, F_OK) == 0;
}

bool pam_find(const char *root, const char *name, char *path, size_t size)
{
	if (name[0] == '/')
		return str_copy(path, size, name) && file_exists(root, path);
	for (size_t i = 0; i < DIRECTORIES; i++)
		if (str_format(path, size, "%s/%s", directories[i], name) &&
			file_exists(root, path))
			return true;
	return false;
}

static bool read_text(const char *root, const char *path, struct strbuf *text, struct fault *fault)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .follow = true};
	char whole[PATH_MAX];

	text->max = FILE_MAX + 1;
	return str_format(whole, sizeof(whole), "%s%s", root, path) &&
	       file_read(whole, &rules, text, FAULT_SETTINGS, fault);
}

/* ---- a stack ---- */

struct reading {
	const char *root;
	struct pam_stack *stack;
	struct fault *fault;
	int files; /* included files: a few files can include each other many times */
};

/* The position in the tree of includes. */
struct level {
	const char *path;
	int depth;
	int substack;
	int type; /* only lines of this type, or ANY_TYPE */
};

static bool unreadable(struct reading *r, const struct level *at, int number, const char *what)
{
	fault_set(r->fault, FAULT_SETTINGS, "pam_unreadable", "%s:%d: %s", at->path, number, what);
	return fault_remedy(
		r->fault, "Correct this line: PAM refuses logins if it cannot read a file.");
}

static bool append_line(struct reading *r, const struct level *at, struct pam_line *line)
{
	struct pam_stack *s = r->stack;
	struct pam_line *lines = s->count < LINES_MAX
					 ? array_grow(s->lines, s->count, &s->room, sizeof(*lines))
					 : NULL;

	if (!lines)
		return unreadable(r, at, line->number, "too many lines");
	s->lines = lines;
	line->file = strdup(at->path);
	if (!line->file)
		return unreadable(r, at, line->number, "out of memory");
	line->substack = at->substack;
	s->lines[s->count++] = *line;
	*line = (struct pam_line){.file = NULL};
	return true;
}

static bool read_file(struct reading *r, const struct level *at);

static bool open_include(struct reading *r, const struct level *at, const struct pam_line *line)
{
	char path[PATH_MAX], what[PATH_MAX + 64];
	struct level inner = {.path = path,
		.depth = at->depth + 1,
		.substack = at->substack,
		.type = line->kind == PAM_KIND_INCLUDE_ALL ? at->type : (int)line->type};

	if (inner.depth >= DEPTH_MAX || ++r->files > FILES_MAX)
		return unreadable(r, at, line->number, "files include each other in a loop");
	if (!pam_find(r->root, line->module, path, sizeof(path))) {
		str_format(what, sizeof(what), "includes %s, which does not exist", line->module);
		return unreadable(r, at, line->number, what);
	}
	if (line->kind == PAM_KIND_SUBSTACK)
		inner.substack = ++r->stack->substacks;
	return read_file(r, &inner);
}

static bool parse_line(struct reading *r, const struct level *at, const char *text, int number)
{
	struct pam_line line;
	const char *wrong = pam_line_parse(text, &line);
	bool counts = line.kind == PAM_KIND_INCLUDE_ALL || at->type == ANY_TYPE ||
		      at->type == (int)line.type;
	bool good;

	line.number = number;
	if (wrong)
		good = unreadable(r, at, number, wrong);
	else if (!counts)
		good = true;
	else if (line.kind == PAM_KIND_MODULE)
		good = append_line(r, at, &line);
	else
		good = open_include(r, at, &line);
	pam_line_free(&line);
	return good;
}

static bool read_file(struct reading *r, const struct level *at)
{
	struct strbuf text = {.data = NULL}, line = {.max = FILE_MAX + 1};
	struct pam_text lines = {.number = 1};
	bool good = read_text(r->root, at->path, &text, r->fault);
	int number = 0;

	lines.at = text.data ? text.data : "";
	while (good && pam_text_next(&lines, &line, &number))
		good = parse_line(r, at, line.data, number);
	strbuf_free(&line);
	strbuf_free(&text);
	return good;
}

static bool read_service(struct reading *r, const char *service, int type)
{
	char path[PATH_MAX];
	const struct level top = {.path = path, .type = type};

	if (pam_find(r->root, service, path, sizeof(path)))
		return read_file(r, &top);
	fault_set(r->fault, FAULT_SETTINGS, "pam_unreadable", "the PAM service %s does not exist",
		service);
	return fault_remedy(r->fault, "Look for its file in /etc/pam.d.");
}

static bool has_type(const struct pam_stack *stack, int type)
{
	for (size_t i = 0; i < stack->count; i++)
		if ((int)stack->lines[i].type == type)
			return true;
	return false;
}

bool pam_stack_read(
	const char *root, const char *service, struct pam_stack *out, struct fault *fault)
{
	struct reading r = {.root = root, .stack = out, .fault = fault};
	char path[PATH_MAX];
	bool good;

	*out = (struct pam_stack){.lines = NULL};
	good = read_service(&r, service, ANY_TYPE);
	if (!pam_find(root, "other", path, sizeof(path)))
		return good;
	for (int type = PAM_TYPE_AUTH; good && type <= PAM_TYPE_SESSION; type++)
		if (!has_type(out, type))
			good = read_service(&r, "other", type);
	return good;
}

void pam_stack_free(struct pam_stack *stack)
{
	for (size_t i = 0; i < stack->count; i++)
		pam_line_free(&stack->lines[i]);
	free(stack->lines);
	*stack = (struct pam_stack){.lines = NULL};
}

/* ---- services ---- */

#define SERVICES_MAX 1024

struct names {
	char *all[SERVICES_MAX];
	size_t count;
};

/* Files that editors and package managers leave behind are not services; config/pam-release has the
 * same list. */
static bool is_service(const char *name)
{
	static const char *const within[] = {".dpkg-", ".ucf-", ".rpm"};
	static const char *const at_end[] = {"~", "#", ".pam-old", ".pam-new", ".pam-config-backup",
		".bak", ".old", ".orig", ".save", ".swp"};

	for (size_t i = 0; i < ARRAY_SIZE(within); i++)
		if (strstr(name, within[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(at_end); i++)
		if (str_ends(name, at_end[i]))
			return false;
	return name[0] != '.';
}

static bool add_directory(struct names *names, const char *root, const char *directory)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *dir;
	bool good = true;

	if (!str_format(path, sizeof(path), "%s%s", root, directory))
		return false;
	dir = opendir(path);
	while (dir && good && (entry = readdir(dir))) {
		if (!is_service(entry->d_name) || names->count == SERVICES_MAX)
			continue;
		names->all[names->count] = strdup(entry->d_name);
		good = names->all[names->count++];
	}
	if (dir)
		closedir(dir);
	return good;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool pam_services(const char *root, bool (*each)(const char *service, void *ctx), void *ctx)
{
	struct names *names = calloc(1, sizeof(*names));
	bool good = names;

	for (size_t i = 0; good && i < DIRECTORIES; i++)
		good = add_directory(names, root, directories[i]);
	if (good)
		qsort(names->all, names->count, sizeof(names->all[0]), by_name);
	for (size_t i = 0; good && i < names->count; i++)
		if (i == 0 || strcmp(names->all[i - 1], names->all[i]) != 0)
			good = each(names->all[i], ctx);
	for (size_t i = 0; names && i < names->count; i++)
		free(names->all[i]);
	free(names);
	return good;
}
