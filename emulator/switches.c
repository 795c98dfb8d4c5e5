/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of switches, and reading, writing and explaining them.
 */
#include "switches.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

enum switch_type {
	SWITCH_FLAG,
	SWITCH_WORD,   /* stored as the index of the word */
	SWITCH_CODE,   /* stored as the number that the word means */
	SWITCH_NUMBER, /* 0 to the seconds of a day */
};

struct switch_spec {
	const char *name;
	size_t offset;
	enum switch_type type;
	int preset;
	const char *words[6];
	const char *meaning;
};

#define AT(member) #member, offsetof(struct switches, member)

static const struct switch_spec specs[] = {
	{AT(omit_false), SWITCH_FLAG, 0, {NULL}, "leave out isInvitableUser when it is false"},
	{AT(omit_zero), SWITCH_FLAG, 0, {NULL}, "leave out mailsSentCount when it is 0"},
	{AT(omit_empty), SWITCH_FLAG, 1, {NULL}, "an empty list is {}"},
	{AT(legacy_errors), SWITCH_FLAG, 0, {NULL}, "errors carry the old errors[] too"},
	{AT(essentials), SWITCH_FLAG, 0, {NULL},
		"a Workspace Essentials customer: no isInvitableUser"},
	{AT(essentials_error), SWITCH_CODE, 400, {"400", "403"}, "the status of that refusal"},
	{AT(api_disabled), SWITCH_FLAG, 0, {NULL}, "the API is not enabled in the project"},
	{AT(family_invitable), SWITCH_FLAG, 0, {NULL}, "members of a family group count too"},
	{AT(method_mismatch), SWITCH_CODE, 404, {"404", "405"}, "a known path, another method"},
	{AT(foreign_customer), SWITCH_CODE, 403, {"403", "400"}, "another customer's id"},
	{AT(bad_address), SWITCH_CODE, 400, {"400", "404"}, "a name that is not an address"},
	{AT(send_not_invitable), SWITCH_CODE, 400, {"400", "404"}, "send: not invitable"},
	{AT(send_managed), SWITCH_CODE, 400, {"400", "404", "409"}, "send: managed or accepted"},
	{AT(send_declined), SWITCH_CODE, 200, {"200", "400"}, "send: declined before"},
	{AT(cancel_not_sent), SWITCH_CODE, 400, {"400", "404"}, "cancel: nothing was sent"},
	{AT(cancel_state), SWITCH_WORD, CANCELLED_NOT_YET_SENT,
		{"NOT_YET_SENT", "DECLINED", "STATE_UNSPECIFIED"}, "the state after a cancel"},
	{AT(cancel_keeps_count), SWITCH_FLAG, 1, {NULL}, "mailsSentCount outlives a cancel"},
	{AT(operation), SWITCH_WORD, OPERATION_DONE,
		{"done", "pending", "missing_done", "error", "empty"},
		"what send and cancel return (all but error have their effect)"},
	{AT(operation_type), SWITCH_WORD, OPERATION_TYPE_LONG, {"long", "short", "none"},
		"@type of the operation's response"},
	{AT(operation_name), SWITCH_FLAG, 1, {NULL}, "the operation has a name"},
	{AT(local_audience), SWITCH_FLAG, 1, {NULL},
		"accept this emulator's own token URL as `aud`, too"},
	{AT(legacy_audience), SWITCH_FLAG, 0, {NULL},
		"accept https://accounts.google.com/o/oauth2/token as `aud`"},
	{AT(iat_tolerance), SWITCH_NUMBER, 0, {NULL}, "seconds that `iat` may be in the future"},
	{AT(token_lifetime), SWITCH_NUMBER, 3599, {NULL}, "lifetime of a token in seconds"},
	{AT(expires_in_string), SWITCH_FLAG, 0, {NULL}, "expires_in is a string"},
	{AT(consent), SWITCH_WORD, CONSENT_ASK,
		{"ask", "approve", "deny", "invalid_scope", "restricted"},
		"the consent page: asks, or answers at once"},
	{AT(refresh_rotates), SWITCH_FLAG, 0, {NULL},
		"each refresh replaces the refresh token; the old one ends"},
	{AT(rapt), SWITCH_WORD, RAPT_NONE, {"none", "rapt_required", "invalid_rapt"},
		"session control refuses to refresh"},
	{AT(metadata_flavor), SWITCH_CODE, 403, {"403", "400", "200"},
		"metadata: without Metadata-Flavor: Google (200: accepted)"},
	{AT(metadata_forwarded), SWITCH_CODE, 403, {"403", "400", "200"},
		"metadata: with X-Forwarded-For (200: accepted)"},
	{AT(metadata_scopes), SWITCH_FLAG, 0, {NULL},
		"metadata: token?scopes= counts, as on GKE; plain Compute Engine ignores it"},
	{AT(iam_disabled), SWITCH_FLAG, 0, {NULL}, "the IAM Credentials API is not enabled"},
	{AT(iam_unknown), SWITCH_CODE, 403, {"403", "404"}, "signJwt: no such service account"},
	{AT(sts_bearer), SWITCH_CODE, 401, {"401", "400"}, "STS: a request with a bearer token"},
	{AT(sts_expires_in), SWITCH_FLAG, 1, {NULL}, "STS: the answer has expires_in"},
	{AT(sts_token_size), SWITCH_NUMBER, 0, {NULL},
		"STS: minimum length of a token in bytes (Google's maximum is 12288)"},
	{AT(log), SWITCH_FLAG, 1, {NULL}, "keep the request log (switch it off to measure)"},
};

