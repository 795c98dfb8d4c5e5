/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of the records: for each verb, what its name, word and numbers may be.
 */
#include "spool/record.h"

#include <string.h>

#include "base/array.h"
#include "base/str.h"

enum name_kind {
	NAME_NONE,
	NAME_ARRIVAL,
	NAME_MARK,
	NAME_ANY, /* the name of what has failed: any text that fits, also none */
};

enum word_kind {
	WORD_NONE,
	WORD_ONE,
	WORD_ANY, /* or none */
};

/* What a record of one verb may contain. */
struct form {
	char verb;
	enum name_kind name;
	enum word_kind word;
	int64_t time_most;
	int64_t count_least, count_most;
	int32_t status_most;
};

static const struct form requests[] = {
	{SPOOL_ASK_ARRIVALS, NAME_NONE, WORD_NONE, 0, 1, SPOOL_LIST_MOST, 0},
	{SPOOL_ASK_SEEN, NAME_ARRIVAL, WORD_NONE, 0, 0, 0, 0},
	{SPOOL_ASK_TAKE, NAME_ARRIVAL, WORD_NONE, 0, 0, 0, 0},
	{SPOOL_ASK_MARK, NAME_MARK, WORD_ONE, 0, 0, 0, 0},
	{SPOOL_ASK_CHANGE, NAME_MARK, WORD_ONE, 0, 0, 0, 0},
	{SPOOL_ASK_FIRST, NAME_MARK, WORD_ONE, 0, 0, 0, 0},
	{SPOOL_ASK_UNMARK, NAME_MARK, WORD_NONE, 0, 0, 0, 0},
	{SPOOL_ASK_MARKS, NAME_NONE, WORD_NONE, INT64_MAX, 0, 0, 0},
	/* A ledger's id is 32 hex digits, which is also a valid name of a marker. */
	{SPOOL_ASK_BIND, NAME_MARK, WORD_NONE, 0, 0, INT64_MAX, 0},
	{SPOOL_ASK_STAT, NAME_NONE, WORD_ONE, 0, 0, 0, 0},
	{SPOOL_ASK_FLUSH, NAME_NONE, WORD_NONE, 0, 0, 0, 0},
};

static const struct form answers[] = {
	{SPOOL_TELL_NEWS, NAME_NONE, WORD_NONE, 0, 0, 0, 0},
	{SPOOL_TELL_ARRIVAL, NAME_ARRIVAL, WORD_NONE, INT64_MAX, 0, 0, 0},
	{SPOOL_TELL_MARK, NAME_MARK, WORD_ANY, INT64_MAX, 0, 0, 0},
	{SPOOL_TELL_END, NAME_ANY, WORD_ANY, INT64_MAX, 0, INT64_MAX, INT32_MAX},
};

/* A text, at least one NUL, and only NULs after it. */
static bool is_text(const char *field, size_t size, size_t most)
{
	size_t length = strnlen(field, size);

	if (length > most)
		return false;
	for (size_t i = length; i < size; i++)
		if (field[i] != '\0')
			return false;
	return true;
}

static bool is_word(const char *word)
{
	for (; *word; word++)
		if ((*word < 'a' || *word > 'z') && *word != '_')
			return false;
	return true;
}

static bool name_fits(const char *name, enum name_kind kind)
{
	char user[SPOOL_USER_MAX + 1];
	enum trigger trigger;

	switch (kind) {
	case NAME_NONE:
		return *name == '\0';
	case NAME_ARRIVAL:
		return spool_parse_arrival(name, user, &trigger);
	case NAME_MARK:
		return spool_parse_mark(name, user);
	case NAME_ANY:
		break;
	}
	return true;
}

static bool fits(const struct spool_record *r, const struct form *f)
{
	return name_fits(r->name, f->name) && is_word(r->word) &&
	       (f->word == WORD_ANY || (*r->word != '\0') == (f->word == WORD_ONE)) &&
	       r->time >= 0 && r->time <= f->time_most && r->count >= f->count_least &&
	       r->count <= f->count_most && r->status >= 0 && r->status <= f->status_most;
}

static bool is_one_of(
	const struct spool_record *r, size_t n, const struct form *forms, size_t count)
{
	if (n != sizeof(*r) || r->zero[0] || r->zero[1] || r->zero[2] ||
		!is_text(r->name, sizeof(r->name), SPOOL_NAME_MAX) ||
		!is_text(r->word, sizeof(r->word), SPOOL_WORD_MAX - 1))
		return false;
	for (size_t i = 0; i < count; i++)
		if (forms[i].verb == r->verb)
			return fits(r, &forms[i]);
	return false;
}

bool spool_record_is_request(const struct spool_record *r, size_t n)
{
	return is_one_of(r, n, requests, ARRAY_SIZE(requests));
}

bool spool_record_is_answer(const struct spool_record *r, size_t n)
{
	return is_one_of(r, n, answers, ARRAY_SIZE(answers));
}

bool spool_record_make(struct spool_record *r, char verb, const char *name, const char *word)
{
	*r = (struct spool_record){.verb = verb};
	return (!name || str_copy(r->name, SPOOL_NAME_MAX + 1, name)) &&
	       (!word || str_copy(r->word, sizeof(r->word), word));
}
