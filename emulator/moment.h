/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moments: microseconds since the epoch, and how JSON, HTTP and people write them.
 */
#ifndef CLOUDINVITE_EMULATOR_MOMENT_H
#define CLOUDINVITE_EMULATOR_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

#define MOMENT_SECOND	 INT64_C(1000000)
#define MOMENT_TEXT_SIZE 40

/* The real clock. */
int64_t moment_real(void);
/* Milliseconds that never jump, for waiting. */
int64_t moment_monotonic_ms(void);

/* 2026-11-23T04:28:01.123456Z, without a fraction where there is none; returns out. */
char *moment_rfc3339(int64_t moment, char out[MOMENT_TEXT_SIZE]);
/* Mon, 23 Nov 2026 04:28:01 GMT; returns out. */
char *moment_http(int64_t moment, char out[MOMENT_TEXT_SIZE]);
/* RFC 3339 with Z or an offset, 0 to 9 fractional digits. */
bool moment_parse(const char *s, int64_t *moment);
/* "90s", "5m", "72h", "30d", "1w", "1500ms"; a bare number counts seconds. May be negative. */
bool moment_parse_age(const char *s, int64_t *age);

#endif
