/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values: from the text of a file into the field of a struct, and back.
 */
#include "base/str.h"
#include "base/strbuf.h"
#include "settings/key.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/clock.h"

/* `wrong` ends the sentence: "'many' is not a number". */
static bool set_value_error(
	struct value_error *c, const struct setting_key *k, const char *value, const char *wrong)
{
	if (k->password)
		str_format(c->what, sizeof(c->what), "the value %s", wrong);
	else if (value[0] == '\0')
		str_format(c->what, sizeof(c->what), "an empty value %s", wrong);
	else
		str_format(c->what, sizeof(c->what), "'%.80s' %s", value, wrong);
	return false;
}

static void *field_of(const struct setting_key *k, struct settings *s)
{
	return (char *)s + k->offset;
}

static const void *field_in(const struct setting_key *k, const struct settings *s)
{
	return (const char *)s + k->offset;
}

static bool set_string(
	const struct setting_key *k, struct settings *s, const char *value, struct value_error *c)
{
	char **field = field_of(k, s);
	char *copy = strdup(value);
	const char *remedy = "";
	const char *wrong = NULL;

	if (!copy)
		wrong = "is too large: out of memory";
	else if (k->validate)
		wrong = k->validate(copy, &remedy);

	if (wrong) {
		free(copy);
		str_copy(c->remedy, sizeof(c->remedy), remedy);
		return set_value_error(c, k, value, wrong);
	}
	free(*field);
	*field = copy;
	return true;
}

static bool set_bool(
	const struct setting_key *k, struct settings *s, const char *value, struct value_error *c)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_equal_nocase(value, words[i])) {
			*(bool *)field_of(k, s) = i % 2 == 1;
			return true;
		}
	str_copy(c->remedy, sizeof(c->remedy), "Write yes or no.");
	return set_value_error(c, k, value, "is neither yes nor no");
}

static bool set_number(
	const struct setting_key *k, struct settings *s, const char *value, struct value_error *c)
{
	long long number;

	if (str_number(value, k->min, k->max, &number)) {
		*(int64_t *)field_of(k, s) = number;
		return true;
	}
	str_format(c->remedy, sizeof(c->remedy), "Write a number from %lld to %lld.",
		(long long)k->min, (long long)k->max);
	return set_value_error(c, k, value,
		str_number(value, INT64_MIN, INT64_MAX, &number) ? "is out of range"
								 : "is not a number");
}

static bool set_duration(
	const struct setting_key *k, struct settings *s, const char *value, struct value_error *c)
{
	char min[CLOCK_TEXT_SIZE], max[CLOCK_TEXT_SIZE];
	int64_t seconds = 0;
	bool parsed = clock_parse_duration(value, &seconds);

	if (parsed && seconds >= k->min && seconds <= k->max) {
		*(int64_t *)field_of(k, s) = seconds;
		return true;
	}
	str_format(c->remedy, sizeof(c->remedy),
		"Write a time from %s to %s, such as 90s, 2m, 24h, 30d or 1w.",
		clock_duration(k->min, min), clock_duration(k->max, max));
	return set_value_error(c, k, value, parsed ? "is out of range" : "is not a duration");
}

/* "dry-run or send", "login, created". */
static void name_words(
	const struct setting_key *k, const char *between, const char *last, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; k->words[i]; i++) {
		size_t used = strlen(out);

		str_format(out + used, size - used, "%s%s",
			i == 0		   ? ""
			: !k->words[i + 1] ? last
					   : between,
			k->words[i]);
	}
}

static int word_place(const struct setting_key *k, const char *word, size_t len)
{
	for (int i = 0; k->words[i]; i++)
		if (strlen(k->words[i]) == len && memcmp(k->words[i], word, len) == 0)
			return i;
	return -1;
}

/* This code writes every enum of struct settings as an unsigned. */
_Static_assert(sizeof(enum settings_mode) == sizeof(unsigned) &&
		       sizeof(enum settings_role) == sizeof(unsigned),
	"enums are stored as unsigned");

static bool set_choice(
	const struct setting_key *k, struct settings *s, const char *value, struct value_error *c)
{
	char words[128];
	int place = word_place(k, value, strlen(value));

	if (place >= 0) {
		unsigned number = (unsigned)place;

		memcpy(field_of(k, s), &number, sizeof(number));
		return true;
	}
	name_words(k, ", ", " or ", words, sizeof(words));
	if (setting_old_value(k, value))
		str_copy(c->remedy, sizeof(c->remedy), setting_old_value(k, value));
	else
		str_format(c->remedy, sizeof(c->remedy), "Write %s.", words);
	return set_value_error(c, k, value, "is not a valid choice");
}

