/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names of the routes, in the log, in faults and in the counts of requests.
 */
#include "route.h"

#include <string.h>

const char *const route_words[] = {"check", "get", "list", "send", "cancel", "token", "consent",
	"metadata", "iam", "sts", "other", "control", NULL};

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
