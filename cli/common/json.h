/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON for machines: times are RFC 3339 UTC, what is unknown is null, keys keep their order. It is
 * printable ASCII: whatever else a string holds is \u-escaped, so that it may be looked at, too.
 * Only json_put and those that call it print JSON.
 */
#ifndef CLOUDINVITE_CLI_COMMON_JSON_H
#define CLOUDINVITE_CLI_COMMON_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "ledger/ledger.h"

#define JSON_SCHEMA 1

/* A string; bytes that are no UTF-8 are made visible, "" is null. */
json_t *json_text(const char *s);
/* Seconds since the epoch; 0 is null. Days of people are those of midnight. */
json_t *json_time(int64_t wall);
/* A count; negative is null. */
json_t *json_count(int64_t n);

/* {"kind","code","message","remedy"}, or null for no fault. */
json_t *json_fault(const struct fault *fault);
/* {"address","state","reason","mails_sent","next_attempt",…} with "sightings": [] to be filled. */
json_t *json_person(const struct person *p);
/* {"host","user","uid","verdict","first_seen","gone"} */
json_t *json_sighting(const struct ledger_sighting *s);

/* Prints on standard output, compact, without a newline; takes the reference. False: memory. */
bool json_put(json_t *value);
/* The same as a line of its own. */
bool json_line(json_t *value);
/* Prints a whole answer, indented; returns the exit code: 0, or 8 when memory ran out. */
int json_answer(json_t *value);

#endif
