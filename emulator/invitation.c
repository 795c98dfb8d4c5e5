/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the methods of invitations share: an invitation as JSON, and the check of the query's
 * parameters.
 */
#include "invitations.h"

#include <stdlib.h>
#include <string.h>

#include "reply.h"
#include "uri.h"
#include "xmalloc.h"

json_t *invitation_write(const struct tenant *tenant, const struct account *account)
{
	char updated[TIMESTAMP_TEXT_SIZE], count[24];
	char *name =
		xasprintf("customers/%s/userinvitations/%s", tenant->customer, account->address);
	json_t *out =
		json_pack("{s:s, s:s}", "name", name, "state", account_state_words[account->state]);

	/* An int64 is a string in Google's JSON. */
	snprintf(count, sizeof count, "%lld", (long long)account->mails);
	if (account->mails > 0 || !tenant->switches.omit_zero)
		json_object_set_new(out, "mailsSentCount", json_string(count));
	json_object_set_new(
		out, "updateTime", json_string(timestamp_rfc3339(account->updated, updated)));
	free(name);
	return out;
}

/* Google refuses parameters that it does not know, on every method. */
static bool parameter_known(const char *name, const void *ctx)
{
	static const char *const standard[] = {"$.xgafv", "access_token", "alt", "callback",
		"fields", "key", "oauth_token", "prettyPrint", "quotaUser", "uploadType",
		"upload_protocol", NULL};
	const char *const *extra = ctx;

	for (size_t i = 0; standard[i]; i++) {
		if (strcmp(standard[i], name) == 0)
			return true;
	}
	for (size_t i = 0; extra[i]; i++) {
		if (strcmp(extra[i], name) == 0)
			return true;
	}
	return false;
}

bool invitations_parameters(
	struct emulator *e, const struct request *r, const char *const *extra, struct reply *out)
{
	if (uri_each_name(r->query, parameter_known, extra))
		return true;
	reply_error(e, out, 400,
		"Invalid JSON payload received. Unknown name: Cannot bind query parameter. Field "
		"could not be found in request message.");
	return false;
}
