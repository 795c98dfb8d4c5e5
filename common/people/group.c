/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group file. Groups that policy does not mention are dropped while reading. A line that cannot
 * be read might have had a member of an excluded group: then no user's groups are known.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "people/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define FILE_MAX ((size_t)1024 * 1024 * 1024)

struct group {
	const char *name;
	gid_t gid;
};

/* A member in the group's list. */
struct member {
	const char *user;
	size_t group; /* index in `groups` */
};

struct group_table {
	struct group *groups; /* by name */
	size_t group_count;
	struct member *members; /* by user, then by group */
	size_t member_count;
	size_t broken_line; /* the first broken line that may matter (1-based), 0 if none */
	bool whole;	    /* gid 0 is there, and the last line has an end */
	char *text;
};

/* A line of a requested group, while reading. */
struct line {
	struct group group;
	char *members;
};

/* Facts are a list of words, in quotation marks if they have blanks. A name that cannot be written
 * there, or that would be a pattern in the settings, is ignored. */
static bool name_is_plain(const char *name)
{
	return *name != '\0' && str_is_utf8(name, strlen(name)) && !strpbrk(name, "\"*?");
}

static bool parse_gid(const char *s, gid_t *gid)
{
	long long number;

	if (!str_number(s, 0, UINT32_MAX - 1LL, &number))
		return false;
	*gid = (gid_t)number;
	return true;
}

/* libc ignores blanks before the name. */
static char *skip_blanks(char *line)
{
	while (ascii_is_space(*line))
		line++;
	return line;
}

/* A separator that libc does not know hides the members behind it, so they may be missing. */
static bool members_are_ambiguous(char *members)
{
	char *last;

	if (!members)
		return false;
	for (char *name = members, *next; name; name = next) {
		next = strchr(name, ',');
		last = name + strlen(name) - 1;
		if (next)
			last = next - 1;
		while (name < last && ascii_is_space(*name))
			name++;
		while (last > name && ascii_is_space(*last))
			last--;
		for (const char *p = name; p <= last && last > name; p++)
			if (*p == ':' || *p == ';' || ascii_is_space(*p))
				return true;
		next = next ? next + 1 : NULL;
	}
	return false;
}

/* "name:password:gid:members". False if it is broken; `out->group.name` is NULL if the group was
 * not requested. */
static bool parse_line(char *line, size_t n, const char *names, struct line *out)
{
	char *password, *gid;

	*out = (struct line){.members = NULL};
	if (memchr(line, '\0', n))
		return false;
	line = skip_blanks(line);
	password = strchr(line, ':');
	if (!password)
		return false;
	*password++ = '\0';
	if (!name_is_plain(line) || !str_in_list(line, names))
		return true;
	gid = strchr(password, ':');
	if (!gid)
		return false;
	*gid++ = '\0';
	out->members = strchr(gid, ':');
	if (out->members)
		*out->members++ = '\0';
	out->group.name = line;
	return parse_gid(gid, &out->group.gid) && !members_are_ambiguous(out->members);
}

static bool passed_over(const char *line)
{
	while (ascii_is_space(*line))
		line++;
	return *line == '\0' || *line == '#' || *line == '+' || *line == '-';
}

static int compare_lines(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	return strcmp(x->group.name, y->group.name);
}

static int compare_members(const void *a, const void *b)
{
	const struct member *x = a, *y = b;
	int order = strcmp(x->user, y->user);

	return order != 0 ? order : (x->group > y->group) - (x->group < y->group);
}

static size_t count_byte(const char *s, char byte)
{
	size_t count = 0;

	for (; s && (s = strchr(s, byte)); s++)
		count++;
	return count;
}

static bool add_members(struct group_table *t, const struct line *lines)
{
	size_t room = 1;

	for (size_t i = 0; i < t->group_count; i++)
		room += !!lines[i].members ? count_byte(lines[i].members, ',') + 1 : 0;
	t->members = calloc(room, sizeof(*t->members));
	if (!t->members)
		return false;
	for (size_t i = 0; i < t->group_count; i++)
		for (char *name = lines[i].members, *next; name; name = next) {
			next = strchr(name, ',');
			if (next)
				*next++ = '\0';
			name = str_trim(name);
			if (*name != '\0')
				t->members[t->member_count++] = (struct member){name, i};
		}
	qsort(t->members, t->member_count, sizeof(*t->members), compare_members);
	return true;
}

/* Reads the lines of the requested groups; `*count` is the room for them first, then their
 * number. */
