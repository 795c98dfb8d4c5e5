/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of faults: reading it, and finding the one for a request. Faults are tried in their
 * order, and each counts down.
 */
#include "faults.h"

#include <stdlib.h>
#include <string.h>

#include "xmalloc.h"
#include "route.h"

#define FOREVER (-1)

const char *const fault_action_words[] = {"none", "status", "html", "plain", "redirect",
	"drop_before", "status_after", "drop_after", "delay", "truncate", "gzip", "wrong_type",
	"huge", "duplicate", "garbage", "slow", NULL};

static void fault_free(struct fault *fault)
{
	free(fault->address);
	free(fault->body);
	json_decref(fault->headers);
}

void faults_clear(struct faults *f)
{
	for (size_t i = 0; i < f->n; i++)
		fault_free(&f->list[i]);
	free(f->list);
	*f = (struct faults){0};
}

static bool fault_read_headers(struct fault *fault, json_t *object, struct doc_error *c)
{
	json_t *headers = json_object_get(object, "headers"), *value;
	const char *key;

	if (!headers || json_is_null(headers))
		return true;
	if (!json_is_object(headers))
		return doc_error_set(c, "fault: headers is not a JSON object");
	json_object_foreach(headers, key, value)
	{
		if (!json_is_string(value))
			return doc_error_set(c, "fault: header %s is not a string", key);
	}
	fault->headers = json_incref(headers);
	return true;
}

static bool fault_read(struct fault *fault, json_t *object, struct doc_error *c)
{
	static const char *const names[] = {"route", "address", "status", "body", "headers",
		"times", "left", "hits", "after", "action", "reused_only", "delay_ms", NULL};
	const char *address = NULL, *body = NULL;
	int64_t times = 1, status = 0;
	int action = FAULT_STATUS;

	if (!members_known(object, names, "fault", c) ||
		!route_read(object, &fault->route, "fault", c) ||
		!fault_read_headers(fault, object, c) ||
		!member_string(object, "address", &address, "fault", c) ||
		!member_string(object, "body", &body, "fault", c) ||
		!member_int(object, "status", 100, 599, &status, "fault", c) ||
		!member_int(object, "times", 0, INT32_MAX, &times, "fault", c) ||
		!member_int(object, "after", 0, INT32_MAX, &fault->after, "fault", c) ||
		!member_int(object, "delay_ms", 0, 3600000, &fault->delay_ms, "fault", c) ||
		!member_bool(object, "reused_only", &fault->reused_only, "fault", c) ||
		!member_word(object, "action", fault_action_words, &action, "fault", c))
		return false;
	fault->address = xstrdup(address);
	fault->body = xstrdup(body);
	fault->status = (int)status;
	fault->left = times == 0 ? FOREVER : times;
	fault->action = (enum fault_action)action;
	return true;
}

static bool faults_read_into(struct faults *f, json_t *document, struct doc_error *c)
{
	json_t *object;
	size_t i;

	json_array_foreach(document, i, object)
	{
		f->list = xgrow(f->list, f->n, &f->room, sizeof f->list[0]);
		f->list[f->n] = (struct fault){0};
		if (!fault_read(&f->list[f->n++], object, c))
			return false;
	}
	return true;
}

bool faults_read(struct faults *f, json_t *document, struct doc_error *c)
{
	struct faults new = {0};
	json_t *array =
		json_is_array(document) ? json_incref(document) : json_pack("[O]", document);
	bool ok = faults_read_into(&new, array, c);

	json_decref(array);
	if (!ok) {
		faults_clear(&new);
		return false;
	}
	for (size_t i = 0; i < new.n; i++) {
		f->list = xgrow(f->list, f->n, &f->room, sizeof f->list[0]);
		f->list[f->n++] = new.list[i];
	}
	free(new.list);
	return true;
}

/* `times` is what remains, so that it can be read back. */
static json_t *fault_write(const struct fault *fault)
{
	json_t *out = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:b}", "route",
		fault->route == ROUTE_ANY ? "*" : route_words[fault->route], "action",
		fault_action_words[fault->action], "times",
		(json_int_t)(fault->left == FOREVER ? 0 : fault->left), "after",
		(json_int_t)fault->after, "hits", (json_int_t)fault->hits, "delay_ms",
		(json_int_t)fault->delay_ms, "reused_only", fault->reused_only);

	if (fault->status != 0)
		json_object_set_new(out, "status", json_integer(fault->status));
	if (fault->address)
		json_object_set_new(out, "address", json_string(fault->address));
	if (fault->body)
		json_object_set_new(out, "body", json_string(fault->body));
	if (fault->headers)
		json_object_set(out, "headers", fault->headers);
	return out;
}

json_t *faults_write(const struct faults *f)
{
	json_t *out = json_array();

	for (size_t i = 0; i < f->n; i++) {
		if (f->list[i].left != 0)
			json_array_append_new(out, fault_write(&f->list[i]));
	}
	return out;
}

const struct fault *faults_match(struct faults *f, int route, const char *address, bool reused)
{
	for (size_t i = 0; i < f->n; i++) {
		struct fault *fault = &f->list[i];

		if (fault->left == 0 || (fault->route != ROUTE_ANY && fault->route != route))
			continue;
		if (fault->reused_only && !reused)
			continue;
		if (fault->address && (!address || strcmp(fault->address, address) != 0))
			continue;
		if (fault->after > 0) {
			fault->after--;
			continue;
		}
		if (fault->left > 0)
			fault->left--;
		fault->hits++;
		return fault;
	}
	return NULL;
}

bool fault_prevents_effect(const struct fault *fault)
{
	return fault->action >= FAULT_STATUS && fault->action <= FAULT_DROP_BEFORE;
}
