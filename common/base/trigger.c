/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of the triggers. The PAM module links this: no heap, no locks, no state.
 */
#include "base/trigger.h"

#include "base/str.h"

static const char *const words[TRIGGERS] = {
	[TRIGGER_LOGIN] = "login",
	[TRIGGER_CREATED] = "created",
	[TRIGGER_MANUAL] = "manual",
	[TRIGGER_DELETED] = "deleted",
};

const char *trigger_word(enum trigger trigger)
{
	return words[trigger];
}

bool trigger_parse(const char *word, enum trigger *out)
{
	int at = str_index(words, TRIGGERS, word);

	if (at >= 0)
		*out = (enum trigger)at;
	return at >= 0;
}
