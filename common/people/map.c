/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map: addresses that no template can produce. One broken line makes the whole file an error,
 * because a mail to the wrong person cannot be taken back.
 */
#include "base/strbuf.h"
#include "people/verdict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/deceptive.h"
#include "base/file.h"
#include "base/str.h"

#define FILE_MAX ((size_t)256 * 1024 * 1024)
#define NEVER	 "-"

struct entry {
	const char *user; /* lower case */
	const char *host; /* a pattern in lower case, "*" if none was given */
	const char *address;
	int line;
};

struct address_map {
	struct entry *entries; /* by user, then by line */
	size_t count;
	char *text;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->user, y->user);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static bool broken(
	struct fault *fault, const char *path, int line, const char *what, const char *remedy)
{
	fault_set(fault, FAULT_SETTINGS, "map", "%s:%d: %s", path, line, what);
	return fault_remedy(fault, "%s", remedy);
}

/* A line for a name that only looks like a user's would never apply, and the template would be used
 * for that user instead. */
static bool is_readable(const char *line, int number, const char *path, struct fault *fault)
{
	char found[DECEPTIVE_TEXT_SIZE], what[160];

	if (number == 1 && str_starts(line, BYTE_ORDER_MARK))
		return broken(fault, path, number, "the file begins with a byte order mark",
			"Save it as UTF-8 without a byte order mark (BOM).");
	if (!deceptive_find(line, strlen(line), found))
		return true;
	str_format(what, sizeof(what), "this line has %s", found);
	return broken(fault, path, number, what,
		"Type the line again. A name that belongs to a user must be written as `getent "
		"passwd` shows it.");
}

/* Cuts off a comment, which begins the line or follows a blank. */
static void cut_comment(char *line)
{
	for (char *p = line; *p != '\0'; p++)
		if (*p == '#' && (p == line || ascii_is_space(p[-1]))) {
			*p = '\0';
			return;
		}
}

/* Cuts off the next word; NULL if there is none. */
static char *next_word(char **line)
{
	char *word = *line;

	while (ascii_is_space(*word))
		word++;
	if (*word == '\0')
		return NULL;
	char *end = word;
	while (*end != '\0' && !ascii_is_space(*end))
		end++;
	*line = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return word;
}

/* Converts an address to the form that the verdict uses, which is lower case. */
static bool take_address(char *word)
{
	char plain[ADDRESS_MAX + 1];

	if (strcmp(word, NEVER) == 0)
		return true;
	if (!address_plain(word, plain))
		return false;
	str_lower(word);
	return true;
}

/* False with the fault; `out->user` stays NULL for an empty line or a comment. */
static bool parse_line(
	char *line, int number, const char *path, struct entry *out, struct fault *fault)
{
	char *who, *address, *colon, *host = NULL;

	*out = (struct entry){.host = "*", .line = number};
	cut_comment(line);
	if (!is_readable(line, number, path, fault))
		return false;
	who = next_word(&line);
	if (!who)
		return true;
	address = next_word(&line);
	if (!address || next_word(&line))
		return broken(fault, path, number,
			"each map line needs exactly two words: user address",
			"Write: user address, or host:user address, or: user - (never invite this "
			"user).");
	if (!take_address(address))
		return broken(fault, path, number, "the second word is not a plain address",
			"Write one address such as ada@example.com, or - to never invite this "
			"user.");
	colon = strchr(who, ':');
	if (colon) {
		*colon = '\0';
		host = who;
		who = colon + 1;
	}
	if ((host && host[0] == '\0') || who[0] == '\0' || strchr(who, ':'))
		return broken(fault, path, number,
			"a host and a user are needed before and after the ':'",
			"Write host:user; the host may contain the wildcards * and ?.");
	if (strpbrk(who, "*?"))
		return broken(fault, path, number,
			"wildcards (* and ?) are allowed in the host, but not in the user",
			"Write one line for each user. A rule for all users belongs in [people] "
			"address.");
	str_lower(who);
	if (host) {
		str_lower(host);
		out->host = host;
	}
	out->user = who;
	out->address = address;
	return true;
}

