/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache's files. They are believed only if the directory belongs to this account and to no
 * other.
 */
#include "google/auth/token_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/secret_json.h"
#include "google/auth/token_request.h"
#include "google/http/secret.h"
#include "google/types.h"

#define FILE_MAX    ((size_t)2 * ACCESS_TOKEN_MAX)
#define OLD_SECONDS 86400

static bool refuse_dir(const char *path, const char *why, struct fault *f)
{
	fault_set(f, FAULT_STORAGE, "token_cache", "%s: %s; tokens are not stored", path, why);
	return fault_remedy(
		f, "Run `cloudinvite-dispatcher --prepare` as root, or correct [storage] tokens.");
}

int token_file_dir(const struct settings *settings, struct fault *fault)
{
	int dir = file_open_dir(settings->tokens);
	struct stat st;

	if (dir < 0) {
		refuse_dir(settings->tokens, strerror(errno), fault);
		return -1;
	}
	if (fstat(dir, &st) || (st.st_uid != geteuid() && st.st_uid != 0) ||
		(st.st_mode & (S_IWGRP | S_IWOTH)))
		refuse_dir(settings->tokens, "other users can write to it", fault);
	else if (faccessat(dir, ".", R_OK | W_OK | X_OK, AT_EACCESS))
		refuse_dir(settings->tokens, strerror(errno), fault);
	else
		return dir;
	file_close(&dir);
	return -1;
}

static bool file_name(const char *hash, const char *suffix, char *out, size_t size)
{
	return str_format(out, size, "token-%s.%s", hash, suffix);
}

/* ---- reading ---- */

static bool take(const json_t *json, struct token *out)
{
	const char *value = json_string_value(json_object_get(json, "access_token"));
	const char *by = json_string_value(json_object_get(json, "minted_by"));

	if (!value || !access_token_valid(value))
		return false;
	out->expires = json_integer_value(json_object_get(json, "expires"));
	out->minted_at = json_integer_value(json_object_get(json, "minted_at"));
	str_safe(out->minted_by, sizeof(out->minted_by), by ? by : "");
	out->value = strdup(value);
	return out->value;
}

bool token_file_read(int dir, const char *hash, struct token *out)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .secret = true, .trusted = true};
	struct strbuf text = {.max = FILE_MAX + 1};
	struct fault ignored = {0};
	json_t *json = NULL;
	char name[96];
	bool ok;

	ok = file_name(hash, "json", name, sizeof(name)) &&
	     file_read_at(dir, name, &rules, &text, FAULT_STORAGE, &ignored);
	if (ok)
		json = secret_json(text.data ? text.data : "", text.len, NULL);
	ok = json && take(json, out);
	secret_json_free(json);
	strbuf_wipe(&text);
	strbuf_free(&text);
	return ok;
}

/* ---- writing ---- */

int token_file_write(int dir, const struct credential *c, const struct token *t)
{
	json_t *json = json_pack("{s:s, s:I, s:I, s:s, s:s, s:s}", "access_token", t->value,
		"expires", (json_int_t)t->expires, "minted_at", (json_int_t)t->minted_at,
		"minted_by", t->minted_by, "identity", c->identity, "scope", GOOGLE_SCOPE);
	char *text = json ? secret_json_text(json) : NULL;
	char name[96];
	int rc = -1;

	errno = ENOMEM;
	if (text && file_name(c->hash, "json", name, sizeof(name)))
		rc = file_replace_at(dir, name, text, strlen(text), 0600);
	secret_free(text);
	secret_json_free(json);
	return rc;
}

static void remove_old(int dir, const char *name, time_t now)
{
	struct stat st;

	if (!str_starts(name, "token-") || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return;
	if (S_ISREG(st.st_mode) && st.st_mtime < now - OLD_SECONDS)
		unlinkat(dir, name, 0);
}

/* If a lock is removed while a process holds it, one token is minted twice, which does no harm. */
void token_file_remove_old(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;

	if (!d) {
		file_close(&copy);
		return;
	}
	while ((entry = readdir(d)))
		remove_old(dir, entry->d_name, (time_t)clock_wall());
	closedir(d);
}

/* ---- the lock ---- */

int token_file_lock(int dir, const char *hash)
{
	char name[96];
	int fd = -1;

	if (!file_name(hash, "lock", name, sizeof(name)))
		return -1;
	fd = openat(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		file_close(&fd);
		return -1;
	}
	futimens(fd, NULL); /* the file is in use: token_file_remove_old() must not remove it */
	return fd;
}
