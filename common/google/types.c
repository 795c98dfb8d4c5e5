/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words of methods and invitation states.
 */
#include "google/types.h"

#include "base/str.h"

static const char *const method_words[GOOGLE_METHODS] = {
	[GOOGLE_CHECK] = "check",
	[GOOGLE_GET] = "get",
	[GOOGLE_LIST] = "list",
	[GOOGLE_SEND] = "send",
	[GOOGLE_CANCEL] = "cancel",
};

static const char *const state_words[] = {
	[INVITATION_UNSPECIFIED] = "STATE_UNSPECIFIED",
	[INVITATION_NOT_YET_SENT] = "NOT_YET_SENT",
	[INVITATION_INVITED] = "INVITED",
	[INVITATION_ACCEPTED] = "ACCEPTED",
	[INVITATION_DECLINED] = "DECLINED",
};

const char *google_method_word(enum google_method method)
{
	return method_words[method];
}

const char *invitation_state_word(enum invitation_state state)
{
	return state < INVITATION_OTHER ? state_words[state] : "OTHER";
}

enum invitation_state invitation_state_parse(const char *word)
{
	for (int i = 0; i < INVITATION_OTHER; i++) {
		if (str_equal_nocase(word, state_words[i]))
			return (enum invitation_state)i;
	}
	return INVITATION_OTHER;
}
