/* SPDX-License-Identifier: Apache-2.0 */
/*
 * customers.userinvitations: isInvitableUser, get, send and cancel under v1 and v1beta1
 * (docs/google.md 1); list has a file of its own.
 */
#include "invitations.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "endpoints.h"
#include "authorize.h"
#include "xmalloc.h"
#include "reply.h"
#include "uri.h"

#define OPERATION_TYPE "google.apps.cloudidentity.userinvitations.v1.UserInvitation"

static bool address_plausible(const char *address)
{
	const char *at = strchr(address, '@');

	return at && at != address && at[1] != '\0' && !strchr(at + 1, '@') &&
	       !strpbrk(address, "/ \t\r\n");
}

/* The checks that check, get, send and cancel share. */
static bool invitation_named(struct emulator *e, struct request *r, struct reply *out)
{
	static const char *const none[] = {NULL};

	if (!invitations_parameters(e, r, none, out))
		return false;
	if (address_plausible(r->address))
		return true;
	reply_error(e, out, e->tenant->switches.bad_address,
		e->tenant->switches.bad_address == 404 ? MESSAGE_NOT_FOUND : MESSAGE_INVALID);
	return false;
}

static void answer_check(struct emulator *e, struct request *r, struct reply *out)
{
	struct tenant *tenant = e->tenant;
	bool invitable;
	json_t *body;

	if (!authorize(e, r, "IsInvitableUser", false, out) || !invitation_named(e, r, out))
		return;
	if (tenant->switches.essentials) {
		reply_precondition(e, out, tenant->switches.essentials_error);
		return;
	}
	invitable = tenant_invitable(tenant, accounts_find(&tenant->accounts, r->address));
	body = json_object();
	if (invitable || !tenant->switches.omit_false)
		json_object_set_new(body, "isInvitableUser", json_boolean(invitable));
	reply_json(out, 200, body);
}

static void answer_get(struct emulator *e, struct request *r, struct reply *out)
{
	struct tenant *tenant = e->tenant;
	const struct account *account;

	if (!authorize(e, r, "GetUserInvitation", false, out) || !invitation_named(e, r, out))
		return;
	account = accounts_find(&tenant->accounts, r->address);
	if (!account || !tenant_shown(tenant, account, tenant_now(tenant)))
		reply_error(e, out, 404, MESSAGE_NOT_FOUND);
	else
		reply_json(out, 200, invitation_write(tenant, account));
}

/* Nothing, or {}: the request messages have no members. */
static bool body_empty(struct emulator *e, const struct request *r, struct reply *out)
{
	json_t *body;
	bool ok;

	if (r->body_size == 0)
		return true;
	body = json_loadb(r->body, r->body_size, 0, NULL);
	ok = json_is_object(body) && json_object_size(body) == 0;
	if (!ok && json_is_object(body)) {
		char *message = xasprintf("Invalid JSON payload received. Unknown name \"%s\": "
					  "Cannot find field.",
			json_object_iter_key(json_object_iter(body)));

		reply_error(e, out, 400, message);
		free(message);
	} else if (!ok) {
		reply_error(e, out, 400, "Invalid JSON payload received.");
	}
	json_decref(body);
	return ok;
}

static json_t *operation_response(const struct tenant *tenant, const struct account *account)
{
	static const char *const types[] = {"type.googleapis.com/" OPERATION_TYPE,
		"type.googleapis.com/google.cloud.identity.v1.UserInvitation", NULL};
	json_t *response = invitation_write(tenant, account);

	if (tenant->switches.operation_type != OPERATION_TYPE_NONE)
		json_object_set_new(
			response, "@type", json_string(types[tenant->switches.operation_type]));
	return response;
}

static void reply_operation(struct tenant *tenant, const struct account *account, struct reply *out)
{
	json_t *operation = json_object();
	char *name = xasprintf("operations/%016llx", (unsigned long long)++tenant->operations);

	if (tenant->switches.operation_name && tenant->switches.operation != OPERATION_EMPTY)
		json_object_set_new(operation, "name", json_string(name));
	switch ((enum operation_shape)tenant->switches.operation) {
	case OPERATION_DONE:
		json_object_set_new(operation, "done", json_true());
		json_object_set_new(operation, "response", operation_response(tenant, account));
		break;
	case OPERATION_PENDING:
		json_object_set_new(operation, "done", json_false());
		break;
	case OPERATION_MISSING_DONE:
	case OPERATION_EMPTY:
		break;
	case OPERATION_ERROR:
		json_object_set_new(operation, "done", json_true());
		json_object_set_new(operation, "error",
			json_pack("{s:i, s:s}", "code", 9, "message", MESSAGE_PRECONDITION));
		break;
	}
	reply_json(out, 200, operation);
	free(name);
}

