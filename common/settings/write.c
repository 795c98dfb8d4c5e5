/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing one key into a file that people have written: everything else stays as it is, byte for
 * byte. The new text replaces the old one completely or not at all.
 */
#include "base/strbuf.h"
#include "settings/key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

#define FILE_MAX  ((size_t)1024 * 1024)
#define VALUE_MAX 8192

/* Where the new text goes: it replaces the bytes from `at` to `end`. */
struct place {
	size_t at, end;
	bool in_section; /* the section exists */
	bool found;	 /* the key exists: `at` to `end` is its value */
	bool blank;	 /* … and a blank is before it */
};

struct line {
	const char *start;
	size_t n; /* without the newline */
};

static size_t blanks(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && (s[i] == ' ' || s[i] == '\t'))
		i++;
	return i;
}

static bool line_is_section(struct line l, const char *section)
{
	size_t at = blanks(l.start, l.n), n = strlen(section);

	return l.n >= at + n + 2 && l.start[at] == '[' &&
	       memcmp(l.start + at + 1, section, n) == 0 && l.start[at + 1 + n] == ']';
}

/* Where the value begins if the line sets the key, else 0. */
static size_t line_sets(struct line l, const char *key)
{
	size_t n = strlen(key), at = blanks(l.start, l.n);

	if (l.n < at + n || memcmp(l.start + at, key, n) != 0)
		return 0;
	at += n;
	at += blanks(l.start + at, l.n - at);
	if (at >= l.n || (l.start[at] != '=' && l.start[at] != ':'))
		return 0;
	return at + 1;
}

/* Whether the line is the key's commented-out line in the sample. */
static bool line_is_sample(struct line l, const char *key)
{
	size_t mark = blanks(l.start, l.n);

	if (mark >= l.n || (l.start[mark] != ';' && l.start[mark] != '#'))
		return false;
	return line_sets((struct line){l.start + mark + 1, l.n - mark - 1}, key) != 0;
}

/* The value's bytes, without the blanks around it and without a comment after it. */
static struct place value_place(const char *text, struct line l, size_t from)
{
	size_t at = from, end;

	if (at < l.n && l.start[at] == ' ')
		at++;
	for (end = at; end < l.n; end++)
		if (l.start[end] == ';' && end > 0 && ascii_is_space(l.start[end - 1]))
			break;
	while (end > at && ascii_is_space(l.start[end - 1]))
		end--;
	size_t offset = (size_t)(l.start - text);
	return (struct place){offset + at, offset + end, true, true, at > from};
}

/* Reads the lines once. If the key is not set, its place is after its sample line; else after the
 * section's last line that is not blank or a comment; else the end of the text. */
static struct place find_place(const char *text, size_t len, const char *section, const char *key)
{
	struct place place = {.at = len, .end = len};
	bool inside = false, sampled = false;

	for (size_t at = 0, next; at < len; at = next) {
		const char *newline = memchr(text + at, '\n', len - at);
		struct line l = {text + at, (newline ? (size_t)(newline - text) : len) - at};
		size_t value;

		next = newline ? at + l.n + 1 : len;
		if (blanks(l.start, l.n) == l.n || l.start[0] == '\r')
			continue;
		if (l.start[blanks(l.start, l.n)] == '[')
			inside = line_is_section(l, section);
		if (!inside)
			continue;
		value = line_sets(l, key);
		if (value != 0)
			return value_place(text, l, value);
		if (!sampled)
			place = (struct place){.at = next, .end = next, .in_section = true};
		sampled = sampled || line_is_sample(l, key);
	}
	return place;
}

/* Whether the line continues the list above it, as parse.c reads it. */
static bool line_continues(struct line l)
{
	size_t indent = blanks(l.start, l.n);
	const char *comment = memmem(l.start, l.n, " ;", 2);

	return indent > 0 && l.start[indent] != '[' &&
	       !memchr(l.start, '=', comment ? (size_t)(comment - l.start) : l.n);
}

static bool line_is_silent(struct line l)
{
	size_t indent = blanks(l.start, l.n);

	return indent == l.n || strchr("#;\r", l.start[indent]);
}

/* Copies what follows the value, without the lines that continued the old one. */
static void copy_rest(struct strbuf *out, const char *text, size_t at, size_t len)
{
	bool first = true, old_value = true;

	while (at < len && old_value) {
		const char *newline = memchr(text + at, '\n', len - at);
		size_t next = newline ? (size_t)(newline - text) + 1 : len;
		struct line l = {text + at, next - at - (!!newline)};
		bool dropped = !first && !line_is_silent(l) && line_continues(l);

		old_value = first || dropped || line_is_silent(l);
		if (!dropped)
			strbuf_add_bytes(out, text + at, next - at);
		first = false;
		at = next;
	}
	strbuf_add_bytes(out, text + at, len - at);
}

static void compose(struct strbuf *out, const struct strbuf *old, struct place place,
	const char *section, const char *key, const char *value)
{
	const char *text = old->data ? old->data : "";
	bool crlf = strstr(text, "\r\n");
	const char *newline = crlf ? "\r\n" : "\n";
	bool open_end = place.at > 0 && text[place.at - 1] != '\n';

	strbuf_add_bytes(out, text, place.at);
	if (place.found) {
		strbuf_addf(out, "%s%s", place.blank ? "" : " ", value);
		copy_rest(out, text, place.end, old->len);
		return;
	}
	if (open_end)
		strbuf_add(out, newline);
	if (!place.in_section)
		strbuf_addf(out, "%s[%s]%s", place.at > 0 ? newline : "", section, newline);
	strbuf_addf(out, "%s = %s%s", key, value, newline);
	strbuf_add_bytes(out, text + place.end, old->len - place.end);
}

