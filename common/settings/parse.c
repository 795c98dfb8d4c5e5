/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the text of one file to settings. inih parses. Its reader is ours, so that every finding has
 * its line, and so that a line which inih would cut (200 bytes in the usual builds), misread or
 * skip is an error instead.
 *
 * An indented line continues the list above it, as in Python's configparser. If it has a '=', it is
 * a new key.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "settings/key.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/deceptive.h"

struct source {
	struct loaded *loaded;
	struct diagnostics *found;
	const char *file;
	const char *next, *end; /* the rest of the text */
	int line;
	bool indented;		       /* the line that inih has now is indented */
	bool expects_pair;	       /* inih should call the handler for this line */
	bool skipping;		       /* the section is unknown, which was reported */
	int *lines;		       /* one for each key: the line that set it in this file */
	const struct setting_key *key; /* the key whose value is being collected */
	int key_line;
	struct strbuf value;
};

static void diagnose_at(
	struct source *src, int line, bool collecting, const char *what, const char *remedy)
{
	struct fault fault = {.kind = FAULT_NONE};

	fault_set(&fault, FAULT_SETTINGS, "settings_line", "%s:%d: %s", src->file, line, what);
	fault_remedy(&fault, "%s", remedy);
	diagnose(src->found, &fault, collecting);
}

/* ---- a complete value ---- */

static void store(struct source *src)
{
	const struct setting_key *k = src->key;
	struct loaded *l = src->loaded;
	const char *value = src->value.data ? src->value.data : "";
	struct value_error c = {.what = ""};
	char message[256];

	src->key = NULL;
	if (!k)
		return;
	if (src->value.failed) {
		diagnose_at(src, src->key_line, k->used_by_collector,
			"this list is longer than 64 KiB",
			"Name groups or use wildcards instead of single users.");
		return;
	}
	if (!setting_set(k, &l->settings, value, &c)) {
		if (strstr(value, " #"))
			str_copy(c.remedy, sizeof(c.remedy),
				"A comment after a value starts with a space and ';', not with "
				"'#'.");
		str_format(message, sizeof(message), "%s: %s", k->key, c.what);
		diagnose_at(src, src->key_line, k->used_by_collector, message, c.remedy);
		return;
	}
	l->origins[k - setting_keys] = (struct origin){src->file, src->key_line};
	if (k->offset == offsetof(struct settings, token_endpoint))
		l->settings.token_endpoint_set = true;
	if (k->offset == offsetof(struct settings, sts_endpoint))
		l->settings.sts_endpoint_set = true;
}

/* Where a comment after a value begins. (inih 55 leaves it in a continuation line.) */
static size_t without_comment(const char *line, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (line[i] == ';' && (i == 0 || ascii_is_space(line[i - 1])))
			return i;
	return n;
}

/* ---- handlers for inih ---- */

static void found_key(struct source *src, const char *section, const char *key)
{
	const char *old = setting_old_key(section, key);
	const struct setting_key *elsewhere = setting_find_anywhere(key);
	const char *near = setting_suggest(section, key);
	char what[160], remedy[192];

	if (*section == '\0')
		str_format(what, sizeof(what), "'%s' comes before any [section]", key);
	else
		str_format(what, sizeof(what), "[%s] has no key '%s'", section, key);
	if (old)
		str_copy(remedy, sizeof(remedy), old);
	else if (elsewhere)
		str_format(remedy, sizeof(remedy), "It belongs in [%s].", elsewhere->section);
	else if (near)
		str_format(remedy, sizeof(remedy), "Did you mean %s?", near);
	else
		str_format(remedy, sizeof(remedy), "cloudinvite.conf(5) lists all keys.");
	diagnose_at(src, src->line, *section == '\0' || setting_section_used_by_collector(section),
		what, remedy);
}

static void start_key(struct source *src, const struct setting_key *k)
{
	int *line = &src->lines[k - setting_keys];
	char what[128];

	if (*line != 0) {
		str_format(what, sizeof(what), "%s is already set on line %d", k->key, *line);
		diagnose_at(src, src->line, k->used_by_collector, what,
			"Remove one of the two. (A list can continue on indented lines.)");
		return;
	}
	*line = src->line;
	src->key = k;
	src->key_line = src->line;
	strbuf_clear(&src->value);
	src->value.failed = false;
}

static void continue_key(struct source *src, const char *key, const char *value)
{
	const struct setting_key *k = src->key;
	char what[160];

	if (k && k->kind == KIND_LIST) {
		strbuf_add(&src->value, " ");
		strbuf_add_bytes(&src->value, value, without_comment(value, strlen(value)));
		return;
	}
	str_format(what, sizeof(what), "an indented line continues the key above it (%s)", key);
	diagnose_at(src, src->line, !k || k->used_by_collector, what,
		"Only a list of users, groups or domains can continue on the next line. For "
		"another key, write: key = value.");
}

static int take_pair(void *ctx, const char *section, const char *key, const char *value)
{
	struct source *src = ctx;
	bool continues = src->indented && src->key && strcmp(src->key->key, key) == 0;
	const struct setting_key *k = setting_find(section, key);

	if (src->skipping || !value)
		return 1;
	src->expects_pair = false;
	if (continues) {
		continue_key(src, key, value);
		return 1;
	}
	store(src);
	if (!k)
		found_key(src, section, key);
	else
		start_key(src, k);
	if (src->key)
		strbuf_add(&src->value, value);
	return 1;
}

/* ---- the reader for inih ---- */

