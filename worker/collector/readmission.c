/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of accounts that wait to be readmitted, and its file. The file is written as a whole; a
 * broken one is dropped, which only lets the wait begin again.
 */
#include "worker/collector/readmission.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "people/verdict.h"
#include "spool/spool.h"

#define NAME	  "readmitted"
#define HEAD	  "cloudinvite-readmitted 1"
#define BYTES_MAX ((size_t)64 * 1024 * 1024)
#define EXPIRE_S  ((int64_t)7 * 86400)
#define UNCOUNTED '?' /* behind the time: its groups were unknown */

/* ---- the list ---- */

/* The index of the user, or where it would be. */
static size_t find(const struct readmissions *r, const char *user, bool *found)
{
	size_t low = 0, high = r->count;

	*found = false;
	while (low < high && !*found) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(user, r->list[middle].user);

		*found = order == 0;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return high;
}

static bool insert(struct readmissions *r, size_t at, const char *user, int64_t since, bool counted)
{
	struct readmission *list = array_grow(r->list, r->count, &r->room, sizeof(*list));
	char *copy = list ? strdup(user) : NULL;

	if (list)
		r->list = list;
	if (!copy)
		return false;
	memmove(&list[at + 1], &list[at], (r->count - at) * sizeof(*list));
	/* gcc -fanalyzer believes that the copy is lost: drop and readmissions_free free it. */
	list[at] = (struct readmission){copy, since, counted};
	r->count++;
	r->counted += counted;
	return r->changed = true;
}

static void drop(struct readmissions *r, size_t at)
{
	r->counted -= r->list[at].counted;
	free(r->list[at].user);
	r->count--;
	memmove(&r->list[at], &r->list[at + 1], (r->count - at) * sizeof(*r->list));
	r->changed = true;
	/* All accounts that the administrator has let pass are through. */
	if (r->counted == 0)
		r->passed = false;
}

bool readmissions_are_many(const struct readmissions *r)
{
	return r->counted > READMITTED_MAX && !r->passed;
}

void readmissions_expire(struct readmissions *r, int64_t wall)
{
	for (size_t i = r->count; i > 0; i--)
		if (wall - r->list[i - 1].since > EXPIRE_S)
			drop(r, i - 1);
}

void readmissions_free(struct readmissions *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->list[i].user);
	free(r->list);
	*r = (struct readmissions){.count = 0};
}

/* ---- one account ---- */

static bool is_readmitted(
	const struct sighting *was, const struct sighting *now, const struct settings *settings)
{
	return !sighting_same_facts(was, now) && verdict_excludes(was, settings) &&
	       !verdict_excludes(now, settings);
}

/* A clock that was set back lets the wait begin again. At least a second lies between two looks. */
static bool waits_still(struct readmissions *r, struct readmission *w,
	const struct settings *settings, int64_t wall, int64_t *due)
{
	int64_t delay = settings->creation_delay > 0 ? settings->creation_delay : 1;

	if (w->since > wall) {
		w->since = wall;
		r->changed = true;
	}
	if (readmissions_are_many(r))
		return true;
	if (wall - w->since >= delay)
		return false;
	*due = w->since + delay;
	return true;
}

bool readmission_waits(struct readmissions *r, const struct sighting *was,
	const struct sighting *now, const struct settings *settings, int64_t wall, int64_t *due)
{
	bool found, readmitted = is_readmitted(was, now, settings);
	size_t at = find(r, now->user, &found);

	*due = 0;
	if (!readmitted) {
		if (found)
			drop(r, at);
		return false;
	}
	if (!found &&
		!insert(r, at, now->user, wall, strcmp(was->groups, SIGHTING_GROUPS_UNKNOWN) != 0))
		return true;
	return waits_still(r, &r->list[at], settings, wall, due);
}

/* ---- the file ---- */

