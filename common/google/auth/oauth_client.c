/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console's file, and which of its redirects can be used.
 */
#include "google/auth/oauth_client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/secret_json.h"
#include "google/auth/token_request.h"
#include "google/http/secret.h"

#define FILE_MAX 65536

#define REMEDY                                                                         \
	"Use the file from the Google Cloud console (APIs and services > "             \
	"Credentials > Create credentials > OAuth client ID > Desktop app > Download " \
	"JSON), unchanged."

/* ---- the file ---- */

static bool refuse(struct fault *f, const char *path, const char *what)
{
	fault_set(f, FAULT_CREDENTIALS, "client_file", "%s: %s", path, what);
	return fault_remedy(f, REMEDY);
}

/* The file is not treated as a secret: a desktop client cannot keep one, and the file is where a
 * browser has put it. */
static json_t *read_file(const char *path, struct fault *f)
{
	const struct file_rules rules = {.max_size = FILE_MAX, .follow = true};
	struct strbuf text = {.max = FILE_MAX + 1};
	json_t *json = NULL;

	if (!file_read(path, &rules, &text, FAULT_CREDENTIALS, f)) {
		if (!*f->remedy)
			fault_remedy(f, REMEDY);
	} else {
		json = secret_json(text.data ? text.data : "", text.len, NULL);
		if (!json_is_object(json)) {
			refuse(f, path, "not a JSON object");
			secret_json_free(json);
			json = NULL;
		}
	}
	strbuf_wipe(&text);
	strbuf_free(&text);
	return json;
}

static bool take(const json_t *part, const char *name, char **out)
{
	const char *value = json_string_value(json_object_get(part, name));

	if (value && access_token_valid(value))
		*out = strdup(value);
	return *out;
}

/* Ignores entries that are not strings. */
static void take_redirects(struct oauth_client *client, const json_t *list)
{
	const json_t *entry;
	size_t i, n = 0;

	json_array_foreach(list, i, entry)
	{
		const char *uri = json_string_value(entry);

		if (uri && access_token_valid(uri) && n < OAUTH_REDIRECTS_MAX)
			n += !!(client->redirects[n] = strdup(uri));
	}
}

static bool take_all(struct oauth_client *client, const json_t *file, struct fault *f)
{
	const json_t *part = json_object_get(file, "installed");

	if (!part) {
		part = json_object_get(file, "web");
		client->web = part;
	}
	if (!part)
		return refuse(f, client->path,
			json_object_get(file, "type")
				? "a credential, not an OAuth client (with 'installed' or 'web')"
				: "not an OAuth client: it has neither 'installed' nor 'web'");
	if (!take(part, "client_id", &client->id))
		return refuse(f, client->path, "'client_id' is missing or not a valid string");
	if (!take(part, "client_secret", &client->secret))
		return refuse(f, client->path, "'client_secret' is missing or not a valid string");
	take_redirects(client, json_object_get(part, "redirect_uris"));
	return true;
}

bool oauth_client_load(struct oauth_client *client, const char *path, struct fault *fault)
{
	json_t *json = read_file(path, fault);
	bool ok;

	*client = (struct oauth_client){.path = path};
	ok = json && take_all(client, json, fault);
	secret_json_free(json);
	if (!ok)
		oauth_client_free(client);
	return ok;
}

void oauth_client_free(struct oauth_client *client)
{
	free(client->id);
	secret_free(client->secret);
	for (size_t i = 0; client->redirects[i]; i++)
		free(client->redirects[i]);
	*client = (struct oauth_client){.path = client->path};
}

/* ---- the redirect ---- */

/* A part of a parsed address. */
static bool part(CURLU *url, CURLUPart what, unsigned flags, char *out, size_t size)
{
	char *text = NULL;
	bool ok = curl_url_get(url, what, &text, flags) == CURLUE_OK && str_copy(out, size, text);

	curl_free(text);
	return ok;
}

/* The command listens on 127.0.0.1 only; a browser tries that for "localhost" too. */
static bool parse(const char *uri, struct oauth_redirect *out)
{
	CURLU *url = curl_url();
	char scheme[16], host[256], port[8] = "80";
	long long number = 0;
	bool ok = url && curl_url_set(url, CURLUPART_URL, uri, 0) == CURLUE_OK &&
		  part(url, CURLUPART_SCHEME, 0, scheme, sizeof(scheme)) &&
		  part(url, CURLUPART_HOST, 0, host, sizeof(host)) &&
		  part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)) &&
		  part(url, CURLUPART_PATH, 0, out->path, sizeof(out->path)) &&
		  str_number(port, 1, 65535, &number) && str_copy(out->uri, sizeof(out->uri), uri);

	curl_url_cleanup(url);
	out->port = (uint16_t)number;
	out->loopback = ok && strcmp(scheme, "http") == 0 &&
			(strcmp(host, "127.0.0.1") == 0 || strcmp(host, "localhost") == 0);
	return ok && (out->loopback || strcmp(scheme, "https") == 0);
}

static bool registered(
	const struct oauth_client *client, bool loopback, uint16_t port, struct oauth_redirect *out)
{
	for (size_t i = 0; client->redirects[i]; i++) {
		if (parse(client->redirects[i], out) && out->loopback == loopback &&
			(!port || out->port == port))
			return true;
	}
	return false;
}

static bool refuse_web(const struct oauth_client *client, uint16_t port, struct fault *f)
{
	fault_set(f, FAULT_CREDENTIALS, "client_redirect",
		"%s: the web client has no registered redirect URI that can be used", client->path);
	return fault_remedy(f,
		"In the Google Cloud console, add http://127.0.0.1:%u/ to its authorised redirect "
		"URIs and download the file again, or use a client of type Desktop app.",
		port ? port : 8080u);
}

bool oauth_client_redirect(const struct oauth_client *client, uint16_t port,
	struct oauth_redirect *out, struct fault *fault)
{
	*out = (struct oauth_redirect){.loopback = true, .path = "/"};
	if (!client->web) {
		oauth_redirect_bound(out, port);
		return true;
	}
	return registered(client, true, port, out) ||
	       (!port && registered(client, false, 0, out)) || refuse_web(client, port, fault);
}

void oauth_redirect_bound(struct oauth_redirect *redirect, uint16_t port)
{
	redirect->port = port;
	str_format(redirect->uri, sizeof(redirect->uri), "http://127.0.0.1:%u/", port);
}
