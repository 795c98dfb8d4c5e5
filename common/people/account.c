/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The passwd file. It is read as a whole and sorted once, because the collector compares tens of
 * thousands of accounts with the file again and again.
 */
#include "people/account.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"

#define FIELDS	 7
#define FILE_MAX ((size_t)1024 * 1024 * 1024)

/* Splits at colons, in place. False unless there are exactly `count` fields. */
static bool split(char *line, char **fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *colon = strchr(line, ':');

		fields[i] = line;
		if ((!colon) != (i == count - 1))
			return false;
		if (!colon)
			break;
		*colon = '\0';
		line = colon + 1;
	}
	return true;
}

/* Decimal, and not (uid_t)-1, which means "none" to the kernel. */
static bool parse_id(const char *s, uint32_t *out)
{
	uint64_t value = 0;

	if (*s == '\0')
		return false;
	for (; *s != '\0'; s++) {
		if (!ascii_is_digit(*s))
			return false;
		value = value * 10 + (uint64_t)(*s - '0');
		if (value >= UINT32_MAX)
			return false;
	}
	*out = (uint32_t)value;
	return true;
}

static bool parse_line(char *line, size_t n, struct account *a)
{
	char *fields[FIELDS];

	if (memchr(line, '\0', n) || !split(line, fields, FIELDS) || fields[0][0] == '\0')
		return false;
	*a = (struct account){.user = fields[0], .gecos = fields[4], .shell = fields[6]};
	return parse_id(fields[2], &a->uid) && parse_id(fields[3], &a->gid);
}

/* libc ignores blanks before the name. */
static char *skip_blanks(char *line)
{
	while (ascii_is_space(*line))
		line++;
	return line;
}

/* libc ignores NIS entries, comments and empty lines too. */
static bool passed_over(const char *line)
{
	return *line == '\0' || *line == '#' || *line == '+' || *line == '-';
}

/* What is sorted: the first eight bytes of the name as a number, which mostly decides without the
 * name itself, and the index of the account. */
struct sort_key {
	uint64_t prefix;
	const struct account *account;
};

static uint64_t prefix_of(const char *user)
{
	uint64_t prefix = 0;

	for (int i = 0; i < 8; i++) {
		prefix = prefix << 8 | (unsigned char)*user;
		user += *user != '\0';
	}
	return prefix;
}

/* Of two lines for one name, the first in the file comes first. */
static int compare_keys(const void *a, const void *b)
{
	const struct sort_key *x = a, *y = b;
	int order;

	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	order = strcmp(x->account->user, y->account->user);
	if (order != 0)
		return order;
	return x->account < y->account ? -1 : x->account > y->account;
}

static bool sort_accounts(struct account_table *t)
{
	struct sort_key *keys = calloc(t->count + 1, sizeof(*keys));
	struct account *sorted = calloc(t->count + 1, sizeof(*sorted));
	size_t kept = 0;

	if (!keys || !sorted) {
		free(keys);
		free(sorted);
		return false;
	}
	for (size_t i = 0; i < t->count; i++)
		keys[i] = (struct sort_key){prefix_of(t->accounts[i].user), &t->accounts[i]};
	qsort(keys, t->count, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < t->count; i++)
		if (kept == 0 || strcmp(sorted[kept - 1].user, keys[i].account->user) != 0)
			sorted[kept++] = *keys[i].account;
	free(keys);
	free(t->accounts);
	t->accounts = sorted;
	t->count = kept;
	return true;
}

/* Takes ownership of `text` (NUL-terminated, `n` bytes). */
static bool table_fill(struct account_table *t, char *text, size_t n)
{
	char *at = text, *line;
	size_t number = 0, length;
	bool root = false;

	*t = (struct account_table){.text = text};
	t->accounts = reallocarray(NULL, str_count_lines(text, n), sizeof(*t->accounts));
	if (!t->accounts)
		return false;
	while ((line = str_next_line(&at, text + n, &length))) {
		struct account *a = &t->accounts[t->count];

		char *start = skip_blanks(line);

		number++;
		if (passed_over(start) && length == strlen(line))
			continue;
		if (parse_line(start, length - (size_t)(start - line), a)) {
			root = root || a->uid == 0;
			t->count++;
		} else if (t->broken_line == 0) {
			t->broken_line = number;
		}
	}
	t->whole = root && t->broken_line == 0;
	return sort_accounts(t);
}

bool account_parse(const char *text, size_t n, struct account_table *out)
{
	char *copy = malloc(n + 1);

	*out = (struct account_table){.text = NULL};
	if (!copy)
		return false;
	if (n > 0)
		memcpy(copy, text, n);
	copy[n] = '\0';
	if (table_fill(out, copy, n))
		return true;
	account_table_free(out);
	return false;
}

bool account_read(const char *passwd_file, struct account_table *out, struct fault *fault)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .follow = true};
	struct strbuf text = {.max = FILE_MAX};

	*out = (struct account_table){.text = NULL};
	if (!file_read(passwd_file, &rules, &text, FAULT_STORAGE, fault)) {
		strbuf_free(&text);
		return false;
	}
	if (!text.data)
		return account_parse("", 0, out);
	if (table_fill(out, text.data, text.len))
		return true;
	account_table_free(out);
	fault_set(fault, FAULT_STORAGE, "memory", "%s: not enough memory to read it", passwd_file);
	return fault_remedy(fault, "Give the collector more memory.");
}

static int compare_name(const void *name, const void *account)
{
	return strcmp(name, ((const struct account *)account)->user);
}

const struct account *account_find(const struct account_table *t, const char *user)
{
	if (t->count == 0)
		return NULL;
	return bsearch(user, t->accounts, t->count, sizeof(*t->accounts), compare_name);
}

void account_table_free(struct account_table *t)
{
	if (!t)
		return;
	free(t->accounts);
	free(t->text);
	*t = (struct account_table){.text = NULL};
}
