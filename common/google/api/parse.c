/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies of the API as values. A reply about a person is used only if it names that person.
 */
#include "google/api/parse.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "google/api/errors.h"
#include "google/auth/json_xmalloc.h"

#define PAGE_TOKEN_MAX 8192 /* it goes into a URL */

/* ---- members ---- */

/* Google leaves out members with default values; null counts as left out. */
static const json_t *present(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	return json_is_null(value) ? NULL : value;
}

static bool get_bool(const json_t *object, const char *name, bool *out)
{
	const json_t *value = present(object, name);

	*out = json_is_true(value);
	return !value || json_is_boolean(value);
}

/* An int64 comes as a string. */
static bool get_count(const json_t *object, const char *name, int64_t *out)
{
	const json_t *value = present(object, name);
	long long n = 0;

	if (json_is_integer(value))
		n = json_integer_value(value);
	else if (value && (!json_is_string(value) ||
				  !str_number(json_string_value(value), 0, INT64_MAX, &n)))
		return false;
	*out = n;
	return n >= 0;
}

static bool get_state(const json_t *object, enum invitation_state *out)
{
	const json_t *value = present(object, "state");

	*out = value ? invitation_state_parse(json_is_string(value) ? json_string_value(value) : "")
		     : INVITATION_UNSPECIFIED;
	return !value || json_is_string(value);
}

/* It is only shown to people: a form that is unknown here does not make the rest unusable. */
static bool get_time(const json_t *object, const char *name, int64_t *out)
{
	const json_t *value = present(object, name);

	*out = 0;
	if (json_is_string(value) && !clock_parse_rfc3339(json_string_value(value), out))
		*out = 0;
	return !value || json_is_string(value);
}

/* ---- the invitation ---- */

/* The last segment of customers/C/userinvitations/alice@example.com, percent-decoded once. */
static bool get_address(const json_t *object, char out[ADDRESS_MAX + 1])
{
	const char *name = json_string_value(json_object_get(object, "name"));
	const char *last = name ? strrchr(name, '/') : NULL;
	char *decoded;
	int len = 0;
	bool ok;

	if (!last || !str_starts(name, "customers/") || !strstr(name, "/userinvitations/"))
		return false;
	decoded = curl_easy_unescape(NULL, last + 1, 0, &len);
	ok = decoded && strlen(decoded) == (size_t)len && strchr(decoded, '@') &&
	     str_is_utf8(decoded, (size_t)len) && str_copy(out, ADDRESS_MAX + 1, decoded);
	curl_free(decoded);
	if (ok)
		str_lower(out);
	return ok;
}

static bool get_invitation(const json_t *object, struct invitation *out)
{
	return get_address(object, out->address) && get_state(object, &out->state) &&
	       get_count(object, "mailsSentCount", &out->mails) &&
	       get_time(object, "updateTime", &out->updated);
}

/* Another person's data must never decide what became of this one's invitation. */
static bool is_about(const struct invitation *i, const struct google_call *call)
{
	return str_equal_nocase(i->address, call->address);
}

/* ---- one parser for each method: NULL, or what is wrong ---- */

static const char *parse_check(const json_t *body, struct google_reply *out)
{
	return get_bool(body, "isInvitableUser", &out->invitable)
		       ? NULL
		       : "isInvitableUser is not a boolean";
}

static const char *parse_get(
	const struct google_call *call, const json_t *body, struct google_reply *out)
{
	if (!get_invitation(body, &out->invitation))
		return "not a user invitation";
	if (!is_about(&out->invitation, call))
		return "the invitation of another person";
	out->shown = out->has_invitation = true;
	return NULL;
}

/* A row whose name is not an address cannot belong to a person in the ledger. It is skipped, so
 * that it does not hide the other rows for ever. */