struct flags {
	const struct setting_key *key;
	unsigned set;
};

static bool flag_add(const char *word, size_t len, void *ctx)
{
	struct flags *flags = ctx;
	int place = word_place(flags->key, word, len);

	if (place < 0)
		return false;
	flags->set |= 1u << place;
	return true;
}

static bool set_flags(
	const struct setting_key *k, struct settings *s, const char *value, struct value_error *c)
{
	struct flags flags = {.key = k};
	char words[128];

	if (str_each_word(value, flag_add, &flags) && flags.set != 0) {
		memcpy(field_of(k, s), &flags.set, sizeof(flags.set));
		return true;
	}
	name_words(k, ", ", " and ", words, sizeof(words));
	str_format(c->remedy, sizeof(c->remedy), "Write one or more of %s.", words);
	return set_value_error(c, k, value, "is not a list of valid choices");
}

bool setting_set(
	const struct setting_key *k, struct settings *s, const char *value, struct value_error *c)
{
	*c = (struct value_error){.what = ""};
	switch (k->kind) {
	case KIND_STRING:
	case KIND_LIST:
		return set_string(k, s, value, c);
	case KIND_BOOL:
		return set_bool(k, s, value, c);
	case KIND_NUMBER:
		return set_number(k, s, value, c);
	case KIND_DURATION:
		return set_duration(k, s, value, c);
	case KIND_CHOICE:
		return set_choice(k, s, value, c);
	case KIND_FLAGS:
		return set_flags(k, s, value, c);
	}
	return false;
}

/* The password in "scheme://name:password@host", and its length in `len`. */
static const char *password_in(const char *value, size_t *len)
{
	const char *start = strstr(value, "://");
	const char *end = !start ? NULL : start + 3 + strcspn(start + 3, "/?#");
	const char *at = NULL, *colon = NULL;

	if (!start)
		return NULL;
	for (const char *p = start + 3; p < end; p++) {
		if (*p == '@')
			at = p;
		if (*p == ':' && !colon)
			colon = p;
	}
	if (!at || !colon || colon > at)
		return NULL;
	*len = (size_t)(at - colon - 1);
	return *len > 0 ? colon + 1 : NULL;
}

/* Whether a parameter names a password or a PIN. */
static bool password_is_named(const char *value)
{
	return strstr(value, "password=") || strstr(value, "pin-value=");
}

bool setting_has_password(const char *value)
{
	size_t len;

	return password_in(value, &len) || password_is_named(value);
}

static void show_string(const struct setting_key *k, const char *value, struct strbuf *out)
{
	size_t len;
	const char *password = k->password ? password_in(value, &len) : NULL;

	if (k->password && password_is_named(value)) {
		strbuf_add(out, "(hidden: it contains a password)");
	} else if (password) {
		strbuf_add_bytes(out, value, (size_t)(password - value));
		strbuf_addf(out, "***%s", password + len);
	} else {
		strbuf_add(out, value);
	}
}

static void show_words(const struct setting_key *k, unsigned set, struct strbuf *out)
{
	bool first = true;

	for (unsigned i = 0; k->words[i]; i++) {
		bool in = k->kind == KIND_CHOICE ? set == i : (set >> i & 1) != 0;

		if (in)
			strbuf_addf(out, "%s%s", first ? "" : " ", k->words[i]);
		first = first && !in;
	}
}

void setting_format(const struct setting_key *k, const struct settings *s, struct strbuf *out)
{
	char duration[CLOCK_TEXT_SIZE];
	unsigned number;

	switch (k->kind) {
	case KIND_STRING:
	case KIND_LIST:
		show_string(k, *(char *const *)field_in(k, s), out);
		break;
	case KIND_BOOL:
		strbuf_add(out, *(const bool *)field_in(k, s) ? "yes" : "no");
		break;
	case KIND_NUMBER:
		strbuf_addf(out, "%lld", (long long)*(const int64_t *)field_in(k, s));
		break;
	case KIND_DURATION:
		strbuf_add(out, clock_duration(*(const int64_t *)field_in(k, s), duration));
		break;
	case KIND_CHOICE:
	case KIND_FLAGS:
		memcpy(&number, field_in(k, s), sizeof(number));
		show_words(k, number, out);
		break;
	}
}
