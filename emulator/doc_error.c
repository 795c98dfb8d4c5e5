/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers for the members of control documents, which all report errors in the same form.
 */
#include "doc_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool doc_error_set(struct doc_error *c, const char *format, ...)
{
	va_list args;

	if (c->text[0] != '\0')
		return false;
	va_start(args, format);
	vsnprintf(c->text, sizeof c->text, format, args);
	va_end(args);
	return false;
}

bool member_string(
	json_t *object, const char *name, const char **out, const char *where, struct doc_error *c)
{
	json_t *value = json_object_get(object, name);

	if (!value || json_is_null(value))
		return true;
	if (!json_is_string(value))
		return doc_error_set(c, "%s: %s is not a string", where, name);
	*out = json_string_value(value);
	return true;
}

bool member_needed(
	json_t *object, const char *name, const char **out, const char *where, struct doc_error *c)
{
	*out = NULL;
	if (!member_string(object, name, out, where, c))
		return false;
	return *out || doc_error_set(c, "%s: %s is missing", where, name);
}

bool member_bool(
	json_t *object, const char *name, bool *out, const char *where, struct doc_error *c)
{
	json_t *value = json_object_get(object, name);

	if (!value)
		return true;
	if (!json_is_boolean(value))
		return doc_error_set(c, "%s: %s is neither true nor false", where, name);
	*out = json_is_true(value);
	return true;
}

bool member_int(json_t *object, const char *name, int64_t min, int64_t max, int64_t *out,
	const char *where, struct doc_error *c)
{
	json_t *value = json_object_get(object, name);

	if (!value)
		return true;
	if (!json_is_integer(value) || json_integer_value(value) < min ||
		json_integer_value(value) > max)
		return doc_error_set(c, "%s: %s is not a number from %lld to %lld", where, name,
			(long long)min, (long long)max);
	*out = json_integer_value(value);
	return true;
}

static void words_join(char *out, size_t size, const char *const *words)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; words[i] && len < size; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? ", " : "", words[i]);
}

bool member_word(json_t *object, const char *name, const char *const *words, int *out,
	const char *where, struct doc_error *c)
{
	const char *word = NULL;
	char all[200];

	if (!member_string(object, name, &word, where, c))
		return false;
	if (!word)
		return true;
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], word) == 0) {
			*out = i;
			return true;
		}
	}
	words_join(all, sizeof all, words);
	return doc_error_set(c, "%s: %s is '%s'; it must be one of: %s", where, name, word, all);
}

bool members_known(json_t *object, const char *const *names, const char *where, struct doc_error *c)
{
	const char *key;
	json_t *value;
	char all[200];

	if (!json_is_object(object))
		return doc_error_set(c, "%s is not a JSON object", where);
	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (names[i] && strcmp(names[i], key) != 0)
			i++;
		if (!names[i]) {
			words_join(all, sizeof all, names);
			return doc_error_set(
				c, "%s: unknown member '%s'; known members: %s", where, key, all);
		}
	}
	return true;
}