static const char *parse_rows(
	const json_t *rows, struct reply_storage *memory, struct google_reply *out)
{
	const json_t *row;
	size_t i, n = json_array_size(rows);

	if (n)
		memory->page = calloc(n, sizeof(*memory->page));
	if (n && !memory->page)
		return "out of memory";
	json_array_foreach(rows, i, row)
	{
		struct invitation *to = &memory->page[out->page_count];

		if (!json_is_object(row))
			return "userInvitations contains another type of object";
		if (!get_address(row, to->address))
			continue;
		if (!get_invitation(row, to))
			return "userInvitations contains a malformed invitation";
		out->page_count++;
	}
	out->page = memory->page;
	return NULL;
}

static const char *parse_list(
	const json_t *body, struct reply_storage *memory, struct google_reply *out)
{
	const json_t *rows = present(body, "userInvitations");
	const json_t *next = present(body, "nextPageToken");
	const char *token = json_string_value(next);
	const char *wrong;

	if (rows && !json_is_array(rows))
		return "userInvitations is not an array";
	if (next && (!token || strlen(token) > PAGE_TOKEN_MAX))
		return "nextPageToken is not a valid string";
	wrong = parse_rows(rows, memory, out);
	if (wrong || !token || !*token)
		return wrong;
	memory->next_page_token = strdup(token);
	out->next_page_token = memory->next_page_token;
	return memory->next_page_token ? NULL : "out of memory";
}

/* The content of the Operation is not documented, and it cannot be polled. Done without an error
 * means yes, an error means no; anything else is undecided, and `get` must tell. */
static const char *parse_operation(
	const struct google_call *call, const json_t *body, struct google_reply *out)
{
	const json_t *error = present(body, "error"), *response = present(body, "response");
	const json_t *code = json_object_get(error, "code");
	const char *message = json_string_value(json_object_get(error, "message"));
	bool done;

	if (!get_bool(body, "done", &done) || (error && !json_is_integer(code)) ||
		(response && !json_is_object(response)))
		return "not an Operation";
	if (error) {
		error_operation(call, (int)json_integer_value(code), message ? message : "", out);
		return NULL;
	}
	if (json_object_get(response, "name")) {
		if (!get_invitation(response, &out->invitation))
			return "an Operation without a user invitation";
		if (!is_about(&out->invitation, call))
			return "an Operation for another person";
		out->has_invitation = true;
	}
	out->confirmed = done;
	return NULL;
}

static const char *parse_body(const struct google_call *call, const json_t *body,
	struct reply_storage *memory, struct google_reply *out)
{
	switch (call->method) {
	case GOOGLE_CHECK:
		return parse_check(body, out);
	case GOOGLE_GET:
		return parse_get(call, body, out);
	case GOOGLE_LIST:
		return parse_list(body, memory, out);
	case GOOGLE_SEND:
	case GOOGLE_CANCEL:
		return parse_operation(call, body, out);
	}
	return "unknown method";
}

void parse_reply(const struct google_call *call, const char *body, size_t len,
	struct reply_storage *memory, struct google_reply *out)
{
	json_error_t error;
	json_t *json = json_read(body ? body : "", len, &error);
	const char *wrong = json_is_object(json) ? parse_body(call, json, memory, out)
			    : json		 ? "not a JSON object"
			    : !len		 ? "it is empty"
						 : error.text;

	if (wrong) {
		out->page = NULL;
		out->page_count = 0;
		out->next_page_token = NULL;
		out->has_invitation = out->shown = false;
		fault_set(&out->fault,
			call->method == GOOGLE_SEND ? FAULT_AMBIGUOUS : FAULT_TRANSIENT,
			"reply_unexpected",
			"the reply to %s does not match Google's documentation: %s%s",
			google_method_word(call->method), json || !len ? "" : "not JSON: ", wrong);
	}
	json_decref(json);
}

void reply_storage_free(struct reply_storage *memory)
{
	free(memory->page);
	free(memory->next_page_token);
	*memory = (struct reply_storage){0};
}
