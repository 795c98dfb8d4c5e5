/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of the settings file in a directory of its own. Each key is set by the same code that
 * writes the real file, and the copy is loaded again, so that a wrong value is noticed at once. The
 * commit replaces the real file atomically and keeps a backup.
 */
#include "cli/setup/config_draft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/common/interrupt.h"

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
	fault_set(fault, FAULT_STORAGE, "stage", "%s: %s", path, strerror(errno));
	return fault_remedy(fault, "Nothing was changed.");
}

/* Beside it, the drop-ins of the real one: what they set counts here, too. */
static bool link_drop_ins(struct config_draft *draft, struct fault *fault)
{
	const char *slash = strrchr(draft->real, '/');
	char from[PATH_MAX], directory[PATH_MAX], *whole;
	bool linked;

	str_format(directory, sizeof(directory), "%.*s", slash ? (int)(slash - draft->real) + 1 : 2,
		slash ? draft->real : "./");
	whole = realpath(directory, NULL);
	if (!whole)
		return error_io(fault, directory);
	linked = str_format(from, sizeof(from), "%s/conf.d", whole) &&
		 str_format(
			 draft->drop_ins, sizeof(draft->drop_ins), "%s/conf.d", draft->directory) &&
		 symlink(from, draft->drop_ins) == 0;
	free(whole);
	return linked || error_io(fault, draft->directory);
}

static bool copy_text(struct config_draft *draft, struct fault *fault)
{
	struct strbuf sample = {.data = NULL};
	const struct strbuf *text = &draft->original;
	bool good = true;

	draft->is_new = access(draft->real, F_OK) != 0 && errno == ENOENT;
	if (!draft->is_new)
		good = read_file(draft->real, &draft->original, fault);
	else if (!read_file(SAMPLE, &sample, NULL))
		good = strbuf_add(&sample, BARE);
	if (draft->is_new)
		text = &sample;
	if (good && file_replace(draft->path, text->data ? text->data : "", text->len, 0600) != 0)
		good = error_io(fault, draft->path);
	strbuf_free(&sample);
	return good;
}

/* Faults speak of the file that the administrator knows. */
static void rewrite_path(const struct config_draft *draft, char *sentence, size_t size)
{
	size_t n = strlen(draft->path);
	char copy[640], *at = strstr(sentence, draft->path);

	if (!at)
		return;
	str_copy(copy, sizeof(copy), at + n);
	str_format(at, size - (size_t)(at - sentence), "%s%s", draft->real, copy);
}

static bool reload(struct config_draft *draft, struct fault *fault)
{
	settings_free(draft->settings);
	draft->settings = settings_load(draft->path, fault);
	if (draft->settings)
		return true;
	rewrite_path(draft, fault->what, sizeof(fault->what));
	rewrite_path(draft, fault->remedy, sizeof(fault->remedy));
	return false;
}

static bool build(struct config_draft *draft, struct fault *fault)
{
	str_copy(draft->directory, sizeof(draft->directory), "/tmp/cloudinvite-setup-XXXXXX");
	if (!mkdtemp(draft->directory)) {
		draft->directory[0] = '\0';
		return error_io(fault, "/tmp");
	}
	str_format(draft->path, sizeof(draft->path), "%s/cloudinvite.conf", draft->directory);
	return link_drop_ins(draft, fault) && copy_text(draft, fault);
}

bool config_draft_open(struct config_draft *draft, const char *real, struct fault *fault)
{
	sigset_t before;
	bool built;

	interrupt_hold(&before);
	*draft = (struct config_draft){.real = real};
	built = build(draft, fault);
	interrupt_release(&before);
	if (!built)
		return false;
	if (!draft->is_new)
		draft->before = settings_load(real, fault);
	return (draft->is_new || draft->before) && reload(draft, fault);
}

void config_draft_remove(const struct config_draft *draft)
{
	if (!draft->directory[0])
		return;
	unlink(draft->drop_ins);
	unlink(draft->path);
	rmdir(draft->directory);
}

void config_draft_close(struct config_draft *draft)
{
	sigset_t before;

	interrupt_hold(&before);
	config_draft_remove(draft);
	draft->directory[0] = '\0';
	interrupt_release(&before);
	settings_free(draft->before);
	settings_free(draft->settings);
	strbuf_wipe(&draft->original);
	strbuf_free(&draft->original);
	*draft = (struct config_draft){.real = NULL};
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
	if (!settings_write(draft->path, section, key, value, fault)) {
		rewrite_path(draft, fault->what, sizeof(fault->what));
		return false;
	}
	return reload(draft, fault);
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

/* ---- everything ---- */

struct relay {
	const struct config_draft *draft;
	void (*report)(const struct fault *, void *ctx);
	void *ctx;
};

static void relay_finding(const struct fault *fault, void *ctx)
{
	const struct relay *relay = ctx;
	struct fault copy = *fault;

	rewrite_path(relay->draft, copy.what, sizeof(copy.what));
	rewrite_path(relay->draft, copy.remedy, sizeof(copy.remedy));
	relay->report(&copy, relay->ctx);
}

int config_draft_check(const struct config_draft *draft,
	void (*report)(const struct fault *, void *ctx), void *ctx)
{
	struct relay relay = {draft, report, ctx};

	return settings_check(draft->settings, relay_finding, &relay);
}

/* ---- replacing the settings ---- */

/* A dialogue takes minutes, in which somebody else may have edited the file. */
static bool is_unchanged(const struct config_draft *draft, struct fault *fault)
{
	struct strbuf now = {.data = NULL};
	bool same = access(draft->real, F_OK) == 0
			    ? read_file(draft->real, &now, NULL) && !draft->is_new &&
				      now.len == draft->original.len &&
				      (now.len == 0 ||
					      memcmp(now.data, draft->original.data, now.len) == 0)
			    : draft->is_new;

	strbuf_free(&now);
	if (same)
		return true;
	fault_set(fault, FAULT_SETTINGS, "settings_changed",
		"%s: another process changed the file in the meantime", draft->real);
	return fault_remedy(fault, "Nothing was written. Run it again.");
}

/* With owner, group and mode. A signal or a power cut may leave root's group: --prepare sees to it.
 */
static bool put(const char *path, const struct strbuf *text, const struct stat *st)
{
	return file_replace(path, text->data, text->len, st->st_mode & 07777) == 0 &&
	       ((st->st_uid == geteuid() && st->st_gid == getegid()) ||
		       chown(path, st->st_uid, st->st_gid) == 0);
}

/* New ones are root's, and the accounts' to read. */
static void fill_new(const struct config_draft *draft, struct stat *st)
{
	uid_t uid;

	*st = (struct stat){.st_mode = 0640, .st_uid = geteuid(), .st_gid = getegid()};
	if (geteuid() == 0 && strcmp(draft->settings->ledger_user, "root") != 0)
		(void)passwd_find(draft->settings->ledger_user, &uid, &st->st_gid, NULL);
}

/* As it was before, byte for byte: what undoes the change. */
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
	struct strbuf text = {.data = NULL};
	char target[PATH_MAX];
	struct stat st;
	bool good;

	if (!is_unchanged(draft, fault))
		return false;
	fill_new(draft, &st);
	if (draft->is_new)
		str_copy(target, sizeof(target), draft->real);
	else if (!realpath(draft->real, target) || stat(target, &st) != 0)
		return error_io(fault, draft->real);
	good = (draft->is_new || write_backup(draft, target, &st, fault)) &&
	       read_file(draft->path, &text, fault);
	if (good && !put(target, &text, &st))
		good = error_io(fault, target);
	strbuf_free(&text);
	return good;
}
