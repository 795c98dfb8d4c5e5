/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storing a login: a file of the service's account, in the state directory unless another path is
 * given.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "cli/api/login.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/instance.h"
#include "base/privdrop.h"
#include "google/api/google.h"
#include "google/auth/secret_json.h"
#include "google/auth/token.h"
#include "google/http/secret.h"
#include "google/types.h"
#include "engine/engine.h"

#define FILE_MAX 65536

/* ---- the destination ---- */

static bool is_in(const char *path, const char *directory)
{
	size_t n = strlen(directory);

	return str_starts(path, directory) && path[n] == '/' && !strchr(path + n + 1, '/');
}

/* Replaces the file that the settings name, if it is in the service's own directory. */
static bool choose_path(struct login *l)
{
	const struct settings *s = l->settings;
	char place[PATH_MAX];
	int dir;

	if (l->output)
		return str_copy(l->path, sizeof(l->path), l->output);
	if (!str_format(place, sizeof(place), "%s/" SETTINGS_PRIVATE, s->state))
		return false;
	/* If it cannot be made, the next check says why. */
	dir = file_make_dir(s->state, SETTINGS_PRIVATE);
	file_close(&dir);
	if (is_in(s->credentials, place) || is_in(s->credentials, s->state))
		return str_copy(l->path, sizeof(l->path), s->credentials);
	return str_format(l->path, sizeof(l->path), "%s/login.json", place);
}

static bool check_directory(struct login *l)
{
	const char *slash = strrchr(l->path, '/');
	char directory[PATH_MAX] = ".";

	if (slash)
		str_format(directory, sizeof(directory), "%.*s",
			slash == l->path ? 1 : (int)(slash - l->path), l->path);
	if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0)
		return true;
	fault_set(&l->fault, FAULT_STORAGE, "cannot_keep", "%s: cannot store the login there: %s",
		directory, strerror(errno));
	if (l->output)
		return fault_remedy(&l->fault,
			"Omit --output to store it in %s, or name a directory that %s may write "
			"to.",
			l->settings->state, l->settings->dispatcher_user);
	return fault_remedy(&l->fault,
		"Run `cloudinvite-dispatcher --prepare` as root, then run this command as root.");
}

static bool refuse_other(struct login *l, const char *what)
{
	fault_set(&l->fault, FAULT_CREDENTIALS, "would_replace", "%s: %s would be overwritten",
		l->path, what);
	return fault_remedy(&l->fault, "Name another file with --output, or move this one away.");
}

/* A login may replace another login, but no other file. */
static bool check_old(struct login *l, const json_t *file)
{
	const char *type = json_string_value(json_object_get(file, "type"));
	const char *client = json_string_value(json_object_get(file, "client_id"));
	const char *token = json_string_value(json_object_get(file, "refresh_token"));

	if (!type || strcmp(type, "authorized_user") != 0)
		return refuse_other(l, type ? type : "a file that is not a login");
	l->replaces = client && token && refresh_store_key(&l->old, client, token);
	return true;
}

bool login_place(struct login *l)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .follow = true};
	struct strbuf text = {.max = FILE_MAX + 1};
	json_t *json;
	bool ok;

	if (!choose_path(l))
		return fault_set(&l->fault, FAULT_USAGE, "path_long", "the path is too long");
	if (!check_directory(l))
		return false;
	if (access(l->path, F_OK) != 0 && errno == ENOENT)
		return true;
	ok = file_read(l->path, &rules, &text, FAULT_STORAGE, &l->fault);
	json = secret_json(text.data ? text.data : "", text.len, NULL);
	ok = ok && check_old(l, json);
	secret_json_free(json);
	strbuf_wipe(&text);
	strbuf_free(&text);
	return ok;
}

/* ---- the file ---- */

static json_t *make(const struct login *l)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:[s], s:s}", "type", "authorized_user",
		"client_id", l->client.id, "client_secret", l->client.secret, "refresh_token",
		l->granted.refresh_token, "scopes", GOOGLE_SCOPE, "universe_domain",
		"googleapis.com");

	if (json && *l->account)
		json_object_set_new(json, "account", json_string(l->account));
	return json;
}

/* The settings require an absolute path. */
static void make_absolute(struct login *l)
{
	char *whole = realpath(l->path, NULL);

	if (whole)
		str_copy(l->path, sizeof(l->path), whole);
	free(whole);
}

bool login_keep(struct login *l)
{
	json_t *json = make(l);
	char *text = json ? secret_json_text(json) : NULL;
	bool ok = text && file_replace(l->path, text, strlen(text), 0600) == 0;

	if (ok) {
		make_absolute(l);
		if (l->replaces)
			refresh_store_remove(&l->old, l->settings);
	} else {
		fault_set(&l->fault, FAULT_STORAGE, "cannot_keep", "%s: %s", l->path,
			strerror(errno));
		fault_remedy(&l->fault, "Free some space there, and log in again.");
	}
	secret_free(text);
	secret_json_free(json);
	return ok;
}

/* ---- the test ---- */

static void on_page(const struct google_reply *reply, void *ctx)
{
	(void)reply, (void)ctx;
}

static bool call(struct login *l, struct ledger *ledger)
{
	const struct google_call first = {.method = GOOGLE_LIST, .list_page_size = 1};
	char host[HOST_MAX + 1], owner[HOST_MAX + 32];
	struct engine_options options = {.owner = owner, .actor = l->cli->actor, .admin = true};
	struct google *google;
	struct engine *invite = NULL;

	local_hostname(host, sizeof(host));
	str_format(owner, sizeof(owner), "cli@%s:%d", host, (int)getpid());
	google = google_open(l->settings, &l->fault);
	if (google)
		invite = engine_open(l->settings, ledger, google, &options, &l->fault);
	if (invite)
		engine_list(invite, &first, NULL, NULL, on_page, &l->fault);
	engine_close(invite);
	google_close(google);
	return l->fault.kind == FAULT_NONE;
}

/* If the settings name the file already, the dispatcher may have paused because it was missing. The
 * call that it would repeat later, to end the pause, has just succeeded. */
static bool end_pause(struct login *l, struct ledger *ledger)
{
	int ended = ledger_resume(ledger, "setup", l->cli->actor, &l->fault);

	if (ended > 0)
		wakeup_send(l->settings->run);
	return ended >= 0;
}

/* Tries the new login instead of the one that the settings name. */
bool login_try(struct login *l)
{
	struct settings *s = l->settings;
	char *credentials = s->credentials, *subject = s->subject, *key = s->key, none[] = "";
	struct ledger *ledger = ledger_open(s, LEDGER_CREATE, &l->fault);
	bool ok;

	s->credentials = l->path;
	s->subject = s->key = none;
	ok = ledger && call(l, ledger);
	s->credentials = credentials;
	s->subject = subject;
	s->key = key;
	if (ok && strcmp(credentials, l->path) == 0 && !*key)
		ok = end_pause(l, ledger);
	ledger_close(ledger);
	return ok;
}
