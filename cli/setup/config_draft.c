/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of the settings file in memory. Each key is set by the same code that writes the file,
 * and the text is loaded again, so that a wrong value is noticed at once. The commit replaces the
 * file atomically and keeps a backup.
 */
#include "cli/setup/config_draft.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "base/strbuf.h"

#define FILE_MAX ((size_t)1024 * 1024)
#define SAMPLE	 "/usr/share/doc/cloudinvite/cloudinvite.conf"
#define BARE                                                                                      \
	"# cloudinvite: who is invited, and how. All keys: cloudinvite.conf(5).\n"                \
	"\n[google]\n\n[people]\n\n[invitations]\n# dry-run: everything is done except sending; " \
	"`cloudinvite enable` starts "                                                            \
	"sending.\nmode = dry-run\n"

/* ---- opening ---- */

static bool read_file(const char *path, struct strbuf *text, struct fault *fault)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .trusted = true, .follow = true};

	text->max = FILE_MAX + 1;
	return file_read(path, &rules, text, FAULT_SETTINGS, fault);
}

static bool error_io(struct fault *fault, const char *path)
{
	fault_set(fault, FAULT_STORAGE, "settings_write", "%s: %s", path, strerror(errno));
	return fault_remedy(fault, "Nothing was changed.");
}

static bool read_text(struct config_draft *draft, struct fault *fault)
{
	bool good;

	draft->is_new = access(draft->path, F_OK) != 0 && errno == ENOENT;
	if (!draft->is_new && !read_file(draft->path, &draft->original, fault))
		return false;
	draft->text.max = FILE_MAX + 1;
	if (draft->is_new)
		good = read_file(SAMPLE, &draft->text, NULL) || strbuf_add(&draft->text, BARE);
	else
		good = strbuf_add_bytes(&draft->text, draft->original.data, draft->original.len);
	return good || fault_set(fault, FAULT_STORAGE, "memory", "%s: out of memory", draft->path);
}

static bool reload(struct config_draft *draft, struct fault *fault)
{
	settings_free(draft->settings);
	draft->settings = settings_load_text(draft->path, &draft->text, fault);
	return draft->settings;
}

bool config_draft_open(struct config_draft *draft, const char *path, struct fault *fault)
{
	*draft = (struct config_draft){.path = path};
	if (!read_text(draft, fault))
		return false;
	if (!draft->is_new)
		draft->before = settings_load(path, fault);
	return (draft->is_new || draft->before) && reload(draft, fault);
}

void config_draft_close(struct config_draft *draft)
{
	settings_free(draft->before);
	settings_free(draft->settings);
	strbuf_wipe(&draft->original);
	strbuf_free(&draft->original);
	strbuf_wipe(&draft->text);
	strbuf_free(&draft->text);
	*draft = (struct config_draft){.path = NULL};
}

/* ---- keys ---- */

struct lookup {
	const char *section, *key;
	char *out;
	size_t size;
};

static bool on_value(const char *section, const char *key, const char *value, const char *origin,
	const char *help, void *ctx)
{
	struct lookup *lookup = ctx;

	(void)origin, (void)help;
	if (strcmp(section, lookup->section) != 0 || strcmp(key, lookup->key) != 0)
		return true;
	str_copy(lookup->out, lookup->size, value);
	return false;
}

static const char *value_of(const struct settings *s, struct lookup *lookup)
{
	lookup->out[0] = '\0';
	if (s)
		(void)settings_each(s, on_value, lookup);
	return lookup->out;
}

const char *config_draft_get(
	struct config_draft *draft, const char *section, const char *key, char *out, size_t size)
{
	struct lookup lookup = {section, key, out, size};

	return value_of(draft->settings, &lookup);
}

bool config_draft_set(struct config_draft *draft, const char *section, const char *key,
	const char *value, struct fault *fault)
{
	char now[1024];

	if (strcmp(config_draft_get(draft, section, key, now, sizeof(now)), value) == 0)
		return true;
	return settings_edit(draft->path, &draft->text, section, key, value, fault) &&
	       reload(draft, fault);
}

