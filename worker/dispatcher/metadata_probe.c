/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out whether every user of this machine can reach the metadata server. Root connects first;
 * then a child that has become `nobody` tries the same addresses. The result counts only if root
 * gets an answer before and after.
 */
#include "worker/dispatcher/metadata_probe.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/metadata_exposure.h"
#include "google/auth/secret_json.h"
#include "settings/systemd.h"
#include "worker/prepare_directory.h"

#define NOBODY	     65534
#define CONNECT_MS   2000
#define WAIT_MS	     3000 /* for the network; the unit starts again after half a minute anyway */
#define WAIT_STEP_S  1
#define ADDRS_MAX    8
#define FILE_MAX     65536
#define GOOGLES_HOST "metadata.google.internal"

/* ---- whether a probe is needed ---- */

/* A credential's file may name another cloud's metadata server, the only plain http that it may
 * name. */
static bool file_needs_metadata(const char *path, const struct settings *s)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .follow = true};
	struct strbuf text = {.max = FILE_MAX + 1};
	const char *url = NULL;
	json_t *json = NULL;
	bool answer;

	if (file_read(path, &rules, &text, FAULT_CREDENTIALS, NULL) && text.data)
		json = secret_json(text.data, text.len, NULL);
	url = json_string_value(json_object_get(json_object_get(json, "credential_source"), "url"));
	answer = url && str_starts(url, s->metadata_endpoint);
	secret_json_free(json);
	strbuf_wipe(&text);
	strbuf_free(&text);
	return answer;
}

/* The service could have replaced the file, for example by a link to a device that acts when it is
 * opened, so it is opened with the service's rights. Without an answer, true. */
static bool service_needs_metadata(const char *path, const struct settings *s)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		_exit(!settings_run_as(s, ACCOUNT_DISPATCHER, NULL) ||
			file_needs_metadata(path, s));
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return child < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

static bool needs_metadata(const struct settings *s)
{
	char path[4096];

	if (*s->key)
		return false;
	if (strcmp(s->credentials, "metadata:") == 0)
		return true;
	if (str_starts(s->credentials, SYSTEMD_PREFIX))
		return systemd_credential(
			       s->credentials + strlen(SYSTEMD_PREFIX), path, sizeof(path)) &&
		       service_needs_metadata(path, s);
	return *s->credentials && service_needs_metadata(s->credentials, s);
}

/* ---- the addresses ---- */

/* The server's addresses; each is a way to reach it. */
struct endpoint_addrs {
	struct {
		struct sockaddr_storage address;
		socklen_t len;
	} all[ADDRS_MAX];
	size_t count;
};

static void add_addrs(struct endpoint_addrs *d, const char *host, const char *port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;

	if (getaddrinfo(host, port, &hints, &list) != 0)
		return;
	for (const struct addrinfo *a = list; a && d->count < ADDRS_MAX; a = a->ai_next) {
		memcpy(&d->all[d->count].address, a->ai_addr, a->ai_addrlen);
		d->all[d->count++].len = a->ai_addrlen;
	}
	freeaddrinfo(list);
}

/* Google's server has a fixed address, whatever its name resolves to. */
static void find_addrs(const struct settings *s, struct endpoint_addrs *d)
{
	CURLU *url = curl_url();
	char *host = NULL, *port = NULL;

	d->count = 0;
	if (!url || curl_url_set(url, CURLUPART_URL, s->metadata_endpoint, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
		curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
		goto out;
	if (strcmp(host, GOOGLES_HOST) == 0) {
		add_addrs(d, "169.254.169.254", port);
		add_addrs(d, "fd20:ce::254", port);
	}
	if (*host == '[') {
		host[strlen(host) - 1] = '\0';
		add_addrs(d, host + 1, port);
	} else {
		add_addrs(d, host, port);
	}
out:
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
}

/* ---- probing ---- */

static bool try_connect(const struct sockaddr *address, socklen_t len)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd out = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(errno);
	int error = 0;

	if (fd < 0)
		return false;
	if (connect(fd, address, len) != 0)
		error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (poll(&out, 1, CONNECT_MS) == 1)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	}
	close(fd);
	errno = error;
	return error == 0;
}

static bool can_connect(const struct endpoint_addrs *d)
{
	for (size_t i = 0; i < d->count; i++) {
		if (try_connect((const struct sockaddr *)&d->all[i].address, d->all[i].len))
			return true;
	}
	return false;
}

/* In a child that can never become root again. */
static enum metadata_exposure probe_as_nobody(const struct endpoint_addrs *d)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return METADATA_UNKNOWN;
	if (child == 0) {
		if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
			setresuid(NOBODY, NOBODY, NOBODY) != 0)
			_exit(METADATA_UNKNOWN);
		_exit(can_connect(d) ? METADATA_EXPOSED : METADATA_PROTECTED);
	}
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return METADATA_UNKNOWN;
	}
	return WIFEXITED(status) ? (enum metadata_exposure)WEXITSTATUS(status) : METADATA_UNKNOWN;
}

static bool probe_as_root(const struct settings *s, struct endpoint_addrs *d)
{
	int64_t end = clock_boot_ms() + WAIT_MS;

	while (true) {
		find_addrs(s, d);
		if (can_connect(d))
			return true;
		if (clock_boot_ms() >= end)
			return false;
		sleep(WAIT_STEP_S);
	}
}

/* A failure of other users means something only if root succeeds before and after. */
static enum metadata_exposure probe(const struct settings *s, const char **why)
{
	struct endpoint_addrs addrs;
	enum metadata_exposure found;

	*why = "even root cannot reach it";
	if (!probe_as_root(s, &addrs))
		return METADATA_UNKNOWN;
	found = probe_as_nobody(&addrs);
	if (found == METADATA_UNKNOWN)
		*why = "root could not test as another user";
	else if (found == METADATA_EXPOSED)
		*why = "an unprivileged user can reach it";
	else if (can_connect(&addrs))
		*why = "root can reach it, an unprivileged user cannot";
	else
		found = METADATA_UNKNOWN;
	return found;
}

/* ---- everything ---- */

bool metadata_probe(const struct settings *s, struct fault *fault)
{
	enum metadata_exposure found;
	const char *why;
	char path[4096];
	int dir, rc = -1;

	if (geteuid() != 0 || s->metadata_exposed == EXPOSED_ACCEPT || !needs_metadata(s))
		return true;
	if (!metadata_exposure_path(s, path, sizeof(path)))
		return fault_set(fault, FAULT_STORAGE, "prepare", "%s: too long", s->run);
	dir = prepare_open_parent(path, fault);
	if (dir < 0)
		return false;
	found = probe(s, &why);
	rc = metadata_exposure_write(dir, s, found, why);
	file_close(&dir);
	if (rc != 0)
		return fault_set(fault, FAULT_STORAGE, "prepare", "%s: %s", path, strerror(errno));
	log_event(found == METADATA_PROTECTED ? LOG_LEVEL_NOTE : LOG_LEVEL_WARN,
		"metadata_exposure", "%s: %s", s->metadata_endpoint, why);
	return true;
}
