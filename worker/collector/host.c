/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The baseline on disk. The file is written as a whole and ends with the number of its records: a
 * file that is cut or was changed by hand counts as missing.
 */
#include "worker/collector/host.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "settings/settings.h"
#include "spool/spool.h"

#define HOST_FILE   "host"
#define HOST_HEAD   "cloudinvite-host 1"
#define HOST_BYTES  ((size_t)512 * 1024 * 1024) /* about ten million accounts */
#define UID_LARGEST 4294967294LL

static const char *const words[] = {
	[RECORD_KNOWN] = "known",
	[RECORD_NEW] = "new",
	[RECORD_ABSENT] = "absent",
};

static bool error_unwritten(const char *state_directory, struct fault *fault)
{
	fault_set(fault, FAULT_STORAGE, "host_file",
		"%s/" SETTINGS_COLLECTOR "/" HOST_FILE ": cannot be written: %s", state_directory,
		strerror(errno));
	return fault_remedy(fault, "Free some space there. To correct owners and modes: "
				   "cloudinvite-collector --prepare");
}

/* Opens its directory; -1 with the fault. */
static int open_place(const char *state_directory, struct fault *fault)
{
	int dir = file_make_dir(state_directory, SETTINGS_COLLECTOR);

	if (dir < 0)
		error_unwritten(state_directory, fault);
	return dir;
}

bool host_add(
	struct host *h, const char *user, uint32_t uid, enum record_state state, int64_t since)
{
	struct record *records = array_grow(h->records, h->count, &h->room, sizeof(*records));

	if (!records)
		return false;
	h->records = records;
	/* gcc -fanalyzer believes that the name in the array is lost: host_free frees it. */
	h->records[h->count] = (struct record){strdup(user), uid, state, since};
	return h->records[h->count++].user;
}

/* Parses "new 1001 alice 1790000000" after its first word. */
static bool parse_record(struct host *h, enum record_state state, char *rest)
{
	char *save = NULL, user[SPOOL_USER_MAX + 1];
	const char *uid = strtok_r(rest, " ", &save);
	const char *name = strtok_r(NULL, " ", &save);
	const char *since = strtok_r(NULL, " ", &save);
	long long number, time = 0;

	if (!uid || !name || (!since) != (state == RECORD_KNOWN))
		return false;
	if (!str_number(uid, 0, UID_LARGEST, &number) || !spool_parse_mark(name, user))
		return false;
	if (since && !str_number(since, 0, LLONG_MAX, &time))
		return false;
	/* They must be in order, or the merge with the passwd file would go wrong. */
	if (h->count > 0 && strcmp(h->records[h->count - 1].user, user) >= 0)
		return false;
	return host_add(h, user, (uint32_t)number, state, time);
}

static bool parse_fact(char out[MACHINE_FACT_SIZE], const char *value)
{
	return str_copy(out, MACHINE_FACT_SIZE, value);
}

static bool parse_line(struct host *h, char *line)
{
	char *rest = strchr(line, ' ');

	if (!rest)
		return false;
	*rest++ = '\0';
	if (strcmp(line, "machine") == 0)
		return parse_fact(h->old_machine.id, rest);
	if (strcmp(line, "product") == 0)
		return parse_fact(h->old_machine.product, rest);
	if (strcmp(line, "instance") == 0)
		return parse_fact(h->old_machine.instance, rest);
	if (strcmp(line, "name") == 0)
		return str_copy(h->old_name, sizeof(h->old_name), rest);
	if (strcmp(line, "change_guard") == 0)
		return h->guard_tripped = strcmp(rest, "tripped") == 0;
	if (strcmp(line, "brake") == 0) /* an earlier version wrote it */
		return h->guard_tripped = strcmp(rest, "set") == 0;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(line, words[i]) == 0)
			return parse_record(h, (enum record_state)i, rest);
	return false;
}

/* The last line counts the records. Without it some may be missing, and their accounts would count
 * as new. */
static bool is_end(const struct host *h, const char *line)
{
	long long count;

	return str_starts(line, "end ") && str_number(line + 4, 0, LLONG_MAX, &count) &&
	       (size_t)count == h->count;
}

static bool parse(struct host *h, char *text)
{
	char *save = NULL;
	char *line = strtok_r(text, "\n", &save);

	if (!line || strcmp(line, HOST_HEAD) != 0)
		return false;
	while ((line = strtok_r(NULL, "\n", &save)) && !is_end(h, line))
		if (!parse_line(h, line))
			return false;
	return line && !strtok_r(NULL, "\n", &save);
}

