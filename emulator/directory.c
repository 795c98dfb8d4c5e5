/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files for clients. The emulator's port comes last; a client that waits for it finds the
 * others.
 */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "xmalloc.h"

static bool directory_error(const char *path, const char *name)
{
	fprintf(stderr, "cloudinvite-emulator: --directory: %s/%s: %s\n", path, name,
		strerror(errno));
	return false;
}

static void directory_remove(const char *path, const char *name)
{
	char *file = xasprintf("%s/%s", path, name);

	unlink(file);
	free(file);
}

static bool write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		ssize_t n = write(fd, text, left);

		if (n < 0)
			return false;
		text += n;
		left -= (size_t)n;
	}
	return true;
}

/* Renamed into place, so that a reader sees the whole file or none. */
static bool directory_write(const char *path, const char *name, mode_t mode, const char *text)
{
	char *file = xasprintf("%s/%s", path, name), *new = xasprintf("%s/.%s.new", path, name);
	int fd;
	bool ok;

	unlink(new);
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	ok = fd >= 0 && fchmod(fd, mode) == 0 && write_all(fd, text);
	if (fd >= 0 && close(fd) != 0)
		ok = false;
	ok = ok && rename(new, file) == 0;
	if (!ok)
		directory_error(path, name);
	free(new);
	free(file);
	return ok;
}

bool directory_prepare(const char *path)
{
	struct stat st;

	if (mkdir(path, 0755) != 0 && errno != EEXIST)
		return directory_error(path, "");
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return directory_error(path, "");
	}
	directory_remove(path, "port");
	return true;
}

/* A key file in the form of Google's console, except for the token URL. */
static char *credentials_text(const struct emulator *e)
{
	char *pem = keyring_private_pem(e->keyring.service_key);
	char *token_uri = xasprintf("%s/token", e->google.base);
	json_t *file = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "type",
		"service_account", "project_id", OWN_PROJECT, "private_key_id",
		e->keyring.service_kid, "private_key", pem, "client_email", OWN_EMAIL, "client_id",
		OWN_CLIENT_ID, "auth_uri", "https://accounts.google.com/o/oauth2/auth", "token_uri",
		token_uri, "auth_provider_x509_cert_url",
		"https://www.googleapis.com/oauth2/v1/certs", "universe_domain", "googleapis.com");
	char *text = xnonnull(json_dumps(file, JSON_INDENT(2) | JSON_PRESERVE_ORDER));

	json_decref(file);
	free(token_uri);
	free(pem);
	return text;
}

/* A desktop client's file in the form of Google's console. */
static char *client_text(const struct emulator *e)
{
	char *auth_uri = xasprintf("%s/o/oauth2/v2/auth", e->google.base);
	char *token_uri = xasprintf("%s/token", e->google.base);
	json_t *file = json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:[s]}}", "installed", "client_id",
		OWN_OAUTH_CLIENT, "project_id", OWN_PROJECT, "auth_uri", auth_uri, "token_uri",
		token_uri, "client_secret", OWN_OAUTH_SECRET, "redirect_uris", "http://localhost");
	char *text = xnonnull(json_dumps(file, JSON_COMPACT | JSON_PRESERVE_ORDER));

	json_decref(file);
	free(token_uri);
	free(auth_uri);
	return text;
}

static char *settings_text(const struct emulator *e, const char *path)
{
	bool tls = strncmp(e->google.base, "https:", 6) == 0;
	bool metadata = e->metadata.daemon;

	return xasprintf(
		"; Written by cloudinvite-emulator: this part of cloudinvite.conf points at "
		"it instead of Google.\n"
		"[google]\n"
		"customer = %s\n"
		"credentials = %s/credentials.json\n"
		"subject = %s\n"
		"endpoint = %s\n"
		"token_endpoint = %s/token\n"
		"authorization_endpoint = %s/o/oauth2/v2/auth\n"
		"iam_endpoint = %s\n"
		"sts_endpoint = %s/v1/token\n"
		"%s%s%s%s%s%s",
		e->tenant->customer, path,
		e->tenant->n_admins > 0 ? e->tenant->admins[0].address : "admin@example.com",
		e->google.base, e->google.base, e->google.base, e->google.base, e->google.base,
		metadata ? "metadata_endpoint = " : "", e->metadata.base, metadata ? "\n" : "",
		tls ? "ca_file = " : "", tls ? path : "", tls ? "/ca.pem\n" : "");
}

bool directory_publish(const struct emulator *e, const char *path)
{
	char *whole = xnonnull(realpath(path, NULL));
	char *credentials = credentials_text(e), *settings = settings_text(e, whole);
	char *client = client_text(e);
	char port[16];
	bool ok;

	snprintf(port, sizeof port, "%u\n", (unsigned int)e->google.port);
	ok = directory_write(path, "ca.pem", 0644, e->keyring.ca_pem) &&
	     directory_write(path, "credentials.json", 0600, credentials) &&
	     directory_write(path, "client.json", 0600, client) &&
	     directory_write(path, "cloudinvite.conf", 0644, settings) &&
	     directory_write(path, "port", 0644, port);
	free(client);
	free(settings);
	free(credentials);
	free(whole);
	return ok;
}

void directory_remove_port(const char *path)
{
	directory_remove(path, "port");
}
