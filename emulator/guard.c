/* SPDX-License-Identifier: Apache-2.0 */
#include "guard.h"

#include <string.h>
#include <strings.h>

#include "must.h"
#include "reply.h"

const struct access *guard_access(const struct world *w, const char *authorization)
{
	const struct access *access;

	if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0)
		return NULL;
	access = table_get(&w->tokens, authorization + 7);
	return access != NULL && access->expires > world_now(w) ? access : NULL;
}

bool guard_scope(const char *scopes, const char *scope)
{
	size_t wanted = strlen(scope);

	while (*scopes != '\0') {
		size_t n = strcspn(scopes, " ");

		if (n == wanted && memcmp(scopes, scope, n) == 0)
			return true;
		scopes += n + (scopes[n] == ' ');
	}
	return false;
}

/* my_customer is the token user's own customer: a service account has none. */
static bool guard_customer(const struct world *w, const char *customer)
{
	return strcmp(customer, "my_customer") == 0 || strcmp(customer, w->customer) == 0;
}

static bool guard_administrator(const struct world *w, const struct access *access)
{
	const struct admin *admin = world_admin(w, access->principal);

	return !access->service_account && admin != NULL && admin->super &&
	       admin->status == USER_ACTIVE;
}

bool guard_pass(
	struct emulator *e, struct request *r, const char *rpc, bool writes, struct reply *out)
{
	struct world *w = e->world;
	const struct access *access = guard_access(w, r->authorization);

	if (access == NULL) {
		reply_unauthenticated(e, out);
		return false;
	}
	r->principal = must_copy(access->principal);
	if (w->switches.api_disabled)
		reply_api_disabled(e, out, &service_invitations);
	else if (!guard_scope(access->scopes, SCOPE_FULL) &&
		 (writes || !guard_scope(access->scopes, SCOPE_READONLY)))
		reply_scope_missing(e, out, &service_invitations, rpc);
	else if (!quota_take(&w->quota, world_now(w)))
		reply_quota_exceeded(e, out);
	else if (!guard_customer(w, r->customer))
		reply_error(e, out, w->switches.foreign_customer,
			w->switches.foreign_customer == 400 ? MESSAGE_INVALID : MESSAGE_DENIED);
	else if (!guard_administrator(w, access))
		reply_error(e, out, 403, MESSAGE_DENIED);
	else
		return true;
	return false;
}