/* ---- replacing the file ---- */

static bool failed(struct fault *fault, const char *path, const char *doing)
{
	fault_set(fault, FAULT_SETTINGS, "settings_write", "%s: %s: %s", path, doing,
		strerror(errno));
	return fault_remedy(fault, "Set the key by hand, or make the file writable for root.");
}

/* Writes a temporary file beside it, with the owner and mode of the old one, and renames it. */
static bool replace(const char *path, const struct strbuf *text, struct fault *fault)
{
	char temporary[PATH_MAX], dir[PATH_MAX];
	int fd = -1, dir_fd = -1;
	struct stat st;
	bool done = false;

	if (!str_format(temporary, sizeof(temporary), "%s.XXXXXX", path) ||
		!str_format(dir, sizeof(dir), "%.*s", (int)(strrchr(path, '/') - path) + 1, path)) {
		errno = ENAMETOOLONG;
		return failed(fault, path, "name");
	}
	if (stat(path, &st) != 0 || (fd = mkostemp(temporary, O_CLOEXEC)) < 0)
		return failed(fault, path, "temporary file");
	if (fchown(fd, st.st_uid, st.st_gid) != 0 || fchmod(fd, st.st_mode & 07777) != 0) {
		failed(fault, path, "owner");
		goto out;
	}
	if (file_write_all(fd, text->data, text->len) != 0 || fsync(fd) != 0) {
		failed(fault, path, "writing");
		goto out;
	}
	if (rename(temporary, path) != 0) {
		failed(fault, path, "rename");
		goto out;
	}
	done = true;
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 || fsync(dir_fd) != 0)
		done = failed(
			fault, path, "the file was written, but may not survive a power failure");
out:
	if (!done)
		unlink(temporary);
	file_close(&fd);
	file_close(&dir_fd);
	return done;
}

/* Whether the value fits on one line and is read back as it is. */
static bool is_writable(const char *value)
{
	char safe[VALUE_MAX];

	return !strpbrk(value, ";#") && strcmp(str_safe(safe, sizeof(safe), value), value) == 0;
}

/* Refuses a file that does not load now, and one in which the key would have no effect. */
static bool may_write(const char *path, const struct strbuf *text, const struct setting_key *k,
	const char *value, struct fault *fault)
{
	struct settings *s = settings_load_text(path, text, fault);
	struct value_error c = {.what = ""};
	const struct origin *origin;
	bool may = false;

	if (!s)
		return false;
	origin = &settings_loaded(s)->origins[k - setting_keys];
	if (origin->file && strcmp(origin->file, path) != 0) {
		fault_set(fault, FAULT_SETTINGS, "settings_overridden",
			"%s:%d sets %s and overrides %s", origin->file, origin->line, k->key, path);
		fault_remedy(fault, "Change the value there: %s = %s", k->key, value);
	} else if (!is_writable(value) || !setting_set(k, s, value, &c)) {
		fault_set(fault, FAULT_SETTINGS, "settings_value", "%s: %s", k->key,
			c.what[0] != '\0' ? c.what : "this value cannot be written");
		fault_remedy(fault, "%s",
			c.remedy[0] != '\0' ? c.remedy
					    : "Write it on one line, without ; and #, and without "
					      "invisible characters.");
	} else {
		may = true;
	}
	settings_free(s);
	return may;
}

static const struct setting_key *find_key(const char *section, const char *key, struct fault *fault)
{
	const struct setting_key *k = setting_find(section, key);

	if (!k)
		fault_set(
			fault, FAULT_SETTINGS, "settings_key", "[%s] has no key %s", section, key);
	return k;
}

/* `old` with the key set, in `new`. */
static bool edit(const char *path, const struct strbuf *old, const struct setting_key *k,
	const char *value, struct strbuf *new, struct fault *fault)
{
	struct place place = find_place(old->data ? old->data : "", old->len, k->section, k->key);

	new->max = FILE_MAX + 1024;
	compose(new, old, place, k->section, k->key, value);
	return !new->failed || fault_set(fault, FAULT_STORAGE, "memory", "%s: too large", path);
}

bool settings_edit(const char *path, struct strbuf *text, const char *section, const char *key,
	const char *value, struct fault *fault)
{
	const struct setting_key *k = find_key(section, key, fault);
	struct strbuf new = {.data = NULL};

	if (!k || !may_write(path, text, k, value, fault))
		return false;
	if (!edit(path, text, k, value, &new, fault)) {
		strbuf_free(&new);
		return false;
	}
	strbuf_free(text);
	*text = new;
	return true;
}

bool settings_write(const char *path, const char *section, const char *key, const char *value,
	struct fault *fault)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .trusted = true, .follow = true};
	const struct setting_key *k = find_key(section, key, fault);
	struct strbuf old = {.max = FILE_MAX}, new = {.data = NULL};
	char target[PATH_MAX];
	bool done = false;

	if (!k || !may_write(path, NULL, k, value, fault))
		return false;
	/* A link stays a link: its target is replaced. */
	if (!realpath(path, target))
		return failed(fault, path, "path");
	if (!file_read(target, &rules, &old, FAULT_SETTINGS, fault))
		goto out;
	done = edit(path, &old, k, value, &new, fault) && replace(target, &new, fault);
out:
	strbuf_free(&old);
	strbuf_free(&new);
	return done;
}