struct compare {
	const struct config_draft *draft;
	void (*each)(
		const char *section, const char *key, const char *old, const char *new, void *ctx);
	void *ctx;
	int count;
};

static bool compare_key(const char *section, const char *key, const char *value, const char *origin,
	const char *help, void *ctx)
{
	struct compare *c = ctx;
	char old[1024];
	struct lookup lookup = {section, key, old, sizeof(old)};

	(void)help;
	if (strcmp(value_of(c->draft->before, &lookup), value) == 0 ||
		(!c->draft->before && strcmp(origin, "default") == 0))
		return true;
	c->count++;
	if (c->each)
		c->each(section, key, old, value, c->ctx);
	return true;
}

int config_draft_changes(const struct config_draft *draft,
	void (*each)(
		const char *section, const char *key, const char *old, const char *new, void *ctx),
	void *ctx)
{
	struct compare compare = {.draft = draft, .each = each, .ctx = ctx};

	(void)settings_each(draft->settings, compare_key, &compare);
	return compare.count;
}

/* ---- replacing the settings ---- */

/* The dialogue takes minutes. Another user may have edited the file meanwhile. */
static bool is_unchanged(const struct config_draft *draft, struct fault *fault)
{
	struct strbuf now = {.data = NULL};
	bool same = access(draft->path, F_OK) == 0
			    ? read_file(draft->path, &now, NULL) && !draft->is_new &&
				      now.len == draft->original.len &&
				      (now.len == 0 ||
					      memcmp(now.data, draft->original.data, now.len) == 0)
			    : draft->is_new;

	strbuf_free(&now);
	if (same)
		return true;
	fault_set(fault, FAULT_SETTINGS, "settings_changed",
		"%s: another process changed the file in the meantime", draft->path);
	return fault_remedy(fault, "Nothing was written. Run it again.");
}

/* Writes the file with owner, group and mode. A signal or a power cut may leave root's group, which
 * --prepare corrects. */
static bool put(const char *path, const struct strbuf *text, const struct stat *st)
{
	return file_replace(path, text->data, text->len, st->st_mode & 07777) == 0 &&
	       ((st->st_uid == geteuid() && st->st_gid == getegid()) ||
		       chown(path, st->st_uid, st->st_gid) == 0);
}

/* A new file belongs to root, and the programs' accounts can read it. */
static void fill_new(const struct config_draft *draft, struct stat *st)
{
	uid_t uid;

	*st = (struct stat){.st_mode = 0640, .st_uid = geteuid(), .st_gid = getegid()};
	if (geteuid() == 0 && strcmp(draft->settings->ledger_user, "root") != 0)
		(void)passwd_find(draft->settings->ledger_user, &uid, &st->st_gid, NULL);
}

/* Keeps the previous file, byte for byte, so that the change can be undone. */
static bool write_backup(const struct config_draft *draft, const char *target,
	const struct stat *st, struct fault *fault)
{
	char backup[PATH_MAX];

	if (!str_format(backup, sizeof(backup), "%s" DRAFT_BACKUP_SUFFIX, target)) {
		errno = ENAMETOOLONG;
		return error_io(fault, target);
	}
	return put(backup, &draft->original, st) || error_io(fault, backup);
}

bool config_draft_commit(struct config_draft *draft, struct fault *fault)
{
	char target[PATH_MAX];
	struct stat st;

	if (!is_unchanged(draft, fault))
		return false;
	fill_new(draft, &st);
	if (draft->is_new)
		str_copy(target, sizeof(target), draft->path);
	else if (!realpath(draft->path, target) || stat(target, &st) != 0)
		return error_io(fault, draft->path);
	return (draft->is_new || write_backup(draft, target, &st, fault)) &&
	       (put(target, &draft->text, &st) || error_io(fault, target));
}