static size_t take_lines(struct group_table *t, size_t n, const char *names, struct line *lines)
{
	char *at = t->text, *line;
	size_t count = 0, number = 0, length;

	while ((line = str_next_line(&at, t->text + n, &length))) {
		number++;
		if (passed_over(line))
			continue;
		if (!parse_line(line, length, names, &lines[count]))
			t->broken_line = t->broken_line ? t->broken_line : number;
		else if (lines[count].group.name)
			count++;
	}
	return count;
}

/* "root:x:0:…": the third field is a zero. */
static bool is_of_root(const char *line, size_t n)
{
	const char *end = line + n;
	const char *password = memchr(line, ':', n);
	const char *gid = password ? memchr(password + 1, ':', (size_t)(end - password - 1)) : NULL;

	return gid && end - gid >= 2 && gid[1] == '0' && (end - gid == 2 || gid[2] == ':');
}

/* Before the lines are taken apart. */
static bool has_root(const char *text, size_t n)
{
	for (const char *line = text, *end = text + n; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t length = (size_t)((newline ? newline : end) - line);

		if (length > 0 && !passed_over(line) && is_of_root(line, length))
			return true;
		line += length + 1;
	}
	return false;
}

/* Takes ownership of `text`. */
static struct group_table *table_new(char *text, size_t n, const char *names)
{
	struct group_table *t = calloc(1, sizeof(*t));
	struct line *lines = calloc(str_count_lines(text, n), sizeof(*lines));
	bool done = false;

	if (!t) {
		free(text);
		goto out;
	}
	t->text = text;
	t->whole = n > 0 && text[n - 1] == '\n' && has_root(text, n);
	if (!lines)
		goto out;
	t->group_count = take_lines(t, n, names, lines);
	qsort(lines, t->group_count, sizeof(*lines), compare_lines);
	t->groups = calloc(t->group_count + 1, sizeof(*t->groups));
	if (!t->groups || !add_members(t, lines))
		goto out;
	for (size_t i = 0; i < t->group_count; i++)
		t->groups[i] = lines[i].group;
	done = true;
out:
	free(lines);
	if (done)
		return t;
	group_table_free(t);
	return NULL;
}

struct group_table *group_parse(const char *text, size_t n, const char *names)
{
	char *copy = malloc(n + 1);

	if (!copy)
		return NULL;
	if (n > 0)
		memcpy(copy, text, n);
	copy[n] = '\0';
	return table_new(copy, n, names);
}

struct group_table *group_read(const char *group_file, const char *names, struct fault *fault)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .follow = true};
	struct strbuf text = {.max = FILE_MAX};
	struct group_table *t;

	if (!file_read(group_file, &rules, &text, FAULT_STORAGE, fault)) {
		strbuf_free(&text);
		return NULL;
	}
	t = text.data ? table_new(text.data, text.len, names) : group_parse("", 0, names);
	if (!t) {
		fault_set(fault, FAULT_STORAGE, "memory", "%s: not enough memory to read it",
			group_file);
		fault_remedy(fault, "Give the collector more memory.");
	}
	return t;
}

/* The first index in `members` that belongs to the user. */
static size_t first_member(const struct group_table *t, const char *user)
{
	size_t low = 0, high = t->member_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(t->members[middle].user, user) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Appends a name; a group that has two lines is appended once. */
static bool append(char *out, size_t size, const char **last, const char *name)
{
	size_t used = strlen(out);
	const char *mark = str_word_quoted(name) ? "\"" : "";

	if (*last && strcmp(*last, name) == 0)
		return true;
	if (!str_format(out + used, size - used, "%s%s%s%s", *last ? " " : "", mark, name, mark)) {
		out[used] = '\0';
		return false;
	}
	*last = name;
	return true;
}

bool group_names(const struct group_table *t, const char *user, gid_t gid, char *out, size_t size)
{
	size_t m = first_member(t, user);
	const char *last = NULL;

	out[0] = '\0';
	if (t->broken_line > 0)
		return false;
	for (size_t i = 0; i < t->group_count; i++) {
		bool in = gid != (gid_t)-1 && t->groups[i].gid == gid;

		while (m < t->member_count && t->members[m].group == i &&
			strcmp(t->members[m].user, user) == 0) {
			in = true;
			m++;
		}
		if (in && !append(out, size, &last, t->groups[i].name))
			return false;
	}
	return true;
}

size_t group_broken_line(const struct group_table *t)
{
	return t->broken_line;
}

size_t group_count(const struct group_table *t)
{
	return t->group_count;
}

const char *group_name_at(const struct group_table *t, size_t i)
{
	return t->groups[i].name;
}

bool group_file_whole(const struct group_table *t)
{
	return t->whole;
}

void group_table_free(struct group_table *t)
{
	if (!t)
		return;
	free(t->groups);
	free(t->members);
	free(t->text);
	free(t);
}
