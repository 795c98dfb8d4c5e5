/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a fault does to a reply. Faults of the connection itself (cut, truncate, garbage, slow) are
 * only noted in the request: deliver.c applies them.
 */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/array.h"
#include "emulator.h"
#include "xmalloc.h"
#include "reply.h"

#define HUGE_SIZE ((size_t)16 * 1024 * 1024)

#define HTML_PAGE                                                                          \
	"<!DOCTYPE html>\n<html lang=en>\n<title>Error 502 (Server Error)!!1</title>\n"    \
	"<p><b>502.</b> <ins>That's an error.</ins>\n"                                     \
	"<p>The server encountered a temporary error and could not complete your request." \
	"<p>Please try again in 30 seconds.\n</html>\n"

/* The body of each status, unless the fault has its own. */
static void fault_status(const struct fault *fault, struct emulator *e, struct request *r)
{
	static const struct {
		int code;
		const char *message;
	} messages[] = {
		{400, MESSAGE_INVALID},
		{401, "Request had invalid authentication credentials."},
		{403, MESSAGE_DENIED},
		{404, MESSAGE_NOT_FOUND},
		{429, "Quota exceeded for quota metric 'User invitation requests'."},
		{500, "Internal error encountered."},
		{503, "The service is currently unavailable."},
	};
	int status = fault->status != 0 ? fault->status : 503;
	const char *message = "An error that was asked for.";

	for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
		if (messages[i].code == status)
			message = messages[i].message;
	}
	if (fault->body)
		reply_text(&r->reply, status, "application/json; charset=UTF-8", fault->body);
	else if (r->route == ROUTE_TOKEN || r->route == ROUTE_STS)
		reply_oauth_error(&r->reply, status,
			status >= 500 ? "internal_failure" : "invalid_grant",
			status >= 500 ? "Backend Error" : "Bad Request");
	else
		reply_error(e, &r->reply, status, message);
}

static void fault_page(const struct fault *fault, struct request *r, int status, const char *type,
	const char *text)
{
	reply_text(&r->reply, fault->status != 0 ? fault->status : status, type,
		fault->body ? fault->body : text);
}

static void fault_redirect(const struct fault *fault, struct request *r)
{
	fault_page(fault, r, 302, "text/html; charset=UTF-8", "<title>302 Moved</title>\n");
	if (!json_object_get(fault->headers, "Location"))
		reply_header(&r->reply, "Location", "https://redirected.invalid/");
}

/* Like a server that compresses without being asked. */
static void fault_gzip(struct reply *reply)
{
	z_stream stream = {0};
	size_t room;
	char *out;

	if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, 8,
		    Z_DEFAULT_STRATEGY) != Z_OK)
		xnonnull(NULL);
	room = deflateBound(&stream, reply->size);
	out = xcalloc(room);
	stream.next_in = (unsigned char *)reply->body;
	stream.avail_in = (unsigned int)reply->size;
	stream.next_out = (unsigned char *)out;
	stream.avail_out = (unsigned int)room;
	deflate(&stream, Z_FINISH);
	free(reply->body);
	reply->body = out;
	reply->size = stream.total_out;
	deflateEnd(&stream);
	reply_header(reply, "Content-Encoding", "gzip");
}

/* The real answer, followed by more than any client should read. */
static void fault_huge(struct reply *reply)
{
	static const char member[] = ",\"padding\":\"";
	char *out;
	size_t fixed;

	if (reply->size < 3 || reply->body[reply->size - 1] != '}')
		reply_text(reply, reply->status, reply->content_type, "{\"x\":0}");
	fixed = reply->size - 1 + strlen(member) + strlen("\"}");
	out = xasprintf("%.*s%s%0*d\"}", (int)reply->size - 1, reply->body, member,
		(int)(HUGE_SIZE - fixed), 0);
	free(reply->body);
	reply->body = out;
	reply->size = HUGE_SIZE;
}

/* Repeats every member with another value, for readers that take the last one. */
static void fault_duplicate(struct reply *reply)
{
	json_t *object = json_loadb(reply->body, reply->size, 0, NULL), *other = json_object();
	json_t *value;
	const char *key;
	char *second, *out;

	json_object_foreach(object, key, value)
	{
		json_object_set_new(other, key,
			json_is_boolean(value) ? json_boolean(!json_is_true(value)) : json_null());
	}
	if (json_object_size(other) > 0) {
		second = xnonnull(json_dumps(other, JSON_COMPACT));
		out = xasprintf("%.*s,%s", (int)reply->size - 1, reply->body, second + 1);
		free(second);
		free(reply->body);
		reply->body = out;
		reply->size = strlen(out);
	}
	json_decref(other);
	json_decref(object);
}

static void fault_make(const struct fault *fault, struct emulator *e, struct request *r)
{
	switch (fault->action) {
	case FAULT_STATUS:
	case FAULT_STATUS_AFTER:
		fault_status(fault, e, r);
		break;
	case FAULT_HTML:
		fault_page(fault, r, 502, "text/html; charset=UTF-8", HTML_PAGE);
		break;
	case FAULT_PLAIN:
		fault_page(fault, r, 503, "text/plain", "upstream connect error\n");
		break;
	case FAULT_REDIRECT:
		fault_redirect(fault, r);
		break;
	case FAULT_GZIP:
		fault_gzip(&r->reply);
		break;
	case FAULT_WRONG_TYPE:
		r->reply.content_type = "text/html; charset=UTF-8";
		break;
	case FAULT_HUGE:
		fault_huge(&r->reply);
		break;
	case FAULT_DUPLICATE:
		fault_duplicate(&r->reply);
		break;
	case FAULT_NO_ACTION:
	case FAULT_DROP_BEFORE:
	case FAULT_DROP_AFTER:
	case FAULT_DELAY:
	case FAULT_TRUNCATE:
	case FAULT_GARBAGE:
	case FAULT_SLOW:
		break;
	}
}

void fault_apply(const struct fault *fault, struct emulator *e, struct request *r)
{
	const char *key;
	json_t *value;

	fault_make(fault, e, r);
	r->action = fault->action;
	if (fault->action == FAULT_SLOW)
		r->slow_ms = fault->delay_ms > 0 ? fault->delay_ms : 100;
	else
		r->delay_ms += fault->delay_ms;
	json_object_foreach(fault->headers, key, value)
	{
		reply_header(&r->reply, key, json_string_value(value));
	}
}