static bool parse_lines(struct address_map *m, size_t n, const char *path, struct fault *fault)
{
	char *at = m->text, *line;
	int number = 0;
	size_t length;

	while ((line = str_next_line(&at, m->text + n, &length))) {
		struct entry *e = &m->entries[m->count];

		number++;
		if (!str_is_utf8(line, length))
			return broken(fault, path, number, "this line is not UTF-8 text",
				"Save the map as UTF-8.");
		if (!parse_line(line, number, path, e, fault))
			return false;
		m->count += !!e->user;
	}
	return true;
}

/* The second of two lines for the same user and hosts would never be used. */
static bool no_contradiction(const struct address_map *m, const char *path, struct fault *fault)
{
	char what[160];

	for (size_t i = 1; i < m->count; i++)
		for (size_t j = i;
			j-- > 0 && strcmp(m->entries[j].user, m->entries[i].user) == 0;) {
			const struct entry *a = &m->entries[j], *b = &m->entries[i];

			if (strcmp(a->host, b->host) != 0 || strcmp(a->address, b->address) == 0)
				continue;
			str_format(what, sizeof(what), "'%.64s' has a different address on line %d",
				b->user, a->line);
			return broken(fault, path, b->line, what, "Remove one of the two lines.");
		}
	return true;
}

struct address_map *map_parse(const char *text, size_t n, const char *path, struct fault *fault)
{
	struct address_map *m = calloc(1, sizeof(*m));

	if (m) {
		m->text = malloc(n + 1);
		m->entries = calloc(str_count_lines(text, n), sizeof(*m->entries));
	}
	if (!m || !m->text || !m->entries) {
		map_free(m);
		fault_set(fault, FAULT_STORAGE, "memory", "%s: out of memory", path);
		return NULL;
	}
	if (n > 0)
		memcpy(m->text, text, n);
	m->text[n] = '\0';
	if (parse_lines(m, n, path, fault)) {
		qsort(m->entries, m->count, sizeof(*m->entries), compare_entries);
		if (no_contradiction(m, path, fault))
			return m;
	}
	map_free(m);
	return NULL;
}

struct address_map *map_load(const char *path, struct fault *fault)
{
	/* A user who can write the map decides who is invited. Only the file with the default name
	 * may be missing. */
	const struct file_rules rules = {
		.max_size = FILE_MAX,
		.trusted = true,
		.follow = true,
		.missing_ok = strcmp(path, CLOUDINVITE_SYSCONFDIR "/addresses.map") == 0,
	};
	struct strbuf text = {.max = FILE_MAX};
	struct address_map *m = NULL;

	if (path[0] == '\0')
		return map_parse("", 0, path, fault);
	if (file_read(path, &rules, &text, FAULT_SETTINGS, fault))
		m = map_parse(text.data ? text.data : "", text.len, path, fault);
	strbuf_free(&text);
	return m;
}

static size_t first_entry(const struct address_map *m, const char *user)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(m->entries[middle].user, user) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *map_find(const struct address_map *m, const char *host, const char *user, int *line)
{
	char lower_user[USER_MAX + 1], lower_host[HOST_MAX + 1];

	if (!str_copy(lower_user, sizeof(lower_user), user) ||
		!str_copy(lower_host, sizeof(lower_host), host))
		return NULL;
	str_lower(lower_user);
	str_lower(lower_host);
	for (size_t i = first_entry(m, lower_user); i < m->count; i++) {
		const struct entry *e = &m->entries[i];

		if (strcmp(e->user, lower_user) != 0)
			break;
		if (str_match(e->host, lower_host)) {
			*line = e->line;
			return e->address;
		}
	}
	return NULL;
}

bool map_each(const struct address_map *m,
	bool (*each)(const char *host, const char *user, const char *address, void *ctx), void *ctx)
{
	for (size_t i = 0; i < m->count; i++)
		if (!each(m->entries[i].host, m->entries[i].user, m->entries[i].address, ctx))
			return false;
	return true;
}

void map_free(struct address_map *m)
{
	if (!m)
		return;
	free(m->entries);
	free(m->text);
	free(m);
}
