/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of files that the collector could read but does not need: the credential, and others that
 * let their reader act as another account.
 */
#include "cli/doctor/doctor.h"

#include <limits.h>
#include <string.h>

#include "base/array.h"
#include "base/str.h"
#include "google/auth/hsm/hsm_uri.h"

static bool is_below(const char *path, const char *directory)
{
	return str_starts(path, directory) && path[strlen(directory)] == '/';
}

static bool is_private(const char *path, const char *above)
{
	char directory[PATH_MAX];

	return str_format(directory, sizeof(directory), "%s/" SETTINGS_PRIVATE, above) &&
	       is_below(path, directory);
}

/* The path without its last part; "" is the root directory. */
static void directory_of(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');

	str_format(out, size, "%.*s", slash ? (int)(slash - path) : 0, path);
}

/* The paths that the collector's unit hides (config/systemd): homes, temporary directories,
 * systemd's credentials, the tokens, and the two directories for credentials. */
static bool is_hidden(const struct settings *s, const char *path)
{
	static const char *const hidden[] = {
		"/home", "/root", "/run/user", "/run/credentials", "/tmp", "/var/tmp"};
	char beside[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (is_below(path, hidden[i]))
			return true;
	directory_of(settings_path(s), beside, sizeof(beside));
	return is_private(path, beside) || is_private(path, s->state) || is_below(path, s->tokens);
}

static void check_path(struct doctor *d, const char *key, const char *path)
{
	char beside[PATH_MAX], remedy[640];

	if (path[0] != '/' || is_hidden(d->settings, path))
		return;
	directory_of(settings_path(d->settings), beside, sizeof(beside));
	str_format(remedy, sizeof(remedy),
		"Move it into %s/" SETTINGS_PRIVATE
		"/ and set [google] %s to the new path; the collector's unit hides that directory. "
		"A login made with cloudinvite login is stored in a hidden place already.",
		beside, key);
	doctor_note(d, "collector_sees_it", remedy,
		"%s: the collector can read it, although it does not need it", path);
}

void doctor_secrets(struct doctor *d)
{
	const struct settings *s = d->settings;
	int before = d->count[HEALTH_NOTE];
	char pin[512];

	if (!s || s->role == ROLE_HUB) {
		doctor_skip(d, s ? "skipped: this host runs only the dispatcher"
				 : "skipped: needs valid settings");
		return;
	}
	if (!s->key[0])
		check_path(d, "credentials", s->credentials);
	else if (hsm_uri_pin_file(s->key, pin, sizeof(pin)))
		check_path(d, "key", pin);
	check_path(d, "client_key", s->client_key);
	if (d->count[HEALTH_NOTE] == before)
		doctor_ok(d, "the collector cannot read any credential");
}
