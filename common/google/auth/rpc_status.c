/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Google's error bodies: the current form (google.rpc.Status with ErrorInfo), and the older one
 * with `errors`.
 */
#include "google/auth/rpc_status.h"

#include <string.h>

#include "base/str.h"
#include "google/auth/json_xmalloc.h"

static const char *member(const json_t *json, const char *name)
{
	const char *value = json_string_value(json_object_get(json, name));

	return value ? value : "";
}

static void read_details(const json_t *details, struct rpc_status *r)
{
	const json_t *d;
	size_t i;

	json_array_foreach(details, i, d)
	{
		const char *consumer = member(json_object_get(d, "metadata"), "consumer");

		if (strcmp(member(d, "@type"), "type.googleapis.com/google.rpc.ErrorInfo") != 0)
			continue;
		r->reason = member(d, "reason");
		if (str_starts(consumer, "projects/"))
			str_copy(r->project, sizeof(r->project), consumer + strlen("projects/"));
	}
}

/* The project becomes a part of a link that an administrator is asked to open. */
static void clean_project(struct rpc_status *r)
{
	for (const char *p = r->project; *p; p++) {
		if (!ascii_is_alnum(*p) && *p != '-' && *p != ':' && *p != '.')
			r->project[0] = '\0';
	}
}

void rpc_status_read(struct rpc_status *r, const struct http_reply *reply)
{
	const char *text = reply->body.data ? reply->body.data : "";
	const json_t *error;

	*r = (struct rpc_status){.reason = ""};
	r->body = json_read(text, reply->body.len, NULL);
	error = json_object_get(r->body, "error");
	r->json = json_is_object(error);
	r->code = json_integer_value(json_object_get(error, "code"));
	r->message = member(error, "message");
	r->status = member(error, "status");
	r->legacy = member(json_array_get(json_object_get(error, "errors"), 0), "reason");
	read_details(json_object_get(error, "details"), r);
	clean_project(r);
}

void rpc_status_free(struct rpc_status *r)
{
	json_decref(r->body);
	*r = (struct rpc_status){0};
}

bool rpc_status_is_google(const struct rpc_status *r, const struct http_reply *reply)
{
	return r->json && r->code == reply->status;
}

/* `needle` is lower case. */
static bool contains_nocase(const char *s, size_t n, const char *needle)
{
	size_t len = strlen(needle);

	for (size_t i = 0; s && i + len <= n; i++) {
		size_t k = 0;

		while (k < len && ascii_lower(s[i + k]) == needle[k])
			k++;
		if (k == len)
			return true;
	}
	return false;
}

bool rpc_status_matches(const struct rpc_status *r, const struct http_reply *reply,
	const char *reasons, const char *contains)
{
	const char *challenge = reply->authenticate;

	if (contains)
		return r->json ? contains_nocase(r->message, strlen(r->message), contains)
			       : contains_nocase(reply->body.data, reply->body.len, contains);
	return strcmp(reasons, "*") == 0 || (*r->reason && str_in_list(r->reason, reasons)) ||
	       (*r->legacy && str_in_list(r->legacy, reasons)) ||
	       (*r->status && str_in_list(r->status, reasons)) ||
	       (contains_nocase(challenge, strlen(challenge), "error=\"insufficient_scope\"") &&
		       str_in_list("insufficient_scope", reasons));
}

void rpc_status_code(
	const struct rpc_status *r, const struct http_reply *reply, char *out, size_t size)
{
	bool plain = *r->status && str_copy(out, size, r->status);

	for (const char *p = r->status; *p; p++)
		plain = plain && (ascii_is_alnum(*p) || *p == '_');
	if (plain)
		str_lower(out);
	else
		str_format(out, size, "http_%d", reply->status);
}
