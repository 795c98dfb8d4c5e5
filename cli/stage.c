/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/privdrop.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/interrupt.h"

#define FILE_MAX ((size_t)1024 * 1024)
#define SAMPLE	 "/usr/share/doc/cloudinvite/cloudinvite.conf"
#define BARE                                                                                      \
	"# cloudinvite: who is invited, and how. All keys: cloudinvite.conf(5).\n"                \
	"\n[google]\n\n[people]\n\n[invitations]\n# dry-run: everything is done except sending; " \
	"`cloudinvite enable` starts "                                                            \
	"sending.\nmode = dry-run\n"

/* ---- opening ---- */

static bool read_into(const char *path, struct strbuf *text, struct fault *fault)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .trusted = true, .follow = true};

	text->max = FILE_MAX + 1;
	return file_read(path, &rules, text, FAULT_SETTINGS, fault);
}

static bool failed(struct fault *fault, const char *path)
{
	fault_set(fault, FAULT_STORAGE, "stage", "%s: %s", path, strerror(errno));
	return fault_remedy(fault, "Nothing was changed.");
}

/* Beside it, the drop-ins of the real one: what they set counts here, too. */
static bool link_drop_ins(struct stage *stage, struct fault *fault)
{
	const char *slash = strrchr(stage->real, '/');
	char from[PATH_MAX], directory[PATH_MAX], *whole;
	bool linked;

	str_format(directory, sizeof(directory), "%.*s", slash ? (int)(slash - stage->real) + 1 : 2,
		slash ? stage->real : "./");
	whole = realpath(directory, NULL);
	if (!whole)
		return failed(fault, directory);
	linked = str_format(from, sizeof(from), "%s/conf.d", whole) &&
		 str_format(
			 stage->drop_ins, sizeof(stage->drop_ins), "%s/conf.d", stage->directory) &&
		 symlink(from, stage->drop_ins) == 0;
	free(whole);
	return linked || failed(fault, stage->directory);
}

static bool copy_text(struct stage *stage, struct fault *fault)
{
	struct strbuf sample = {.data = NULL};
	const struct strbuf *text = &stage->original;
	bool good = true;

	stage->is_new = access(stage->real, F_OK) != 0 && errno == ENOENT;
	if (!stage->is_new)
		good = read_into(stage->real, &stage->original, fault);
	else if (!read_into(SAMPLE, &sample, NULL))
		good = strbuf_add(&sample, BARE);
	if (stage->is_new)
		text = &sample;
	if (good && file_replace(stage->path, text->data ? text->data : "", text->len, 0600) != 0)
		good = failed(fault, stage->path);
	strbuf_free(&sample);
	return good;
}

/* Faults speak of the file that the administrator knows. */
static void speak_of_real(const struct stage *stage, char *sentence, size_t size)
{
	size_t n = strlen(stage->path);
	char copy[640], *at = strstr(sentence, stage->path);

	if (!at)
		return;
	str_copy(copy, sizeof(copy), at + n);
	str_format(at, size - (size_t)(at - sentence), "%s%s", stage->real, copy);
}

static bool reload(struct stage *stage, struct fault *fault)
{
	settings_free(stage->settings);
	stage->settings = settings_load(stage->path, fault);
	if (stage->settings)
		return true;
	speak_of_real(stage, fault->what, sizeof(fault->what));
	speak_of_real(stage, fault->remedy, sizeof(fault->remedy));
	return false;
}

static bool build(struct stage *stage, struct fault *fault)
{
	str_copy(stage->directory, sizeof(stage->directory), "/tmp/cloudinvite-setup-XXXXXX");
	if (!mkdtemp(stage->directory)) {
		stage->directory[0] = '\0';
		return failed(fault, "/tmp");
	}
	str_format(stage->path, sizeof(stage->path), "%s/cloudinvite.conf", stage->directory);
	return link_drop_ins(stage, fault) && copy_text(stage, fault);
}

bool stage_open(struct stage *stage, const char *real, struct fault *fault)
{
	sigset_t before;
	bool built;

	interrupt_hold(&before);
	*stage = (struct stage){.real = real};
	built = build(stage, fault);
	interrupt_release(&before);
	if (!built)
		return false;
	if (!stage->is_new)
		stage->before = settings_load(real, fault);
	return (stage->is_new || stage->before) && reload(stage, fault);
}

void stage_remove(const struct stage *stage)
{
	if (!stage->directory[0])
		return;
	unlink(stage->drop_ins);
	unlink(stage->path);
	rmdir(stage->directory);
}

void stage_close(struct stage *stage)
{
	sigset_t before;

	interrupt_hold(&before);
	stage_remove(stage);
	stage->directory[0] = '\0';
	interrupt_release(&before);
	settings_free(stage->before);
	settings_free(stage->settings);
	strbuf_wipe(&stage->original);
	strbuf_free(&stage->original);
	*stage = (struct stage){.real = NULL};
}