static bool parse_line(struct readmissions *r, char *line)
{
	char *name = strchr(line, ' '), user[SPOOL_USER_MAX + 1];
	long long since;
	bool counted, found;
	size_t at;

	if (!name)
		return false;
	*name++ = '\0';
	counted = !strchr(line, UNCOUNTED);
	line[strcspn(line, (const char[]){UNCOUNTED, '\0'})] = '\0';
	if (!str_number(line, 0, INT64_MAX, &since) || !spool_parse_mark(name, user))
		return false;
	at = find(r, user, &found);
	return !found && insert(r, at, user, since, counted);
}

static bool parse_guard(struct readmissions *r, const char *line)
{
	r->tripped = strcmp(line, "guard tripped") == 0;
	r->passed = strcmp(line, "guard passed") == 0;
	return r->tripped || r->passed;
}

static bool is_end(const struct readmissions *r, const char *line)
{
	long long count;

	return str_starts(line, "end ") && str_number(line + 4, 0, INT64_MAX, &count) &&
	       (size_t)count == r->count;
}

static bool parse(struct readmissions *r, char *text)
{
	char *save = NULL;
	char *line = strtok_r(text, "\n", &save);

	if (!line || strcmp(line, HEAD) != 0)
		return false;
	while ((line = strtok_r(NULL, "\n", &save)) && !is_end(r, line))
		if (!(str_starts(line, "guard ") ? parse_guard(r, line) : parse_line(r, line)))
			return false;
	return line && !strtok_r(NULL, "\n", &save);
}

static bool error_file(const char *state_directory, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "readmitted_file",
		"%s/" SETTINGS_COLLECTOR "/" NAME ": cannot be written: %s", state_directory,
		strerror(errno));
	return fault_remedy(fault, "Free some space there. To correct owners and modes: "
				   "cloudinvite-collector --prepare");
}

bool readmissions_load(struct readmissions *r, const char *state_directory, struct fault *fault)
{
	static const struct file_rules rules = {
		.max_size = BYTES_MAX, .trusted = true, .missing_ok = true};
	struct strbuf text = {.max = BYTES_MAX};
	int dir;
	bool good;

	if (r->loaded)
		return true;
	dir = file_make_dir(state_directory, SETTINGS_COLLECTOR);
	if (dir < 0)
		return error_file(state_directory, fault);
	good = file_read_at(dir, NAME, &rules, &text, FAULT_STORAGE, fault);
	if (good && text.len > 0 && (strlen(text.data) != text.len || !parse(r, text.data)))
		readmissions_free(r);
	r->loaded = good;
	r->changed = false;
	strbuf_free(&text);
	file_close(&dir);
	return good;
}

/* A name that the spool cannot hold is not in the file; its wait begins again with the process. */
static size_t add_lines(const struct readmissions *r, struct strbuf *text)
{
	char name[SPOOL_NAME_MAX + 1];
	size_t written = 0;

	for (size_t i = 0; i < r->count; i++)
		if (spool_mark_name(name, r->list[i].user)) {
			strbuf_addf(text,
				r->list[i].counted ? "%" PRId64 " %s\n" : "%" PRId64 "? %s\n",
				r->list[i].since, name);
			written++;
		}
	return written;
}

bool readmissions_save(struct readmissions *r, const char *state_directory, struct fault *fault)
{
	struct strbuf text = {.max = BYTES_MAX};
	size_t written;
	int dir;
	bool good;

	if (!r->changed)
		return true;
	dir = file_make_dir(state_directory, SETTINGS_COLLECTOR);
	if (dir < 0)
		return error_file(state_directory, fault);
	strbuf_add(&text, HEAD "\n");
	if (r->tripped || r->passed)
		strbuf_addf(&text, "guard %s\n", r->tripped ? "tripped" : "passed");
	written = add_lines(r, &text);
	strbuf_addf(&text, "end %zu\n", written);
	good = !text.failed && file_replace_at(dir, NAME, text.data, text.len, 0600) == 0;
	if (text.failed)
		fault_no_memory(fault, FAULT_STORAGE);
	else if (!good)
		error_file(state_directory, fault);
	r->changed = !good;
	strbuf_free(&text);
	file_close(&dir);
	return good;
}
