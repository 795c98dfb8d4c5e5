/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log of requests, a ring. Bodies lose their secrets before they are stored.
 */
#include "request_log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "timestamp.h"
#include "xmalloc.h"
#include "uri.h"

const char *request_log_authorization(const struct request *r)
{
	if (!r->authorization) {
		char *token = uri_field(r->query, "access_token");
		const char *kind = token ? "query" : "none";

		free(token);
		return kind;
	}
	if (strncasecmp(r->authorization, "Bearer ", 7) == 0)
		return "bearer";
	return strncasecmp(r->authorization, "Basic ", 6) == 0 ? "basic" : "other";
}

/* Secrets in the forms of a login. */
static void fields_blank(char *body, size_t *size)
{
	static const char *const secrets[] = {
		"refresh_token=", "client_secret=", "code_verifier=", "code="};

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		size_t n = strlen(secrets[i]);

		for (char *at = body; *at != '\0'; at += strcspn(at, "&"), at += *at == '&') {
			if (strncmp(at, secrets[i], n) == 0)
				memmove(at + n, at + strcspn(at, "&"),
					strlen(at + strcspn(at, "&")) + 1);
		}
	}
	*size = strlen(body);
}

/* An assertion is a credential for an hour, and a subject token for its lifetime, so the signature
 * (everything after the last dot) is cut off. */
static void body_blank(char *body, size_t *size, const char *name)
{
	char *at = strstr(body, name), *end, *dot;

	if (!at)
		return;
	at += strlen(name);
	at += strspn(at, "=\": ");
	end = at + strcspn(at, "&\"");
	dot = memrchr(at, '.', (size_t)(end - at));
	if (!dot)
		return;
	memmove(dot + 1, end, strlen(end) + 1);
	*size = strlen(body);
}

static void entry_body(struct request_log_entry *entry, const struct request *r)
{
	entry->body_size = r->body_size < JOURNAL_BODY_MAX ? r->body_size : JOURNAL_BODY_MAX;
	entry->body = xstrndup(r->body, entry->body_size);
	if (r->route == ROUTE_STS) {
		body_blank(entry->body, &entry->body_size, "subject_token=");
		body_blank(entry->body, &entry->body_size, "\"subjectToken\"");
	}
	if (r->route != ROUTE_TOKEN)
		return;
	body_blank(entry->body, &entry->body_size, "assertion=");
	fields_blank(entry->body, &entry->body_size);
}

static void entry_free(struct request_log_entry *entry)
{
	free(entry->path);
	free(entry->query);
	free(entry->address);
	free(entry->principal);
	free(entry->content_type);
	free(entry->user_agent);
	free(entry->body);
	*entry = (struct request_log_entry){0};
}

void request_log_add(struct request_log *j, const struct request *r, int status)
{
	struct request_log_entry *entry;

	if (!j->ring)
		j->ring = xcalloc(REQUEST_LOG_SIZE * sizeof j->ring[0]);
	entry = &j->ring[j->last % REQUEST_LOG_SIZE];
	entry_free(entry);
	entry->n = ++j->last;
	entry->at_ms = r->at_ms;
	entry->at = r->at;
	entry->route = r->route;
	entry->status = status;
	entry->action = r->action;
	entry->connection = r->connection->id;
	entry->earlier = r->earlier;
	memcpy(entry->method, r->method, sizeof entry->method);
	entry->path = xstrdup(r->path);
	entry->query = xstrdup(r->query);
	entry->address = xstrdup(r->address);
	entry->principal = xstrdup(r->principal);
	entry->content_type = xstrdup(r->content_type);
	entry->user_agent = xstrdup(r->user_agent);
	entry->authorization = request_log_authorization(r);
	entry->content_length = r->content_length ? strtoll(r->content_length, NULL, 10) : -1;
	entry_body(entry, r);
}

/* A string or null; bytes that are not UTF-8 become question marks. */
static json_t *write_text(const char *s, size_t n)
{
	json_t *out = s ? json_stringn(s, n) : json_null();

	if (!out) {
		char *plain = xstrndup(s, n);

		for (size_t i = 0; i < n; i++) {
			if ((unsigned char)plain[i] >= 0x80)
				plain[i] = '?';
		}
		out = json_stringn(plain, n);
		free(plain);
	}
	return out;
}

static json_t *write_string(const char *s)
{
	return write_text(s, s ? strlen(s) : 0);
}

static json_t *entry_write(const struct request_log_entry *entry)
{
	char at[TIMESTAMP_TEXT_SIZE];
	json_t *out = json_pack("{s:I, s:I, s:s, s:s, s:s, s:i, s:s, s:I, s:b, s:I, s:s}", "n",
		(json_int_t)entry->n, "at_ms", (json_int_t)entry->at_ms, "at",
		timestamp_rfc3339(entry->at, at), "method", entry->method, "route",
		route_words[entry->route], "status", entry->status, "fault",
		fault_action_words[entry->action], "connection", (json_int_t)entry->connection,
		"reused", entry->earlier > 0, "earlier", (json_int_t)entry->earlier,
		"authorization", entry->authorization);

	json_object_set_new(out, "path", write_string(entry->path));
	json_object_set_new(out, "query", write_string(entry->query));
	json_object_set_new(out, "address", write_string(entry->address));
	json_object_set_new(out, "principal", write_string(entry->principal));
	json_object_set_new(out, "content_type", write_string(entry->content_type));
	json_object_set_new(out, "content_length",
		entry->content_length < 0 ? json_null() : json_integer(entry->content_length));
	json_object_set_new(out, "user_agent", write_string(entry->user_agent));
	json_object_set_new(out, "body", write_text(entry->body, entry->body_size));
	return out;
}

json_t *request_log_write(const struct request_log *j, uint64_t since)
{
	uint64_t oldest = j->last > REQUEST_LOG_SIZE ? j->last - REQUEST_LOG_SIZE : 0;
	json_t *requests = json_array();

	for (uint64_t n = since > oldest ? since : oldest; n < j->last; n++)
		json_array_append_new(requests, entry_write(&j->ring[n % REQUEST_LOG_SIZE]));
	return json_pack("{s:o, s:I, s:I}", "requests", requests, "last", (json_int_t)j->last,
		"dropped", (json_int_t)oldest);
}

void request_log_clear(struct request_log *j)
{
	for (size_t i = 0; j->ring && i < REQUEST_LOG_SIZE && i < j->last; i++)
		entry_free(&j->ring[i]);
	free(j->ring);
	*j = (struct request_log){0};
}