static void reset_broken(struct host *h, const char *state_directory)
{
	log_event(LOG_LEVEL_WARN, "baseline",
		"%s/" SETTINGS_COLLECTOR "/" HOST_FILE
		": is malformed; the accounts that exist now become the new baseline",
		state_directory);
	host_clear(h);
	h->old_machine = (struct machine){.id = ""};
	h->old_name[0] = '\0';
	h->guard_tripped = false;
	h->first = true;
}

bool host_load(struct host *h, const char *state_directory, const char *run, const char *name,
	struct fault *fault)
{
	static const struct file_rules rules = {
		.max_size = HOST_BYTES, .trusted = true, .missing_ok = true};
	struct strbuf text = {.max = HOST_BYTES};
	int dir = open_place(state_directory, fault);
	bool good;

	*h = (struct host){.count = 0};
	machine_read(&h->machine, "", run);
	str_copy(h->name, sizeof(h->name), name);
	good = dir >= 0 && file_read_at(dir, HOST_FILE, &rules, &text, FAULT_STORAGE, fault);
	if (good) {
		h->first = text.len == 0;
		if (!h->first && (strlen(text.data) != text.len || !parse(h, text.data)))
			reset_broken(h, state_directory);
		h->machine = machine_merge(&h->old_machine, &h->machine);
	}
	strbuf_free(&text);
	file_close(&dir);
	return good;
}

/* Whether it was written: a name that is too long for the spool cannot be tracked. */
static bool add_record(struct strbuf *out, const struct record *r)
{
	char name[SPOOL_NAME_MAX + 1];

	if (!spool_mark_name(name, r->user))
		return false;
	strbuf_addf(out, "%s %u %s", words[r->state], (unsigned)r->uid, name);
	if (r->state != RECORD_KNOWN)
		strbuf_addf(out, " %lld", (long long)r->since);
	strbuf_add(out, "\n");
	return true;
}

static void add_fact(struct strbuf *out, const char *name, const char *fact)
{
	if (*fact)
		strbuf_addf(out, "%s %s\n", name, fact);
}

bool host_save(const struct host *h, const struct host *records, const char *state_directory,
	struct fault *fault)
{
	struct strbuf text = {.max = HOST_BYTES};
	int dir = open_place(state_directory, fault);
	size_t written = 0;
	bool good = false;

	if (dir < 0)
		return false;
	strbuf_addf(&text, HOST_HEAD "\nname %s\n", h->name);
	add_fact(&text, "machine", h->machine.id);
	add_fact(&text, "product", h->machine.product);
	add_fact(&text, "instance", h->machine.instance);
	if (h->guard_tripped)
		strbuf_add(&text, "change_guard tripped\n");
	for (size_t i = 0; i < records->count; i++)
		written += add_record(&text, &records->records[i]);
	strbuf_addf(&text, "end %zu\n", written);
	if (text.failed)
		fault_set(fault, FAULT_STORAGE, "no_memory",
			"%s: out of memory while writing " HOST_FILE, state_directory);
	else if (file_replace_at(dir, HOST_FILE, text.data, text.len, 0600) != 0)
		error_unwritten(state_directory, fault);
	else
		good = true;
	strbuf_free(&text);
	file_close(&dir);
	return good;
}

static int by_user(const void *a, const void *b)
{
	return strcmp(((const struct record *)a)->user, ((const struct record *)b)->user);
}

void host_sort(struct host *h)
{
	if (h->count > 1)
		qsort(h->records, h->count, sizeof(*h->records), by_user);
}

void host_clear(struct host *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->records[i].user);
	h->count = 0;
}

void host_free(struct host *h)
{
	host_clear(h);
	free(h->records);
	*h = (struct host){.count = 0};
}

bool host_cloned(const struct host *h)
{
	return !h->first && machine_is_another(&h->old_machine, &h->machine);
}

bool host_may_be_cloned(const struct host *h)
{
	return h->old_name[0] && strcmp(h->old_name, h->name) != 0 &&
	       !machine_is_proved(&h->old_machine, &h->machine);
}

bool host_has_learned(const struct host *h)
{
	return strcmp(h->old_machine.product, h->machine.product) != 0 ||
	       strcmp(h->old_machine.instance, h->machine.instance) != 0;
}
