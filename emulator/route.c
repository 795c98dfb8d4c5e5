/* SPDX-License-Identifier: Apache-2.0 */
#include "route.h"

#include <string.h>

#include "base/array.h"
#include "endpoints.h"
#include "reply.h"
#include "request.h"

const char *const route_words[] = {"check", "get", "list", "send", "cancel", "token", "consent",
	"metadata", "iam", "sts", "other", "control", NULL};

/* The hosts of Google share one here, so that the first prefix that fits wins. */
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

bool route_read(json_t *object, int *route, const char *where, struct doc_error *c)
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
