/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What setup reads from the credential's file: its type, and the number under which Google knows
 * the service account. Secrets in it are wiped and never shown.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/setup/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/privdrop.h"
#include "cli/common/interrupt.h"
#include "google/auth/secret_json.h"

#define FILE_MAX ((size_t)64 * 1024)
#define NAME	 "credentials.json"
/* The dispatcher's account can search the directory and read the file, but change neither. No other
 * account can find out what is in it. */
#define DIR_MODE  0710
#define FILE_MODE 0640

static bool read_file(struct setup *s, const char *path, struct strbuf *text)
{
	const struct file_rules rules = {.max_size = FILE_MAX};

	text->max = FILE_MAX + 1;
	return file_read(path, &rules, text, FAULT_CREDENTIALS, &s->fault);
}

static void copy_member(const json_t *file, const char *key, char *out, size_t size)
{
	const char *word = json_string_value(json_object_get(file, key));

	if (!word || !str_copy(out, size, word))
		out[0] = '\0';
}

static enum setup_route route_of(const char *type)
{
	if (strcmp(type, "service_account") == 0)
		return ROUTE_KEY;
	if (strcmp(type, "authorized_user") == 0)
		return ROUTE_LOGIN;
	if (strcmp(type, "external_account") == 0 ||
		strcmp(type, "impersonated_service_account") == 0)
		return ROUTE_KEYLESS;
	return ROUTE_UNKNOWN;
}

static void classify_file(const json_t *file, struct setup_credential *out)
{
	char type[64];

	copy_member(file, "type", type, sizeof(type));
	out->route = route_of(type);
	out->federated = strcmp(type, "external_account") == 0;
	if (out->route != ROUTE_KEY)
		return;
	copy_member(file, "client_id", out->client_id, sizeof(out->client_id));
	copy_member(file, "project_id", out->project, sizeof(out->project));
	copy_member(file, "client_email", out->account, sizeof(out->account));
	if (out->client_id[strspn(out->client_id, "0123456789")])
		out->client_id[0] = '\0';
}

static bool read_limited(
	struct setup *s, const char *path, const struct strbuf *text, struct setup_credential *out)
{
	json_t *file = secret_json(text->data ? text->data : "", text->len, NULL);

	*out = (struct setup_credential){.route = ROUTE_UNKNOWN};
	if (file)
		classify_file(file, out);
	secret_json_free(file);
	if (out->route != ROUTE_UNKNOWN)
		return true;
	fault_set(&s->fault, FAULT_CREDENTIALS, "not_a_credential",
		"%s: is not a Google credential that can act as an administrator", path);
	return fault_remedy(&s->fault,
		"Name the service account's JSON file from the Google Cloud console, a login "
		"stored by `cloudinvite login`, or metadata: (see `cloudinvite setup --guide`).");
}

bool setup_credential_read(struct setup *s, const char *path, struct setup_credential *out)
{
	struct strbuf text = {.data = NULL};
	bool good;

	*out = (struct setup_credential){.route = ROUTE_UNKNOWN};
	if (strcmp(path, "metadata:") == 0) {
		out->route = ROUTE_KEYLESS;
		return true;
	}
	if (path[0] != '/')
		return true; /* systemd:NAME, which only the service gets */
	good = read_file(s, path, &text) && read_limited(s, path, &text, out);
	strbuf_wipe(&text);
	strbuf_free(&text);
	return good;
}

/* ---- a copy for the service ---- */

static bool not_installed(struct setup *s, const char *path, int error)
{
	fault_set(&s->fault, FAULT_STORAGE, "not_installed", "%s: %s", path, strerror(error));
	return fault_remedy(&s->fault, "Run it as root, and free some space there.");
}

static bool is_same(const char *path, const struct strbuf *text, gid_t gid)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .missing_ok = true};
	struct strbuf old = {.max = FILE_MAX + 1};
	struct stat st;
	bool same = stat(path, &st) == 0 && st.st_uid == 0 && st.st_gid == gid &&
		    (st.st_mode & 07777) == FILE_MODE &&
		    file_read(path, &rules, &old, FAULT_STORAGE, NULL) && old.len == text->len &&
		    memcmp(old.data, text->data, old.len) == 0;

	strbuf_wipe(&old);
	strbuf_free(&old);
	return same;
}

/* Makes it root's, whatever the umask, and whatever a package set. */
static int open_place(const char *directory, gid_t gid)
{
	bool made = mkdir(directory, DIR_MODE) == 0 || errno == EEXIST;
	int dir = made ? file_open_dir(directory) : -1;

	if (dir >= 0 && (fchown(dir, 0, gid) != 0 || fchmod(dir, DIR_MODE) != 0))
		file_close(&dir);
	return dir;
}

/* Only root can read it while it is written. */
static bool write_copy(struct setup *s, const struct strbuf *text, gid_t gid)
{
	char directory[PATH_MAX];
	bool good;
	int dir, error;

	str_format(directory, sizeof(directory), "%.*s", (int)(strrchr(s->copy, '/') - s->copy),
		s->copy);
	dir = open_place(directory, gid);
	good = dir >= 0 && file_replace_at(dir, NAME, text->data, text->len, 0600) == 0 &&
	       fchownat(dir, NAME, 0, gid, AT_SYMLINK_NOFOLLOW) == 0 &&
	       fchmodat(dir, NAME, FILE_MODE, 0) == 0;
	error = errno;
	file_close(&dir);
	return good || not_installed(s, directory, error);
}

bool setup_credential_place(struct setup *s, char *path, size_t size)
{
	const char *slash = strrchr(s->path, '/');
	char directory[PATH_MAX] = ".", whole[PATH_MAX];

	if (!s->install)
		return true;
	if (slash)
		str_format(directory, sizeof(directory), "%.*s",
			slash == s->path ? 1 : (int)(slash - s->path), s->path);
	if (!realpath(directory, whole))
		return not_installed(s, directory, errno);
	return str_copy(s->original, sizeof(s->original), path) &&
	       str_format(s->copy, sizeof(s->copy), "%s/" SETTINGS_PRIVATE "/" NAME, whole) &&
	       str_copy(path, size, s->copy);
}

bool setup_credential_install(struct setup *s)
{
	struct setup_credential known;
	struct strbuf text = {.data = NULL};
	const char *user = s->draft.settings->dispatcher_user;
	sigset_t before;
	uid_t uid;
	gid_t gid;
	bool good;

	if (!s->copy[0] || strcmp(s->copy, s->original) == 0)
		return true;
	/* It is checked again, because another user could have replaced it since, depending on its
	 * directory. */
	good = passwd_find(user, &uid, &gid, &s->fault) && read_file(s, s->original, &text) &&
	       read_limited(s, s->original, &text, &known);
	if (good && !is_same(s->copy, &text, gid)) {
		interrupt_hold(&before);
		good = write_copy(s, &text, gid);
		s->changed = s->changed || good;
		setup_part(s, PART_CREDENTIAL, good ? PART_WRITTEN : PART_OPEN);
		interrupt_release(&before);
	}
	strbuf_wipe(&text);
	strbuf_free(&text);
	return good;
}
