/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the subject token comes from: a file or a URL, as plain text or as a member of a JSON
 * object. The file must be as closed as a credential.
 */
#include "google/auth/subject_token.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "google/auth/secret_json.h"
#include "google/http/errors.h"
#include "google/http/secret.h"

#define TOKEN_MAX 65536
#define URL_MAX	  2048

#define REMEDY                                                                                  \
	"Generate the file again: gcloud iam workload-identity-pools create-cred-config, with " \
	"--credential-source-file or --credential-source-url."

static bool refuse(const struct credential *c, struct fault *f, const char *code, const char *what)
{
	fault_set(f, FAULT_CREDENTIALS, code, "%s: %s", c->path, what);
	return fault_remedy(f, REMEDY);
}

/* ---- the configuration ---- */

/* Sources that Google defines but that are not supported here. */
static bool refuse_kind(const struct credential *c, const json_t *source, struct fault *f)
{
	if (json_object_get(source, "executable"))
		return refuse(c, f, "source_executable",
			"its source is an executable: for security, programs named in a file are "
			"not run");
	if (json_object_get(source, "environment_id"))
		return refuse(c, f, "source_aws",
			"its source is AWS, which is not supported: use an OIDC token from a file "
			"or URL");
	if (json_object_get(source, "certificate"))
		return refuse(c, f, "source_certificate",
			"its source is a certificate (X.509 federation), which is not supported: "
			"use an OIDC token from a file or URL");
	return true;
}

static bool copy(char **out, const char *text)
{
	*out = strdup(text);
	return *out;
}

static bool read_format(struct subject_source *out, const struct credential *c,
	const json_t *source, struct fault *f)
{
	const json_t *format = json_object_get(source, "format");
	const char *type = json_string_value(json_object_get(format, "type"));
	const char *field = json_string_value(json_object_get(format, "subject_token_field_name"));

	if (!format || (json_is_object(format) && (!type || strcmp(type, "text") == 0)))
		return true;
	if (!type || strcmp(type, "json") != 0)
		return refuse(c, f, "source_format",
			"the format of credential_source is neither text nor json");
	if (!field || !*field)
		return refuse(c, f, "source_format",
			"the format is json, but subject_token_field_name is not set");
	return copy(&out->field, field) || refuse(c, f, "no_memory", "out of memory");
}

/* Makes one line "Name: value" and refuses anything that could be more. */
static bool header_line(char **out, const char *name, const char *value)
{
	struct strbuf line = {.max = 4096};

	for (const char *p = name; *p; p++) {
		if (!ascii_is_alnum(*p) && *p != '-' && *p != '_')
			return false;
	}
	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	}
	if (*name && *value && strbuf_addf(&line, "%s: %s", name, value))
		copy(out, line.data);
	strbuf_wipe(&line);
	strbuf_free(&line);
	return *out;
}

static bool read_headers(struct subject_source *out, const struct credential *c,
	const json_t *source, struct fault *f)
{
	json_t *headers = json_object_get(source, "headers"), *value;
	const char *name;
	size_t n = 0;

	if ((headers && !json_is_object(headers)) ||
		json_object_size(headers) > SUBJECT_HEADERS_MAX)
		return refuse(
			c, f, "source_headers", "the headers of credential_source are not valid");
	json_object_foreach(headers, name, value)
	{
		const char *text = json_string_value(value);

		if (!text || !header_line(&out->headers[n++], name, text))
			return refuse(
				c, f, "source_headers", "credential_source has an invalid header");
	}
	return true;
}

/* Whether "http://host:port" is [google] metadata_endpoint. The administrator who set that key
 * knows that it is local to this machine, and --prepare checks which other users reach it. */
static bool is_metadata_url(const char *url, const struct settings *s)
{
	size_t n = strlen(s->metadata_endpoint);

	return str_starts(url, s->metadata_endpoint) &&
	       (url[n] == '/' || url[n] == '?' || url[n] == '\0');
}

static bool check_url(struct subject_source *out, const struct credential *c, struct fault *f)
{
	for (const char *p = out->url; *p; p++) {
		if (*p <= ' ' || *p > '~')
			return refuse(c, f, "source_url", "the source's URL is not a URL");
	}
	if (strlen(out->url) > URL_MAX)
		return refuse(c, f, "source_url", "the source's URL is too long");
	if (str_starts(out->url, "https://"))
		return true;
	out->local_plaintext =
		str_starts(out->url, "http://") && is_metadata_url(out->url, c->settings);
	if (out->local_plaintext)
		return true;
	fault_set(f, FAULT_CREDENTIALS, "source_url", "%s: the source '%.100s' is not an https URL",
		c->path, out->url);
	return fault_remedy(f,
		"If it is the metadata server of this machine (as on Azure), set it in the "
		"settings as well: [google] metadata_endpoint = http://169.254.169.254");
}

