/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON that all verbs print, by jansson. Only json_put() prints it: printable ASCII with
 * everything else escaped, so that the output is harmless on a terminal too.
 */
#include "cli/common/json.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/common/context.h"

json_t *json_text(const char *s)
{
	char safe[2048];

	if (!s || s[0] == '\0')
		return json_null();
	if (str_is_utf8(s, strlen(s)))
		return json_string(s);
	return json_string(str_safe(safe, sizeof(safe), s));
}

json_t *json_time(int64_t wall)
{
	char text[CLOCK_TEXT_SIZE];

	return wall > 0 ? json_string(clock_rfc3339(wall, text)) : json_null();
}

json_t *json_count(int64_t n)
{
	return n >= 0 ? json_integer(n) : json_null();
}

json_t *json_fault(const struct fault *fault)
{
	if (fault->kind == FAULT_NONE)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o}", "kind", fault_kind_word(fault->kind), "code",
		json_text(fault->code), "message", json_text(fault->what), "remedy",
		json_text(fault->remedy));
}

static json_t *person_fault(const struct person *p)
{
	if (p->fault_code[0] == '\0' && p->fault_text[0] == '\0')
		return json_null();
	return json_pack("{s:o, s:o}", "code", json_text(p->fault_code), "message",
		json_text(p->fault_text));
}

json_t *json_person(const struct person *p)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o, s:b, s:o, s:i, s:o, s:[]}", "address",
		json_text(p->address), "state", person_state_word(p->state), "reason",
		json_text(person_reason_word(p)), "mails_sent", json_count(p->mails),
		"next_attempt", json_time(p->next_attempt), "changed", json_time(p->changed),
		"approved", p->approved, "first_seen", json_time(p->first_day), "attempts",
		p->attempts, "last_error", person_fault(p), "sightings");
}

json_t *json_sighting(const struct ledger_sighting *s)
{
	return json_pack("{s:o, s:o, s:o, s:s, s:o, s:b}", "host", json_text(s->seen.host), "user",
		json_text(s->seen.user), "uid", json_count(s->seen.uid), "verdict",
		verdict_word(s->verdict), "first_seen", json_time(s->seen.first_seen), "gone",
		s->gone);
}

/* JSON_ENSURE_ASCII escapes everything but DEL, which can only be inside a string. */
static int write_ascii(const char *bytes, size_t n, void *ctx)
{
	FILE *out = ctx;

	for (size_t i = 0; i < n; i++)
		if (bytes[i] == '\x7f' ? fputs("\\u007f", out) == EOF
				       : fputc((unsigned char)bytes[i], out) == EOF)
			return -1;
	return 0;
}

static bool put(json_t *value, size_t flags)
{
	bool ok = value && json_dump_callback(value, write_ascii, stdout,
				   flags | JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII) == 0;

	json_decref(value);
	return ok;
}

bool json_put(json_t *value)
{
	return put(value, JSON_COMPACT | JSON_ENCODE_ANY);
}

bool json_line(json_t *value)
{
	return json_put(value) && putchar('\n') != EOF;
}

int json_answer(json_t *value)
{
	struct fault fault;

	if (put(value, JSON_INDENT(2)) && putchar('\n') != EOF)
		return EXIT_OK;
	fault_set(&fault, FAULT_STORAGE, "output", "cannot write the answer");
	return cli_fail(&fault);
}