/* The HTTP code with which a send to this account is refused; 0: it is not. */
static int send_refusal(const struct tenant *tenant, const struct account *account)
{
	if (account && account->kind == ACCOUNT_MANAGED)
		return tenant->switches.send_managed;
	if (!account || !tenant_invitable(tenant, account))
		return tenant->switches.send_not_invitable;
	if (account->state == ACCOUNT_DECLINED && tenant->switches.send_declined != 200)
		return tenant->switches.send_declined;
	return 0;
}

static void answer_send(struct emulator *e, struct request *r, struct reply *out)
{
	struct tenant *tenant = e->tenant;
	struct account *account;
	int refusal;

	if (!authorize(e, r, "SendUserInvitation", true, out) || !invitation_named(e, r, out) ||
		!body_empty(e, r, out))
		return;
	account = accounts_find(&tenant->accounts, r->address);
	refusal = send_refusal(tenant, account);
	if (refusal != 0) {
		reply_precondition(e, out, refusal);
		return;
	}
	if (tenant->switches.operation != OPERATION_ERROR)
		tenant_mail(tenant, account);
	reply_operation(tenant, account, out);
}

static void invitation_cancel(struct tenant *tenant, struct account *account)
{
	static const enum account_state states[] = {
		ACCOUNT_NOT_YET_SENT, ACCOUNT_DECLINED, ACCOUNT_UNSPECIFIED};

	account->state = states[tenant->switches.cancel_state];
	if (!tenant->switches.cancel_keeps_count)
		account->mails = 0;
	account->updated = tenant_now(tenant);
	accounts_mark_unsorted(&tenant->accounts);
}

static void answer_cancel(struct emulator *e, struct request *r, struct reply *out)
{
	struct tenant *tenant = e->tenant;
	struct account *account;

	if (!authorize(e, r, "CancelUserInvitation", true, out) || !invitation_named(e, r, out) ||
		!body_empty(e, r, out))
		return;
	account = accounts_find(&tenant->accounts, r->address);
	if (!account || account->state != ACCOUNT_INVITED) {
		reply_precondition(e, out, tenant->switches.cancel_not_sent);
		return;
	}
	if (tenant->switches.operation != OPERATION_ERROR)
		invitation_cancel(tenant, account);
	reply_operation(tenant, account, out);
}

static void answer_mismatch(struct emulator *e, struct request *r, struct reply *out)
{
	(void)r;
	reply_error(e, out, e->tenant->switches.method_mismatch,
		e->tenant->switches.method_mismatch == 405 ? "Method not allowed."
							   : MESSAGE_NOT_FOUND);
}

static const struct {
	const char *verb; /* after the colon; NULL: the collection itself */
	const char *method;
	enum route_id route;
	route_answer *answer;
} methods[] = {
	{":isInvitableUser", "GET", ROUTE_CHECK, answer_check},
	{"", "GET", ROUTE_GET, answer_get},
	{":send", "POST", ROUTE_SEND, answer_send},
	{":cancel", "POST", ROUTE_CANCEL, answer_cancel},
	{NULL, "GET", ROUTE_LIST, invitations_list},
};

static void invitations_choose(struct request *r, const char *verb)
{
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		if (methods[i].verb != verb &&
			(!verb || !methods[i].verb || strcmp(methods[i].verb, verb) != 0))
			continue;
		r->answer = answer_mismatch;
		if (strcmp(methods[i].method, r->method) == 0) {
			r->route = methods[i].route;
			r->answer = methods[i].answer;
		}
		return;
	}
}

/* Splits first and decodes once afterwards, so that %2F and %3A are part of an address. */
static void invitations_name(struct request *r, const char *segment)
{
	const char *colon = strrchr(segment, ':');
	const char *verb = colon ? colon : segment + strlen(segment);

	if (*segment == '\0' || strchr(segment, '/'))
		return;
	r->address = uri_decode(segment, (size_t)(verb - segment), false);
	if (!r->address)
		r->address = xstrdup("");
	for (char *c = r->address; *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 'a' - 'A');
	}
	invitations_choose(r, verb);
}

void invitations_dispatch(struct request *r)
{
	static const char customers[] = "customers/", collection[] = "/userinvitations";
	const char *at = strchr(r->path + 1, '/') + 1;
	size_t n;

	if (strncmp(at, customers, strlen(customers)) != 0)
		return;
	at += strlen(customers);
	n = strcspn(at, "/");
	if (n == 0 || strncmp(at + n, collection, strlen(collection)) != 0)
		return;
	r->customer = uri_decode(at, n, false);
	at += n + strlen(collection);
	if (!r->customer)
		return;
	if (*at == '\0')
		invitations_choose(r, NULL);
	else if (*at == '/')
		invitations_name(r, at + 1);
}
