/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"

#include <string.h>

#include "areas.h"
#include "reply.h"
#include "request.h"

const char *const route_words[] = {"check", "get", "list", "send", "cancel", "token", "consent",
	"metadata", "iam", "sts", "other", "control", NULL};

/* The hosts of Google share one here, so that the first prefix that fits wins. */
static const struct area areas[] = {
	{"/v1/projects/", iam_enter},
	{"/v1/token", sts_enter},
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

void route_find_metadata(struct request *r)
{
	r->route = ROUTE_METADATA;
	metadata_enter(r);
}

bool route_read(json_t *object, int *route, const char *where, struct complaint *c)
{
	const char *words[ROUTES + 1] = {NULL};
	int index = ROUTE_CONTROL;

	memcpy(words, route_words, ROUTES * sizeof words[0]);
	words[ROUTE_CONTROL] = "*";
	if (!member_word(object, "route", words, &index, where, c))
		return false;
	*route = index == ROUTE_CONTROL ? ROUTE_ANY : index;
	return true;
}
