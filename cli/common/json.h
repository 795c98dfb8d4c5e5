/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON for scripts: times are RFC 3339 UTC, an unknown value is null, members keep their order. It
 * is printable ASCII with everything else \u-escaped, so that it is safe to read. Only json_put and
 * the functions that call it print JSON.
 */
#ifndef CLOUDINVITE_CLI_COMMON_JSON_H
#define CLOUDINVITE_CLI_COMMON_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "ledger/ledger.h"

#define JSON_SCHEMA 1

/* A string; bytes that are not UTF-8 are made visible, "" becomes null. */
json_t *json_text(const char *s);
/* Seconds since the epoch; 0 becomes null. A day is given as its midnight. */
json_t *json_time(int64_t wall);
/* A count; a negative one becomes null. */
json_t *json_count(int64_t n);

/* {"kind","code","message","remedy"}, or null for no fault. */
json_t *json_fault(const struct fault *fault);
/* {"address","state","reason","mails_sent","next_attempt",…} with an empty "sightings" to be
 * filled. */
json_t *json_person(const struct person *p);
/* {"host","user","uid","verdict","first_seen","gone"} */
json_t *json_sighting(const struct ledger_sighting *s);

/* Prints on standard output, compact, without a newline. Takes the reference. False: out of
 * memory. */
bool json_put(json_t *value);
/* The same on a line of its own. */
bool json_line(json_t *value);
/* Prints the whole output, indented. Returns the exit code: 0, or 8 if memory ran out. */
int json_answer(json_t *value);

#endif