bool subject_source_read(struct subject_source *out, const struct credential *c,
	const json_t *source, struct fault *f)
{
	const char *file = json_string_value(json_object_get(source, "file"));
	const char *url = json_string_value(json_object_get(source, "url"));

	*out = (struct subject_source){0};
	if (!refuse_kind(c, source, f))
		return false;
	if (!file == !url)
		return refuse(c, f, "source_unknown",
			"credential_source names neither a file nor a URL, or both");
	if (file && *file != '/')
		return refuse(c, f, "source_file", "the source's file has no absolute path");
	/* gcc -fanalyzer believes that the copy is lost: subject_source_free frees both. */
	if (!copy(file ? &out->file : &out->url, file ? file : url))
		return refuse(c, f, "no_memory", "out of memory");
	return (file || (check_url(out, c, f) && read_headers(out, c, source, f))) &&
	       read_format(out, c, source, f);
}

void subject_source_free(struct subject_source *s)
{
	free(s->file);
	free(s->url);
	free(s->field);
	for (size_t i = 0; i < SUBJECT_HEADERS_MAX; i++)
		secret_free(s->headers[i]);
	*s = (struct subject_source){0};
}

/* ---- fetching it ---- */

/* Any user who can read the file can act as we do, so it is treated as a secret, unless the
 * settings say that other users do not matter (a container has none). */
static bool from_file(const struct subject_source *s, const struct credential *c,
	struct strbuf *out, struct fault *f)
{
	const struct file_rules rules = {.max_size = TOKEN_MAX,
		.secret = c->settings->metadata_exposed == EXPOSED_REFUSE,
		.group_ok = getegid(),
		.trusted = true,
		.follow = true};

	if (file_read(s->file, &rules, out, FAULT_CREDENTIALS, f))
		return true;
	if (strcmp(f->code, "readable_by_others") == 0)
		fault_remedy(f, "Anyone who can read it can act as the administrator: make it "
				"readable by the service's user only. If there are no other users "
				"(a container), set [google] metadata_exposed = accept.");
	return false;
}

static bool refused_url(const struct subject_source *s, const struct http_reply *r, struct fault *f)
{
	bool later = r->status >= 500 || r->status == 408 || r->status == 429;

	if (r->curl) {
		error_transport(s->url, r, f);
		return false;
	}
	fault_set(f, later ? FAULT_TRANSIENT : FAULT_SETUP, "subject_token_refused",
		"the source of the subject token, %.120s, answers %d", s->url, r->status);
	return later ? false : fault_remedy(f, "Check credential_source (url and headers).");
}

static bool from_url(
	const struct subject_source *s, struct http *http, struct strbuf *out, struct fault *f)
{
	const struct http_request request = {.method = "GET",
		.url = s->url,
		.headers = (const char *const *)s->headers,
		.local_plaintext = s->local_plaintext};
	struct http_reply reply;
	bool ok;

	http_perform(http, &request, &reply);
	ok = !reply.curl && reply.status == 200;
	if (!ok)
		refused_url(s, &reply, f);
	else if (reply.body.len > TOKEN_MAX ||
		 !strbuf_add_bytes(out, reply.body.data ? reply.body.data : "", reply.body.len))
		ok = fault_set(f, FAULT_SETUP, "subject_token_large",
			"the source of the subject token, %.120s, answers with more than %d bytes",
			s->url, TOKEN_MAX);
	http_reply_free(&reply);
	return ok;
}

/* Replaces the JSON text by the token inside it. */
static bool take_field(const char *field, struct strbuf *t)
{
	json_t *json = secret_json(t->data ? t->data : "", t->len, NULL);
	const char *token = json_string_value(json_object_get(json, field));
	bool ok = token;

	strbuf_wipe(t);
	strbuf_clear(t);
	ok = ok && strbuf_add(t, token);
	secret_json_free(json);
	return ok;
}

/* SAML assertions are base64, JWTs base64url: printable characters without blanks. */
static bool plain_token(struct strbuf *t)
{
	while (t->len && ascii_is_space(t->data[t->len - 1]))
		t->data[--t->len] = '\0';
	for (size_t i = 0; i < t->len; i++) {
		if (t->data[i] <= ' ' || t->data[i] > '~')
			return false;
	}
	return t->len > 0;
}

bool subject_token(const struct subject_source *s, const struct credential *c, struct http *http,
	struct strbuf *out, struct fault *fault)
{
	const char *place = s->file ? s->file : s->url;

	if (!(s->file ? from_file(s, c, out, fault) : from_url(s, http, out, fault)))
		return false;
	if (s->field && !take_field(s->field, out)) {
		fault_set(fault, FAULT_SETUP, "subject_token_unexpected",
			"%.120s: not JSON with a string named '%.60s'", place, s->field);
		return fault_remedy(
			fault, "Check credential_source in %s: subject_token_field_name.", c->path);
	}
	if (plain_token(out))
		return true;
	fault_set(fault, FAULT_SETUP, "subject_token_unexpected",
		"%.120s: does not contain a token", place);
	return fault_remedy(fault,
		"Check credential_source in %s, and the program that writes the token.", c->path);
}
