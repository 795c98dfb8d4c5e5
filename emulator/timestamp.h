/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timestamps: microseconds since the epoch, and their forms in JSON, HTTP and messages.
 */
#ifndef CLOUDINVITE_EMULATOR_TIMESTAMP_H
#define CLOUDINVITE_EMULATOR_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#define USEC_PER_SEC	    INT64_C(1000000)
#define TIMESTAMP_TEXT_SIZE 40

/* The real clock. */
int64_t timestamp_now(void);
/* Milliseconds that never jump, for waiting. */
int64_t monotonic_ms(void);

/* 2026-11-23T04:28:01.123456Z, without the fraction if it is zero; returns out. */
char *timestamp_rfc3339(int64_t timestamp, char out[TIMESTAMP_TEXT_SIZE]);
/* Mon, 23 Nov 2026 04:28:01 GMT; returns out. */
char *timestamp_http(int64_t timestamp, char out[TIMESTAMP_TEXT_SIZE]);
/* RFC 3339 with Z or an offset, and up to 9 fractional digits. */
bool timestamp_parse(const char *s, int64_t *timestamp);
/* "90s", "5m", "72h", "30d", "1w", "1500ms"; a bare number means seconds. May be negative. */
bool timestamp_parse_age(const char *s, int64_t *age);

#endif
