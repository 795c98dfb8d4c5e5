/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks before a method, in Google's order, so that a client meets the same error first.
 */
#include "authorize.h"

#include <string.h>
#include <strings.h>

#include "xmalloc.h"
#include "reply.h"

const struct access *access_lookup(const struct tenant *tenant, const char *authorization)
{
	const struct access *access;

	if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
		return NULL;
	access = table_get(&tenant->tokens, authorization + 7);
	return access && access->expires > tenant_now(tenant) ? access : NULL;
}

bool scopes_include(const char *scopes, const char *scope)
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
static bool customer_matches(const struct tenant *tenant, const char *customer)
{
	return strcmp(customer, "my_customer") == 0 || strcmp(customer, tenant->customer) == 0;
}

static bool is_super_administrator(const struct tenant *tenant, const struct access *access)
{
	const struct admin *admin = tenant_admin(tenant, access->principal);

	return !access->service_account && admin && admin->super && admin->status == USER_ACTIVE;
}

bool authorize(
	struct emulator *e, struct request *r, const char *rpc, bool writes, struct reply *out)
{
	struct tenant *tenant = e->tenant;
	const struct access *access = access_lookup(tenant, r->authorization);

	if (!access) {
		reply_unauthenticated(e, out);
		return false;
	}
	r->principal = xstrdup(access->principal);
	if (tenant->switches.api_disabled)
		reply_api_disabled(e, out, &service_invitations);
	else if (!scopes_include(access->scopes, SCOPE_FULL) &&
		 (writes || !scopes_include(access->scopes, SCOPE_READONLY)))
		reply_scope_missing(e, out, &service_invitations, rpc);
	else if (!quota_acquire(&tenant->quota, tenant_now(tenant)))
		reply_quota_exceeded(e, out);
	else if (!customer_matches(tenant, r->customer))
		reply_error(e, out, tenant->switches.foreign_customer,
			tenant->switches.foreign_customer == 400 ? MESSAGE_INVALID
								 : MESSAGE_DENIED);
	else if (!is_super_administrator(tenant, access))
		reply_error(e, out, 403, MESSAGE_DENIED);
	else
		return true;
	return false;
}
