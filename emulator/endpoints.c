/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of endpoints: which path belongs to which of them. Only the server looks into it, so
 * that an endpoint may use whatever it needs and no file below it leads back to all the others.
 */
#include "endpoints.h"

#include <string.h>

#include "base/array.h"
#include "reply.h"
#include "request.h"

/* Google's hosts share one here, so the first prefix that matches wins. */
static const struct endpoint endpoints[] = {
	{"/v1/projects/", iam_dispatch},
	{"/v1/token", sts_dispatch},
	{"/v1/", invitations_dispatch},
	{"/v1beta1/", invitations_dispatch},
	{"/token", token_dispatch},
	{"/o/oauth2/", consent_dispatch},
	{"/emulator/", control_dispatch},
};

static void answer_not_found(struct emulator *e, struct request *r, struct reply *out)
{
	(void)r;
	reply_error(e, out, 404, MESSAGE_NOT_FOUND);
}

void route_find(struct request *r)
{
	r->route = ROUTE_OTHER;
	r->answer = answer_not_found;
	for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
		if (strncmp(r->path, endpoints[i].prefix, strlen(endpoints[i].prefix)) == 0) {
			endpoints[i].dispatch(r);
			return;
		}
	}
}

void route_find_metadata(struct request *r)
{
	r->route = ROUTE_METADATA;
	metadata_dispatch(r);
}