#define N_SPECS (ARRAY_SIZE(specs))

static int *switch_at(struct switches *s, const struct switch_spec *spec)
{
	return (int *)(void *)((char *)s + spec->offset);
}

static int switch_value(const struct switches *s, const struct switch_spec *spec)
{
	return *(const int *)(const void *)((const char *)s + spec->offset);
}

void switches_defaults(struct switches *s)
{
	for (size_t i = 0; i < N_SPECS; i++)
		*switch_at(s, &specs[i]) = specs[i].preset;
}

/* Words and codes: a code may be a number or a string. */
static bool switch_read_word(const struct switch_spec *spec, json_t *value, int *out)
{
	char number[24];
	const char *word = json_string_value(value);

	if (json_is_integer(value)) {
		snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
		word = number;
	}
	for (int i = 0; word && spec->words[i]; i++) {
		if (strcmp(word, spec->words[i]) == 0) {
			*out = spec->type == SWITCH_CODE ? (int)strtol(word, NULL, 10) : i;
			return true;
		}
	}
	return false;
}

static bool switch_read(const struct switch_spec *spec, json_t *value, int *out)
{
	switch (spec->type) {
	case SWITCH_FLAG:
		*out = json_is_true(value);
		return json_is_boolean(value);
	case SWITCH_NUMBER:
		*out = (int)json_integer_value(value);
		return json_is_integer(value) && json_integer_value(value) >= 0 &&
		       json_integer_value(value) <= 86400;
	case SWITCH_WORD:
	case SWITCH_CODE:
		break;
	}
	return switch_read_word(spec, value, out);
}

bool switches_read(struct switches *s, json_t *object, struct doc_error *doc_error)
{
	struct switches next = *s;
	const char *key;
	json_t *value;

	if (!json_is_object(object))
		return doc_error_set(doc_error, "switches is not a JSON object");
	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (i < N_SPECS && strcmp(specs[i].name, key) != 0)
			i++;
		if (i == N_SPECS)
			return doc_error_set(doc_error, "switches: there is no switch '%s'", key);
		if (!switch_read(&specs[i], value, switch_at(&next, &specs[i])))
			return doc_error_set(
				doc_error, "switches: %s: invalid value (see --help)", key);
	}
	*s = next;
	return true;
}

json_t *switches_write(const struct switches *s)
{
	json_t *out = json_object();

	for (size_t i = 0; i < N_SPECS; i++) {
		int value = switch_value(s, &specs[i]);
		json_t *json = specs[i].type == SWITCH_FLAG   ? json_boolean(value)
			       : specs[i].type == SWITCH_WORD ? json_string(specs[i].words[value])
							      : json_integer(value);

		json_object_set_new(out, specs[i].name, json);
	}
	return out;
}

static void switch_explain(FILE *out, const struct switch_spec *spec)
{
	fprintf(out, "  %-20s ", spec->name);
	if (spec->type == SWITCH_FLAG)
		fprintf(out, "[%s] ", spec->preset ? "true" : "false");
	else if (spec->type == SWITCH_NUMBER)
		fprintf(out, "[%d] ", spec->preset);
	for (int i = 0; spec->words[i]; i++)
		fprintf(out, "%s%s%s", i == 0 ? "[" : "|", spec->words[i],
			!spec->words[i + 1] ? "] " : "");
	fprintf(out, "%s\n", spec->meaning);
}

void switches_explain(FILE *out)
{
	for (size_t i = 0; i < N_SPECS; i++)
		switch_explain(out, &specs[i]);
}
