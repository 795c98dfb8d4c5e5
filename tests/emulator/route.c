/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"

#include <string.h>

#include "areas.h"
#include "reply.h"
#include "request.h"

const char *const route_words[] = {
	"check", "get", "list", "send", "cancel", "token", "consent", "other", "control", NULL};

static const struct area areas[] = {
	{"/v1/", invitations_enter},
	{"/v1beta1/", invitations_enter},
	{"/token", token_enter},
	{"/o/oauth2/", consent_enter},
	{"/emulator/", control_enter},
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
	for (size_t i = 0; i < sizeof areas / sizeof areas[0]; i++) {
		if (strncmp(r->path, areas[i].prefix, strlen(areas[i].prefix)) == 0) {
			areas[i].enter(r);
			return;
		}
	}
}