/* "[name]" with at most a comment after it: inih itself ignores anything there. */
static void take_section(struct source *src, const char *line)
{
	const char *close = strchr(line, ']');
	char name[64], what[128], remedy[128];
	const char *near;

	store(src);
	src->skipping = true;
	if (!close || (close[1 + strspn(close + 1, " \t")] != '\0' &&
			      close[1 + strspn(close + 1, " \t")] != ';')) {
		diagnose_at(src, src->line, true, "a section line must be [name] and nothing else",
			"Put the rest on a separate line.");
		return;
	}
	str_format(name, sizeof(name), "%.*s", (int)(close - line - 1), line + 1);
	src->skipping = !setting_section_known(name);
	if (!src->skipping)
		return;
	near = setting_suggest(NULL, name);
	str_format(what, sizeof(what), "there is no section [%s]", name);
	str_format(remedy, sizeof(remedy), near ? "Did you mean [%s]?" : "%s",
		near ? near
		     : "The sections are google, people, invitations, privacy, storage and "
		       "worker.");
	diagnose_at(src, src->line, true, what, remedy);
}

static bool line_is_clean(struct source *src, const char *line, size_t n)
{
	char found[DECEPTIVE_TEXT_SIZE], what[128];

	for (size_t i = 0; i < n; i++)
		if (((unsigned char)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f) {
			diagnose_at(src, src->line, true,
				"there is a control character on this line",
				"Remove it. Spaces and tabs are allowed.");
			return false;
		}
	if (!str_is_utf8(line, n)) {
		diagnose_at(src, src->line, true, "this line is not valid UTF-8",
			"Save the file as UTF-8.");
		return false;
	}
	if (deceptive_find(line, without_comment(line, n), found)) {
		str_format(what, sizeof(what), "this line has %s", found);
		diagnose_at(src, src->line, true, what, "Type the line again.");
		return false;
	}
	return true;
}

/* The next line, without its newline; NULL at the end of the text. */
static const char *next_line(struct source *src, size_t *n)
{
	const char *line = src->next;
	const char *newline;

	if (line == src->end)
		return NULL;
	newline = memchr(line, '\n', (size_t)(src->end - line));
	*n = (size_t)((newline ? newline : src->end) - line);
	src->next = newline ? newline + 1 : src->end;
	src->line++;
	if (*n > 0 && line[*n - 1] == '\r')
		--*n;
	return line;
}

/* Copies the line for inih if inih may see it: not blank, not a comment, not an error. */
static bool hand_over(struct source *src, const char *line, size_t n, char *out, size_t size)
{
	size_t indent = 0;
	char what[96];

	while (indent < n && (line[indent] == ' ' || line[indent] == '\t'))
		indent++;
	if (indent == n || line[indent] == '#' || line[indent] == ';')
		return false;
	if (!line_is_clean(src, line, n))
		return false;
	if (n + 2 > size) {
		str_format(what, sizeof(what), "this line is longer than %zu bytes", size - 2);
		diagnose_at(src, src->line, true, what,
			"A list can continue on the next line, which then begins with a space. A "
			"comment can be on a separate line.");
		return false;
	}
	src->indented =
		indent > 0 && line[indent] != '[' && !memchr(line, '=', without_comment(line, n));
	if (!src->indented) {
		line += indent;
		n -= indent;
	}
	memcpy(out, line, n);
	out[n] = '\0';
	if (out[0] == '[')
		take_section(src, out);
	else
		src->expects_pair = true;
	out[n] = '\n';
	out[n + 1] = '\0';
	return true;
}

static void found_unread(struct source *src)
{
	if (src->expects_pair && !src->skipping)
		diagnose_at(src, src->line, true, "this line is neither [section] nor key = value",
			"Put '=' between key and value, or ';' before a comment.");
	src->expects_pair = false;
}

static char *read_line(char *out, int size, void *ctx)
{
	struct source *src = ctx;
	const char *line;
	size_t n = 0;

	found_unread(src);
	line = next_line(src, &n);
	if (!line)
		return NULL;
	if (!hand_over(src, line, n, out, (size_t)size))
		memcpy(out, "\n", 2);
	return out;
}

/* ---- the text as a whole ---- */

/* Reports once, with its line, what makes the whole text unusable. */
static bool text_is_sound(struct source *src)
{
	size_t n = (size_t)(src->end - src->next);
	const char *nul = memchr(src->next, '\0', n);
	int line = 1;

	if (str_starts(src->next, BYTE_ORDER_MARK)) {
		diagnose_at(src, 1, true, "the file begins with a byte order mark",
			"Save it as UTF-8 without a byte order mark (BOM).");
		return false;
	}
	if (!nul)
		return true;
	for (const char *p = src->next; p < nul; p++)
		line += *p == '\n';
	diagnose_at(src, line, true, "there is a NUL byte on this line",
		"This is not a text file, or it is not in UTF-8. Save it again as UTF-8 text.");
	return false;
}

void settings_parse(
	struct loaded *l, struct diagnostics *found, const char *file, const struct strbuf *text)
{
	const char *start = text->data ? text->data : "";
	struct source src = {
		.loaded = l,
		.found = found,
		.file = file,
		.next = start,
		.end = start + text->len,
		.value.max = (size_t)64 * 1024,
		.lines = calloc(setting_count, sizeof(int)),
	};
	struct fault fault = {.kind = FAULT_NONE};

	if (!src.lines ||
		(text_is_sound(&src) && ini_parse_stream(read_line, &src, take_pair, &src) == -2)) {
		fault_set(&fault, FAULT_STORAGE, "memory", "%s: out of memory", file);
		diagnose(found, &fault, true);
	}
	store(&src);
	strbuf_free(&src.value);
	free(src.lines);
}