/* ---- keys ---- */

struct look {
	const char *section, *key;
	char *out;
	size_t size;
};

static bool take_value(const char *section, const char *key, const char *value, const char *origin,
	const char *help, void *ctx)
{
	struct look *look = ctx;

	(void)origin, (void)help;
	if (strcmp(section, look->section) != 0 || strcmp(key, look->key) != 0)
		return true;
	str_copy(look->out, look->size, value);
	return false;
}

static const char *value_of(const struct settings *s, struct look *look)
{
	look->out[0] = '\0';
	if (s)
		(void)settings_each(s, take_value, look);
	return look->out;
}

const char *stage_get(
	struct stage *stage, const char *section, const char *key, char *out, size_t size)
{
	struct look look = {section, key, out, size};

	return value_of(stage->settings, &look);
}

bool stage_set(struct stage *stage, const char *section, const char *key, const char *value,
	struct fault *fault)
{
	char now[1024];

	if (strcmp(stage_get(stage, section, key, now, sizeof(now)), value) == 0)
		return true;
	if (!settings_write(stage->path, section, key, value, fault)) {
		speak_of_real(stage, fault->what, sizeof(fault->what));
		return false;
	}
	return reload(stage, fault);
}

struct compare {
	const struct stage *stage;
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
	struct look look = {section, key, old, sizeof(old)};

	(void)help;
	if (strcmp(value_of(c->stage->before, &look), value) == 0 ||
		(!c->stage->before && strcmp(origin, "default") == 0))
		return true;
	c->count++;
	if (c->each)
		c->each(section, key, old, value, c->ctx);
	return true;
}

int stage_changes(const struct stage *stage,
	void (*each)(
		const char *section, const char *key, const char *old, const char *new, void *ctx),
	void *ctx)
{
	struct compare compare = {.stage = stage, .each = each, .ctx = ctx};

	(void)settings_each(stage->settings, compare_key, &compare);
	return compare.count;
}

/* ---- all of it ---- */

struct relay {
	const struct stage *stage;
	void (*report)(const struct fault *, void *ctx);
	void *ctx;
};

static void relay_finding(const struct fault *fault, void *ctx)
{
	const struct relay *relay = ctx;
	struct fault copy = *fault;

	speak_of_real(relay->stage, copy.what, sizeof(copy.what));
	speak_of_real(relay->stage, copy.remedy, sizeof(copy.remedy));
	relay->report(&copy, relay->ctx);
}

int stage_check(
	const struct stage *stage, void (*report)(const struct fault *, void *ctx), void *ctx)
{
	struct relay relay = {stage, report, ctx};

	return settings_check(stage->settings, relay_finding, &relay);
}

/* ---- taking its place ---- */

/* A dialogue takes minutes, in which somebody else may have edited the file. */
static bool is_unchanged(const struct stage *stage, struct fault *fault)
{
	struct strbuf now = {.data = NULL};
	bool same = access(stage->real, F_OK) == 0
			    ? read_into(stage->real, &now, NULL) && !stage->is_new &&
				      now.len == stage->original.len &&
				      (now.len == 0 ||
					      memcmp(now.data, stage->original.data, now.len) == 0)
			    : stage->is_new;

	strbuf_free(&now);
	if (same)
		return true;
	fault_set(fault, FAULT_SETTINGS, "settings_changed",
		"%s: another process changed the file in the meantime", stage->real);
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
static void fill_new(const struct stage *stage, struct stat *st)
{
	uid_t uid;

	*st = (struct stat){.st_mode = 0640, .st_uid = geteuid(), .st_gid = getegid()};
	if (geteuid() == 0 && strcmp(stage->settings->ledger_user, "root") != 0)
		(void)passwd_find(stage->settings->ledger_user, &uid, &st->st_gid, NULL);
}

/* As it was before, byte for byte: what undoes the change. */
static bool keep_original(
	const struct stage *stage, const char *target, const struct stat *st, struct fault *fault)
{
	char kept[PATH_MAX];

	if (!str_format(kept, sizeof(kept), "%s" STAGE_KEPT, target)) {
		errno = ENAMETOOLONG;
		return failed(fault, target);
	}
	return put(kept, &stage->original, st) || failed(fault, kept);
}

bool stage_commit(struct stage *stage, struct fault *fault)
{
	struct strbuf text = {.data = NULL};
	char target[PATH_MAX];
	struct stat st;
	bool good;

	if (!is_unchanged(stage, fault))
		return false;
	fill_new(stage, &st);
	if (stage->is_new)
		str_copy(target, sizeof(target), stage->real);
	else if (!realpath(stage->real, target) || stat(target, &st) != 0)
		return failed(fault, stage->real);
	good = (stage->is_new || keep_original(stage, target, &st, fault)) &&
	       read_into(stage->path, &text, fault);
	if (good && !put(target, &text, &st))
		good = failed(fault, target);
	strbuf_free(&text);
	return good;
}
